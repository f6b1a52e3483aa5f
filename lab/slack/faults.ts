import type { FaultOf, FaultsOf } from '../faults.ts';
import type { ApiCall } from './calls.ts';

interface Refusal {
  /** Answer `ok: false` with this code, without any effect. */
  error?: string | undefined;
}

/** Of calls that answer as the Web API does. */
export type Fault = FaultOf<ApiCall, Refusal>;
export type Faults = FaultsOf<ApiCall, Refusal>;
