import { z } from 'zod';
import { actingOn } from '../access/who-acts.ts';
import type { AgentSettings } from '../contracts/agent.ts';
import { AppError } from '../contracts/errors.ts';
import { labelList } from '../contracts/labels.ts';
import { textView } from '../delivery/list-view.ts';
import { putOutbox } from '../store/outbox.ts';
import type { SettingsChoice, TurnExtras } from '../tasks/agent-tasks.ts';
import { agentOptions, budgetOption, checkAgent } from './agent-choice.ts';
import { receivedPut } from './answer.ts';
import { name, oneOf, optional, required, runsOnOption } from './arguments.ts';
import { originAtCodeHost, placeTask, threadOfNewTask } from './at-code-host.ts';
import { filesOf } from './attachments.ts';
import { attemptsOf, attemptsOptions } from './attempts-choice.ts';
import { type CommandContext, defineCommand, type Reply } from './command.ts';
import { personFor, projectFor } from './subject.ts';
import { contextOf } from './thread-context.ts';

const need = { command: 'run', permission: 'agent.run', action: 'give work to an agent' } as const;

const notHere = {
  problem: 'Several attempts are compared and chosen in a chat channel of the project.',
  example: 'run fix the flaky login test',
};

export interface RunRequest {
  prompt: string;
  project?: string | undefined;
  settings: SettingsChoice;
  /** What each of several attempts has of its own; undefined: one run. */
  attempts?: readonly SettingsChoice[] | undefined;
  budgetUsd?: number | null | undefined;
  /** Labels that a runner must have; undefined: those of the project. */
  runsOn?: readonly string[] | undefined;
  /** Without what was said before. */
  alone?: boolean | undefined;
}

export const run = defineCommand({
  name: 'run',
  group: 'work',
  summary: 'Hands work to an agent, which does it in its own container on its own working copy',
  details: [
    'Free text to the bot does the same: mention it, or write it a direct message.',
    'In a thread or a channel the agent is given what was said there before, as a record; the card says how much, and *Show context* shows it. `context=none` leaves it out, and so does *Only my message* until the agent begins.',
    'Files attached to the message, and to what was said before, are put into its working copy.',
    'A card in the thread shows how it goes. What the agent may not do by itself waits for a decision first; `help modes` says how much that is.',
    'Reply in the thread to say something to the agent at work, or to give it more to do when it is at rest.',
    'With `attempts=3` three attempts are made side by side, each on a working copy of its own; when all have ended a card compares them, and the task goes on from the one you choose.',
    'Options stand before the text; `--` ends them.',
  ],
  permission: need.permission,
  action: need.action,
  about: 'project',
  open: true,
  positional: {
    prompt: required({ hint: 'what to do', about: 'what the agent is to do', schema: z.string(), takes: 'verbatim' }),
  },
  options: {
    project: optional({
      hint: 'name',
      about: 'the project to work in, where the channel does not say it',
      names: 'project',
      schema: name,
    }),
    ...agentOptions,
    ...attemptsOptions,
    budget: budgetOption,
    'runs-on': runsOnOption,
    context: optional({
      hint: 'none',
      about: 'with `none` the agent is not given what was said here before',
      values: ['none'],
      schema: oneOf(['none']),
    }),
  },
  examples: [
    ['run fix the flaky login test', 'with the agent of the project'],
    ['run mode=plan add a dark theme', 'makes a plan first, and waits until somebody approves it'],
    ['run attempts=3 fix the flaky login test', 'makes three attempts; you choose one'],
    ['run agent=claude-code budget=2 upgrade the linter', 'with Claude Code, for at most 2 US dollars'],
  ],
  run: (ctx, { prompt, project, agent, mode, model, effort, account, attempts, agents, budget, context, ...rest }) => {
    const settings = { agent, mode, model, effort, account };
    return startAgent(ctx, {
      prompt,
      project,
      settings,
      attempts: attemptsOf(attempts, agents, settings),
      budgetUsd: budget,
      runsOn: rest['runs-on'],
      alone: context === 'none',
    });
  },
});

/** Makes the task of an agent where it was asked for. Throws DH-215 and DH-216 where the agent cannot do it. */
export async function startAgent(ctx: CommandContext, request: RunRequest): Promise<Reply | undefined> {
  const choice = await projectFor(ctx, request.project);
  if ('ask' in choice) return choice.ask;
  const { project } = choice;
  const requester = await personFor(ctx, project.id, need);
  const settings = ofOwnAgent(project.agent, request.settings);
  const runsOn = labelList(request.runsOn ?? project.limits.runsOn ?? []);
  const attempts = request.attempts?.map((own) => ofOwnAgent(project.agent, { ...request.settings, ...own }));
  for (const { agent, mode, effort, account, model } of (attempts ?? [settings]).map((one) => ({ ...project.agent, ...one }))) {
    await checkAgent(ctx, { agent: agent ?? project.agent.agent, mode, effort, account, model, project: project.id, runsOn });
  }
  const { event } = ctx.act;
  const thread = threadOfNewTask(ctx);
  const origin = await originAtCodeHost(ctx);
  if (origin !== undefined && attempts !== undefined) throw new AppError('DH-201', notHere);
  const task = await ctx.deps.tasks.createAgentTask(ctx.tx, {
    workspace: requester.workspace,
    project: project.id,
    requester,
    prompt: request.prompt,
    title: origin?.title,
    settings,
    attempts,
    budgetUsd: request.budgetUsd,
    runsOn: request.runsOn,
    channel: ctx.channel.id,
    thread,
    originKey: originKeyOf(ctx),
    ...(await extrasOf(ctx, project.id, request.alone)),
  });
  await placeTask(ctx, task, project, origin);
  if (event.type === 'message') await putOutbox(ctx.tx, receivedPut(requester.workspace, event));
  return ctx.threadTask === undefined || ctx.threadTask.id === task.task ? undefined : ownTask(task.number);
}

/** Files of the request, what was said before it, and files of that. `since`: only what the agent has not been told. */
export async function extrasOf(
  ctx: CommandContext,
  project: string,
  alone: boolean | undefined,
  since?: Date,
): Promise<TurnExtras> {
  const { event } = ctx.act;
  const own = event.type === 'message' ? filesOf(event, actingOn(ctx, project), 'request') : [];
  const { context, files = [] } = alone === true ? {} : await contextOf(ctx, project, since);
  return { context, files: [...own, ...files] };
}

/** Models, effort and account of a project are those of its agent: another one begins with its own. */
function ofOwnAgent(usual: AgentSettings, chosen: SettingsChoice): SettingsChoice {
  const own = present(chosen);
  if (own.agent === undefined || own.agent === usual.agent) return own;
  return { model: null, effort: null, account: null, ...own };
}

export function present(choice: SettingsChoice): SettingsChoice {
  return Object.fromEntries(Object.entries(choice).filter(([, value]) => value !== undefined));
}

/** The same for every delivery of the same act (promise 2). */
export function originKeyOf({ act: { event, conversation } }: CommandContext): string {
  return `${conversation.platform}:${conversation.tenant}:${event.key}`;
}

export function ownTask(number: number): Reply {
  return { view: textView(`#${number} is a task of its own: its card and its thread are in this channel.`), audience: 'asked' };
}
