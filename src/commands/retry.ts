import { textView } from '../delivery/list-view.ts';
import { optional, taskNumber } from './arguments.ts';
import { defineCommand } from './command.ts';
import { taskFor } from './subject.ts';

const need = { command: 'retry', role: 'developer', action: 'run tasks again' } as const;

export const retry = defineCommand({
  name: 'retry',
  group: 'work',
  summary: 'Runs a task again, from the same base commit and with what it had changed',
  role: need.role,
  action: need.action,
  positional: {
    task: optional({ hint: '#task', about: 'the task; may be left out in its thread', names: 'task', schema: taskNumber }),
  },
  options: {},
  examples: [
    ['retry #142', 'runs task 142 again'],
    ['retry', 'runs the task of this thread again'],
  ],
  async run(ctx, args) {
    const { task, person } = await taskFor(ctx, args.task, need);
    const { number } = await ctx.deps.tasks.retry(ctx.tx, task.id, person);
    return { view: textView(`#${number} runs again; its thread shows how it goes.`), audience: 'person', card: true };
  },
});
