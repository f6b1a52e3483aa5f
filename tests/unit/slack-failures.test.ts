import { WebAPIHTTPError, WebAPIPlatformError, WebAPIRateLimitedError, WebAPIRequestError } from '@slack/web-api';
import { describe, expect, it } from 'vitest';
import { deliveryError } from '../../adapters/slack/failures.ts';
import { DeliveryError } from '../../src/contracts/chat-adapter.ts';

function answer(error: string, more: Record<string, unknown> = {}) {
  return new WebAPIPlatformError({ ok: false, error, response_metadata: {}, ...more });
}

function network(code: string | undefined, more: Record<string, unknown> = {}) {
  const cause = Object.assign(new Error('low level'), code === undefined ? {} : { code }, more);
  return new WebAPIRequestError(new TypeError('fetch failed', { cause }));
}

const failure = (error: unknown) => deliveryError(error, 'chat.postMessage').failure;

describe('what a failed call of Slack means', () => {
  it.each(['message_not_found', 'channel_not_found', 'thread_not_found', 'is_archived', 'user_not_found', 'expired_trigger_id'])(
    'gone: %s',
    (code) => {
      expect(failure(answer(code))).toEqual({ kind: 'gone', detail: `chat.postMessage: ${code}` });
    },
  );

  it.each([
    ['not_in_channel', '/invite @Deckhand'],
    ['missing_scope', 'manifest'],
    ['invalid_auth', 'token'],
    ['token_revoked', 'token'],
    ['restricted_action', 'admin'],
    ['restricted_action_thread_only_channel', 'admin'],
    ['messages_tab_disabled', 'App Home'],
  ])('not permitted, with what to do: %s', (code, remedy) => {
    expect(failure(answer(code))).toMatchObject({ kind: 'not_permitted', detail: expect.stringMatching(`^${code}.*${remedy}`) });
  });

  it('names the scope that is missing', () => {
    expect(failure(answer('missing_scope', { needed: 'files:write' }))).toMatchObject({
      detail: expect.stringContaining('files:write'),
    });
  });

  it.each(['invalid_blocks', 'msg_too_long', 'msg_blocks_too_long', 'no_text', 'invalid_arguments', 'something_new'])(
    'rejected: %s',
    (code) => {
      expect(failure(answer(code))).toMatchObject({ kind: 'rejected', detail: expect.stringContaining(code) });
    },
  );

  it('repeats what Slack says about rejected blocks', () => {
    const messages = ['[ERROR] must be more than 0 characters [json-pointer:/blocks/0/text]'];
    expect(failure(answer('invalid_blocks', { response_metadata: { messages } }))).toMatchObject({
      detail: expect.stringContaining('json-pointer'),
    });
  });

  it.each(['internal_error', 'fatal_error', 'service_unavailable', 'request_timeout'])('unknown: %s', (code) => {
    expect(failure(answer(code))).toMatchObject({ kind: 'unknown' });
  });

  it('waits as long as Slack says, half a minute when it does not say', () => {
    expect(failure(new WebAPIRateLimitedError(12))).toEqual({ kind: 'rate_limited', retryAfterMs: 12_000 });
    expect(failure(answer('ratelimited', { response_metadata: { retryAfter: 5 } }))).toEqual({
      kind: 'rate_limited',
      retryAfterMs: 5000,
    });
    expect(failure(answer('rate_limited'))).toEqual({ kind: 'rate_limited', retryAfterMs: 30_000 });
  });

  it.each<[string, Error]>([
    ['a refused connection', network('ECONNREFUSED', { syscall: 'connect' })],
    ['a name that does not resolve', network('ENOTFOUND', { syscall: 'getaddrinfo' })],
    ['a resolver without answer', network('EAI_AGAIN')],
    ['no route', network('EHOSTUNREACH')],
    ['a connection that takes too long', network('UND_ERR_CONNECT_TIMEOUT')],
    ['a timeout while connecting', network('ETIMEDOUT', { syscall: 'connect' })],
    ['a certificate nobody knows', network('SELF_SIGNED_CERT_IN_CHAIN')],
    ['an expired certificate', network('CERT_HAS_EXPIRED')],
    ['a proxy that refuses', new WebAPIHTTPError(403, 'Forbidden', {}, '')],
  ])('never reached: %s', (_, error) => {
    expect(failure(error)).toMatchObject({ kind: 'unreachable' });
  });

  it.each<[string, unknown]>([
    ['a connection cut in between', network('ECONNRESET')],
    ['a closed socket', network('UND_ERR_SOCKET')],
    ['no answer in time', new WebAPIRequestError(new DOMException('timed out', 'TimeoutError') as unknown as Error)],
    ['an unnamed network error', network(undefined)],
    ['an error of the server', new WebAPIHTTPError(502, 'Bad Gateway', {}, '')],
    ['an answer that broke off', new TypeError('terminated')],
    ['half an answer', answer('{"ok":true,"ts"')],
    ['a page', answer('<!DOCTYPE html><html>')],
    ['an answer without what Slack documents', new Error('ts: invalid')],
    ['something else', 'nothing'],
  ])('unknown: %s', (_, error) => {
    expect(failure(error)).toMatchObject({ kind: 'unknown' });
  });

  it('leaves what is known already', () => {
    const known = new DeliveryError({ kind: 'gone', detail: 'x' });
    expect(deliveryError(known, 'chat.update')).toBe(known);
  });
});
