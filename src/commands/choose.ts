import { attemptsLimits } from '../contracts/comparison.ts';
import { AppError } from '../contracts/errors.ts';
import { textView } from '../delivery/list-view.ts';
import { runsOf, type TaskRow } from '../store/task-queries.ts';
import { markedTask } from './agent-change.ts';
import { count, required } from './arguments.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { taskFor } from './subject.ts';

export const chooseNeed = { command: 'choose', permission: 'task.manage', action: 'choose between attempts' } as const;

export const choose = defineCommand({
  name: 'choose',
  group: 'work',
  summary: 'Chooses one of several attempts at a task; the task goes on from it',
  details: [
    'Attempts are made side by side by `run attempts=3 …`. When all have ended, a card compares them; *Choose* on it does the same.',
    'The others are kept for a while: `diff #142 attempt=1` shows them. Only one can be chosen, once.',
  ],
  permission: chooseNeed.permission,
  action: chooseNeed.action,
  about: 'project',
  positional: {
    task: markedTask,
    attempt: required({ hint: '2', about: 'the number of the attempt', schema: count(attemptsLimits.most) }),
  },
  options: {},
  examples: [
    ['choose #142 2', 'task 142 goes on from its second attempt'],
    ['choose 2', 'the same in its thread'],
  ],
  async run(ctx, args) {
    const { task, person } = await taskFor(ctx, args.task, chooseNeed);
    const { number, variant, outcome } = await ctx.deps.tasks.choose(ctx.tx, await attemptOf(ctx, task, args.attempt), person);
    const said = outcome === 'chosen' ? 'goes on from' : 'goes on already from';
    return { view: textView(`#${number} ${said} attempt ${variant}.`), audience: 'person', card: outcome === 'chosen' };
  },
});

/** The run that this attempt is. Throws DH-300 when there is none. */
async function attemptOf(ctx: CommandContext, task: TaskRow, variant: number): Promise<string> {
  const attempts = (await runsOf(ctx.tx, task.id)).filter((run) => run.variant !== undefined);
  const run = attempts.find((one) => one.variant === variant);
  if (run !== undefined) return run.id;
  throw new AppError('DH-300', {
    what:
      attempts.length === 0 ? `#${task.number} has no attempts to choose from.` : `#${task.number} has no attempt ${variant}.`,
    instead: attempts.length === 0 ? '`run attempts=3 …` begins a task with three.' : `Its attempts are 1 to ${attempts.length}.`,
  });
}
