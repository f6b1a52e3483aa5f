import type { RunEventData } from '../contracts/run-event.ts';
import type { Tx } from '../store/database.ts';
import { appendEvents } from '../store/run-events.ts';
import { createRun, type NewTurn, type RunRecord } from '../store/runs.ts';
import type { TaskRecord } from '../store/tasks.ts';
import { advanceTask, personActor, system } from './advance.ts';
import { endPublishRequests } from './publish-requests.ts';

export interface TurnInput {
  /** At rest: no run of it is alive. The caller holds its lock. */
  task: TaskRecord;
  attempt: number;
  timeoutMs: number;
  by: { user: string; name: string };
  turn: NewTurn;
  /** Messages of the thread in the context. */
  messages: number;
  at: Date;
}

/** Queues a turn of an agent. Nothing is approved yet: each of its calls is looked at when it is to be made. */
export async function startTurn(tx: Tx, { task, attempt, timeoutMs, by, turn, messages, at }: TurnInput): Promise<RunRecord> {
  const { id, workspace, project } = task;
  await endPublishRequests(tx, id, 'superseded', at);
  const run = await createRun(
    tx,
    { workspace, task: id, project, attempt, requestedBy: by.user, timeoutMs, at, turn },
    personActor(by),
  );
  const { agent, model, mode, effort } = turn.settings;
  const events: RunEventData[] = [{ type: 'agent', agent, model, mode, effort }];
  if (turn.context !== null || turn.files.length > 0) events.push({ type: 'context', messages, files: turn.files.length });
  await appendEvents(tx, { run: run.id, actor: system('gateway'), at, events });
  await advanceTask(tx, task, 'enqueue', at);
  tx.notify('queue');
  return run;
}
