import type { FaultOf, FaultsOf } from '../faults.ts';
import type { ApiCall } from './calls.ts';

interface Refusal {
  /** Answer this number of Discord (10008, 50013 …), without any effect. The status is 400 unless given. */
  code?: number | undefined;
}

/** Of REST calls. */
export type Fault = FaultOf<ApiCall, Refusal>;
export type Faults = FaultsOf<ApiCall, Refusal>;
