import type { ApiCall } from '../slack/calls.ts';
import type { Args } from './args.ts';
import type { Core } from './core.ts';
import type { UploadedFile } from './request-body.ts';

/** One authenticated call of a Bot API method. */
export interface MethodCall {
  core: Core;
  args: Args;
  files: ReadonlyMap<string, UploadedFile>;
  record: ApiCall;
  /** Aborted when the caller has hung up. */
  signal: AbortSignal;
}

/** What a method answers as `result`, with the `description` that some add. */
export interface MethodResult {
  result: unknown;
  description?: string | undefined;
}

export type Method = (call: MethodCall) => MethodResult | Promise<MethodResult>;

/** A method whose result needs no description. */
export function answering(handle: (call: MethodCall) => unknown): Method {
  return (call) => ({ result: handle(call) });
}
