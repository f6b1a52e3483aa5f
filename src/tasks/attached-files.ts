import { type FileToGive, type GivenFile, givenLimits } from '../contracts/given-file.ts';
import type { RunEventData } from '../contracts/run-event.ts';
import { freeName, plainName } from '../runtime/plain-name.ts';
import { latestReceipt, setRunFiles } from '../store/agent-runs.ts';
import {
  type AttachedOutcome,
  type AttachedRecord,
  addAttached,
  attachedById,
  attachedOf,
  noteAttachedTold,
  settleAttached,
} from '../store/attached-files.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { appendEvents } from '../store/run-events.ts';
import { addMail, messageByOrigin, messageName, nextMail } from '../store/run-mail.ts';
import { type RunRecord, runById } from '../store/runs.ts';
import { lockTask } from '../store/tasks.ts';
import { system } from './advance.ts';
import { isAlive } from './hold-task.ts';

/** A run does not wait longer than this for files of its request. */
export const fetchWithinMs = 3 * 60_000;

/** Name of the mail with the files of a message, beside the one with its words. */
export const filesOrigin = (origin: string) => `${origin}${filesMark}`;
export const isFilesOrigin = (origin: string) => origin.endsWith(filesMark);
const filesMark = '#files';

/**
 * Notes files that the agent of a run is to be given; somebody fetches them. `origin`: the message to the agent at work that they came
 * with; null: they came with the request, and the run waits for them. What is more than the limits is left out, and people are told.
 */
export async function attachFiles(
  tx: Tx,
  run: { id: string; workspace: string },
  files: readonly FileToGive[],
  origin: string | null,
  at: Date,
): Promise<void> {
  if (files.length === 0) return;
  const known = (await attachedOf(tx, run.id)).filter(({ state }) => state === 'pending' || state === 'there');
  const checked = withinLimits(files, known);
  await addAttached(tx, { run, origin, files: checked, at, giveUpAt: new Date(at.getTime() + fetchWithinMs) });
}

/** Which of the files are not even fetched, and why. */
export function withinLimits(
  files: readonly FileToGive[],
  known: readonly { bytes: number | undefined }[] = [],
): (FileToGive & { problem?: string })[] {
  let count = known.length;
  let all = known.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
  return files.map((file) => {
    const { bytes = 0 } = file;
    const problem = tooMuch(bytes, count, all);
    if (problem !== undefined) return { ...file, problem };
    count += 1;
    all += bytes;
    return file;
  });
}

function tooMuch(bytes: number, count: number, all: number): string | undefined {
  if (bytes > givenLimits.fileBytes) return tooLarge;
  if (count >= givenLimits.files) return `an agent is given at most ${givenLimits.files} files at once`;
  if (all + bytes > givenLimits.allBytes) return tooLargeTogether;
  return undefined;
}

const megabytes = (bytes: number) => `${Math.floor(bytes / 1024 ** 2)} MB`;
export const tooLarge = `it is larger than ${megabytes(givenLimits.fileBytes)}`;
export const tooLargeTogether = `all files together are larger than ${megabytes(givenLimits.allBytes)}`;

/** A file is fetched, or will not be. With the last one of a request its run may begin; with the last of a message its agent is told. */
export async function settleFile(tx: Tx, id: string, outcome: AttachedOutcome, at: Date): Promise<void> {
  const known = await attachedById(tx, id);
  const before = known === undefined ? undefined : await runById(tx, known.run);
  const task = before === undefined ? undefined : await lockTask(tx, before.task);
  // Read again: under the lock it may have gone on to another run.
  const file = await attachedById(tx, id);
  const run = file === undefined ? undefined : await runById(tx, file.run);
  if (file === undefined || run === undefined || task === undefined) return;
  const settled = await checked(tx, file, outcome);
  if (!(await settleAttached(tx, id, settled))) return;
  if (settled !== 'dropped' && 'artifact' in settled) await auditFile(tx, task, file, settled);
  await tellFiles(tx, run, file.origin, at);
}

async function auditFile(
  tx: Tx,
  task: { id: string; workspace: string },
  { id, run, source }: AttachedRecord,
  { artifact, bytes, sha256 }: { artifact: string; bytes: number; sha256: string },
): Promise<void> {
  const data = { task: task.id, run, message: source.message, file: source.id, artifact, bytes, sha256 };
  await recordAudit(tx, { workspace: task.workspace, action: 'file.given', subject: id, data });
}

