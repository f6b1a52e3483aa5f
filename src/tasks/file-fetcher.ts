import { createHash } from 'node:crypto';
import { DeliveryError } from '../contracts/chat-adapter.ts';
import { type AttachedFile, type FileDownload, givenLimits } from '../contracts/given-file.ts';
import { isTerminal } from '../contracts/states.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { createLoop } from '../runtime/loop.ts';
import {
  type AttachedOutcome,
  type AttachedRecord,
  attachedById,
  putOffAttached,
  takeAttached,
} from '../store/attached-files.ts';
import type { Database } from '../store/database.ts';
import { runById } from '../store/runs.ts';
import type { Wakeups } from '../store/wakeups.ts';
import type { AgentTasks } from './agent-tasks.ts';
import { tooLarge } from './attached-files.ts';

export interface FetcherDeps {
  database: Database;
  wakeups: Pick<Wakeups, 'subscribe'>;
  tasks: Pick<AgentTasks, 'settleFile'>;
  /** Undefined: nobody serves its platform, or its platform gives bots no files. */
  download(file: AttachedFile, signal: AbortSignal): Promise<FileDownload> | undefined;
  /** Keeps the bytes in the data directory, whole or not at all. Repeatable. Returns the artifact. */
  keep(owner: { workspace: string; run: string }, file: string, bytes: Uint8Array): Promise<string>;
  clock: Clock;
  logger: Logger;
}

const atOnce = 4;
const idleMs = 2_000;
/** What a killed process was fetching is fetched by another after this long. */
const leaseMs = 15_000;
const downloadWithinMs = 60_000;
const mostAttempts = 6;

/**
 * Fetches what people attached, beside everything else: a run waits for its files, and nobody waits for the run. Several processes may do
 * so; each file is one's at a time, and is settled once.
 */
export function createFileFetcher(deps: FetcherDeps): { start(): void; stop(): Promise<void> } {
  const { database, clock, logger } = deps;
  const stopped = new AbortController();
  const working = new Set<Promise<void>>();
  const until = () => new Date(clock.now().getTime() + leaseMs);
  const loop = createLoop({
    name: 'attached files',
    idleMs,
    async run() {
      const room = atOnce - working.size;
      if (room === 0) return false;
      for (const file of await takeAttached(database, clock.now(), until(), room)) {
        const work: Promise<void> = fetchOne(file)
          .catch((error: unknown) => logger.error({ err: error, file: file.id }, 'an attached file could not be settled'))
          .finally(() => {
            working.delete(work);
            loop.wake();
          });
        working.add(work);
      }
      return false;
    },
    onError: (error, failures) => logger.error({ err: error, failures }, 'attached files could not be looked for'),
  });
  let unsubscribe: (() => void) | undefined;

  async function fetchOne(file: AttachedRecord): Promise<void> {
    const held = setInterval(() => {
      void putOffAttached(database, file.id, until()).catch(() => undefined);
    }, leaseMs / 3);
    try {
      const outcome = await outcomeOf(deps, file, stopped.signal);
      if (outcome instanceof Date) await putOffAttached(database, file.id, outcome, true);
      else await database.transaction((tx) => deps.tasks.settleFile(tx, file.id, outcome));
    } catch (error) {
      if (!stopped.signal.aborted) throw error;
      // Somebody else may begin at once.
      await putOffAttached(database, file.id, clock.now());
    } finally {
      clearInterval(held);
    }
  }

  return {
    start() {
      unsubscribe = deps.wakeups.subscribe('files', undefined, loop.wake);
      loop.start();
    },
    async stop() {
      unsubscribe?.();
      stopped.abort();
      await loop.stop();
      await Promise.all(working);
    },
  };
}

/** What became of a file; a date: it is to be tried again then. Rejects when it was stopped, or when the database fails. */
export async function outcomeOf(deps: FetcherDeps, file: AttachedRecord, stop: AbortSignal): Promise<AttachedOutcome | Date> {
  if (await isNotWanted(deps, file)) return 'dropped';
  const late = AbortSignal.timeout(downloadWithinMs);
  const signal = AbortSignal.any([stop, late]);
  try {
    const coming = deps.download(file.source, signal);
    if (coming === undefined) return { problem: 'its platform gives no files to Deckhand' };
    const { content, bytes: told, name, mime } = await coming;
    if (told !== undefined && told > givenLimits.fileBytes) return { problem: tooLarge };
    const bytes = await collected(content);
    if (bytes === undefined) return { problem: tooLarge };
    if (told !== undefined && told !== bytes.length) {
      throw new DeliveryError({ kind: 'unreachable', detail: `only ${bytes.length} of ${told} bytes came` });
    }
    const artifact = await deps.keep(file, file.id, bytes);
    return { artifact, name, mime, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  } catch (error) {
    stop.throwIfAborted();
    const failure = late.aborted ? { kind: 'unreachable' as const, detail: 'it took too long' } : failureOf(error);
    deps.logger.warn({ err: error, file: file.id, run: file.run }, 'an attached file was not fetched');
    const again = againAt(failure, file, deps.clock.now());
    return again ?? { problem: failure.kind === 'rate_limited' ? 'its platform wants a pause' : failure.detail };
  }
}

async function isNotWanted({ database }: FetcherDeps, { id, run: runId }: AttachedRecord): Promise<boolean> {
  return await database.transaction(async (tx) => {
    const file = await attachedById(tx, id);
    const run = await runById(tx, file?.run ?? runId);
    // What came with a message to an agent that is done since goes to the next run.
    return file?.state !== 'pending' || run === undefined || (file.origin === null && isTerminal(run.state));
  });
}

/** All of it, or undefined when it is more than a file may have. */
export async function collected(content: AsyncIterable<Uint8Array>): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of content) {
    bytes += chunk.length;
    if (bytes > givenLimits.fileBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function failureOf(error: unknown): DeliveryError['failure'] {
  if (error instanceof DeliveryError) return error.failure;
  return { kind: 'unreachable', detail: 'Deckhand could not keep it' };
}

/** When to try again; undefined: it is given up. */
export function againAt(
  failure: DeliveryError['failure'],
  { attempts, giveUpAt }: Pick<AttachedRecord, 'attempts' | 'giveUpAt'>,
  now: Date,
): Date | undefined {
  const passes = failure.kind === 'unreachable' || failure.kind === 'unknown' || failure.kind === 'rate_limited';
  if (!passes || attempts + 1 >= mostAttempts) return undefined;
  const wait = failure.kind === 'rate_limited' ? failure.retryAfterMs : 1000 * 2 ** attempts;
  const at = new Date(now.getTime() + wait);
  return at < giveUpAt ? at : undefined;
}
