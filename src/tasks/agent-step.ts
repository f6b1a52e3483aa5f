import { createHash } from 'node:crypto';
import { takeAsk } from '../approvals/agent-ask.ts';
import { askSchema } from '../contracts/agent.ts';
import type { AgentStep } from '../contracts/agent-control.ts';
import type { RunEventData, RunEventType } from '../contracts/run-event.ts';
import { canonicalJson } from '../runtime/canonical-json.ts';
import { lastStep, storeStep } from '../store/agent-runs.ts';
import type { Tx } from '../store/database.ts';
import { interactionsOfRun, settleInteraction } from '../store/interactions.ts';
import { seqOfMessage, settleMessage } from '../store/run-mail.ts';
import type { RunRecord } from '../store/runs.ts';
import { system } from './advance.ts';
import { startWaiting, stopWaiting } from './agent-wait.ts';
import { hostEntriesOf } from './bundle-limits.ts';
import { held } from './run-progress.ts';

/** What a harness says; everything else is written by the method that causes it. */
const ofHarness: ReadonlySet<RunEventType> = new Set([
  'stage',
  'output',
  'note',
  'agent',
  'assistant',
  'thinking',
  'tool',
  'tool_ended',
  'checklist',
  'message_settled',
  'aside',
  'session',
  'conversation',
]);

/** Stores a step of a harness, answers what it asks as far as that is known, and lets the run wait for the rest. */
export async function storeAgentStep(tx: Tx, runId: string, runner: string, step: AgentStep, at: Date): Promise<boolean> {
  const stranger = step.events.find(({ type }) => !ofHarness.has(type));
  if (stranger !== undefined) throw new Error(`a harness does not append ${stranger.type} events`);
  const asks = step.asks.map((ask) => askSchema.parse(ask));
  const found = await held(tx, runId, runner);
  if (found === undefined) return false;
  const { task, run } = found;
  if (run.agent === null) throw new Error(`run ${run.id} has no agent`);
  const digest = digestOf(step);
  if (digest !== null && digest === (await lastStep(tx, run.id))) return true;
  const events = await settleMessages(tx, run, step.events);
  const { state, inputs, cursor } = step;
  const mail = step.mail === undefined ? undefined : Math.max(step.mail, run.mail);
  await storeStep(tx, { run: run.id, state, digest, events, inputs, cursor, mail, actor: system('runner'), at });
  const withdrawn = await withdraw(tx, run, step.withdrawn, at);
  const opened: RunEventData[] = [];
  const hosts = asks.length === 0 ? [] : await hostEntriesOf(tx, task);
  for (const ask of asks) {
    const known = await interactionsOfRun(tx, run.id);
    const event = await takeAsk(tx, { task, run, ask, known, hosts, at });
    if (event !== undefined) opened.push(event);
  }
  if (opened.length > 0) {
    const because = asks.length === 1 ? 'its agent asks' : `its agent asks ${opened.length} things`;
    await startWaiting(tx, { task, run, at, events: [...withdrawn, ...opened], because });
  } else if (withdrawn.length > 0) {
    await stopWaiting(tx, { task, run, at, events: withdrawn, actor: system('runner') });
  }
  return true;
}

/** A step with a name is told by it; one that comes further in output or mail differs from every other by that. */
function digestOf(step: AgentStep): string | null {
  if (step.id === undefined && step.cursor === undefined && step.mail === undefined) return null;
  return createHash('sha256')
    .update(step.id === undefined ? canonicalJson(step) : step.id)
    .digest('hex');
}

/** Of what is said about messages only what is new: each is read or dropped once. */
async function settleMessages(tx: Tx, run: RunRecord, events: readonly RunEventData[]): Promise<RunEventData[]> {
  const kept: RunEventData[] = [];
  for (const event of events) {
    const seq = event.type === 'message_settled' ? seqOfMessage(event.message) : undefined;
    if (event.type !== 'message_settled') kept.push(event);
    else if (seq !== undefined && (await settleMessage(tx, run.id, seq, event.how))) kept.push(event);
  }
  return kept;
}

async function withdraw(tx: Tx, run: RunRecord, names: readonly string[], at: Date): Promise<RunEventData[]> {
  if (names.length === 0) return [];
  const events: RunEventData[] = [];
  for (const { id, ask, life, state } of await interactionsOfRun(tx, run.id)) {
    if (state !== 'pending' || life !== run.life || ask === null || !names.includes(ask)) continue;
    if (!(await settleInteraction(tx, id, 'cancelled', { decidedAt: at }))) continue;
    events.push({ type: 'interaction_decided', interaction: id, state: 'cancelled' });
  }
  return events;
}