/** What a platform tells of sizes need not be true: what came counts. */
async function checked(tx: Tx, file: AttachedRecord, outcome: AttachedOutcome): Promise<AttachedOutcome> {
  if (outcome === 'dropped' || 'problem' in outcome) return outcome;
  const there = (await attachedOf(tx, file.run)).filter(({ state }) => state === 'there');
  const all = there.reduce((sum, { bytes = 0 }) => sum + bytes, outcome.bytes);
  return all > givenLimits.allBytes ? { problem: tooLargeTogether } : outcome;
}

/** Once nothing is pending any more: gives the agent what is there, and tells what is not. The caller holds the lock of the task. */
export async function tellFiles(tx: Tx, run: RunRecord, origin: string | null, at: Date): Promise<void> {
  const all = (await attachedOf(tx, run.id)).filter((one) => one.origin === origin);
  if (all.some(({ state }) => state === 'pending')) return;
  const untold = all.filter(({ toldAt, state }) => toldAt === null && state !== 'dropped');
  if (untold.length === 0) return;
  // What comes too late waits for the next run of the task.
  if (!isAlive(run) || run.state === 'finishing' || (origin === null && run.state !== 'queued')) return;
  const given = namedFiles(untold, run.files);
  if (given.length > 0) await setRunFiles(tx, run.id, [...run.files, ...given]);
  await noteAttachedTold(
    tx,
    untold.map(({ id }) => id),
    at,
  );
  const notes = untold.flatMap(noteOf);
  if (origin === null) {
    const receipt = await receiptOf(tx, run.id, [...run.files, ...given], all);
    await appendEvents(tx, { run: run.id, actor: system('gateway'), at, events: [receipt, ...notes] });
    tx.notify('queue');
    return;
  }
  if (notes.length > 0) await appendEvents(tx, { run: run.id, actor: system('gateway'), at, events: notes });
  const [first] = given;
  if (first !== undefined) await sayFiles(tx, run, origin, given, first.by ?? 'Somebody', at);
}

function namedFiles(files: readonly AttachedRecord[], taken: readonly GivenFile[]): GivenFile[] {
  const names = taken.map(({ name }) => name);
  return files.flatMap(({ artifact, name: told, mime, bytes, by, trust, came }) => {
    if (artifact === undefined) return [];
    const name = freeName(plainName(told), names);
    names.push(name);
    return [{ artifact, name, mime, bytes, by, trust, came }];
  });
}

function noteOf({ state, name, problem = 'it could not be fetched' }: AttachedRecord): RunEventData[] {
  if (state !== 'failed') return [];
  return [{ type: 'note', level: 'warning', text: `The agent is not given ${plainName(name)}: ${problem}.` }];
}

async function receiptOf(
  tx: Tx,
  run: string,
  files: readonly GivenFile[],
  all: readonly AttachedRecord[],
): Promise<RunEventData> {
  const { coming: _, missing: __, ...said } = (await latestReceipt(tx, run)) ?? { type: 'context', messages: 0, files: 0 };
  const missing = all.filter(({ state }) => state === 'failed').length;
  return { ...said, files: newFiles(files), ...(missing === 0 ? {} : { missing }) };
}

/** How many of the files an earlier turn did not have. */
export function newFiles(files: readonly GivenFile[]): number {
  return files.filter(({ came }) => came !== 'earlier').length;
}

/** Files of an earlier turn as the next one has them: the newest, as many as there is room for. */
export function earlierFiles(files: readonly GivenFile[]): GivenFile[] {
  let all = 0;
  const kept = files
    .slice(-givenLimits.files)
    .toReversed()
    .filter(({ bytes = 0 }) => {
      all += bytes;
      return all <= givenLimits.allBytes;
    });
  return kept.toReversed().map((file) => ({ ...file, came: 'earlier' }));
}

/** A message of its own: the words were not kept waiting for the files. */
async function sayFiles(tx: Tx, run: RunRecord, origin: string, files: GivenFile[], by: string, at: Date): Promise<void> {
  const message = messageName(await nextMail(tx, run.id));
  const names = files.map(({ name }) => name).join(', ');
  const text = files.length === 1 ? `A file: ${names}` : `${files.length} files: ${names}`;
  const words = await messageByOrigin(tx, run.workspace, origin, run.id);
  const mail = { type: 'message', message, by, text, when: 'next', files } as const;
  await addMail(tx, {
    run: run.id,
    workspace: run.workspace,
    mail: { ...mail, files: [...files] },
    at,
    origin: words === undefined ? origin : filesOrigin(origin),
  });
  const events = [{ type: 'message', message, by, text, when: 'next' }] as const;
  await appendEvents(tx, { run: run.id, actor: system('gateway'), at, events });
}
