import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { EventLog } from '../src/contracts/run-event.ts';
import { transcriptOf } from './transcript.ts';

/**
 * The whole output of a run (of an agent: what it said and did) as a file, as its events hold it: redacted, both streams in the order they
 * were stored. The events are the truth; the file follows them. Whoever continues a run writes it anew from the events and goes on, so a
 * crash can neither lose nor double a byte in it.
 */
export interface OutputLog {
  /** Appends what has just been stored. Never throws: a file that cannot be written is given up, and written anew at the end. */
  append(text: string): Promise<void>;
  /** Completes the file and returns its size in bytes. Throws what the disk says when it cannot be written. */
  close(): Promise<number>;
  /** Lets go of the file as it is. Idempotent, also after `close`. */
  release(): Promise<void>;
}

type ReadEvents = EventLog['read'];

/** `continues`: events of the run may hold output already. */
export async function openOutputLog(path: string, run: string, readEvents: ReadEvents, continues: boolean): Promise<OutputLog> {
  let file: FileHandle | undefined;
  let broken = false;
  try {
    file = await create(path);
    if (continues) await copyEvents(file, run, readEvents);
  } catch {
    await giveUp();
  }

  async function giveUp(): Promise<void> {
    broken = true;
    await file?.close().catch(() => undefined);
    file = undefined;
  }

  return {
    async append(text) {
      if (broken) return;
      try {
        await file?.appendFile(text);
      } catch {
        await giveUp();
      }
    },
    async close() {
      if (broken) {
        file = await create(path);
        await copyEvents(file, run, readEvents);
      }
      if (file === undefined) throw new Error('closed twice');
      try {
        await file.datasync();
        return (await file.stat()).size;
      } finally {
        await giveUp();
      }
    },
    release: giveUp,
  };
}

async function create(path: string): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  return await open(path, 'w', 0o600);
}

async function copyEvents(file: FileHandle, run: string, readEvents: ReadEvents): Promise<void> {
  for (let after = 0; ; ) {
    const page = await readEvents(run, after, 100);
    if (page.length === 0) return;
    for (const { seq, data } of page) {
      after = seq;
      await file.appendFile(transcriptOf(data));
    }
  }
}
