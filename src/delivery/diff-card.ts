import { countsOf, hunksOf, type PatchFile } from '../changes/read-patch.ts';
import type { AppError } from '../contracts/errors.ts';
import { encodePress } from '../contracts/press.ts';
import { type FileStat, type Risk, type RunResult, totalsOf } from '../contracts/run-event.ts';
import { type Block, type Button, code, plain, type Span, type View } from '../contracts/view.ts';
import type { ChangeStand } from '../store/task-changes.ts';
import { changeButtons } from './change-buttons.ts';
import { checkSpans, hasFailed } from './check-words.ts';
import { pagesOf } from './diff-pages.ts';
import { countWords, fateWord, fateWords, fileRiskBlocks, pathWords, riskBlocks, totalWords } from './diff-words.ts';
import { errorSpans } from './error-view.ts';
import { withFallback } from './list-view.ts';
import { oneLine, shorten } from './neutralise.ts';
import { plainText, tableText } from './plain-text.ts';
import { digits } from './units.ts';

/** The change of one run, as far as it is kept. */
export interface Change {
  run: string;
  attempt: number;
  /** The newest run of the task that has changed something. */
  newest: boolean;
  task: { id: string; number: number; title: string; project: string; branch: string; base: string | undefined };
  result: RunResult & { commit: string };
  /** What of the task's change is at the remote; undefined: it is not known. */
  stand?: ChangeStand | undefined;
  /** An agent can go on with it. */
  agent?: boolean | undefined;
  /** Undefined when it is not kept: it was too large, or its file is gone. */
  patch: readonly PatchFile[] | undefined;
  /** It was kept, and says for how long. */
  lost?: AppError | undefined;
}

/** As many as one sees at once; select menus take no more than 25 everywhere. */
const filesPerPage = 15;

/** The files of a change, and what is to be looked at twice. `page` from 1; one beyond the last is the last. */
export function changeCard(change: Change, page: number): View {
  const files = filesOf(change);
  const last = Math.max(1, Math.ceil(files.length / filesPerPage));
  const at = Math.min(Math.max(1, page), last);
  const shown = pageOfFiles(files, at);
  const all = totalsOf(change.result).files;
  const blocks: Block[] = [
    heading(change, last === 1 ? undefined : `page ${at} of ${last}`),
    { type: 'context', spans: aboutSpans(change) },
    ...riskBlocks(change.result.risks, 5),
    ...checked(change),
    { type: 'code', text: fileTable(shown, change.result.risks ?? []) },
    ...(all <= files.length
      ? []
      : [told(`and ${digits(all - files.length)} more files, which are not listed; the branch has all of them.`)]),
    ...missing(change),
    ...(change.patch === undefined ? [] : [fileSelect(change, shown)]),
    ...buttons([
      ...(at > 1 ? [place(change, 'Previous', 0, at - 1)] : []),
      ...(at < last ? [place(change, 'Next', 0, at + 1)] : []),
      ...patchButton(change),
      ...changeButtons({ ...change, where: 'diff', checkFailed: hasFailed(change.result.check) }),
    ]),
  ];
  return short(change, blocks);
}

/** A change of one file needs no list of files: its lines are shown at once, with what the list would say. */
export function isOneFile({ patch, result }: Change): boolean {
  return patch?.length === 1 && totalsOf(result).files === 1;
}

/** One file of a change, page by page. `file` counts from 1; the caller has looked that it exists. */
export function fileCard(change: Change & { patch: readonly PatchFile[] }, file: number, page: number): View {
  const found = change.patch[file - 1];
  if (found === undefined) throw new Error(`the change of ${change.run} has no file ${file}`);
  const files = filesOf(change);
  const stat = files[file - 1]?.stat ?? statOf(found);
  const hunks = hunksOf(found);
  const pages = pagesOf(hunks);
  const last = Math.max(1, pages.length);
  const at = Math.min(Math.max(1, page), last);
  const text = pages[at - 1];
  const counts = [stat.added === null || stat.removed === null ? '' : countWords(stat.added, stat.removed), fateWords(stat)];
  const crlf = hunks.length > 0 && hunks.every(({ lines }) => lines.every((line) => line.text.endsWith('\r')));
  const many = change.patch.length;
  const alone = isOneFile(change);
  const places = [
    ...(alone ? [] : [`file ${digits(file)} of ${digits(many)}`]),
    ...(last === 1 ? [] : [`page ${at} of ${last}`]),
  ];
  const blocks: Block[] = [
    titled(`#${change.task.number} ${pathWords(found.path, 120)}`, places.length === 0 ? undefined : places.join(', ')),
    ...(alone ? [{ type: 'context' as const, spans: aboutSpans(change) }] : []),
    ...(alone ? checked(change) : []),
    ...aboutFile(found, alone ? counts.slice(1) : counts),
    ...fileRiskBlocks(change.result.risks, stat.path),
    ...(crlf ? [told('Its lines end with CR and LF.')] : []),
    text === undefined ? told(nothingToShow(found)) : { type: 'code', text, language: 'diff' },
    ...buttons([
      ...(at > 1 ? [place(change, 'Previous', file, at - 1)] : file > 1 ? [place(change, 'Previous file', file - 1, 1)] : []),
      ...(at < last ? [place(change, 'Next', file, at + 1)] : file < many ? [place(change, 'Next file', file + 1, 1)] : []),
      ...(alone ? [] : [place(change, 'All files', 0, Math.ceil(file / filesPerPage))]),
      ...patchButton(change),
      ...changeButtons({ ...change, where: 'diff', checkFailed: hasFailed(change.result.check) }),
    ]),
  ];
  return short(change, blocks);
}

