import { textView } from '../delivery/list-view.ts';
import { optional, taskNumber } from './arguments.ts';
import { changedRun } from './bring-out.ts';
import { defineCommand } from './command.ts';
import { taskFor } from './subject.ts';

export const discardNeed = { command: 'discard', permission: 'task.manage', action: 'discard changes' } as const;

export const discard = defineCommand({
  name: 'discard',
  group: 'work',
  summary: 'Says that what a task has changed is not wanted, and cancels the task',
  details: [
    'Nothing is lost: the change is kept for a while, and `push` or `retry` take it up again. What was pushed stays where it is.',
  ],
  permission: discardNeed.permission,
  action: discardNeed.action,
  about: 'project',
  positional: {
    task: optional({ hint: '#task', about: 'the task; may be left out in its thread', names: 'task', schema: taskNumber }),
  },
  options: {},
  examples: [
    ['discard #142', 'discards the change of task 142'],
    ['discard', 'discards that of the task of this thread'],
  ],
  async run(ctx, args) {
    const { task, person } = await taskFor(ctx, args.task, discardNeed);
    const attempts = task.comparison === 'open' ? task.run : undefined;
    const { number } = await ctx.deps.tasks.discard(ctx.tx, attempts?.id ?? (await changedRun(ctx, task)), person);
    const said =
      attempts === undefined
        ? `The change of #${number} is discarded; it is kept for a while.`
        : `All attempts of #${number} are discarded; they are kept for a while.`;
    return { view: textView(said), audience: 'person', card: true };
  },
});
