import { z } from 'zod';

/** Every job: ids only, the rows are the truth. A job that is lost is published again by the sweeper. */
export const jobSchemas = {
  /** Executes (or re-attaches to) a run, from claim to terminal. Lives as long as the run. */
  'run.execute': z.object({ run: z.string() }),
  /** Clones or fetches the project's mirror and records what was found. */
  'project.sync': z.object({ project: z.string() }),
} as const;

export type JobName = keyof typeof jobSchemas;
export type JobData<N extends JobName> = z.infer<(typeof jobSchemas)[N]>;
export type Job = { [N in JobName]: { name: N; data: JobData<N> } }[JobName];
export type JobHandlers = { [N in JobName]?: (data: JobData<N>, signal: AbortSignal) => Promise<void> };

/** Thrown by a handler: do not try again. Any other error is retried with back-off. */
export class JobRefused extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'JobRefused';
  }
}

/**
 * Typed jobs. Both backends pass tests/contracts/job-queue-contract.ts.
 *
 * - `publish`: idempotent by `id` while a job of that id is waiting, delayed or active. Lower `priority` numbers run first, equal
 *   ones in order of publication. With a `host`, only who works at that host takes it; ids count for each host apart.
 * - `work`: takes jobs, at most `concurrency` at once; a job whose worker died is given to another worker, so handlers must
 *   bear being called again. The signal aborts when the worker must give the job up.
 * - `stop` of a worker: takes no more jobs, aborts the handlers' signals after `graceMs`, resolves when all have returned.
 */
export interface JobQueue {
  publish<N extends JobName>(
    name: N,
    data: JobData<N>,
    options: { id: string; host?: string | undefined; delayMs?: number; priority?: number },
  ): Promise<void>;
  /** `host`: takes the jobs published for it, and no others; absent: those for no host. */
  work(handlers: JobHandlers, options: { concurrency: number; host?: string | undefined }): Promise<JobWorker>;
  /** Waiting, delayed and active jobs, for doctor and metrics: those of all hosts, whichever process has published them. */
  counts(): Promise<{ waiting: number; delayed: number; active: number }>;
  close(): Promise<void>;
}

export interface JobWorker {
  stop(graceMs: number): Promise<void>;
}
