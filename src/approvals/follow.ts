import type { Approvers } from '../contracts/approvers.ts';
import { recordAudit } from '../store/audit.ts';
import { channelById } from '../store/channels.ts';
import type { Tx } from '../store/database.ts';
import { inSight } from '../store/task-sight.ts';
import type { TaskRecord } from '../store/tasks.ts';
import { createThread, placesOfTask } from '../store/threads.ts';

/**
 * Shows the task where decisions about it count, unless it is shown at one of these places already: its request is posted there with the
 * rest. What was asked for in a private channel is taken nowhere by itself. Call it with the event of the request in one transaction, under
 * the lock of the task. Returns the threads that are new.
 */
export async function followWhereItCounts(
  tx: Tx,
  task: Pick<TaskRecord, 'id' | 'workspace'>,
  { channels }: Pick<Approvers, 'channels'>,
  at: Date,
): Promise<string[]> {
  if (channels === undefined) return [];
  const { workspace } = task;
  const places = await placesOfTask(tx, task.id);
  if (places.some(({ channel }) => channels.includes(channel.id))) return [];
  if (await isKeptPrivate(tx, workspace, task.id)) return [];
  const threads: string[] = [];
  for (const id of channels) {
    const channel = await channelById(tx, workspace, id);
    if (channel === undefined || channel.kind !== 'channel') continue;
    const thread = await createThread(tx, { workspace, task: task.id, channel: id, externalId: null, at });
    threads.push(thread);
    await recordAudit(tx, {
      workspace,
      action: 'task.mirrored',
      subject: thread,
      data: { task: task.id, channel: id, shared: true, by: 'policy' },
    });
  }
  return threads;
}

/** Says that nobody sees a request where it counts, and who can change that; empty: it is shown at such a place, or counts anywhere. */
export async function unseenText(
  tx: Pick<Tx, 'db'>,
  workspace: string,
  task: string,
  { channels }: Pick<Approvers, 'channels'>,
): Promise<string> {
  if (channels === undefined || !(await isKeptPrivate(tx, workspace, task))) return '';
  if ((await tx.db.thread.count({ where: { taskId: task, channelId: { in: [...channels] } } })) > 0) return '';
  return ' Nobody can decide there yet: this was asked for in a private channel and is shown nowhere else. A maintainer who writes `settings private=off` in that private channel lets it be shown where it counts.';
}

async function isKeptPrivate(tx: Pick<Tx, 'db'>, workspace: string, id: string): Promise<boolean> {
  const open = { id, workspaceId: workspace, ...inSight({ channel: undefined, readers: [] }) };
  return (await tx.db.task.count({ where: open })) === 0;
}
