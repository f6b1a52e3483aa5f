import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { checkSummary } from '../src/changes/check-summary.ts';
import type { ArtifactRef } from '../src/contracts/run-event.ts';
import { streamOutput } from './output.ts';
import type { Journey } from './run-journey.ts';

export interface CheckOutput {
  /** What a test runner counts. */
  summary: string | undefined;
  /** The last of it. */
  end: string;
  log: ArtifactRef | undefined;
}

/** More than this is not looked through for a summary: a part of it would count wrong. Characters. */
const mostRead = 8 * 1024 * 1024;
const endLength = 6000;

/** Keeps the whole output of a started check, redacted, as a file of the run. Repeatable: the sandbox replays it from its beginning. */
export async function keepCheckOutput(journey: Journey, sandbox: string): Promise<CheckOutput> {
  const { deps, spec } = journey;
  const path = deps.artifacts.checkLog(spec.run);
  let text = '';
  let length = 0;
  const file = await openFile(journey, path);
  try {
    await streamOutput({
      ...journey.output,
      run: sandbox,
      from: { stdout: 0, stderr: 0 },
      secrets: deps.secrets,
      signal: journey.left,
      async store(events) {
        const more = events.map((event) => event.text).join('');
        length += more.length;
        text = length > mostRead ? (text + more).slice(-endLength) : text + more;
        await file.append(more);
      },
    });
    const bytes = await file.complete();
    const log = bytes === 0 ? undefined : await journey.calls.recordArtifact(spec, 'check', 'check.log', bytes);
    const summary = length > mostRead ? undefined : checkSummary(text);
    return { summary, end: lastOf(text), log };
  } finally {
    await file.release();
  }
}

interface LogFile {
  append(text: string): Promise<void>;
  /** Its size; 0 when there is none. */
  complete(): Promise<number>;
  release(): Promise<void>;
}

/** A log that cannot be written is given up with a note: how the check ended is known all the same. */
async function openFile({ deps, spec, note }: Journey, path: string): Promise<LogFile> {
  let file: FileHandle | undefined;
  async function giveUp(error: unknown): Promise<void> {
    deps.logger.warn({ run: spec.run, err: error }, 'output of the check not kept');
    await file?.close().catch(() => undefined);
    file = undefined;
    await note('warning', 'The file with the output of the check could not be written.');
  }
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    file = await open(path, 'w', 0o600);
  } catch (error) {
    await giveUp(error);
  }
  return {
    async append(text) {
      try {
        await file?.appendFile(text);
      } catch (error) {
        await giveUp(error);
      }
    },
    async complete() {
      try {
        await file?.datasync();
        return (await file?.stat())?.size ?? 0;
      } catch (error) {
        await giveUp(error);
        return 0;
      }
    },
    async release() {
      await file?.close();
      file = undefined;
    },
  };
}

/** From the beginning of a line on. */
function lastOf(text: string): string {
  if (text.length <= endLength) return text;
  const end = text.slice(-endLength);
  return end.slice(end.indexOf('\n') + 1).toWellFormed();
}
