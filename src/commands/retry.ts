import { textView } from '../delivery/list-view.ts';
import { refuseForCommand } from './agent-change.ts';
import { agentOptions, checkAgent } from './agent-choice.ts';
import { optional, taskNumber } from './arguments.ts';
import { defineCommand } from './command.ts';
import { taskFor } from './subject.ts';

const need = { command: 'retry', role: 'developer', action: 'run tasks again' } as const;

export const retry = defineCommand({
  name: 'retry',
  group: 'work',
  summary: 'Runs a task again, from the same base commit and with what it had changed',
  details: ['The options are for tasks of agents. Another agent begins a conversation of its own on the same branch.'],
  role: need.role,
  action: need.action,
  positional: {
    task: optional({ hint: '#task', about: 'the task; may be left out in its thread', names: 'task', schema: taskNumber }),
  },
  options: agentOptions,
  examples: [
    ['retry #142', 'runs task 142 again'],
    ['retry', 'runs the task of this thread again'],
    ['retry #142 agent=codex', 'lets another agent try, from what the first has changed'],
  ],
  async run(ctx, args) {
    const { task, person } = await taskFor(ctx, args.task, need);
    const { agent, mode, model, effort } = args;
    const change = { agent, mode, model, effort };
    refuseForCommand(task, change);
    if (task.agent !== undefined) await checkAgent(ctx, { agent: agent ?? task.agent.agent, mode, effort });
    const { number } = await ctx.deps.tasks.retry(ctx.tx, task.id, person, task.agent === undefined ? undefined : change);
    return { view: textView(`#${number} runs again; its thread shows how it goes.`), audience: 'person', card: true };
  },
});
