import type { ServerResponse } from 'node:http';

/** Which protocol a client speaks, and so how it wants to be told that something is wrong. */
export type Dialect = 'anthropic' | 'openai' | 'plain';

/**
 * Refuses a request in the words of its protocol. `final`: trying again is of no use. The clients believe a 429 with
 * `x-should-retry: false` (Anthropic) and a 400 (Responses); on other codes they try again for minutes. `after`: seconds until
 * trying again may help.
 */
export function refuse(
  response: ServerResponse,
  dialect: Dialect,
  status: number,
  message: string,
  final = true,
  after?: number,
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (final && dialect === 'anthropic') headers['x-should-retry'] = 'false';
  if (after !== undefined) headers['retry-after'] = String(after);
  // Who still sends reads the answer afterwards; what comes goes nowhere, and must be over in the time that requests have.
  response.req.resume();
  response.writeHead(status, headers);
  response.end(JSON.stringify(bodyOf(dialect, status, message)));
}

/** The code with which a client gives up at once and shows the message. */
export function lastWord(dialect: Dialect): number {
  return dialect === 'anthropic' ? 429 : 400;
}

function bodyOf(dialect: Dialect, status: number, message: string): object {
  switch (dialect) {
    case 'anthropic':
      return { type: 'error', error: { type: anthropicType(status), message } };
    case 'openai':
      return {
        error: { message, type: status === 401 ? 'authentication_error' : 'invalid_request_error', param: null, code: null },
      };
    case 'plain':
      return { error: message };
  }
}

function anthropicType(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 404) return 'not_found_error';
  if (status === 413) return 'request_too_large';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'api_error' : 'invalid_request_error';
}
