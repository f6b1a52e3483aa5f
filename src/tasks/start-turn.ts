import { beginWithinQuotas } from '../budgets/begin.ts';
import type { FileToGive } from '../contracts/given-file.ts';
import type { RunEventData } from '../contracts/run-event.ts';
import { adoptAttached, attachedOf, dropAttached } from '../store/attached-files.ts';
import type { Tx } from '../store/database.ts';
import { appendEvents } from '../store/run-events.ts';
import { createRun, type NewTurn, type RunRecord } from '../store/runs.ts';
import type { TaskRecord } from '../store/tasks.ts';
import { advanceTask, personActor, system } from './advance.ts';
import type { SaidContext } from './agent-tasks.ts';
import { attachFiles, fetchWithinMs, newFiles, tellFiles } from './attached-files.ts';
import { auditAsked } from './audit-runs.ts';
import { checkBundle } from './bundle-limits.ts';
import { expect } from './expect.ts';
import { endPublishRequests } from './publish-requests.ts';

export interface TurnInput {
  /** At rest: no run of it is alive. The caller holds its lock. */
  task: TaskRecord;
  attempt: number;
  /** Its number among attempts that are made side by side. */
  variant?: number | undefined;
  timeoutMs: number;
  by: { user: string; name: string };
  /** `files`: those that are here already. */
  turn: NewTurn;
  /** What the context of the turn is made of. */
  said?: Omit<SaidContext, 'text'> | undefined;
  /** Files that are to be fetched first. */
  attached?: readonly FileToGive[] | undefined;
  /** Without what was said before, and without the files of that. */
  alone?: boolean | undefined;
  at: Date;
}

/** Queues a turn of an agent; throws DH-250 where the access bundle of its channel lets it use less. Nothing is approved yet: each of its calls is looked at when it is to be made. */
export async function startTurn(tx: Tx, input: TurnInput): Promise<RunRecord> {
  const { task, attempt, variant, timeoutMs, by, turn, at } = input;
  const { id, workspace, project, runsOn } = task;
  await checkBundle(tx, id, turn.settings);
  await endPublishRequests(tx, id, 'superseded', at);
  const run = await createRun(
    tx,
    { workspace, task: id, project, attempt, requestedBy: by.user, runsOn, timeoutMs, at, turn, variant },
    personActor(by),
  );
  await beginWithinQuotas(tx, run, at);
  const { agent, model, mode, effort, account } = turn.settings;
  await auditAsked(tx, task, {
    run: run.id,
    by: by.user,
    attempt,
    text: turn.prompt,
    context: turn.context,
    messages: input.said?.ids,
    files: input.attached,
    agent,
  });
  const named = account === null ? {} : { account };
  const of = attempt === 1 || variant !== undefined ? 'tasks' : 'runs';
  // What is left of a rebase is nothing like other work.
  const { estimate, warning } = turn.resolve === true ? {} : await expect(tx, task, run, { of, settings: turn.settings, at });
  const events: RunEventData[] = [
    { type: 'agent', agent, model, mode, effort, ...named, ...(estimate === undefined ? {} : { estimate }) },
    ...(warning === undefined ? [] : [warning]),
  ];
  const coming = await attach(tx, run, input);
  const files = newFiles(turn.files);
  if (turn.context !== null || files > 0 || coming > 0) {
    const { messages, guests, externals, bots } = input.said ?? { messages: 0 };
    const of = { ...(guests ? { guests } : {}), ...(externals ? { externals } : {}), ...(bots ? { bots } : {}) };
    events.push({ type: 'context', messages, files, ...of, ...(coming === 0 ? {} : { coming }) });
  }
  await appendEvents(tx, { run: run.id, actor: system('gateway'), at, events });
  // Nothing may be left to fetch: all were there, or none will be.
  await tellFiles(tx, run, null, at);
  await advanceTask(tx, task, 'enqueue', at);
  tx.notify('queue');
  return run;
}

/** Notes what is to be fetched: what is attached now, and what came too late for earlier runs. Returns how many files are coming. */
async function attach(tx: Tx, run: RunRecord, { task, variant, attached = [], alone, at }: TurnInput): Promise<number> {
  // What one of several attempts is given is not taken from another.
  const late = variant === undefined && (await adoptAttached(tx, task.id, run.id, at, new Date(at.getTime() + fetchWithinMs)));
  if (late && alone === true) await dropAttached(tx, run.id, { came: 'before' }, at);
  if (!late && attached.length === 0) return 0;
  await attachFiles(tx, run, attached, null, at);
  return (await attachedOf(tx, run.id)).filter(({ state }) => state === 'pending').length;
}
