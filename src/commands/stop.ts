import { textView } from '../delivery/list-view.ts';
import { optional, taskNumber } from './arguments.ts';
import { defineCommand } from './command.ts';
import { taskFor } from './subject.ts';

const need = { command: 'stop', permission: 'task.manage', action: 'stop tasks' } as const;

export const stop = defineCommand({
  name: 'stop',
  group: 'work',
  summary: 'Stops what a task is doing',
  details: [
    'A task that waits in the queue is cancelled at once. What a running command has written and changed so far is kept. Of several attempts all are stopped.',
  ],
  permission: need.permission,
  action: need.action,
  about: 'project',
  open: true,
  positional: {
    task: optional({ hint: '#task', about: 'the task; may be left out in its thread', names: 'task', schema: taskNumber }),
  },
  options: {},
  examples: [
    ['stop #142', 'stops task 142'],
    ['stop', 'stops the task of this thread'],
  ],
  async run(ctx, args) {
    const { task, person } = await taskFor(ctx, args.task, need);
    const { number, outcome } = await ctx.deps.tasks.stop(ctx.tx, task.id, person);
    const said = {
      cancelled: `#${number} is cancelled; it had not started.`,
      stopping: `#${number} is being stopped.`,
      already_stopping: `#${number} is being stopped already.`,
    };
    return { view: textView(said[outcome]), audience: 'person', card: outcome !== 'already_stopping' };
  },
});
