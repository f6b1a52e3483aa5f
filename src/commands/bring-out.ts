import { AppError } from '../contracts/errors.ts';
import type { PublishWhat } from '../contracts/publication.ts';
import { textView } from '../delivery/list-view.ts';
import { standsOf } from '../store/task-changes.ts';
import type { TaskRow } from '../store/task-queries.ts';
import type { Person } from '../tasks/task-engine.ts';
import type { CommandContext, Reply } from './command.ts';
import { taskOrigin } from './task-origin.ts';

const doing: Record<PublishWhat, string> = {
  push: 'is being pushed',
  pull_request: 'is being pushed, and a pull request opened',
  draft: 'is being pushed, and a draft of a pull request opened',
};

/** The run that has made the newest change of a task. Throws DH-300 when nothing has been changed, DH-315 when it has several to choose from. */
export async function changedRun(ctx: CommandContext, task: TaskRow): Promise<string> {
  if (task.comparison === 'open') throw new AppError('DH-315', { number: task.number, attempts: task.attempts ?? 0 });
  const run = (await standsOf(ctx.tx.db, [task.id])).get(task.id)?.run;
  if (run !== undefined) return run;
  throw new AppError('DH-300', {
    what: `#${task.number} has changed no files, so there is nothing to push or to discard.`,
    instead: `\`show #${task.number}\` tells what it did.`,
  });
}

/** Brings a change out, or asks those who may decide it, and says which. The card shows what becomes of it. */
export async function bringOut(
  ctx: CommandContext,
  task: Pick<TaskRow, 'id'>,
  change: { run: string; what: PublishWhat; by: Person },
): Promise<Reply> {
  const origin = await taskOrigin(ctx, task.id);
  const { platform } = ctx.act.conversation;
  const done = await ctx.deps.tasks.publish(ctx.tx, { ...change, on: platform, origin });
  switch (done.outcome) {
    case 'approved':
      return {
        view: textView(`#${done.number} ${doing[change.what]}; its card shows how it goes.`),
        audience: 'person',
        card: true,
      };
    case 'asked':
      return { view: textView(`#${done.number} waits for a decision. ${done.whoCan}`), audience: 'person' };
    case 'known':
      return { view: textView(done.what), audience: 'person' };
  }
}
