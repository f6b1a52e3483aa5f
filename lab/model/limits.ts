import type { Conversation } from './conversation.ts';
import type { ModelFault } from './faults.ts';
import { invalid, ModelError } from './model-error.ts';
import type { Protocol } from './request.ts';
import { inputTokens } from './usage.ts';

/** The error of a fault that is an HTTP status, in the words of the service. */
export function faultError(protocol: Protocol, { status = 500, message }: ModelFault): ModelError {
  const [type, words, code] = (protocol === 'anthropic' ? anthropicErrors : openaiErrors)[status] ?? [
    'api_error',
    'Unexpected error',
    '',
  ];
  return new ModelError(status, type, message ?? words, code === '' ? {} : { code });
}

type Errors = Readonly<Record<number, readonly [type: string, message: string, code: string] | undefined>>;

const anthropicErrors: Errors = {
  400: ['invalid_request_error', 'Your request could not be read', ''],
  401: ['authentication_error', 'invalid x-api-key', ''],
  402: ['billing_error', 'Your credit balance is too low to access the Anthropic API.', ''],
  403: ['permission_error', 'Your API key does not have permission to use the specified resource.', ''],
  413: ['request_too_large', 'Request exceeds the maximum size', ''],
  429: ['rate_limit_error', "This request would exceed your organization's rate limit of 50 requests per minute.", ''],
  500: ['api_error', 'Internal server error', ''],
  529: ['overloaded_error', 'Overloaded', ''],
};

const openaiErrors: Errors = {
  400: ['invalid_request_error', 'Your request could not be read', ''],
  401: ['invalid_request_error', 'Incorrect API key provided.', 'invalid_api_key'],
  429: ['requests', 'Rate limit reached for requests per min. Please try again in 1s.', 'rate_limit_exceeded'],
  500: ['server_error', 'The server had an error while processing your request. Sorry about that!', ''],
  503: ['service_unavailable_error', 'Our servers are currently overloaded. Please try again later.', 'server_is_overloaded'],
};

/** Throws when the key is missing or not one of those that are good here. */
export function checkToken(protocol: Protocol, token: string | undefined, good: string | undefined): void {
  if (token !== undefined && (good === undefined || token === good)) return;
  if (protocol === 'anthropic') {
    const message = token === undefined ? 'x-api-key header is required' : 'invalid x-api-key';
    throw new ModelError(401, 'authentication_error', message);
  }
  if (token === undefined) throw new ModelError(401, 'invalid_request_error', 'Missing bearer authentication in header');
  throw new ModelError(401, 'invalid_request_error', 'Incorrect API key provided.', { code: 'invalid_api_key' });
}

/** Throws when the conversation does not fit, or a fault says so. */
export function checkLength(protocol: Protocol, conversation: Conversation, window: number, forced: boolean): void {
  const most = conversation.model.includes('[1m]') ? Math.max(window, 1_000_000) : window;
  const tokens = inputTokens(conversation);
  if (tokens <= most && !forced) return;
  if (protocol === 'anthropic') throw invalid(`prompt is too long: ${Math.max(tokens, most + 1)} tokens > ${most} maximum`);
  const message = 'Your input exceeds the context window of this model. Please adjust your input and try again.';
  throw invalid(message, { param: 'input', code: 'context_length_exceeded' });
}

/** What the service says about limits in the headers of every answer. */
export function limitHeaders(protocol: Protocol, requestId: string, now: number): Record<string, string> {
  const reset = new Date(now + 60_000).toISOString().replace(/\.\d+Z$/, 'Z');
  if (protocol === 'openai') {
    return {
      'x-request-id': requestId,
      'openai-version': '2020-10-01',
      'openai-processing-ms': '12',
      'x-ratelimit-limit-requests': '500',
      'x-ratelimit-remaining-requests': '499',
      'x-ratelimit-reset-requests': '120ms',
      'x-ratelimit-limit-tokens': '500000',
      'x-ratelimit-remaining-tokens': '499000',
      'x-ratelimit-reset-tokens': '120ms',
    };
  }
  return {
    'request-id': requestId,
    'anthropic-organization-id': '00000000-0000-4000-8000-000000000000',
    'anthropic-ratelimit-requests-limit': '50',
    'anthropic-ratelimit-requests-remaining': '49',
    'anthropic-ratelimit-requests-reset': reset,
    'anthropic-ratelimit-tokens-limit': '500000',
    'anthropic-ratelimit-tokens-remaining': '499000',
    'anthropic-ratelimit-tokens-reset': reset,
  };
}
