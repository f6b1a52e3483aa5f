import type { FaultOf, FaultsOf } from '../faults.ts';
import type { Json } from '../slack/json.ts';

/** A request as faults and tests look at it. */
export interface ModelCall {
  /** What it asks for: which fault methods name. */
  method: 'messages' | 'count_tokens' | 'responses' | 'models';
  path: string;
  /** Key or token it came with; `undefined`: none. */
  token: string | undefined;
  /** `{}` where there was none. */
  body: Json;
}

/** Besides what every emulator can be made to do (status, dropped connections): what goes wrong with models. */
export interface ModelTrouble {
  /** Text of the error of `status`; by default what the service says. */
  message?: string | undefined;
  /** Headers of the answer of `status`, e.g. `x-should-retry`. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** In the middle of the stream: cut the connection, go silent until the caller leaves, or send an error event (`overloaded_error`). */
  midStream?: 'drop' | 'stall' | 'error' | undefined;
  /** How many events of the stream come before `midStream` happens. Default: half of them. */
  afterEvents?: number | undefined;
  /** The input of the first tool call is unfinished JSON. */
  badInput?: boolean | undefined;
  /** The conversation does not fit into the model. */
  overflow?: boolean | undefined;
  /** Milliseconds before the first byte of the answer. */
  firstByteMs?: number | undefined;
}

export type ModelFault = FaultOf<ModelCall, ModelTrouble>;
export type ModelFaults = FaultsOf<ModelCall, ModelTrouble>;
