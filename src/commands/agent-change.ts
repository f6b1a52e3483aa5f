import { z } from 'zod';
import { agentModeSchema, effortSchema } from '../contracts/agent.ts';
import { AppError } from '../contracts/errors.ts';
import { isTerminal } from '../contracts/states.ts';
import { textView } from '../delivery/list-view.ts';
import type { TaskRow } from '../store/task-queries.ts';
import type { SettingsChange } from '../tasks/agent-tasks.ts';
import { checkAgent, checkChange } from './agent-choice.ts';
import { budgetText, budgetWord, modelWord } from './agent-words.ts';
import { oneOf, optional, required, taskNumber } from './arguments.ts';
import { type CommandContext, defineCommand, type Reply } from './command.ts';
import { checkModel } from './model-choice.ts';
import { notAnAgent } from './speak.ts';
import { taskFor } from './subject.ts';

const task = optional({ hint: '#task', about: 'the task; may be left out in its thread', names: 'task', schema: taskNumber });

/** As `#142` only, before an argument that is a number itself or may be. */
export const markedTask = optional({
  hint: '#task',
  about: 'the task; may be left out in its thread',
  names: 'task',
  schema: z
    .string()
    .regex(/^#\d{1,9}$/, { error: ({ input }) => `\`${input}\` is not a task, such as \`#142\`.` })
    .transform((text) => Number(text.slice(1))),
});

const effortWords = [...effortSchema.options, 'default'] as const;

const later = 'At work it changes where the agent can; else say it with `retry`, or before the next request.';

export const mode = defineCommand({
  name: 'mode',
  group: 'work',
  summary: 'Changes how much the agent of a task may do without asking',
  details: ['`help modes` says what each means. What was asked for before still waits for its decision.', later],
  permission: 'agent.run',
  action: 'change what an agent may do',
  about: 'project',
  positional: {
    task,
    mode: required({
      hint: 'mode',
      about: 'how much it may do without asking',
      values: agentModeSchema.options,
      schema: oneOf(agentModeSchema.options),
    }),
  },
  options: {},
  examples: [
    ['mode ask', 'the agent of this thread asks before everything but reading'],
    ['mode #142 acceptEdits', 'the agent of task 142 may change files'],
  ],
  run: (ctx, args) => change(ctx, args.task, 'mode', { mode: args.mode }),
});

export const model = defineCommand({
  name: 'model',
  group: 'work',
  summary: 'Changes the model that the agent of a task thinks with',
  details: ['`agents` shows which models there are.', later],
  permission: 'agent.run',
  action: 'change the model of an agent',
  about: 'project',
  positional: {
    task: markedTask,
    model: required({
      hint: 'name',
      about: 'the name of the model, as its server knows it; `default` for its own choice',
      values: ['default'],
      names: 'model',
      schema: modelWord,
    }),
  },
  options: {},
  examples: [
    ['model claude-sonnet-4-5', 'for the agent of this thread'],
    ['model #142 default', 'the agent of task 142 chooses again itself'],
  ],
  run: (ctx, args) => change(ctx, args.task, 'model', { model: args.model }),
});

export const effort = defineCommand({
  name: 'effort',
  group: 'work',
  summary: 'Changes how hard the agent of a task thinks',
  details: [later],
  permission: 'agent.run',
  action: 'change the effort of an agent',
  about: 'project',
  positional: {
    task,
    effort: required({
      hint: 'level',
      about: 'how hard it thinks; `default` for its own choice',
      values: effortWords,
      schema: oneOf(effortWords).transform((word) => (word === 'default' ? null : word)),
    }),
  },
  options: {},
  examples: [
    ['effort high', 'for the agent of this thread'],
    ['effort #142 default', 'the agent of task 142 chooses again itself'],
  ],
  run: (ctx, args) => change(ctx, args.task, 'effort', { effort: args.effort }),
});

export const budget = defineCommand({
  name: 'budget',
  group: 'work',
  summary: 'Changes what a task of an agent may cost before it asks',
  details: [
    'In US dollars, over all its runs. Who may approve may raise it; a request for more money is settled when it is enough.',
  ],
  permission: 'agent.run',
  action: 'change the budget of a task',
  about: 'project',
  positional: {
    task: markedTask,
    usd: required({ hint: 'dollars', about: 'US dollars, or `none` for no limit', schema: budgetWord }),
  },
  options: {},
  examples: [
    ['budget 5', 'the task of this thread may cost 5 US dollars'],
    ['budget #142 none', 'task 142 has no limit'],
  ],
  async run(ctx, args) {
    const need = { command: 'budget', permission: 'agent.run', action: 'change the budget of a task' } as const;
    const { task: found, person } = await taskFor(ctx, args.task, need);
    const { number } = await ctx.deps.tasks.setBudget(ctx.tx, found.id, args.usd, person, ctx.act.conversation.platform);
    return told(found, `The budget of #${number} is ${budgetText(args.usd)}; it has cost $${found.spentUsd.toFixed(2)} so far.`);
  },
});

async function change(
  ctx: CommandContext,
  number: number | undefined,
  what: 'mode' | 'model' | 'effort',
  wanted: SettingsChange,
): Promise<Reply> {
  const need = { command: what, permission: 'agent.run', action: `change the ${what} of an agent` } as const;
  const { task: found, person } = await taskFor(ctx, number, need);
  if (found.agent === undefined) throw notAnAgent(found.number);
  const { agent, account } = found.agent;
  const model = account === null ? undefined : wanted.model;
  const { mode, effort } = wanted;
  const offer = await checkAgent(ctx, { agent, mode, effort, account, model, project: found.project.id, runsOn: found.runsOn });
  const state = found.run?.state;
  const atWork = state !== undefined && state !== 'queued' && !isTerminal(state);
  // Its own choice is made when it begins: nothing changes before.
  const toDefault = wanted[what] === null;
  if (atWork && !toDefault) checkChange(offer, what, found.number);
  // A server that an account brings has models of its own.
  const ofRunner = found.agent.account === null;
  const doubt = wanted.model != null && offer !== undefined && ofRunner ? checkModel(offer, wanted.model) : undefined;
  const { number: changed, settings } = await ctx.deps.tasks.changeSettings(ctx.tx, found.id, wanted, person);
  const now = settings[what];
  const value = now === null ? `the agent's own choice` : `\`${now}\``;
  const text = `The ${what} of #${changed} is ${value} from ${atWork && toDefault ? 'its next run' : 'now'} on.`;
  return told(found, doubt === undefined ? text : `${text} ${doubt}`);
}

/** Everybody in its threads is to know what its agent may do. */
function told({ id }: TaskRow, text: string): Reply {
  return { view: textView(text), audience: 'all', task: id };
}

/** Throws DH-300 for options of agents with the task of a command. */
export function refuseForCommand({ agent, number }: TaskRow, options: Record<string, unknown>): void {
  const given = Object.keys(options).filter((key) => options[key] !== undefined);
  if (agent !== undefined || given.length === 0) return;
  throw new AppError('DH-300', {
    what: `#${number} runs a command, which has no ${given.join(' and ')}.`,
    instead: `\`retry #${number}\` runs it again as it is.`,
  });
}
