import { mayDecide } from '../approvals/approvers.ts';
import { approversNow, type DecidedAt } from '../approvals/approvers-now.ts';
import { termsForMoney } from '../approvals/demands.ts';
import { policyOf } from '../approvals/judge-task.ts';
import type { AgentSettings } from '../contracts/agent.ts';
import type { Approvers } from '../contracts/approvers.ts';
import { attemptsLimits } from '../contracts/comparison.ts';
import { AppError } from '../contracts/errors.ts';
import { labelsIn } from '../contracts/labels.ts';
import { latestReceipt, runByOrigin, turnOf } from '../store/agent-runs.ts';
import type { Tx } from '../store/database.ts';
import { type Project, projectById } from '../store/projects.ts';
import type { RunRecord } from '../store/runs.ts';
import { type NewAgentTask, nextTaskNumber, setAgent, setSession, type TaskRecord } from '../store/tasks.ts';
import { agentOf, checkMaySpeak, checkMode, checkPrompt, refuseAlone, settingsFor } from './agent-rights.ts';
import type { AgentTaskInput, FollowUpInput, ForkInput, RetryChoice, SettingsChoice, TurnExtras } from './agent-tasks.ts';
import { earlierFiles } from './attached-files.ts';
import { checkChosen } from './attempts.ts';
import { hold, isAlive } from './hold-task.ts';
import { makeTask } from './new-task.ts';
import { startTurn } from './start-turn.ts';
import type { CreatedTask, Person } from './task-engine.ts';

/** Makes the task of an agent with its first turn. The same origin makes the same task (promise 2). */
export async function createAgentTask(tx: Tx, input: AgentTaskInput, now: Date): Promise<CreatedTask> {
  const { requester, settings = {} } = input;
  await checkMaySpeak(tx, requester, undefined);
  checkPrompt(input.prompt);
  checkAttempts(input.attempts);
  const project = await projectById(tx, input.workspace, input.project);
  if (project === undefined) {
    throw new AppError('DH-205', { project: input.project, suggestion: '`project list` names the projects there are.' });
  }
  for (const { mode } of [settings, ...(input.attempts ?? [])]) await checkMode(tx, requester, mode, project.policy);
  const { budgetUsd: usual, hosts: _, ...defaults } = project.agent;
  const budgetUsd = input.budgetUsd === undefined ? usual : input.budgetUsd;
  const { approvers } = termsForMoney(project.policy);
  if (moreThan(budgetUsd, usual) && !(await mayGrantMoney(tx, input, approvers, requester))) {
    throw new AppError('DH-202', {
      who: requester.name,
      action: 'give a task a larger budget than the project does',
      whoCan: 'Who approves for the project can.',
    });
  }
  if (moreThan(budgetUsd, usual)) {
    const instead = 'Leave the budget out: the task asks for more itself when it needs it.';
    refuseAlone(approvers, 'give a task a larger budget than the project does', instead);
  }
  const common = { ...defaults, ...present(settings) };
  const each = (input.attempts ?? [{}]).map((own) => ({ ...common, ...present(own) }));
  const agent = { settings: each[0] ?? common, budgetUsd, attempts: input.attempts?.length };
  return newTask(tx, input, project, agent, now, each);
}

/** One of those who approve, whoever asks: it is the requester's own task. */
async function mayGrantMoney(tx: Tx, at: DecidedAt, approvers: Approvers, requester: Person): Promise<boolean> {
  const now = await approversNow(tx.db, at, { ...approvers, notRequester: false });
  return mayDecide(now, requester.user, requester);
}

function checkAttempts(attempts: AgentTaskInput['attempts']): void {
  const { least, most } = attemptsLimits;
  if (attempts === undefined || (attempts.length >= least && attempts.length <= most)) return;
  const problem = `Attempts are made side by side from ${least} to ${most} at once.`;
  throw new AppError('DH-201', { problem, example: 'run attempts=3 fix the flaky login test' });
}

/** Is one budget more than another? Null is no limit. */
export function moreThan(one: number | null, other: number | null): boolean {
  return other !== null && (one === null || one > other);
}

type Origin = Pick<
  AgentTaskInput,
  'workspace' | 'requester' | 'prompt' | 'title' | 'context' | 'files' | 'runsOn' | 'channel' | 'thread' | 'originKey'
>;

/** `each`: the settings of every run that it begins with. */
function newTask(
  tx: Tx,
  input: Origin,
  project: Project,
  agent: NewAgentTask,
  at: Date,
  each: readonly AgentSettings[] = [agent.settings],
): Promise<CreatedTask> {
  const { requester: by, prompt } = input;
  return makeTask(tx, { ...input, project, text: prompt, agent }, at, async (task) => {
    let last: RunRecord | undefined;
    for (const [place, settings] of each.entries()) {
      const variant = each.length === 1 ? undefined : place + 1;
      const made = await begin(tx, { ...task, agent: settings }, project, last, { by, prompt, extras: input, at, variant });
      last = { ...made, files: [] };
    }
    if (last === undefined) throw new Error(`task ${task.id} begins with no run`);
    return last;
  });
}

interface Beginning {
  by: Person;
  prompt: string;
  extras: TurnExtras;
  at: Date;
  originKey?: string | undefined;
  resolve?: boolean | undefined;
  variant?: number | undefined;
}

