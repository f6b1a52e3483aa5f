import { askersOf, mayDecideOn } from '../approvals/approvers.ts';
import { cannotDecide } from '../approvals/cannot-decide.ts';
import { termsForMoney } from '../approvals/demands.ts';
import { policyOf } from '../approvals/judge-task.ts';
import { settleSpend } from '../approvals/settle-spend.ts';
import type { AgentSettings } from '../contracts/agent.ts';
import { AppError } from '../contracts/errors.ts';
import { calledAs } from '../contracts/permissions.ts';
import type { Platform } from '../contracts/platform.ts';
import type { RunEventData } from '../contracts/run-event.ts';
import { setRunAgent } from '../store/agent-runs.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { appendEvents } from '../store/run-events.ts';
import { addMail } from '../store/run-mail.ts';
import type { RunRecord } from '../store/runs.ts';
import { setAgent, setBudget, type TaskRecord } from '../store/tasks.ts';
import { advanceRun, personActor } from './advance.ts';
import { agentOf, checkMaySpeak, checkMode, refuseAlone } from './agent-rights.ts';
import type { SettingsChange } from './agent-tasks.ts';
import { moreThan } from './create-agent-task.ts';
import { hold } from './hold-task.ts';
import type { Person } from './task-engine.ts';

/** Changes mode, model or effort of an agent: for the task, and by mail for the run that is under way. */
export async function changeSettings(
  tx: Tx,
  id: string,
  change: SettingsChange,
  by: Person,
  at: Date,
): Promise<{ number: number; settings: AgentSettings }> {
  const { task, alive } = await hold(tx, id, by);
  const was = agentOf(task);
  await checkMaySpeak(tx, by, alive.length === 0 ? was.mode : undefined);
  for (const { agent } of alive) await checkMaySpeak(tx, by, agent?.mode);
  await checkMode(tx, by, change.mode, policyOf(task));
  checkOneAgent(task, alive, change);
  if (change.mode === 'bypass' && alive.some(({ isolated }) => isolated === false)) {
    throw new AppError('DH-300', {
      what: `#${task.number} runs on the machine of the runner itself, not isolated, so it goes on asking.`,
      instead: 'Run it in a container to let it work without asking.',
    });
  }
  const settings: AgentSettings = {
    ...was,
    ...(change.mode === undefined ? {} : { mode: change.mode }),
    ...(change.model === undefined ? {} : { model: change.model }),
    ...(change.effort === undefined ? {} : { effort: change.effort }),
  };
  await setAgent(tx, task.id, settings);
  for (const run of alive) await changeRun(tx, run, change, by, at);
  await recordAudit(tx, {
    workspace: task.workspace,
    actor: by.user,
    action: 'task.settings',
    subject: task.id,
    data: { from: was, to: settings, role: calledAs(by) },
  });
  return { number: task.number, settings };
}

/** Models and effort are an agent's own: several attempts can have different ones. */
function checkOneAgent({ number }: TaskRecord, alive: readonly RunRecord[], { model, effort }: SettingsChange): void {
  const agents = new Set(alive.map(({ agent }) => `${agent?.agent} ${agent?.account}`));
  if (agents.size < 2 || (model === undefined && effort === undefined)) return;
  throw new AppError('DH-300', {
    what: `Different agents make the attempts at #${number}, so that no model or effort is meant for all of them.`,
    instead: 'Choose one of the attempts first, when they have ended.',
  });
}

async function changeRun(tx: Tx, run: RunRecord, change: SettingsChange, by: Person, at: Date): Promise<void> {
  if (run.agent === null) throw new Error(`run ${run.id} has no agent`);
  const hasBegun = run.state !== 'queued' || run.life > 0 || run.released;
  const { mode = run.agent.mode } = change;
  let { model = run.agent.model, effort = run.agent.effort } = change;
  // An agent at work keeps what it has: its own choice is made when it begins.
  if (hasBegun) {
    model ??= run.agent.model;
    effort ??= run.agent.effort;
  }
  const agent = { ...run.agent, mode, model, effort };
  await setRunAgent(tx, run.id, agent);
  const told = {
    ...(mode === run.agent.mode ? {} : { mode }),
    ...(model === run.agent.model || model === null ? {} : { model }),
    ...(effort === run.agent.effort || effort === null ? {} : { effort }),
  };
  if (Object.keys(told).length === 0 && model === run.agent.model && effort === run.agent.effort) return;
  // A run that has not begun is given its settings when it does.
  if (hasBegun) {
    await addMail(tx, { run: run.id, workspace: run.workspace, mail: { type: 'settings', ...told }, at, user: by.user });
  }
  const event: RunEventData = { type: 'agent', agent: agent.agent, model, mode, effort };
  const actor = personActor(by);
  if (run.state === 'executing' && mode === 'plan') {
    await advanceRun(tx, { run, event: 'plan', actor, at, before: [event] });
  } else if (run.state === 'planning' && mode !== 'plan') {
    await advanceRun(tx, { run, event: 'execute', actor, at, before: [event] });
  } else {
    await appendEvents(tx, { run: run.id, actor, at, events: [event] });
  }
}

/** Changes what a task may cost; a request for more money that waits is settled when the new budget is enough. */
export async function changeBudget(
  tx: Tx,
  id: string,
  budgetUsd: number | null,
  by: Person,
  on: Platform,
  at: Date,
): Promise<{ number: number }> {
  const { task, run, alive } = await hold(tx, id, by);
  agentOf(task);
  await checkMaySpeak(tx, by, undefined);
  if (budgetUsd !== null && !(Number.isFinite(budgetUsd) && budgetUsd >= 0)) throw new Error(`no budget: ${budgetUsd}`);
  const { approvers } = termsForMoney(policyOf(task));
  const requester = run?.requestedBy ?? task.requester;
  const { workspace, project } = task;
  const asked = { workspace, project, task: task.id, action: { type: 'spend' }, approvers, requester, openedAt: at };
  if (moreThan(budgetUsd, task.budgetUsd)) {
    if (!(await mayDecideOn(tx, asked, by))) {
      const askers = await askersOf(tx.db, asked);
      const question = { workspace: task.workspace, project: task.project, approvers, requester, askers };
      throw await cannotDecide(tx, by, 'raise the budget of a task', question);
    }
    refuseAlone(approvers, 'raise the budget of a task', 'The task asks for more itself when it needs it.');
  }
  await setBudget(tx, task.id, budgetUsd);
  await recordAudit(tx, {
    workspace: task.workspace,
    actor: by.user,
    action: 'task.budget',
    subject: task.id,
    data: { from: task.budgetUsd, to: budgetUsd },
  });
  for (const one of alive) await settleSpend(tx, { ...task, budgetUsd }, one, { user: by.user, on, actor: personActor(by), at });
  return { number: task.number };
}
