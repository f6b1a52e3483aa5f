import { newId } from '../runtime/ids.ts';
import type { Tx } from './database.ts';

/**
 * Ties a task to a thread of a channel. `externalId` null: the first message of the task opens the thread. A platform thread is of
 * one task: where it belongs to another one already, the task gets a thread of its own in the same channel.
 */
export async function createThread(
  tx: Tx,
  input: { workspace: string; task: string; channel: string; externalId: string | null },
): Promise<string> {
  const row = { workspaceId: input.workspace, taskId: input.task, channelId: input.channel };
  const id = newId('thr');
  const { count } = await tx.db.thread.createMany({
    data: [{ ...row, id, externalId: input.externalId }],
    skipDuplicates: true,
  });
  if (count === 1) return id;
  const own = await tx.db.thread.create({ data: { ...row, id: newId('thr'), externalId: null } });
  return own.id;
}
