import type { Approvers } from '../contracts/approvers.ts';
import { recordAudit } from '../store/audit.ts';
import { channelById } from '../store/channels.ts';
import type { Tx } from '../store/database.ts';
import { taskById } from '../store/task-queries.ts';
import type { TaskRecord } from '../store/tasks.ts';
import { createThread, placesOfTask } from '../store/threads.ts';

/**
 * Shows the task where decisions about it count, unless it is shown at one of these places already: its request is posted there with the
 * rest. What was asked for in a private channel is taken nowhere by itself. Call it with the event of the request in one transaction, under
 * the lock of the task.
 */
export async function followWhereItCounts(
  tx: Tx,
  task: TaskRecord,
  { channels }: Pick<Approvers, 'channels'>,
  at: Date,
): Promise<void> {
  if (channels === undefined) return;
  const { workspace } = task;
  const places = await placesOfTask(tx, task.id);
  if (places.some(({ channel }) => channels.includes(channel.id))) return;
  if ((await taskById(tx, workspace, task.id, { channel: undefined, readers: [] })) === undefined) return;
  for (const id of channels) {
    const channel = await channelById(tx, workspace, id);
    if (channel === undefined || channel.kind !== 'channel') continue;
    const thread = await createThread(tx, { workspace, task: task.id, channel: id, externalId: null, at });
    await recordAudit(tx, {
      workspace,
      action: 'task.mirrored',
      subject: thread,
      data: { task: task.id, channel: id, shared: true, by: 'policy' },
    });
  }
}
