import type { FileToGive } from '../contracts/given-file.ts';
import { forgetContext, latestReceipt, setRunFiles, turnOf } from '../store/agent-runs.ts';
import { attachedOf, dropAttached } from '../store/attached-files.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { appendEvents } from '../store/run-events.ts';
import type { RunRecord } from '../store/runs.ts';
import { lockTask, type TaskRecord } from '../store/tasks.ts';
import { personActor } from './advance.ts';
import { agentOf, checkMaySpeak } from './agent-rights.ts';
import type { AgentTasks } from './agent-tasks.ts';
import { attachFiles, newFiles, tellFiles } from './attached-files.ts';
import { hold, isAlive, runsNow } from './hold-task.ts';
import type { Person } from './task-engine.ts';

/** No runner has taken it yet, so that nothing has read what it is given. */
function hasNotBegun(run: RunRecord): boolean {
  return run.state === 'queued' && run.life === 0 && !run.released;
}

/**
 * The agent, or every one of several attempts, is not given what was said before the request. Only before it begins: what a model has read
 * cannot be taken back.
 */
export async function dropContext(tx: Tx, id: string, by: Person, at: Date): ReturnType<AgentTasks['dropContext']> {
  const { task, run, alive } = await hold(tx, id, by);
  agentOf(task);
  const { number } = task;
  await checkMaySpeak(tx, by, undefined);
  const runs = alive.length > 0 ? alive : run === undefined ? [] : [run];
  const given: RunRecord[] = [];
  for (const one of runs) if (await hasContext(tx, one)) given.push(one);
  if (given.length === 0) return { number, outcome: 'nothing' };
  if (!given.every(hasNotBegun)) return { number, outcome: 'too_late' };
  for (const one of given) await drop(tx, task, one, by, at);
  return { number, outcome: 'dropped' };
}

async function hasContext(tx: Tx, run: RunRecord): Promise<boolean> {
  if ((await turnOf(tx, run.id)).context !== null) return true;
  return (await attachedOf(tx, run.id)).some(({ came, state }) => came === 'before' && state !== 'dropped');
}

async function drop(tx: Tx, task: TaskRecord, run: RunRecord, by: Person, at: Date): Promise<void> {
  const files = await attachedOf(tx, run.id);
  await forgetContext(tx, run.id);
  await dropAttached(tx, run.id, { came: 'before' }, at);
  const kept = run.files.filter(({ came }) => came !== 'before');
  await setRunFiles(tx, run.id, kept);
  const coming = files.filter(({ came, state }) => came !== 'before' && state === 'pending').length;
  const { missing = 0 } = (await latestReceipt(tx, run.id)) ?? {};
  await appendEvents(tx, {
    run: run.id,
    actor: personActor(by),
    at,
    events: [
      {
        type: 'context',
        messages: 0,
        files: newFiles(kept),
        ...(coming === 0 ? {} : { coming }),
        ...(missing === 0 ? {} : { missing }),
      },
      { type: 'note', level: 'info', text: `${by.name} gives the agent only the message, without what was said before.` },
    ],
  });
  await recordAudit(tx, {
    workspace: task.workspace,
    actor: by.user,
    action: 'run.context_dropped',
    subject: run.id,
    data: { task: task.id },
  });
  await tellFiles(tx, { ...run, files: kept }, null, at);
}

/** More files of a message that has asked for something already: they come with its request, or to the agents at work. */
export async function attachMore(tx: Tx, id: string, files: readonly FileToGive[], origin: string, at: Date): Promise<void> {
  const task = await lockTask(tx, id);
  const { run: latest, alive } = task === undefined ? { run: undefined, alive: [] } : await runsNow(tx, task);
  const runs = alive.length > 0 ? alive : latest === undefined ? [] : [latest];
  for (const run of runs) if (run.agent !== null) await attachTo(tx, run, files, origin, at);
}

async function attachTo(tx: Tx, run: RunRecord, files: readonly FileToGive[], origin: string, at: Date): Promise<void> {
  // With a place a runner may take it any moment: then it would not wait for them.
  const early = hasNotBegun(run) && run.dispatchedAt === null;
  const came = isAlive(run) && !early ? 'message' : 'request';
  await attachFiles(
    tx,
    run,
    files.map((file) => ({ ...file, came })),
    early ? null : origin,
    at,
  );
  if (!early) return;
  const { coming = 0, ...said } = (await latestReceipt(tx, run.id)) ?? { type: 'context' as const, messages: 0, files: 0 };
  const events = [{ ...said, coming: coming + files.length }];
  await appendEvents(tx, { run: run.id, actor: { type: 'system', part: 'gateway' }, at, events });
}
