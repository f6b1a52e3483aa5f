import type { Processor, Queue, Worker } from 'bullmq';

export interface WorkerChoices {
  concurrency: number;
  lockDuration: number;
  stalledInterval: number;
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
  /** What an error of the library means, in words for people where it has none. */
  explain(error: unknown): unknown;
  /** Makes workers that are being closed give up waiting for a server that is away; without effect while it answers. */
  giveUp(): void;
  /** Called when all queues and workers are closed. */
  close(): Promise<void>;
}
