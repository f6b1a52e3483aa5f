import { chatOf, requireReach, threadOf } from './access.ts';
import { badRequest } from './api-error.ts';
import { formattedText, MAX_TEXT } from './formatted-text.ts';
import { answering, type Method, type MethodCall } from './method.ts';
import type { Chat, Draft } from './model.ts';
import { richMessageOf } from './rich-message.ts';
import { requireLength } from './sending.ts';

/** Drafts: previews in private chats that vanish by themselves. */

function privateChatOf({ core, args }: MethodCall): Chat {
  const chat = requireReach(core, chatOf(core, args));
  if (chat.kind !== 'private') throw badRequest('TEXTDRAFT_PEER_INVALID');
  return chat;
}

function draftOf(call: MethodCall, chat: Chat): Omit<Draft, 'text' | 'entities' | 'rich'> {
  const { core, args } = call;
  const draft_id = args.integer('draft_id', 0);
  if (draft_id === 0) throw badRequest('draft_id must be non-zero');
  const topic = threadOf(core, chat, args);
  return {
    chat: chat.id,
    message_thread_id: topic?.id,
    draft_id,
    can_stop: args.flag('can_stop'),
    refreshed_at: core.now(),
  };
}

function sendMessageDraft(call: MethodCall): true {
  const draft = draftOf(call, privateChatOf(call));
  const formatted = formattedText(call.core, call.args, { text: 'text', entities: 'entities' });
  requireLength(formatted, MAX_TEXT, { long: 'message is too long' });
  call.core.drafts.put({ ...draft, ...formatted });
  return true;
}

function sendRichMessageDraft(call: MethodCall): true {
  const chat = privateChatOf(call);
  const draft = draftOf(call, chat);
  call.core.drafts.put({ ...draft, text: '', entities: [], rich: richMessageOf(call, chat, { isDraft: true }) });
  return true;
}

export const draftMethods: Record<string, Method> = {
  sendMessageDraft: answering(sendMessageDraft),
  sendRichMessageDraft: answering(sendRichMessageDraft),
};
