import { z } from 'zod';
import { readPatch } from '../changes/read-patch.ts';
import { attemptsLimits } from '../contracts/comparison.ts';
import { AppError } from '../contracts/errors.ts';
import { isTerminal } from '../contracts/states.ts';
import type { ViewFile } from '../contracts/view.ts';
import { type Change, changeCard, fileCard, isOneFile } from '../delivery/diff-card.ts';
import { oneLine, shorten } from '../delivery/neutralise.ts';
import { artifactsOf } from '../store/run-queries.ts';
import { standsOf } from '../store/task-changes.ts';
import { changeRunOf, type RunRow, runsOf, type TaskRow } from '../store/task-queries.ts';
import { count, optional, taskNumber } from './arguments.ts';
import { type CommandContext, defineCommand, type Reply } from './command.ts';
import { nearest } from './nearest.ts';
import { notKept } from './not-kept.ts';
import { taskFor } from './subject.ts';

/** What looking at a change needs. */
export const reviewNeed = { command: 'diff', permission: 'task.see', action: 'see what tasks change' } as const;

export const diff = defineCommand({
  name: 'diff',
  group: 'look',
  summary: 'Shows what a task has changed: its files, their lines, and what to look at twice',
  details: [
    'A file is named by its path, by the end of its path, or by its number in the list. Asked for in a message, it comes with a picture and the patch.',
  ],
  permission: reviewNeed.permission,
  action: reviewNeed.action,
  about: 'project',
  positional: {
    task: optional({ hint: '#task', about: 'the task; may be left out in its thread', names: 'task', schema: taskNumber }),
    file: optional({ hint: 'file', about: 'one file of the change', schema: z.string().min(1) }),
  },
  options: {
    page: optional({ hint: '2', about: 'a further page', schema: count(99_999) }),
    run: optional({ hint: '1', about: 'what an earlier run had changed', schema: count(9999) }),
    attempt: optional({ hint: '2', about: 'what one of several attempts has changed', schema: count(attemptsLimits.most) }),
  },
  examples: [
    ['diff #142', 'the files task 142 has changed'],
    ['diff #142 src/session.ts', 'the lines of one file'],
    ['diff', 'the files of the task of this thread'],
  ],
  async run(ctx, { task: number, file, page = 1, run: attempt, attempt: variant }) {
    const { task } = await taskFor(ctx, number, reviewNeed);
    if (attempt === undefined && variant === undefined) checkOne(task);
    const wanted = (run: RunRow, newest: boolean) =>
      variant !== undefined ? run.variant === variant : attempt === undefined ? newest : run.attempt === attempt;
    const change = await changeOf(ctx, task, wanted);
    if (change === undefined) throw unchanged(task, attempt ?? variant);
    const files = file === undefined ? 0 : fileNumber(change, file);
    return await reviewReply(ctx, change, { file: files, page });
  },
});

/** Which of several changes is meant has to be said, as long as none is chosen. */
function checkOne({ number, comparison, attempts = 0 }: TaskRow): void {
  if (comparison !== 'open') return;
  throw new AppError('DH-300', {
    what: `#${number} has ${attempts} attempts, and none of them is chosen yet.`,
    instead: `\`diff #${number} attempt=1\` shows what the first has changed.`,
  });
}

/** Files and lines of a change: file 0 is the list of files. In the place of what was shown before, where the button stands on it. */
export async function reviewReply(ctx: CommandContext, change: Change, at: { file: number; page: number }): Promise<Reply> {
  const { patch } = change;
  const file = at.file === 0 && isOneFile(change) ? 1 : at.file;
  const view =
    file === 0 || patch?.[file - 1] === undefined ? changeCard(change, at.page) : fileCard({ ...change, patch }, file, at.page);
  const files = withFiles(ctx) ? filesFor(change, at) : [];
  return { view: files.length === 0 ? view : { ...view, files }, audience: 'asked', list: 'shared', task: change.task.id };
}

