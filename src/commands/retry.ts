import { textView } from '../delivery/list-view.ts';
import { refuseForCommand } from './agent-change.ts';
import { agentOptions, checkAgent } from './agent-choice.ts';
import { oneOf, optional, taskNumber } from './arguments.ts';
import { defineCommand } from './command.ts';
import { taskFor } from './subject.ts';

const need = { command: 'retry', permission: 'task.manage', action: 'run tasks again' } as const;

export const retry = defineCommand({
  name: 'retry',
  group: 'work',
  summary: 'Runs a task again, from the same base commit and with what it had changed',
  details: [
    'The options are for tasks of agents. Another agent, or another account, begins a conversation of its own on the same branch.',
  ],
  permission: need.permission,
  action: need.action,
  about: 'project',
  open: true,
  positional: {
    task: optional({ hint: '#task', about: 'the task; may be left out in its thread', names: 'task', schema: taskNumber }),
  },
  options: {
    ...agentOptions,
    context: optional({
      hint: 'none',
      about: 'with `none` the agent is not given what was said before the request, and begins a conversation of its own',
      values: ['none'],
      schema: oneOf(['none']),
    }),
  },
  examples: [
    ['retry #142', 'runs task 142 again'],
    ['retry', 'runs the task of this thread again'],
    ['retry #142 agent=codex', 'lets another agent try, from what the first has changed'],
  ],
  async run(ctx, args) {
    const { task, person } = await taskFor(ctx, args.task, need);
    const { agent, mode, model, effort, account } = args;
    const change = { agent, mode, model, effort, account };
    const alone = args.context === 'none' ? true : undefined;
    refuseForCommand(task, { ...change, alone });
    const was = task.agent;
    const other = agent !== undefined && agent !== was?.agent;
    const next = account === undefined && !other ? was?.account : account;
    const at = { project: task.project.id, runsOn: task.runsOn };
    if (was !== undefined) await checkAgent(ctx, { agent: agent ?? was.agent, mode, effort, model, account: next, ...at });
    const { number } = await ctx.deps.tasks.retry(
      ctx.tx,
      task.id,
      person,
      task.agent === undefined ? undefined : { ...change, alone },
    );
    const isNew = was !== undefined && (other || (next ?? null) !== was.account);
    const how = isNew ? ' in a conversation of its own' : '';
    return { view: textView(`#${number} runs again${how}; its thread shows how it goes.`), audience: 'person', card: true };
  },
});
