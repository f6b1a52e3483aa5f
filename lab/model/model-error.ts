import type { Json } from '../slack/json.ts';

/** What the service answers instead of a message. */
export class ModelError extends Error {
  readonly status: number;
  /** `invalid_request_error`, `overloaded_error` … */
  readonly type: string;
  /** Responses API only. */
  readonly param: string | null;
  readonly code: string | null;

  constructor(status: number, type: string, message: string, detail: { param?: string; code?: string } = {}) {
    super(message);
    this.status = status;
    this.type = type;
    this.param = detail.param ?? null;
    this.code = detail.code ?? null;
  }
}

/** A request that breaks the rules. */
export function invalid(message: string, detail: { param?: string; code?: string } = {}): ModelError {
  return new ModelError(400, 'invalid_request_error', message, detail);
}

export const anthropicErrorBody = ({ type, message }: ModelError, requestId: string): Json => ({
  type: 'error',
  error: { type, message },
  request_id: requestId,
});

export const openaiErrorBody = ({ type, message, param, code }: ModelError): Json => ({ error: { message, type, param, code } });
