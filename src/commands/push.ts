import { optional, taskNumber } from './arguments.ts';
import { bringOut, changedRun } from './bring-out.ts';
import { defineCommand } from './command.ts';
import { taskFor } from './subject.ts';

/** What pushing a change, and asking for it, needs. Who may decide it is a matter of the policy. */
export const pushNeed = { command: 'push', permission: 'change.publish', action: 'bring changes out' } as const;

export const push = defineCommand({
  name: 'push',
  group: 'work',
  summary: 'Pushes what a task has changed, as a branch of its own',
  details: [
    'Whoever may approve for the project decides by asking for it; for anybody else those who may are asked.',
    'Exactly the commit that was decided about is pushed. A branch that somebody else has moved meanwhile is left alone.',
  ],
  permission: pushNeed.permission,
  action: pushNeed.action,
  about: 'project',
  open: true,
  positional: {
    task: optional({ hint: '#task', about: 'the task; may be left out in its thread', names: 'task', schema: taskNumber }),
  },
  options: {},
  examples: [
    ['push #142', 'pushes the change of task 142'],
    ['push', 'pushes that of the task of this thread'],
  ],
  async run(ctx, args) {
    const { task, person: by } = await taskFor(ctx, args.task, pushNeed);
    return await bringOut(ctx, task, { run: await changedRun(ctx, task), what: 'push', by });
  },
});
