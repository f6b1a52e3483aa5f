import type { FaultOf, FaultsOf } from '../faults.ts';
import type { ApiCall } from './calls.ts';

interface Refusal {
  /** With a status: GitHub's sentence. */
  message?: string | undefined;
  /** `primary`: the hourly limit is used up. `secondary`: too much at once; says how long to wait (`retryAfter`, default 60 s). */
  limit?: 'primary' | 'secondary' | undefined;
}

/** Of REST calls, `graphql`, and of git's requests (`git-upload-pack`, `git-receive-pack`). */
export type Fault = FaultOf<ApiCall, Refusal>;
export type Faults = FaultsOf<ApiCall, Refusal>;
