import { actingOn, whoActs } from '../access/who-acts.ts';
import type { FileToGive } from '../contracts/given-file.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import { messageOrigin } from '../contracts/message-origin.ts';
import { may } from '../contracts/permissions.ts';
import type { Tx } from '../store/database.ts';
import { keyOfMessage, taskOfMessage } from '../store/said-messages.ts';
import { taskById } from '../store/task-queries.ts';
import type { Person } from '../tasks/task-engine.ts';
import type { BusDeps } from './bus.ts';

type Message = Extract<InboundEvent, { type: 'message' }>;

/** What a person attached to a message, for the agent it is said to. */
export function filesOf(message: Message, by: Person, came: 'request' | 'message'): FileToGive[] {
  return message.attachments.map(({ id, name, mime, bytes }) => ({
    source: { conversation: message.conversation, message: message.message, id },
    name,
    mime,
    bytes,
    by: by.name,
    trust: by.role ?? 'external',
    came,
  }));
}

/** Whoever sends nothing but files wants them looked at. */
export function wordsOf(text: string, files: readonly unknown[]): string {
  if (text.trim() !== '' || files.length === 0) return text;
  return files.length === 1 ? 'Look at the attached file.' : 'Look at the attached files.';
}

/** More files of a message that came apart from it: they go where its words went, to the agent of a task; else nowhere. */
export async function onMoreFiles(tx: Tx, deps: Pick<BusDeps, 'tasks' | 'owners'>, event: Message): Promise<void> {
  const { partOf, conversation } = event;
  const key = partOf === undefined ? undefined : await keyOfMessage(tx, conversation, partOf);
  if (partOf === undefined || key === undefined) return;
  const actor = await whoActs(tx, event, deps.owners);
  if (typeof actor === 'string') return;
  const { platform, tenant, channel } = conversation;
  const origin = messageOrigin({ platform, tenant, channel, message: partOf });
  const originKey = `${platform}:${tenant}:${key}`;
  const { workspace } = actor.person;
  const id = await taskOfMessage(tx, workspace, { originKey, origin });
  const task = id === undefined ? undefined : await taskById(tx, workspace, id);
  if (task === undefined) return;
  const by = actingOn(actor, task.project.id);
  if (may(by, 'agent.run')) await deps.tasks.attachMore(tx, task.id, filesOf(event, by, 'request'), origin);
}
