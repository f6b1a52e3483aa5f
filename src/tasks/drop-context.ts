import type { FileToGive } from '../contracts/given-file.ts';
import { forgetContext, latestReceipt, setRunFiles, turnOf } from '../store/agent-runs.ts';
import { attachedOf, dropAttached } from '../store/attached-files.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { appendEvents } from '../store/run-events.ts';
import { latestRun, type RunRecord } from '../store/runs.ts';
import { lockTask } from '../store/tasks.ts';
import { personActor } from './advance.ts';
import { agentOf, checkMaySpeak } from './agent-rights.ts';
import type { AgentTasks } from './agent-tasks.ts';
import { attachFiles, newFiles, tellFiles } from './attached-files.ts';
import { hold, isAlive } from './hold-task.ts';
import type { Person } from './task-engine.ts';

/** No runner has taken it yet, so that nothing has read what it is given. */
function hasNotBegun(run: RunRecord): boolean {
  return run.state === 'queued' && run.life === 0 && !run.released;
}

/** The agent is not given what was said before the request. Only before it begins: what a model has read cannot be taken back. */
export async function dropContext(tx: Tx, id: string, by: Person, at: Date): ReturnType<AgentTasks['dropContext']> {
  const { task, run } = await hold(tx, id, by);
  agentOf(task);
  const { number } = task;
  await checkMaySpeak(tx, by, undefined);
  if (run === undefined) return { number, outcome: 'nothing' };
  const files = await attachedOf(tx, run.id);
  const before = files.filter(({ came, state }) => came === 'before' && state !== 'dropped');
  if ((await turnOf(tx, run.id)).context === null && before.length === 0) return { number, outcome: 'nothing' };
  if (!hasNotBegun(run)) return { number, outcome: 'too_late' };
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
  return { number, outcome: 'dropped' };
}

/** More files of a message that has asked for something already: they come with its request, or to the agent at work. */
export async function attachMore(tx: Tx, id: string, files: readonly FileToGive[], origin: string, at: Date): Promise<void> {
  const task = await lockTask(tx, id);
  const run = task === undefined ? undefined : await latestRun(tx, task.id);
  if (run === undefined || run.agent === null) return;
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