/** The change of the run that `chosen` takes; undefined when that one, or every one, has changed nothing. */
export async function changeOf(
  ctx: CommandContext,
  task: TaskRow,
  chosen: (run: RunRow, newest: boolean) => boolean,
): Promise<Change | undefined> {
  const runs = (await runsOf(ctx.tx, task.id)).filter(({ result }) => result?.commit !== undefined);
  const newest = changeRunOf(runs, task);
  const run = runs.find((one) => chosen(one, one === newest));
  const commit = run?.result?.commit;
  if (run?.result === undefined || commit === undefined) return undefined;
  const { id, number, title, project, branch, baseBranch, baseCommit } = task;
  const base = baseCommit === undefined ? undefined : `${baseBranch ?? 'its base'}@${baseCommit.slice(0, 7)}`;
  return {
    run: run.id,
    attempt: run.attempt,
    newest: run === newest,
    stand: atRest(task) ? (await standsOf(ctx.tx.db, [id])).get(id) : undefined,
    agent: task.agent !== undefined,
    task: { id, number, title, project: project.name, branch, base },
    result: { ...run.result, commit },
    ...(await keptOf(ctx, task, run.id)),
  };
}

/** While a further run is under way the change may become another. */
function atRest({ run }: TaskRow): boolean {
  return run === undefined || isTerminal(run.state);
}

async function keptOf(ctx: CommandContext, { number }: TaskRow, run: string): Promise<Pick<Change, 'patch' | 'lost'>> {
  const kept = (await artifactsOf(ctx.tx, run)).find(({ kind }) => kind === 'patch');
  if (kept?.keptMs !== undefined) return { patch: undefined, lost: notKept('patch', number, kept.keptMs) };
  const bytes = kept === undefined ? undefined : await ctx.deps.readArtifact(kept.id);
  return { patch: bytes === undefined ? undefined : readPatch(bytes) };
}

function fileNumber({ patch, result, task }: Change, named: string): number {
  const paths = patch?.map(({ path }) => path) ?? result.files.map(({ path }) => path);
  const exact = paths.indexOf(named);
  if (exact !== -1) return exact + 1;
  const number = /^[1-9]\d{0,4}$/.test(named) ? Number(named) : undefined;
  if (number !== undefined && number <= paths.length) return number;
  const ending = paths.filter((path) => path.endsWith(`/${named}`));
  if (ending.length === 1) return paths.indexOf(ending[0] ?? '') + 1;
  const meant = (ending.length > 1 ? ending.slice(0, 3) : nearest(named, paths)).map(
    (path) => `\`${shorten(oneLine(path), 100)}\``,
  );
  throw new AppError('DH-300', {
    what: `#${task.number} has ${ending.length > 1 ? 'changed several files' : 'changed no file'} called \`${shorten(oneLine(named), 80)}\`.`,
    instead: meant.length === 0 ? '`diff` lists what it has changed.' : `Did you mean ${meant.join(' or ')}?`,
  });
}

function unchanged(task: TaskRow, attempt: number | undefined): AppError {
  const what =
    attempt === undefined ? `#${task.number} has changed no files.` : `Run ${attempt} of #${task.number} has changed no files.`;
  return new AppError('DH-300', { what, instead: '`show` tells what it did.' });
}

/** Files cannot go with an answer that one person sees, and a button that turns a page asks for none. */
function withFiles({ act }: CommandContext): boolean {
  return act.by === 'message' || (act.by === 'slash' && act.event.conversation.kind === 'direct');
}

function filesFor({ result, newest, patch, task, lost }: Change, { file }: { file: number }): ViewFile[] {
  if (lost !== undefined) return [];
  if (file !== 0) {
    const kept = result.artifacts.find(({ kind }) => kind === 'patch');
    // Of a binary file there is nothing to see.
    if (kept === undefined || patch?.[file - 1]?.binary !== false) return [];
    return [
      { from: 'artifact', name: `${task.number}-file-${file}.png`, artifact: kept.id, draws: { title: `#${task.number}`, file } },
    ];
  }
  const kinds = newest ? ['picture', 'patch'] : ['patch'];
  return kinds.flatMap((kind) => {
    const found = result.artifacts.find((artifact) => artifact.kind === kind);
    return found === undefined ? [] : [{ from: 'artifact' as const, name: found.name, artifact: found.id }];
  });
}