function begin(
  tx: Tx,
  task: TaskRecord,
  project: Project,
  last: RunRecord | undefined,
  { by, prompt, extras, at, originKey, resolve, variant }: Beginning,
): Promise<RunRecord> {
  return startTurn(tx, {
    task,
    attempt: (last?.attempt ?? 0) + 1,
    variant,
    timeoutMs: project.limits.timeoutMs,
    by,
    turn: {
      settings: agentOf(task),
      prompt,
      context: extras.context?.text ?? null,
      files: earlierFiles(last?.files ?? []),
      originKey,
      resolve,
    },
    said: extras.context,
    attached: extras.files,
    at,
  });
}

/** A further turn of a task at rest, in the session of the ones before. */
export async function followUp(tx: Tx, input: FollowUpInput, at: Date): Promise<CreatedTask> {
  const { by, text, originKey } = input;
  const { task, run } = await hold(tx, input.task, by);
  agentOf(task);
  await checkMaySpeak(tx, by, undefined);
  const known = await runByOrigin(tx, task.id, originKey);
  if (known !== undefined) return { task: task.id, number: task.number, run: known };
  checkPrompt(text);
  if (isAlive(run)) {
    throw new AppError('DH-300', {
      what: `#${task.number} is not over: its run is ${run.state}.`,
      instead: 'What is said in its thread reaches the agent at its next step.',
    });
  }
  checkChosen(task);
  const project = await projectOf(tx, task);
  const ready = await withSettings(tx, task, by, input.settings);
  const made = await begin(tx, ready, project, run, { by, prompt: text, extras: input, at, originKey, resolve: input.resolve });
  return { task: task.id, number: task.number, run: made.id };
}

/** The same again, with what people changed; another agent begins a conversation of its own on the same branch. */
export async function retryAgent(
  tx: Tx,
  task: TaskRecord,
  last: RunRecord | undefined,
  by: Person,
  change: RetryChoice | undefined,
  at: Date,
): Promise<RunRecord> {
  const { alone = false, ...choice } = change ?? {};
  await checkMaySpeak(tx, by, undefined);
  const project = await projectOf(tx, task);
  const ready = await withSettings(tx, task, by, choice);
  const context = last === undefined || alone ? null : (await turnOf(tx, last.id)).context;
  // What the agent was told before stands in its session too.
  if (alone && ready.session !== null) await setSession(tx, task.id, null);
  const said = last === undefined || context === null ? undefined : await latestReceipt(tx, last.id);
  return startTurn(tx, {
    task: alone ? { ...ready, session: null } : ready,
    attempt: (last?.attempt ?? 0) + 1,
    timeoutMs: project.limits.timeoutMs,
    by,
    turn: {
      settings: agentOf(ready),
      prompt: last?.prompt ?? task.command,
      context,
      files: (last?.files ?? []).filter(({ came }) => !alone || came !== 'before'),
      resolve: last?.rebase === 'resolve',
    },
    said,
    alone,
    at,
  });
}

/** The settings from now on: what this person changes, and never more than they could choose. */
async function withSettings(tx: Tx, task: TaskRecord, by: Person, change: SettingsChoice | undefined): Promise<TaskRecord> {
  const was = agentOf(task);
  await checkMode(tx, by, change?.mode, policyOf(task));
  const other = change?.agent !== undefined && change.agent !== was.agent;
  // Models, accounts and sessions are an agent's own.
  const kept = other ? { ...was, model: null, effort: null, account: null } : was;
  const settings = settingsFor(by, { ...kept, ...present(change ?? {}) });
  await setAgent(tx, task.id, settings);
  const session = other || settings.account !== was.account ? null : task.session;
  if (session === null && task.session !== null) await setSession(tx, task.id, null);
  return { ...task, agent: settings, session };
}

function present(choice: SettingsChoice): Partial<AgentSettings> {
  return Object.fromEntries(Object.entries(choice).filter(([, value]) => value !== undefined));
}

async function projectOf(tx: Tx, task: TaskRecord): Promise<Project> {
  const project = await projectById(tx, task.workspace, task.project);
  if (project !== undefined) return project;
  throw new AppError('DH-300', {
    what: `The project of #${task.number} has been removed.`,
    instead: '`project add` adds it again; the task stays readable.',
  });
}

/** A new task that goes on from where another one is. */
export async function forkTask(tx: Tx, input: ForkInput, at: Date): Promise<CreatedTask> {
  const { by } = input;
  // The row of the workspace before that of the task, as everywhere.
  await nextTaskNumber(tx, by.workspace);
  const { task, run } = await hold(tx, input.task, by);
  await checkMaySpeak(tx, by, undefined);
  checkPrompt(input.text);
  if (isAlive(run)) {
    throw new AppError('DH-300', {
      what: `#${task.number} is not over: its run is ${run.state}.`,
      instead: `\`stop #${task.number}\` ends it first, or wait until it is over.`,
    });
  }
  checkChosen(task);
  const project = await projectOf(tx, task);
  const { session, base, head } = task;
  const agent: NewAgentTask = {
    settings: settingsFor(by, agentOf(task)),
    budgetUsd: project.agent.budgetUsd,
    from: { task: task.id, session, base, head },
  };
  const origin = { ...input, workspace: task.workspace, requester: by, prompt: input.text, runsOn: labelsIn(task.runsOn) };
  return newTask(tx, origin, project, agent, at);
}
