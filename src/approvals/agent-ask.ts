import type { Ask, Mail } from '../contracts/agent.ts';
import { holdersOf } from '../contracts/approvers.ts';
import type { AgentAction, Policy, Verdict } from '../contracts/policy.ts';
import type { RunEventData } from '../contracts/run-event.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { carryOver, createInteraction, type InteractionKind, type InteractionRecord } from '../store/interactions.ts';
import { rulesIn } from '../store/rules.ts';
import { addMail } from '../store/run-mail.ts';
import type { RunRecord } from '../store/runs.ts';
import type { TaskRecord } from '../store/tasks.ts';
import { speakingTakes } from '../tasks/agent-rights.ts';
import { actionHash } from './action.ts';
import { actionTitle } from './action-text.ts';
import { agentAction, callHash, placeDigest } from './agent-action.ts';
import { decisionMail } from './agent-answer.ts';
import { askersOf, somebodyMayDecide, whoMayDecide } from './approvers.ts';
import { deadlines } from './deadlines.ts';
import { termsFor } from './demands.ts';
import { followWhereItCounts } from './follow.ts';
import { policyOf, takenBack } from './judge-task.ts';
import { judgeTool } from './judge-tool.ts';

export interface AskInput {
  task: TaskRecord;
  run: RunRecord;
  ask: Ask;
  /** All interactions of the run, oldest first. */
  known: readonly InteractionRecord[];
  /** Where the project lets programs fetch from. */
  hosts: readonly string[];
  at: Date;
}

/** Whoever may speak to the agent may answer its questions: an answer by a button is the same as one in words (`checkMaySpeak`). */
function answerers({ agent }: RunRecord): Policy['approvers'] {
  return { ...holdersOf(speakingTakes(agent?.mode)), people: [], notRequester: false };
}

const kinds: Record<Ask['type'], InteractionKind> = { tool: 'approval', plan: 'plan', question: 'question' };

/**
 * Judges what an agent asks. What the policy, the mode and the rules know is answered at once; the rest becomes a request for people,
 * and its event is returned. What cannot be judged is denied.
 */
export async function takeAsk(tx: Tx, input: AskInput): Promise<RunEventData | undefined> {
  const { task, run, ask, known, hosts, at } = input;
  const action = agentAction(run, { id: task.project, hosts }, ask);
  if (action === undefined) {
    const because = 'it contains characters that cannot be shown to people, so nobody can approve it';
    await audit(tx, task, run.id, 'call.denied', { because });
    return deny(tx, input, because);
  }
  const hash = actionHash(action);
  const same = known.find((one) => one.ask === ask.ask && one.life === run.life);
  if (same !== undefined) {
    if (same.actionHash === hash) return undefined;
    const because = 'something else was asked by the same name before';
    await audit(tx, task, run.id, 'call.denied', { hash, title: actionTitle(action), because });
    return deny(tx, input, because);
  }
  const refusal = refusalOf(run);
  if (refusal !== undefined) return deny(tx, input, refusal);
  if (await answeredBefore(tx, input, action)) return undefined;
  const verdict = await judge(tx, task, run, action);
  switch (verdict.verdict) {
    case 'run':
      await answer(tx, input, { type: 'decision', ask: ask.ask, verdict: 'allow' });
      return undefined;
    case 'deny':
      await audit(tx, task, run.id, 'call.denied', { hash, title: actionTitle(action), because: verdict.because });
      return deny(tx, input, verdict.because);
    case 'ask':
      return open(tx, input, action, { hash, ...verdict, at });
  }
}

/** Why nothing is allowed any more. */
function refusalOf(run: RunRecord): string | undefined {
  if (run.stopRequestedAt !== null) return 'the run is being stopped';
  if (run.state === 'finishing') return 'the run is ending';
  return run.state === 'preparing' ? 'the run has not begun' : undefined;
}

