import { DiscordAPIError, HTTPError, RateLimitError } from '@discordjs/rest';
import { DeliveryError, type DeliveryFailure } from '../../src/contracts/chat-adapter.ts';

/** How long to wait when Discord says "too much" without saying how long. */
export const defaultRetryAfterMs = 10_000;

/**
 * What Discord answered, without what was asked: addresses and bodies of requests hold tokens, and errors end up in logs.
 */
export class DiscordAnswer extends Error {
  readonly code: number | string;
  readonly status: number;
  constructor(code: number | string, status: number, message: string) {
    super(message);
    this.name = 'DiscordAnswer';
    this.code = code;
    this.status = status;
  }
}

/** The thing addressed is not there, or not any more. Codes: Discord documentation, opcodes and status codes. */
const gone = new Set<number | string>([
  10003, // channel
  10004, // guild
  10008, // message
  10013, // user
  10015, // webhook: the token of an interaction has expired
  10062, // interaction
  30033, // the thread has too many members
  40060, // the interaction was answered already
  50027, // token of an interaction
  50055, // guild
]);

const invite =
  'give the bot this right in the server or the channel; `deckhand discord invite` prints the address that asks for all of them';

/** The bot lacks a right or an access, with what to do about it. */
const notPermitted = new Map<number | string, string>([
  [20001, 'this is not for bots'],
  [20028, 'the channel has a limit for writing; give the bot the right to bypass slow mode'],
  [40001, 'put the current token of the bot into DISCORD_BOT_TOKEN'],
  [40002, 'the account of the bot must be verified in the developer portal'],
  [50001, `the bot has no access to the channel; ${invite}`],
  [50007, 'the person takes no direct messages of this server: their privacy settings, or the bot is blocked'],
  [50008, 'messages cannot be sent to a channel of this kind'],
  [50013, `the bot lacks a right there; ${invite}`],
  [50024, 'this cannot be done in a channel of this kind'],
  [50033, 'the person cannot be written to'],
  [50278, 'the person takes no direct messages: they share no server with the bot, or have blocked it'],
  [90001, 'somebody has blocked reactions of the bot'],
  [160002, `the bot may not read the history of the channel; ${invite}`],
  [160005, 'the thread is locked; somebody who manages threads can unlock it'],
  [160006, 'the server has too many active threads; archive some'],
  [50083, 'the thread is archived, and the bot could not open it again'],
]);

const wait = new Map<number | string, number>([
  [20016, defaultRetryAfterMs], // slow mode
  [20022, defaultRetryAfterMs], // announcements
  [30046, defaultRetryAfterMs], // edits of messages older than an hour
  [40062, defaultRetryAfterMs], // a resource is rate limited
  [130000, defaultRetryAfterMs], // the resource is overloaded
]);

/** What the failure of a call means for the message it was to deliver. `call`: what was done, in words without any address. */
export function deliveryError(error: unknown, call: string): DeliveryError {
  if (error instanceof DeliveryError) return error;
  const { failure, cause } = failureOf(error, call);
  return new DeliveryError(failure, cause === undefined ? {} : { cause });
}

function failureOf(error: unknown, call: string): { failure: DeliveryFailure; cause?: Error } {
  if (error instanceof RateLimitError) return { failure: { kind: 'rate_limited', retryAfterMs: waitOf(error) } };
  if (error instanceof DiscordAPIError) {
    const answer = new DiscordAnswer(error.code, error.status, error.message);
    return { failure: answerFailure(answer, call), cause: answer };
  }
  if (error instanceof HTTPError) {
    // A 5xx may come after the work was done.
    return { failure: { kind: 'unknown', detail: `${call}: HTTP ${error.status}` } };
  }
  if (error instanceof Error && error.message.startsWith('Expected token to be set')) {
    return { failure: { kind: 'not_permitted', detail: `${call}: Discord has refused the bot token` } };
  }
  if (error instanceof Error) return { failure: networkFailure(error, call) };
  return { failure: { kind: 'unknown', detail: `${call}: no answer` } };
}

/** 429 names its time in a header; the buckets' own count when it would come to that. */
function waitOf({ retryAfter, timeToReset }: RateLimitError): number {
  const told = retryAfter > 0 ? retryAfter : timeToReset;
  return told > 0 ? Math.ceil(told) : defaultRetryAfterMs;
}

function answerFailure({ code, status, message }: DiscordAnswer, call: string): DeliveryFailure {
  const retryAfterMs = wait.get(code);
  if (retryAfterMs !== undefined) return { kind: 'rate_limited', retryAfterMs };
  if (gone.has(code)) return { kind: 'gone', detail: `${call}: ${code} ${message}` };
  const remedy = notPermitted.get(code);
  if (remedy !== undefined) return { kind: 'not_permitted', detail: `${call}: ${code} ${message}: ${remedy}` };
  if (status === 401) return { kind: 'not_permitted', detail: `${call}: Discord has refused the bot token` };
  if (status === 403) return { kind: 'not_permitted', detail: `${call}: ${code} ${message}: ${invite}` };
  if (status === 404 && code === 0) return { kind: 'gone', detail: `${call}: ${message}` };
  return { kind: 'rejected', detail: `${call}: ${code} ${message.replaceAll('\n', ' ').slice(0, 500)}` };
}

/** The code of Discord's answer, or `undefined` when the error is not an answer of Discord. */
export function discordCode(error: unknown): number | string | undefined {
  const cause = error instanceof DeliveryError ? error.cause : error;
  return cause instanceof DiscordAnswer ? cause.code : undefined;
}

/** Errors raised before a byte of the request was written, by where Node and undici raise them. */
const beforeWriting =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|CERT_\w+|ERR_TLS_\w+|ERR_SSL_\w+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+)$/;

function networkFailure(error: Error, call: string): DeliveryFailure {
  const cause = error.cause instanceof Error ? error.cause : error;
  const { code, syscall } = cause as NodeJS.ErrnoException;
  // An abort has a number for a code, which says nothing.
  const detail = `${call}: ${typeof code === 'string' ? code : cause.name}`;
  const isBefore = syscall === 'connect' || syscall === 'getaddrinfo' || (code !== undefined && beforeWriting.test(code));
  return isBefore ? { kind: 'unreachable', detail } : { kind: 'unknown', detail };
}