function checked({ result: { check } }: Change): Block[] {
  return check === undefined ? [] : [{ type: 'text', spans: checkSpans(check) }];
}

interface Entry {
  number: number;
  stat: FileStat;
}

/** As they stand in the patch, whose order their numbers follow; what the result tells of them is told. */
function filesOf({ result, patch }: Change): Entry[] {
  if (patch === undefined) return result.files.map((stat, at) => ({ number: at + 1, stat }));
  const told = new Map(result.files.map((stat) => [stat.path, stat]));
  return patch.map((file, at) => ({ number: at + 1, stat: told.get(file.path) ?? statOf(file) }));
}

function statOf(file: PatchFile): FileStat {
  const { added, removed } = countsOf(file) ?? { added: null, removed: null };
  return {
    path: file.path,
    added,
    removed,
    ...(file.status === 'modified' ? {} : { status: file.status }),
    ...(file.from === undefined ? {} : { from: file.from }),
  };
}

function pageOfFiles(files: readonly Entry[], page: number): readonly Entry[] {
  return files.slice((page - 1) * filesPerPage, page * filesPerPage);
}

/** Narrow enough for a phone. `!` marks the files that a risk names. */
function fileTable(files: readonly Entry[], risks: readonly Risk[]): string {
  const risky = new Set(risks.flatMap(({ paths }) => paths));
  const left = { header: '', align: 'left' as const };
  return tableText({
    type: 'table',
    columns: [left, left, left],
    rows: files.map(({ number, stat }) => [
      `${digits(number)}${risky.has(stat.path) ? ' !' : ''}`,
      pathWords(stat.path, 28),
      [countWords(stat.added ?? 0, stat.removed ?? 0), fateWord(stat)].filter((text) => text !== '').join(' '),
    ]),
  });
}

function heading(change: Change, where: string | undefined): Block {
  return titled(`#${change.task.number} ${shorten(oneLine(change.task.title), 60)} · changes`, where);
}

function titled(text: string, where: string | undefined): Block {
  return {
    type: 'title',
    spans: [plain(text)],
    ...(where === undefined ? {} : { state: { text: where, tone: 'neutral' as const } }),
  };
}

/** Where a file was before, its lines, and what became of it. */
function aboutFile({ from, path }: PatchFile, counts: readonly string[]): Block[] {
  const spans: Span[] = [
    ...(from === undefined ? [] : [plain('was '), code(pathWords(from, 300)), plain('  ')]),
    ...(path.length > 120 ? [plain('now '), code(pathWords(path, 4000)), plain('  ')] : []),
    plain(counts.filter((words) => words !== '').join('  ')),
  ];
  return spans.length === 1 && counts.every((words) => words === '') ? [] : [{ type: 'text', spans }];
}

function aboutSpans({ task, result, attempt, newest }: Change): Span[] {
  const base = task.base === undefined ? '' : ` since ${oneLine(task.base)}`;
  return [
    plain(`${oneLine(task.project)} · `),
    code(oneLine(task.branch)),
    plain(` ${totalWords(totalsOf(result))}${base} · commit `),
    code(result.commit.slice(0, 7)),
    plain(newest ? (attempt === 1 ? '' : ` · run ${attempt}`) : ` · run ${attempt}; a later run has changed more`),
  ];
}

function missing({ result, patch, lost }: Change): Block[] {
  if (patch !== undefined) return [];
  if (lost !== undefined) return [{ type: 'text', spans: errorSpans(lost) }];
  const kept = result.artifacts.some(({ kind }) => kind === 'patch');
  return [
    told(
      kept
        ? 'The file with the lines is no longer there; the branch has all changes.'
        : 'The changes are too large to be shown line by line; the branch has all of them.',
    ),
  ];
}

function nothingToShow(file: PatchFile): string {
  if (file.binary) return 'It is a binary file; the patch has its bytes.';
  const { before, after } = file.modes;
  const mode = before !== undefined && after !== undefined && before !== after ? ` Its mode was ${before} and is ${after}.` : '';
  return `No line of it differs.${mode}`;
}

function fileSelect(change: Change, files: readonly Entry[]): Block {
  return {
    type: 'select',
    token: encodePress({ kind: 'change', run: change.run, verb: 'review' }),
    placeholder: 'Choose a file',
    options: files.map(({ number, stat }) => ({ value: String(number), label: `${number} ${pathWords(stat.path, 36)}` })),
  };
}

function place(change: Change, label: string, file: number, page: number): Button {
  return { token: encodePress({ kind: 'change', run: change.run, verb: 'review', file, page }), label, style: 'default' };
}

function patchButton({ task, newest, result }: Change): Button[] {
  if (!newest || !result.artifacts.some(({ kind }) => kind === 'patch')) return [];
  return [{ token: encodePress({ kind: 'task', task: task.id, verb: 'patch' }), label: 'Patch', style: 'default' }];
}

function buttons(all: Button[]): Block[] {
  return all.length === 0 ? [] : [{ type: 'buttons', buttons: all }];
}

function told(text: string): Block {
  return { type: 'context', spans: [plain(text)] };
}

/** What a notification says is the heading, not the lines. */
function short({ result }: Change, blocks: Block[]): View {
  const [first] = blocks;
  const title = first === undefined ? '' : plainText(first);
  return { ...withFallback(blocks), fallback: `${title}: ${totalWords(totalsOf(result))}` };
}
