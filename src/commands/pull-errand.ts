import { actingOn } from '../access/who-acts.ts';
import { AppError } from '../contracts/errors.ts';
import type { PullErrandKind } from '../contracts/pull-news.ts';
import { textView } from '../delivery/list-view.ts';
import { taskOfRun } from '../store/task-queries.ts';
import type { ErrandOutcome } from '../tasks/task-engine.ts';
import type { CommandContext } from './command.ts';
import { originKeyOf } from './run.ts';
import { answer } from './run-command.ts';

/** *Merge*, *Ready for review*, *Fix CI*, *Address review*: noted here, done by the watch of pull requests; the thread shows what became of it. */
export async function askErrand(ctx: CommandContext, run: string, kind: PullErrandKind): Promise<void> {
  const task = await taskOfRun(ctx.tx, ctx.person.workspace, run);
  if (task === undefined) throw new AppError('DH-208');
  const by = actingOn(ctx, task.project.id);
  const outcome = await ctx.deps.tasks.pullErrand(ctx.tx, { run, kind, by, originKey: originKeyOf(ctx) });
  await answer(ctx, { view: textView(text(kind, outcome)), audience: 'person' });
}

function text(kind: PullErrandKind, { outcome, number, pull }: ErrandOutcome): string {
  if (outcome === 'waits') return `#${number}: somebody has asked for that already.`;
  switch (kind) {
    case 'merge':
      return `#${number}: ${pull} is being merged.`;
    case 'ready':
      return `#${number}: ${pull} is being made ready for review.`;
    case 'fix_ci':
      return `#${number}: the agent is given what has failed at ${pull}.`;
    case 'address':
      return `#${number}: the agent is given the reviews of ${pull}.`;
  }
}
