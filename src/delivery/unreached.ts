import type { DeliveryFailure, Operation } from '../contracts/chat-adapter.ts';
import { type OutboxPut, priorities } from '../contracts/outbox.ts';
import { type Platform, platformNames } from '../contracts/platform.ts';
import { plain, type View } from '../contracts/view.ts';
import type { Tx } from '../store/database.ts';
import { noteDirectRefused, noteRefusalTold, personInThread } from '../store/direct-reach.ts';
import type { ClaimedRow, WaitingRow } from '../store/outbox-rows.ts';
import { withFallback } from './list-view.ts';
import { oneLine } from './neutralise.ts';

/** What a person does so that the bot may write to them. */
const remedies: Record<Platform, string> = {
  telegram: 'open a chat with Deckhand there and press Start',
  discord: 'allow direct messages in the privacy settings of a server that you share with Deckhand',
  slack: 'open Deckhand among the apps there and write to it',
  github: 'join your account there with one on a chat platform',
  console: 'open the console',
};

/** "Deckhand cannot write to you on Telegram: open a chat …" */
export function unreachedWords(platform: Platform): string {
  return `Deckhand cannot write to you on ${platformNames[platform]}: ${remedies[platform]}. Until then you are mentioned in the thread of the task.`;
}

/**
 * A direct message was refused: that is kept in mind, and the person is told once. In the thread of the task that it was about, mentioned,
 * because it may be something that waits for them; else at their next command.
 */
export async function unreached(
  tx: Tx,
  row: WaitingRow,
  { payload }: ClaimedRow,
  { failure, operation, at }: { failure: DeliveryFailure; operation: Operation | undefined; at: Date },
): Promise<OutboxPut | undefined> {
  if (payload.type !== 'direct' && payload.type !== 'ephemeral') return undefined;
  // A message that is no more where it was says nothing about the next one.
  if (failure.kind !== 'not_permitted' && (failure.kind !== 'gone' || operation === 'edit')) return undefined;
  const { user } = payload;
  await noteDirectRefused(tx, user, at);
  // An answer that somebody asked for: they are called aside where they asked.
  if (payload.type === 'ephemeral' && row.channelKind === 'channel') await noteRefusalTold(tx, user, at);
  const thread = payload.type === 'direct' ? payload.thread : undefined;
  const person = thread === undefined ? undefined : await personInThread(tx, user, thread);
  if (thread === undefined || person === undefined || !(await noteRefusalTold(tx, user, at))) return undefined;
  return {
    workspace: row.workspace,
    key: `unreached:${row.id}`,
    target: { type: 'thread', thread, anchor: false },
    payload: { type: 'message', view: unreachedView(user.platform, person) },
    priority: priorities.decision,
  };
}

/** `person`: for others' eyes, mentioned; without it the person reads it alone. */
export function unreachedView(platform: Platform, person?: { name: string; user: string | undefined }): View {
  const words = plain(unreachedWords(platform));
  if (person === undefined) return withFallback([{ type: 'text', spans: [words] }]);
  const { name, user } = person;
  const span = { type: 'person' as const, name: oneLine(name), notify: true, ...(user === undefined ? {} : { user }) };
  return withFallback([{ type: 'text', spans: [span, plain(' '), words] }]);
}
