import { hunksOf, type PatchFile } from './read-patch.ts';

/** `src/session.ts:42 use a Map here`: what somebody says about a line, or about several (`:42-45`). */
const note = /^\s*(?:[-*•]\s+)?[`"']?([^\s`"':]+)[`"']?:([1-9]\d{0,6})(?:-([1-9]\d{0,6}))?[`"']?:?\s+(\S.*)$/;

/** More lines of code than this are not quoted for one note. */
const mostLines = 12;

/**
 * Notes on lines of a change in what people say about it, each with the code that it is about, so that an agent need not guess which version
 * of a file was read. Every other line stays as it is, also one that names a file the change does not touch.
 */
export function quoteLines(said: string, patch: readonly PatchFile[]): string {
  return said
    .split('\n')
    .map((line) => quoted(line, patch))
    .join('\n');
}

/** True when there is a note on a line in a text. */
export function hasLineNotes(said: string): boolean {
  return said.split('\n').some((line) => note.test(line));
}

function quoted(line: string, patch: readonly PatchFile[]): string {
  const [, path, first, last, text] = note.exec(line) ?? [];
  const file = path === undefined ? undefined : fileNamed(path, patch);
  if (file === undefined || first === undefined || text === undefined) return line;
  const from = Number(first);
  const to = Math.max(from, Number(last ?? first));
  const lines = linesOf(file, from, Math.min(to, from + mostLines - 1));
  const where = `${file.path}, ${from === to ? `line ${from}` : `lines ${from} to ${to}`}`;
  if (lines.length === 0) return `${where}: ${text}`;
  const more = to - from >= mostLines ? ['    …'] : [];
  return [
    `${where}, which ${lines.length === 1 ? 'is' : 'are'}`,
    ...lines.map((code) => `    ${code}`),
    ...more,
    `  ${text}`,
  ].join('\n');
}

/** By its whole path, or by the end of it where only one file of the change ends so. */
function fileNamed(path: string, patch: readonly PatchFile[]): PatchFile | undefined {
  const exact = patch.find((file) => file.path === path);
  if (exact !== undefined) return exact;
  const ending = patch.filter((file) => file.path.endsWith(`/${path}`));
  return ending.length === 1 ? ending[0] : undefined;
}

/** Lines of the new version, as far as the patch shows them. */
function linesOf(file: PatchFile, from: number, to: number): string[] {
  return hunksOf(file).flatMap(({ lines }) =>
    lines.flatMap(({ after, text }) => (after !== undefined && after >= from && after <= to ? [text.replace(/\r$/, '')] : [])),
  );
}
