import { z } from 'zod';
import { putOutbox } from '../store/outbox.ts';
import { checkAgent } from './agent-choice.ts';
import { receivedPut } from './answer.ts';
import { optional, required, taskNumber } from './arguments.ts';
import { defineCommand } from './command.ts';
import { originKeyOf, ownTask } from './run.ts';
import { notAnAgent, speak } from './speak.ts';
import { taskFor } from './subject.ts';

export const fork = defineCommand({
  name: 'fork',
  group: 'work',
  summary: 'Makes a new task that begins where another one is, with its files and what its agent knows',
  details: ['The other task stays as it is. It must be at rest.'],
  permission: 'agent.run',
  action: 'give work to an agent',
  about: 'project',
  positional: {
    task: required({ hint: '#task', about: 'the task to begin from', names: 'task', schema: taskNumber }),
    prompt: required({ hint: 'what to do', about: 'what the new task is to do', schema: z.string(), takes: 'verbatim' }),
  },
  options: {},
  examples: [['fork #142 try it with a queue instead', 'a second way from where task 142 is']],
  async run(ctx, args) {
    const need = { command: 'fork', permission: 'agent.run', action: 'give work to an agent' } as const;
    const { task: source, person: by } = await taskFor(ctx, args.task, need);
    if (source.agent === undefined) throw notAnAgent(source.number);
    const { agent, account } = source.agent;
    await checkAgent(ctx, { agent, account, project: source.project.id, runsOn: source.runsOn });
    const thread = ctx.threadTask === undefined ? (ctx.act.conversation.thread ?? null) : null;
    const made = await ctx.deps.tasks.fork(ctx.tx, {
      task: source.id,
      text: args.prompt,
      by,
      channel: ctx.channel.id,
      thread,
      originKey: originKeyOf(ctx),
    });
    const { event } = ctx.act;
    if (event.type === 'message') await putOutbox(ctx.tx, receivedPut(by.workspace, event));
    return ctx.threadTask === undefined || ctx.threadTask.id === made.task ? undefined : ownTask(made.number);
  },
});

export const steer = defineCommand({
  name: 'steer',
  group: 'work',
  summary: 'Says something to the agent of a task, or gives it more to do when it is at rest',
  details: ['A reply in its thread does the same. `now …` interrupts it, `btw …` asks something beside.'],
  permission: 'agent.run',
  action: 'speak to an agent',
  about: 'project',
  positional: {
    task: optional({ hint: '#task', about: 'the task; may be left out in its thread', names: 'task', schema: taskNumber }),
    text: required({ hint: 'text', about: 'what it is to know or to do', schema: z.string(), takes: 'verbatim' }),
  },
  options: {},
  examples: [
    ['steer #142 leave the old tests as they are', 'read at its next step'],
    ['steer #142 now stop and look at session.ts', 'interrupts it'],
  ],
  async run(ctx, args) {
    const need = { command: 'steer', permission: 'agent.run', action: 'speak to an agent' } as const;
    const { task } = await taskFor(ctx, args.task, need);
    return speak(ctx, task, args.text);
  },
});
