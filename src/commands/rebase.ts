import { textView } from '../delivery/list-view.ts';
import { optional, taskNumber } from './arguments.ts';
import { changedRun } from './bring-out.ts';
import { defineCommand } from './command.ts';
import { originKeyOf } from './run.ts';
import { taskFor } from './subject.ts';

export const rebaseNeed = {
  command: 'rebase',
  permission: 'change.publish',
  action: 'bring changes to the newest base',
} as const;

export const rebase = defineCommand({
  name: 'rebase',
  group: 'work',
  summary: 'Puts what a task has changed on the newest commit of its base branch',
  details: [
    'Nothing is run but the check of the project. Where both have changed the same lines nothing happens to the change: the thread says which files conflict, and the agent of the task can be asked to resolve it.',
    'What comes of it is a new change: it is pushed only when somebody approves it.',
  ],
  permission: rebaseNeed.permission,
  action: rebaseNeed.action,
  about: 'project',
  positional: {
    task: optional({ hint: '#task', about: 'the task; may be left out in its thread', names: 'task', schema: taskNumber }),
  },
  options: {},
  examples: [
    ['rebase #142', 'puts the change of task 142 on the newest base'],
    ['rebase', 'puts that of the task of this thread there'],
  ],
  async run(ctx, args) {
    const { task, person: by } = await taskFor(ctx, args.task, rebaseNeed);
    const run = await changedRun(ctx, task);
    const { number } = await ctx.deps.tasks.rebase(ctx.tx, { run, how: 'rebase', by, originKey: originKeyOf(ctx) });
    return {
      view: textView(`The change of #${number} is put on the newest base; its thread shows how it goes.`),
      audience: 'person',
      card: true,
    };
  },
});
