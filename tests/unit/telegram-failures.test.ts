import { GrammyError, HttpError } from 'grammy';
import { describe, expect, it } from 'vitest';
import { deliveryError } from '../../adapters/telegram/failures.ts';
import { DeliveryError } from '../../src/contracts/chat-adapter.ts';

const token = '123456:AAtoken';

function answer(code: number, description: string, parameters: { retry_after?: number; migrate_to_chat_id?: number } = {}) {
  return new GrammyError('Call failed', { ok: false, error_code: code, description, parameters }, 'sendMessage', {
    text: 'what was said',
  });
}

/** As node-fetch makes them: the message names the address. */
function network(fields: Record<string, unknown>) {
  const inner = Object.assign(new Error(`request to https://api.telegram.org/bot${token}/sendMessage failed`), fields);
  return new HttpError("Network request for 'sendMessage' failed!", inner);
}

const failure = (error: unknown, isPrivate = false) => deliveryError(error, 'sendMessage', { isPrivate }).failure;

describe('what a failed call of Telegram means', () => {
  it.each([
    'Bad Request: chat not found',
    'Bad Request: message to edit not found',
    "Bad Request: message can't be edited",
    'Bad Request: message thread not found',
    'Bad Request: MESSAGE_ID_INVALID',
    'Bad Request: query is too old and response timeout expired or query ID is invalid',
    'Forbidden: user is deactivated',
  ])('gone: %s', (description) => {
    expect(failure(answer(description.startsWith('F') ? 403 : 400, description))).toMatchObject({
      kind: 'gone',
      detail: expect.stringContaining(description),
    });
  });

  it.each([
    [403, 'Forbidden: bot was blocked by the user', 'unblock'],
    [403, "Forbidden: bot can't initiate conversation with a user", 'Start'],
    [403, 'Forbidden: bot was kicked from the supergroup chat', 'add it'],
    [403, 'Forbidden: bot is not a member of the group chat', 'add it'],
    [403, 'Forbidden: something new', 'something new'],
    [400, 'Bad Request: not enough rights to send text messages to the chat', 'rights'],
    [400, 'Bad Request: TOPIC_CLOSED', 'reopen'],
    [400, 'Bad Request: have no rights to send a message', 'rights'],
    [401, 'Unauthorized', 'TELEGRAM_BOT_TOKEN'],
    [404, 'Not Found', 'TELEGRAM_BOT_TOKEN'],
  ])('not permitted, with what to do: %i %s', (code, description, remedy) => {
    expect(failure(answer(code, description))).toMatchObject({ kind: 'not_permitted', detail: expect.stringContaining(remedy) });
  });

  it('not permitted: a private chat that is not found, because its person never pressed Start', () => {
    expect(failure(answer(400, 'Bad Request: chat not found'), true)).toMatchObject({
      kind: 'not_permitted',
      detail: expect.stringContaining('Start'),
    });
  });

  it.each([
    "Bad Request: can't parse entities",
    'Bad Request: BUTTON_DATA_INVALID',
    'Bad Request: message text is empty',
    'Bad Request: something new',
  ])('rejected: %s', (description) => {
    expect(failure(answer(400, description))).toMatchObject({ kind: 'rejected', detail: expect.stringContaining(description) });
  });

  it('told to wait, for as long as Telegram says', () => {
    expect(failure(answer(429, 'Too Many Requests: retry after 137', { retry_after: 137 }))).toEqual({
      kind: 'rate_limited',
      retryAfterMs: 137_000,
    });
    expect(failure(answer(429, 'Too Many Requests'))).toEqual({ kind: 'rate_limited', retryAfterMs: 30_000 });
  });

  it('moved: the group goes on as a supergroup', () => {
    const error = answer(400, 'Bad Request: group chat was upgraded to a supergroup chat', { migrate_to_chat_id: -1001 });
    expect(failure(error)).toMatchObject({ kind: 'moved', channel: '-1001' });
  });

  it.each([500, 502, 504])('unknown: HTTP %i, which may come after the work was done', (code) => {
    expect(failure(answer(code, 'Bad Gateway'))).toMatchObject({ kind: 'unknown' });
  });

  it.each(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'CERT_HAS_EXPIRED'])('unreachable: %s', (code) => {
    expect(failure(network({ code }))).toEqual({ kind: 'unreachable', detail: `sendMessage: ${code}` });
  });

  it.each([
    [{ code: 'ECONNRESET' }, 'ECONNRESET'],
    [{ code: 'ETIMEDOUT' }, 'ETIMEDOUT'],
    [{ type: 'aborted' }, 'no answer in time'],
    [{ type: 'invalid-json' }, 'the answer is not one of Telegram'],
    [{}, 'the connection failed'],
  ])('unknown: %j', (fields, words) => {
    expect(failure(network(fields))).toEqual({ kind: 'unknown', detail: `sendMessage: ${words}` });
  });

  it('says neither the token nor what was sent, however deep one looks', () => {
    for (const error of [
      network({ code: 'ECONNRESET' }),
      network({}),
      answer(400, 'Bad Request: x'),
      answer(502, 'Bad Gateway'),
    ]) {
      const told = deliveryError(error, 'sendMessage');
      const deep = (one: unknown): string =>
        one instanceof Error ? [one.message, one.stack, JSON.stringify(one), deep(one.cause)].join() : String(one);
      expect(deep(told)).not.toContain('AAtoken');
      expect(deep(told)).not.toContain('what was said');
    }
  });

  it('passes on what is a delivery failure already', () => {
    const known = new DeliveryError({ kind: 'gone', detail: 'x' });
    expect(deliveryError(known, 'sendMessage')).toBe(known);
  });

  it('unknown: an answer that is not what Telegram documents', () => {
    expect(failure(new TypeError('undefined is not an object'))).toMatchObject({ kind: 'unknown' });
  });
});
