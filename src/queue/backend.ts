import type { Processor, Queue, Worker } from 'bullmq';

export interface JobCounts {
  waiting: number;
  delayed: number;
  active: number;
}

export interface WorkerChoices {
  concurrency: number;
  lockDuration: number;
  stalledInterval: number;
  runRetryDelay: number;
  maxStalledCount: number;
  removeOnComplete: { count: number };
  removeOnFail: { count: number };
  limiter?: { max: number; duration: number };
}

/** Where BullMQ keeps its jobs. */
export interface QueueBackend {
  /** The first one prepares the place for all. */
  openQueue(name: string): Promise<Queue>;
  openWorker(name: string, process: Processor, choices: WorkerChoices): Promise<Worker>;
  /** What is in all queues whose names begin so, whichever process has opened them. */
  counts(beginning: string): Promise<JobCounts>;
  /** What an error of the library means, in words for people where it has none. */
  explain(error: unknown): unknown;
  /** Makes workers that are being closed give up waiting for a server that is away; without effect while it answers. */
  giveUp(): void;
  /** Called when all queues and workers are closed. */
  close(): Promise<void>;
}
