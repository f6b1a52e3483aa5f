import { type OutboxPut, priorities } from '../contracts/outbox.ts';
import type { Conversation, IdentityRef, MessageRef } from '../contracts/platform.ts';
import type { Form, View, ViewFile } from '../contracts/view.ts';

/** The act being answered, as its inbound event tells it. */
export interface AnsweredAct {
  workspace: string;
  /** Key of the inbound event: names the outbox row, so that handling the event again makes no second answer (promise 2). */
  key: string;
  conversation: Conversation;
  /** The account that acted. */
  user: IdentityRef;
  /** Sealed handle by which the platform can answer this very act. */
  reply?: string | undefined;
}

/**
 * What to put for an answer that only the person who acted sees: ephemeral in a channel, a plain message in a direct conversation.
 * `part` tells several answers to one act apart.
 */
export function answerPerson(act: AnsweredAct, view: View, part = 'answer'): OutboxPut {
  if (act.conversation.kind === 'direct') return answerHere(act, view, part);
  return {
    workspace: act.workspace,
    key: rowKey(act, part),
    target: { type: 'conversation', conversation: act.conversation },
    payload: { type: 'ephemeral', user: act.user, view, reply: act.reply },
    priority: priorities.reply,
  };
}

/** A message for everybody where the act happened: in its thread when it has one, else at the top of the channel. */
export function answerHere(act: AnsweredAct, view: View, part = 'answer'): OutboxPut {
  return {
    workspace: act.workspace,
    key: rowKey(act, part),
    target: { type: 'conversation', conversation: act.conversation },
    payload: { type: 'message', view, answers: { user: act.user, ...(act.reply === undefined ? {} : { reply: act.reply }) } },
    priority: priorities.reply,
  };
}

/** Files for everybody where the act happened. */
export function answerFiles(act: AnsweredAct, files: ViewFile[], comment: string | undefined, part = 'files'): OutboxPut {
  return {
    workspace: act.workspace,
    key: rowKey(act, part),
    target: { type: 'conversation', conversation: act.conversation },
    payload: { type: 'files', files, comment },
    priority: priorities.reply,
  };
}

/**
 * Opens a form for whoever acted. `trigger`: the event's own, which lives for `lifeMs` from `at` (Slack: 3 s); none where forms are
 * asked field by field.
 */
export function askForm(act: AnsweredAct, trigger: string | undefined, form: Form, at: Date, lifeMs = 3000): OutboxPut {
  return {
    workspace: act.workspace,
    key: rowKey(act, 'form'),
    target: { type: 'conversation', conversation: act.conversation },
    payload: {
      type: 'form',
      ...(trigger === undefined ? {} : { trigger }),
      form,
      user: act.user,
      expiresAt: new Date(at.getTime() + lifeMs).toISOString(),
    },
    priority: priorities.decision,
  };
}

/** Sets or takes back a receipt on somebody's message. */
export function receipt(
  workspace: string,
  conversation: Conversation,
  message: string,
  mark: 'received' | 'read' | 'refused',
  on = true,
): OutboxPut {
  const { platform, tenant, channel, thread } = conversation;
  const ref: MessageRef = { platform, tenant, channel, thread, message };
  return {
    workspace,
    key: receiptKey({ platform, tenant, channel, message }, mark, on),
    target: { type: 'conversation', conversation },
    payload: { type: 'reaction', message: ref, mark, on },
    priority: priorities.reply,
  };
}

/** Names the row of a receipt. */
export function receiptKey(
  { platform, tenant, channel, message }: Pick<MessageRef, 'platform' | 'tenant' | 'channel' | 'message'>,
  mark: 'received' | 'read' | 'refused',
  on: boolean,
): string {
  return `react:${platform}:${tenant}:${channel}:${message}:${mark}:${on ? 'on' : 'off'}`;
}

/** What a person's home surface shows. Each put replaces the one before. */
export function home(workspace: string, user: IdentityRef, view: View): OutboxPut {
  return {
    workspace,
    key: `home:${user.platform}:${user.tenant}:${user.user}`,
    target: {
      type: 'conversation',
      conversation: { platform: user.platform, tenant: user.tenant, channel: user.user, kind: 'direct' },
    },
    payload: { type: 'home', user, view },
    priority: priorities.card,
  };
}

function rowKey(act: AnsweredAct, part: string): string {
  const { platform, tenant } = act.conversation;
  return `${part}:${platform}:${tenant}:${act.key}`;
}
