import type { QueuedRun } from '../store/run-queries.ts';

/** Where a waiting run stands. */
export interface Place {
  run: QueuedRun;
  /** 1 is next. Counted within its project. */
  place: number;
  /** Until it starts, in milliseconds; undefined: nothing is known about how long runs of the project take. */
  waitMs: number | undefined;
}

/**
 * Places and estimates of waiting runs. A project works on `concurrency` runs at once; each place is taken over by the next waiting
 * run when the run that holds it is expected to end: the mean of the project's earlier runs after its start. Approvals are waited for
 * without holding a place, as the engine does it.
 */
export function placesOf(runs: readonly QueuedRun[], meanMs: ReadonlyMap<string, number>, now: Date): Place[] {
  const lines = new Map<string, { free: number[]; waiting: number }>();
  for (const run of runs) {
    const line = lines.get(run.project.id) ?? { free: [], waiting: 0 };
    lines.set(run.project.id, line);
    if (run.state === 'queued' || run.state === 'awaiting') continue;
    const mean = meanMs.get(run.project.id) ?? 0;
    const since = now.getTime() - (run.startedAt ?? now).getTime();
    line.free.push(Math.max(0, mean - since));
  }
  return runs.flatMap((run) => {
    const line = lines.get(run.project.id);
    if (run.state !== 'queued' || line === undefined) return [];
    line.waiting += 1;
    while (line.free.length < run.project.concurrency) line.free.push(0);
    line.free.sort((a, b) => a - b);
    const waitMs = line.free.shift() ?? 0;
    const mean = meanMs.get(run.project.id);
    line.free.push(waitMs + (mean ?? 0));
    return [{ run, place: line.waiting, waitMs: mean === undefined ? undefined : waitMs }];
  });
}
