import { isRecord, type Json } from '../slack/json.ts';
import { destination, threadOf } from './access.ts';
import { badRequest } from './api-error.ts';
import type { FormattedText } from './formatted-text.ts';
import { type Markup, markupOf } from './keyboards.ts';
import type { MethodCall } from './method.ts';
import type { Chat, Message } from './model.ts';
import { type NewMessage, postMessage } from './posting.ts';

/** What all send methods share: where the message goes, what it answers, its keyboard. */

export interface Place {
  chat: Chat;
  fields: Pick<
    NewMessage,
    'message_thread_id' | 'is_topic_message' | 'reply_to' | 'quote' | 'disable_notification' | 'protect_content'
  >;
  markup: Markup;
}

/** Kinds of sending that the emulator does not have; done as a plain send they would show to everybody. */
const ELSEWHERE = [
  'business_connection_id',
  'direct_messages_topic_id',
  'suggested_post_parameters',
  'ephemeral_message_parameters',
];

export function placeOf({ core, args }: MethodCall): Place {
  const chat = destination(core, args);
  const other = ELSEWHERE.find((name) => args.has(name));
  if (other !== undefined) throw badRequest(`the emulator cannot send with ${other}`);
  const markup = markupOf(args, chat);
  const topic = threadOf(core, chat, args);
  const reply = replyOf({ core, args }, chat);
  // A reply without a topic of its own goes where the message it answers is.
  const inTopic = topic?.id ?? (reply?.is_topic_message ? reply.message_thread_id : undefined);
  return {
    chat,
    markup,
    fields: {
      ...(inTopic === undefined ? {} : { message_thread_id: inTopic, is_topic_message: true }),
      reply_to: reply?.id,
      quote: quoteOf({ args }, reply),
      disable_notification: args.flag('disable_notification') || undefined,
      protect_content: args.flag('protect_content') || undefined,
    },
  };
}

function replyOf({ core, args }: Pick<MethodCall, 'core' | 'args'>, chat: Chat): Message | undefined {
  const given = args.json('reply_parameters', 'reply parameters');
  // The parameters of before reply_parameters still work.
  const old = args.has('reply_to_message_id') ? { message_id: args.integer('reply_to_message_id', 0) } : undefined;
  if (given !== undefined && given !== null && !isRecord(given)) throw badRequest('object expected as reply parameters');
  const parameters: Json | undefined = isRecord(given) ? given : old;
  if (parameters === undefined || Object.keys(parameters).length === 0) return undefined;
  const id = Number(parameters.message_id);
  if (!Number.isInteger(id) || id === 0) throw badRequest('can\'t parse reply parameters: Can\'t find field "message_id"');
  const elsewhere = parameters.chat_id === undefined ? chat : core.state.chat(Number(parameters.chat_id));
  if (!elsewhere) throw badRequest('chat not found');
  const message = elsewhere.id === chat.id ? core.state.message(chat.id, id) : undefined;
  if (message) return message;
  const isOptional = parameters.allow_sending_without_reply === true || args.flag('allow_sending_without_reply');
  if (!isOptional) throw badRequest('message to be replied not found');
  return undefined;
}

function quoteOf({ args }: Pick<MethodCall, 'args'>, reply: Message | undefined): string | undefined {
  const given = args.json('reply_parameters', 'reply parameters');
  const quote = isRecord(given) && typeof given.quote === 'string' && given.quote !== '' ? given.quote : undefined;
  if (quote === undefined || !reply) return undefined;
  if (!(reply.text ?? reply.caption ?? '').includes(quote)) throw badRequest('QUOTE_TEXT_INVALID');
  return quote;
}

export function sendAs(call: MethodCall, place: Place, content: Partial<NewMessage>): Message {
  const { core } = call;
  const chat = core.state.chat(place.chat.id) ?? place.chat;
  return postMessage(core, chat, {
    ...place.fields,
    ...content,
    from: core.bot.id,
    keyboard: place.markup.keyboard,
    asks: place.markup.asks,
    is_fixed: place.markup.isFixed,
  });
}

/** Refuses a text that is empty or too long. */
export function requireLength({ text }: FormattedText, max: number, errors: { empty?: string; long: string }): void {
  if (text === '' && errors.empty !== undefined) throw badRequest(errors.empty);
  if (text.length > max) throw badRequest(errors.long);
}
