import { GrammyError, HttpError } from 'grammy';
import { DeliveryError, type DeliveryFailure } from '../../src/contracts/chat-adapter.ts';

/** How long to wait when Telegram says "too much" without saying how long. */
const defaultRetryAfterSeconds = 30;

/** An answer of Telegram that refuses a call: its own words, and never what was sent. */
export class Refusal extends Error {
  readonly code: number;
  constructor(method: string, code: number, description: string) {
    super(`${method}: ${code} ${description}`);
    this.name = 'Refusal';
    this.code = code;
  }
}

/** By Telegram's words, which are all there is to tell refusals apart (tdlib/telegram-bot-api, `Client.cpp`; td, `*Manager.cpp`). */
const meanings: readonly [RegExp, 'gone' | 'not_permitted', string?][] = [
  [/bot was blocked by the user/i, 'not_permitted', 'the person has blocked the bot; they can unblock it in its profile'],
  [/can't initiate conversation/i, 'not_permitted', 'the person has never pressed Start in a chat with the bot'],
  [/user is deactivated|bot can't send messages to bots/i, 'gone'],
  [
    /bot was kicked|bot is not a member|have no rights to send|chat_write_forbidden|need administrator rights|not enough rights/i,
    'not_permitted',
  ],
  [/message can't be deleted/i, 'not_permitted', 'the bot must be an administrator who may delete messages'],
  [/chat_send_\w+_forbidden|topic_closed|chat_restricted|user_restricted|chat_admin_required/i, 'not_permitted'],
  [/chat not found|user not found|peer_id_invalid|chat_id is empty|group chat was deactivated|channel_private/i, 'gone'],
  [
    /message to (?:edit|delete|reply|react|be replied) not found|message can't be edited|message_id_invalid|message identifier/i,
    'gone',
  ],
  [/message thread not found|topic_deleted|topic_id_invalid/i, 'gone'],
  [/query is too old|query_id_invalid|query id is invalid/i, 'gone'],
];
const remedies: readonly [RegExp, string][] = [
  [/kicked|not a member/i, 'the bot is not a member of the chat; add it there'],
  [/topic_closed/i, 'the topic is closed; reopen it or make the bot an administrator who may manage topics'],
];

/** What the failure of a call means for what it was to do. Its text names no address and no token. */
export function deliveryError(error: unknown, method: string, chat?: { isPrivate: boolean }): DeliveryError {
  if (error instanceof DeliveryError) return error;
  if (error instanceof GrammyError) {
    // Its payload holds what was said, so the error itself goes nowhere.
    const refusal = new Refusal(method, error.error_code, error.description);
    return new DeliveryError(refusalFailure(error, method, chat), { cause: refusal });
  }
  // The error inside names the whole address, and with it the token.
  if (error instanceof HttpError) return new DeliveryError(networkFailure(error.error, method));
  return new DeliveryError({ kind: 'unknown', detail: `${method}: the answer is not one of Telegram` });
}

/** Telegram's description of why it refused; `undefined` for errors that are no refusal. */
export function refusalText(error: unknown): string | undefined {
  const cause = error instanceof DeliveryError ? error.cause : error;
  return cause instanceof Refusal ? cause.message : undefined;
}

export function refusalCode(error: unknown): number | undefined {
  const cause = error instanceof DeliveryError ? error.cause : error;
  return cause instanceof Refusal ? cause.code : undefined;
}

function refusalFailure(
  { error_code: code, description, parameters }: GrammyError,
  method: string,
  chat?: { isPrivate: boolean },
): DeliveryFailure {
  const detail = `${method}: ${code} ${description}`;
  if (code === 429) return { kind: 'rate_limited', retryAfterMs: (parameters.retry_after ?? defaultRetryAfterSeconds) * 1000 };
  if (parameters.migrate_to_chat_id !== undefined)
    return { kind: 'moved', channel: String(parameters.migrate_to_chat_id), detail };
  // Telegram answers 404 to a token that has not the form of one.
  if (code === 401 || code === 404) {
    return {
      kind: 'not_permitted',
      detail: `${detail}: the token is refused; put the one that BotFather shows into TELEGRAM_BOT_TOKEN`,
    };
  }
  if (code >= 500) return { kind: 'unknown', detail };
  if (chat?.isPrivate === true && /chat not found/i.test(description)) {
    return { kind: 'not_permitted', detail: `${detail}: the person has never pressed Start in a chat with the bot` };
  }
  const found = meanings.find(([words]) => words.test(description));
  if (found !== undefined) {
    const why = found[2] ?? remedies.find(([words]) => words.test(description))?.[1];
    return { kind: found[1], detail: why === undefined ? detail : `${detail}: ${why}` };
  }
  return code === 403 ? { kind: 'not_permitted', detail } : { kind: 'rejected', detail };
}

/** Errors raised before a byte of the request was written. */
const beforeWriting =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOSTUNREACH|ENETUNREACH|CERT_\w+|ERR_TLS_\w+|ERR_SSL_\w+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+)$/;

/** From the code alone: messages of node-fetch contain the address. */
function networkFailure(error: unknown, method: string): DeliveryFailure {
  const { code, type } = (error ?? {}) as { code?: unknown; type?: unknown };
  const what =
    typeof code === 'string'
      ? code
      : type === 'aborted'
        ? 'no answer in time'
        : type === 'invalid-json'
          ? 'the answer is not one of Telegram'
          : 'the connection failed';
  const detail = `${method}: ${what}`;
  return typeof code === 'string' && beforeWriting.test(code) ? { kind: 'unreachable', detail } : { kind: 'unknown', detail };
}