async function judge(tx: Tx, task: TaskRecord, run: RunRecord, action: AgentAction): Promise<Verdict> {
  if (run.agent === null) throw new Error(`run ${run.id} has no agent`);
  switch (action.type) {
    case 'tool': {
      const rules = await rulesIn(tx, task.id, placeDigest(action));
      const verdict = judgeTool(policyOf(task), run.agent.mode, action, rules);
      if (verdict.verdict !== 'ask') return verdict;
      return { ...verdict, because: `${verdict.because}${await takenBack(tx, task, action.call.command)}` };
    }
    case 'plan':
      return { verdict: 'ask', because: 'the agent has a plan and waits for a word', risks: [] };
    case 'question':
      return { verdict: 'ask', because: 'the agent needs an answer', risks: [] };
  }
}

/**
 * The same was asked and decided before the run was let go of: that decision counts, once, whatever the agent calls it now. Questions
 * and plans too: the text is the same.
 */
async function answeredBefore(tx: Tx, { run, ask, known, at }: AskInput, action: AgentAction): Promise<boolean> {
  const wanted = callHash(action);
  const match = known.findLast(
    (one) =>
      one.life >= 0 &&
      one.life < run.life &&
      answered(one) &&
      one.actionHash === actionHash(one.action) &&
      callHash(one.action) === wanted,
  );
  if (match === undefined || !(await carryOver(tx, match.id, run.life, ask.ask))) return false;
  await addMail(tx, {
    run: run.id,
    workspace: run.workspace,
    mail: await decisionMail(tx, { ...match, ask: ask.ask }),
    at,
    interaction: match.id,
  });
  return true;
}

function answered({ state }: InteractionRecord): boolean {
  return state === 'approved' || state === 'denied' || state === 'answered' || state === 'expired';
}

async function open(
  tx: Tx,
  input: AskInput,
  action: AgentAction,
  request: { hash: string; because: string; risks: readonly string[]; at: Date },
): Promise<RunEventData | undefined> {
  const { task, run, ask } = input;
  const { hash, because, risks, at } = request;
  const terms = termsFor(policyOf(task), action);
  const approvers = action.type === 'question' ? answerers(run) : terms.approvers;
  const requester = run.requestedBy;
  const askers = await askersOf(tx.db, { task: task.id, action, approvers, requester, openedAt: at });
  const who = { workspace: task.workspace, project: task.project, approvers, requester, askers };
  if (!(await somebodyMayDecide(tx, who))) {
    await audit(tx, task, run.id, 'approval.no_approver', { hash, because });
    return deny(tx, input, `${because}, and there is nobody who may decide. ${await whoMayDecide(tx, who)}`);
  }
  const kind = kinds[ask.type];
  const interaction = await createInteraction(tx, {
    workspace: task.workspace,
    task: task.id,
    run: run.id,
    kind,
    ask: ask.ask,
    life: run.life,
    action,
    actionHash: hash,
    because,
    risks,
    approvers,
    requester: run.requestedBy,
    ...deadlines(terms, at),
  });
  await followWhereItCounts(tx, task, approvers, at);
  await audit(tx, task, interaction.id, 'approval.opened', { run: run.id, hash, kind, title: actionTitle(action) });
  return { type: 'interaction_opened', interaction: interaction.id, kind };
}

async function deny(tx: Tx, input: AskInput, because: string): Promise<undefined> {
  const reason = `Not allowed: ${because}.`.replace(/\.\.$/, '.');
  await answer(tx, input, { type: 'decision', ask: input.ask.ask, verdict: 'deny', reason });
}

async function answer(tx: Tx, { run, at }: AskInput, mail: Mail): Promise<void> {
  await addMail(tx, { run: run.id, workspace: run.workspace, mail, at });
}

async function audit(tx: Tx, task: TaskRecord, subject: string, action: string, data: Record<string, string>): Promise<void> {
  await recordAudit(tx, { workspace: task.workspace, action, subject, data: { task: task.id, ...data } });
}
