import { isRecord, type Json } from '../slack/json.ts';
import { chatOf, messageOf, requireReach, rightsOf } from './access.ts';
import { badRequest } from './api-error.ts';
import { formattedText, MAX_CAPTION, MAX_TEXT } from './formatted-text.ts';
import { inlineMarkupOf, sameKeyboard } from './keyboards.ts';
import { answering, type Method, type MethodCall } from './method.ts';
import type { Chat, Message } from './model.ts';
import { changeMessage } from './posting.ts';
import { richMessageOf } from './rich-message.ts';
import { placeOf, requireLength, sendAs } from './sending.ts';
import { wireMessage } from './wire.ts';

const TEXT = { text: 'text', entities: 'entities' };
const CAPTION = { text: 'caption', entities: 'caption_entities' };
const UNCHANGED =
  'message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message';

/** Own message to edit. The bot cannot edit what others wrote. */
function editable(call: MethodCall): { chat: Chat; message: Message } {
  const { core, args } = call;
  if (args.has('inline_message_id')) throw badRequest('MESSAGE_ID_INVALID');
  const chat = requireReach(core, chatOf(core, args));
  const message = messageOf(core, chat, args, 'message to edit not found');
  if (message.from !== core.bot.id || message.service || message.is_fixed) throw badRequest("message can't be edited");
  return { chat, message };
}

function linkPreview(call: MethodCall): Json | undefined {
  const given = call.args.json('link_preview_options', 'link preview options');
  if (given === undefined || given === null) return undefined;
  if (!isRecord(given)) throw badRequest('object expected as link preview options');
  return given;
}

/** Stores the new content unless it is the old one. */
function applyEdit(call: MethodCall, message: Message, patch: Partial<Message>): Json {
  const { core } = call;
  const after = { ...message, ...patch };
  const content = ({ text, caption, entities, rich, media }: Message) => JSON.stringify([text, caption, entities, rich, media]);
  if (content(after) === content(message) && sameKeyboard(after.keyboard, message.keyboard)) throw badRequest(UNCHANGED);
  const isContent = content(after) !== content(message);
  return wireMessage(core, changeMessage(core, message, patch, isContent));
}

function sendMessage(call: MethodCall): Json {
  const place = placeOf(call);
  const formatted = formattedText(call.core, call.args, TEXT);
  requireLength(formatted, MAX_TEXT, { empty: 'message text is empty', long: 'message is too long' });
  return wireMessage(call.core, sendAs(call, place, { ...formatted, link_preview_options: linkPreview(call) }));
}

function sendRichMessage(call: MethodCall): Json {
  const place = placeOf(call);
  return wireMessage(call.core, sendAs(call, place, { rich: richMessageOf(call, place.chat, { isDraft: false }) }));
}

function editMessageText(call: MethodCall): Json {
  const { core, args } = call;
  const { chat, message } = editable(call);
  const keyboard = inlineMarkupOf(args, chat);
  if (args.has('rich_message')) {
    const rich = richMessageOf(call, chat, { isDraft: false });
    if (message.media) throw badRequest('there is no text in the message to edit');
    return applyEdit(call, message, { rich, text: undefined, entities: [], keyboard });
  }
  const formatted = formattedText(core, args, TEXT);
  requireLength(formatted, MAX_TEXT, { empty: 'message text is empty', long: 'MESSAGE_TOO_LONG' });
  if (message.media) throw badRequest('there is no text in the message to edit');
  return applyEdit(call, message, { ...formatted, rich: undefined, keyboard, link_preview_options: linkPreview(call) });
}

function editMessageCaption(call: MethodCall): Json {
  const { chat, message } = editable(call);
  const keyboard = inlineMarkupOf(call.args, chat);
  const { text, entities } = formattedText(call.core, call.args, CAPTION);
  requireLength({ text, entities }, MAX_CAPTION, { long: 'message caption is too long' });
  if (!message.media) throw badRequest('there is no caption in the message to edit');
  return applyEdit(call, message, { caption: text === '' ? undefined : text, entities, keyboard });
}

function editMessageReplyMarkup(call: MethodCall): Json {
  const { chat, message } = editable(call);
  return applyEdit(call, message, { keyboard: inlineMarkupOf(call.args, chat) });
}

/** Why a message cannot be deleted, or undefined. */
function undeletable(call: MethodCall, chat: Chat, message: Message): string | undefined {
  const { core } = call;
  const isOld = core.now() - message.date * 1000 > core.timing.deletable;
  const isOwn = message.from === core.bot.id;
  if (chat.kind === 'private') return isOld ? "message can't be deleted for everyone" : undefined;
  if (chat.kind === 'supergroup' && message.id === 1) return "message can't be deleted";
  const mayDelete = rightsOf(chat, core.bot.id).can_delete_messages;
  if (isOwn && (mayDelete || !isOld)) return undefined;
  return mayDelete && (chat.kind === 'supergroup' || !isOld) ? undefined : "message can't be deleted";
}

function deleteMessage(call: MethodCall): true {
  const { core, args } = call;
  const chat = requireReach(core, chatOf(core, args));
  const message = messageOf(core, chat, args, 'message to delete not found');
  const problem = undeletable(call, chat, message);
  if (problem !== undefined) throw badRequest(problem);
  core.state.removeMessage(message);
  return true;
}

/** Messages that are not there or cannot be deleted are passed over. */
function deleteMessages(call: MethodCall): true {
  const { core, args } = call;
  const chat = requireReach(core, chatOf(core, args));
  const ids = args.json('message_ids', 'message identifiers');
  if (!Array.isArray(ids) || ids.length === 0) throw badRequest('message identifiers are not specified');
  if (ids.length > 100) throw badRequest('too many message identifiers specified');
  for (const id of ids) {
    const message = core.state.message(chat.id, Number(id));
    if (message && undeletable(call, chat, message) === undefined) core.state.removeMessage(message);
  }
  return true;
}

export const messageMethods: Record<string, Method> = {
  sendMessage: answering(sendMessage),
  sendRichMessage: answering(sendRichMessage),
  editMessageText: answering(editMessageText),
  editMessageCaption: answering(editMessageCaption),
  editMessageReplyMarkup: answering(editMessageReplyMarkup),
  deleteMessage: answering(deleteMessage),
  deleteMessages: answering(deleteMessages),
};
