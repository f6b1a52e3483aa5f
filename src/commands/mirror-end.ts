import { lastCards } from '../delivery/thread-cards.ts';
import { recordAudit } from '../store/audit.ts';
import { putOutboxRows } from '../store/outbox.ts';
import { lockTask } from '../store/tasks.ts';
import { endThread, existingThreads, holdRuns, mirrorsIn } from '../store/threads.ts';
import type { CommandContext } from './command.ts';

/** Ends a thread that is a mirror: its messages come to rest and change no more. The caller holds the lock of the task. */
export async function endMirror(
  ctx: CommandContext,
  mirror: { thread: string; channel: string; task: string; number: number },
): Promise<void> {
  const { tx, person } = ctx;
  const { thread, channel, task, number } = mirror;
  const runs = await holdRuns(tx, task);
  const now = ctx.deps.now();
  await putOutboxRows(tx, await lastCards(tx, { workspace: person.workspace, thread, number, by: person.name, now, runs }));
  await endThread(tx, thread);
  await recordAudit(tx, {
    workspace: person.workspace,
    actor: person.user,
    action: 'task.mirror_ended',
    subject: thread,
    data: { task, channel, on: person.identity.platform, account: person.identity.user },
  });
}

/**
 * Ends the mirrors in a channel that were there because it was bound to the project of their task, and is not any more: its people are
 * those of another project now. What a maintainer has shared with them stays. Returns how many there were. The caller has just bound the
 * channel in the same transaction, so that no mirror is added meanwhile.
 */
export async function endForeignMirrors(ctx: CommandContext, channel: string, project: string | undefined): Promise<number> {
  let ended = 0;
  for (const mirror of await mirrorsIn(ctx.tx, channel, { except: project })) {
    await lockTask(ctx.tx, mirror.task);
    // Somebody may have ended it while this waited for the lock.
    if ((await existingThreads(ctx.tx, [mirror.thread])).size === 0) continue;
    await endMirror(ctx, { ...mirror, channel });
    ended += 1;
  }
  return ended;
}
