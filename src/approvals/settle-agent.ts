import type { Actor, RunEventData } from '../contracts/run-event.ts';
import { isTerminal } from '../contracts/states.ts';
import { setRunAgent } from '../store/agent-runs.ts';
import { attemptsOf } from '../store/attempts.ts';
import type { Tx } from '../store/database.ts';
import { type InteractionRecord, interactionById } from '../store/interactions.ts';
import { addMail } from '../store/run-mail.ts';
import type { RunRecord } from '../store/runs.ts';
import { setAgent, setBudget, type TaskRecord } from '../store/tasks.ts';
import { stopWaiting } from '../tasks/agent-wait.ts';
import { decisionMail } from './agent-answer.ts';
import { raiseQuota } from './raise-quota.ts';
import { settleSpend } from './settle-spend.ts';

/**
 * What a settled request of an agent leads to: the agent is told by mail, a plan that is to be carried out changes its mode, money that
 * was granted raises the budget, and the run goes on when nothing else is asked. The caller has settled the interaction.
 */
export async function settleForAgent(
  tx: Tx,
  settled: { task: TaskRecord; run: RunRecord; interaction: string; decided: RunEventData; actor: Actor; at: Date },
): Promise<void> {
  const { task, decided, actor, at } = settled;
  const interaction = await interactionById(tx, settled.interaction);
  if (interaction === undefined) throw new Error(`no interaction ${settled.interaction}`);
  const events = [decided];
  let { run } = settled;
  if (interaction.action.type === 'spend') {
    const { raisedUsd, unpriced } = interaction.action;
    if (interaction.state === 'approved' && unpriced === undefined) {
      await setBudget(tx, task.id, raisedUsd);
      await settleOthers(tx, { ...task, budgetUsd: raisedUsd }, run, { interaction, actor, at });
    }
  } else if (interaction.action.type === 'quota') {
    if (interaction.state === 'approved') await raiseQuota(tx, interaction, interaction.action, at);
  } else {
    const mail = await decisionMail(tx, interaction);
    if (mail.mode !== undefined) {
      const changed = await changeMode(tx, task, run, mail.mode);
      run = changed.run;
      events.push(changed.event);
    }
    await addMail(tx, { run: run.id, workspace: run.workspace, mail, at, interaction: interaction.id });
  }
  await stopWaiting(tx, { task, run, at, events, actor });
}

/** Attempts that go on beside it ask for the same money of the same task. */
async function settleOthers(
  tx: Tx,
  task: TaskRecord,
  run: RunRecord,
  { interaction, actor, at }: { interaction: InteractionRecord; actor: Actor; at: Date },
): Promise<void> {
  if (run.variant === null || interaction.decidedBy === null) return;
  const by = { user: interaction.decidedBy, on: interaction.decidedOn ?? undefined, actor, at };
  for (const other of await attemptsOf(tx, task.id)) {
    if (other.id !== run.id && !isTerminal(other.state)) await settleSpend(tx, task, other, by);
  }
}

/** The mode of a run and of what follows in its task. */
export async function changeMode(
  tx: Tx,
  task: TaskRecord,
  run: RunRecord,
  mode: NonNullable<RunRecord['agent']>['mode'],
): Promise<{ run: RunRecord; event: RunEventData }> {
  if (run.agent === null) throw new Error(`run ${run.id} has no agent`);
  const agent = { ...run.agent, mode };
  await setRunAgent(tx, run.id, agent);
  await setAgent(tx, task.id, { ...(task.agent ?? agent), mode });
  const { effort, model } = agent;
  return { run: { ...run, agent }, event: { type: 'agent', agent: agent.agent, model, mode, effort } };
}

/** True for what an agent asked, or what was asked because of it. */
export function isAgents(interaction: Pick<InteractionRecord, 'action'>): boolean {
  return interaction.action.type !== 'command' && interaction.action.type !== 'publish';
}
