import type { Json } from '../slack/json.ts';

/** An answer with `ok: false`. `parameters` carries `retry_after` or `migrate_to_chat_id`. */
export class BotApiError extends Error {
  readonly code: number;
  readonly parameters: Json | undefined;
  constructor(code: number, description: string, parameters?: Json) {
    super(description);
    this.name = 'BotApiError';
    this.code = code;
    this.parameters = parameters;
  }
}

/** `Bad Request: …`. The server makes the first letter small unless the detail is an error name in capitals. */
export function badRequest(detail: string): BotApiError {
  const isName = /^[A-Z0-9_]+$/.test(detail.split(' ')[0] ?? '') && /^[A-Z0-9]{2}/.test(detail);
  return new BotApiError(400, `Bad Request: ${isName ? detail : detail.charAt(0).toLowerCase() + detail.slice(1)}`);
}

export function forbidden(detail: string): BotApiError {
  return new BotApiError(403, `Forbidden: ${detail}`);
}

export function conflict(detail: string): BotApiError {
  return new BotApiError(409, `Conflict: ${detail}`);
}
