import { SlackError, WebAPIHTTPError, WebAPIPlatformError, WebAPIRateLimitedError, WebAPIRequestError } from '@slack/web-api';
import { DeliveryError, type DeliveryFailure } from '../../src/contracts/chat-adapter.ts';

/** How long to wait when Slack says "too much" without saying how long. */
export const defaultRetryAfterSeconds = 30;

/** The thing addressed is not there, or not any more. Codes: method references on docs.slack.dev. */
const gone = new Set([
  'cannot_reply_to_message',
  'cant_update_message',
  'channel_not_found',
  'edit_window_closed',
  'exchanged_trigger_id',
  'expired_trigger_id',
  'file_deleted',
  'file_not_found',
  'invalid_thread_ts',
  'invalid_trigger_id',
  'is_archived',
  'is_inactive',
  'message_not_found',
  'thread_not_found',
  'trigger_expired',
  'user_disabled',
  'user_not_found',
  'user_not_visible',
  'users_not_found',
]);

const reinstall = 'put the current token of the app into the configuration, or install the app again';
const admins = 'the settings of the workspace or channel do not allow it; an admin of the workspace can change them';

/** The bot lacks a right or a membership, with what to do about it. */
const notPermitted = new Map<string, string>([
  ['not_in_channel', 'the bot is not a member of the channel; invite it there with /invite @Deckhand'],
  ['user_not_in_channel', 'the person is not a member of the channel'],
  ['missing_scope', 'the app lacks a scope; update its manifest (deckhand slack manifest) and install it again'],
  ['no_permission', 'the app lacks a right; update its manifest (deckhand slack manifest) and install it again'],
  ['messages_tab_disabled', 'the Messages tab of the app is off; switch it on under App Home'],
  ['not_enabled', 'the Home tab of the app is off; switch it on under App Home'],
  ...['account_inactive', 'invalid_auth', 'not_allowed_token_type', 'not_authed', 'token_expired', 'token_revoked'].map(
    (code): [string, string] => [code, reinstall],
  ),
  ...[
    'access_denied',
    'accesslimited',
    'app_access_restricted',
    'ekm_access_denied',
    'enterprise_is_restricted',
    'file_type_not_allowed',
    'file_uploads_disabled',
    'file_uploads_except_images_disabled',
    'no_access',
    'org_login_required',
    'posting_to_channel_denied',
    'restricted_action',
    'storage_limit_reached',
    'team_access_not_granted',
    'thread_locked',
  ].map((code): [string, string] => [code, admins]),
]);

/** Slack failed half-way, by its own description of the code. */
const uncertain = new Set(['fatal_error', 'internal_error', 'request_timeout', 'service_unavailable', 'update_failed']);

/** What the failure of a Web API call means for the message it was to deliver. */
export function deliveryError(error: unknown, method: string): DeliveryError {
  if (error instanceof DeliveryError) return error;
  return new DeliveryError(failureOf(error, method), { cause: error });
}

function failureOf(error: unknown, method: string): DeliveryFailure {
  if (error instanceof WebAPIRateLimitedError) return { kind: 'rate_limited', retryAfterMs: error.retryAfter * 1000 };
  if (error instanceof WebAPIPlatformError) return platformFailure(error, method);
  if (error instanceof WebAPIHTTPError) {
    // Slack answers 200 and 429 only. A 4xx comes from something in between, a 5xx may come after the work was done.
    const detail = `${method}: HTTP ${error.statusCode}`;
    return error.statusCode >= 500 ? { kind: 'unknown', detail } : { kind: 'unreachable', detail };
  }
  if (error instanceof WebAPIRequestError) return networkFailure(error.original, method);
  if (error instanceof SlackError) return { kind: 'rejected', detail: `${method}: ${error.message}` };
  // An answer that broke off, or that is not what Slack documents: the request had been sent.
  return { kind: 'unknown', detail: `${method}: ${error instanceof Error ? error.message : 'no answer'}` };
}

/** The code of Slack's answer, or `undefined` when the error is not an answer of Slack. */
export function slackCode(error: unknown): string | undefined {
  const cause = error instanceof DeliveryError ? error.cause : error;
  return cause instanceof WebAPIPlatformError ? cause.data.error : undefined;
}

function platformFailure(error: WebAPIPlatformError, method: string): DeliveryFailure {
  const { error: code, response_metadata: metadata } = error.data;
  // The client puts a body that is not JSON into `error`: an answer that was cut off, or a page of a proxy.
  if (!/^[a-z][a-z0-9_]*$/.test(code)) return { kind: 'unknown', detail: `${method}: the answer is not one of Slack` };
  if (code === 'ratelimited' || code === 'rate_limited') {
    return { kind: 'rate_limited', retryAfterMs: (metadata?.retryAfter ?? defaultRetryAfterSeconds) * 1000 };
  }
  if (gone.has(code)) return { kind: 'gone', detail: `${method}: ${code}` };
  if (uncertain.has(code)) return { kind: 'unknown', detail: `${method}: ${code}` };
  const remedy = notPermitted.get(code) ?? (/^(?:restricted_action|slack_connect)_/.test(code) ? admins : undefined);
  if (remedy !== undefined) {
    const { needed } = error.data as { needed?: unknown };
    return { kind: 'not_permitted', detail: `${typeof needed === 'string' ? `${code} (${needed})` : code}: ${remedy}` };
  }
  const problems = (metadata?.messages ?? []).slice(0, 3).join(' ');
  return { kind: 'rejected', detail: `${method}: ${code}${problems === '' ? '' : ` ${problems}`}` };
}

/** Errors raised before a byte of the request was written, by where Node and undici raise them. */
const beforeWriting =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|CERT_\w+|ERR_TLS_\w+|ERR_SSL_\w+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+)$/;

/** `fetch` hides the reason in `cause`. */
export function networkFailure(error: Error, method: string): DeliveryFailure {
  const cause = error.cause instanceof Error ? error.cause : error;
  const { code, syscall } = cause as NodeJS.ErrnoException;
  const detail = `${method}: ${code ?? cause.message}`;
  const isBefore = syscall === 'connect' || syscall === 'getaddrinfo' || (code !== undefined && beforeWriting.test(code));
  return isBefore ? { kind: 'unreachable', detail } : { kind: 'unknown', detail };
}
