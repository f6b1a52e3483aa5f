import type { InboundEvent } from '../contracts/inbound.ts';
import type { OutboxPut } from '../contracts/outbox.ts';
import type { Conversation } from '../contracts/platform.ts';
import type { View } from '../contracts/view.ts';
import { type AnsweredAct, answerHere, answerPerson, receipt } from '../delivery/reply.ts';
import type { SentMessage } from '../store/sent-messages.ts';
import type { ThreadPlace } from '../store/threads.ts';
import type { Person } from '../tasks/task-engine.ts';
import type { Act, CommandContext, Reply } from './command.ts';

/**
 * Where an answer for everybody goes. What a message in a channel asks is answered in the thread below it, where the platform has one
 * there. In a direct conversation the answer follows the message.
 */
export function answerConversation(event: InboundEvent): Conversation {
  const { conversation } = event;
  if (event.type !== 'message' && event.type !== 'shortcut') return conversation;
  const thread = conversation.thread ?? (conversation.kind === 'channel' ? event.below : undefined);
  return thread === undefined ? conversation : { ...conversation, thread };
}

/** How the person asked. */
export function askedBy(event: InboundEvent): Act['by'] {
  if (event.type === 'command') return 'slash';
  if (event.type === 'message') return 'message';
  return event.type === 'press' ? 'press' : 'form';
}

/** The outbox row of an answer. The audience decides where it goes; in a direct conversation all answers are messages. */
export function putOf(act: Act, person: Person, reply: Reply): OutboxPut {
  const part = reply.list === undefined ? 'answer' : listPart(reply.list, person.user);
  if (act.open) return openPut(act.event, person, reply.view, part);
  const forAll = isForAll(act, reply);
  const put = forAll
    ? answerHere(answered(act.event, person, act.conversation), reply.view, part)
    : answerPerson(answered(act.event, person, act.event.conversation), reply.view, part);
  return reply.key === undefined ? put : { ...put, key: reply.key };
}

function isForAll(act: Act, { audience }: Reply): boolean {
  return audience === 'all' || (audience === 'asked' && act.by === 'message');
}

/** The same answer for the other threads of the task it is about, when it is for everybody in one of them. `put`: the answer itself. */
export function putsElsewhere(ctx: CommandContext, reply: Reply, put: OutboxPut, places: readonly ThreadPlace[]): OutboxPut[] {
  if (reply.task === undefined || ctx.threadTask?.id !== reply.task || !isForAll(ctx.act, reply)) return [];
  return places
    .filter(({ channel }) => channel.id !== ctx.channel.id && channel.platform !== ctx.deps.repositoryTalk?.platform)
    .map(({ id }) => ({ ...put, key: `${put.key}:${id}`, target: { type: 'thread', thread: id, anchor: false } }));
}

/**
 * The row of a list that a button of it shows again, when it may change in place: the message is a list of ours, for everybody or
 * for this very person. Else undefined: the list comes as a new answer.
 */
export function putInPlace(sent: SentMessage, person: Person, reply: Reply, workspace: string): OutboxPut | undefined {
  if (reply.list === undefined || sent.payload.type !== 'message') return undefined;
  const parts = [listPart('shared', person.user), listPart('own', person.user)];
  if (!parts.some((part) => sent.key.startsWith(`${part}:`))) return undefined;
  return { workspace, key: sent.key, target: sent.target, payload: { type: 'message', view: reply.view }, priority: 2 };
}

/** An answer that only the person who acted sees. */
export function personalPut(event: InboundEvent, person: Person, view: View, part = 'answer'): OutboxPut {
  return answerPerson(answered(event, person, event.conversation), view, part);
}

/** An answer for all who can read the repository; there is nobody who could be told aside when it cannot be posted. */
export function openPut(event: InboundEvent, person: Person, view: View, part = 'answer'): OutboxPut {
  const put = answerHere(answered(event, person, event.conversation), view, part);
  return { ...put, payload: { type: 'message', view } };
}

/** Marks a message as taken. One that answers another stands where that one does, not in the thread both belong to. */
export function receivedPut(workspace: string, event: Extract<InboundEvent, { type: 'message' }>): OutboxPut {
  const { thread: _, ...beside } = event.conversation;
  return receipt(workspace, event.replyTo === undefined ? event.conversation : beside, event.message, 'received');
}

export function answered(event: InboundEvent, person: Person, conversation: Conversation): AnsweredAct {
  return { workspace: person.workspace, key: event.key, conversation, user: person.identity, reply: event.reply };
}

function listPart(list: 'own' | 'shared', user: string): string {
  return list === 'own' ? `list/${user}` : 'list/*';
}
