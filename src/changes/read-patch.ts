import { unquotePath } from './quoted-path.ts';

/** One file of a patch as git writes it. What it holds is untrusted: names and lines can be anything. */
export interface PatchFile {
  /** Where it is now; where it was, of a deleted one. Bytes that are no UTF-8 are U+FFFD. */
  path: string;
  /** Of a renamed or copied file: what it is made from. */
  from: string | undefined;
  status: 'added' | 'modified' | 'deleted' | 'renamed' | 'copied' | 'type_changed';
  /** Octal, as git writes them; undefined where there was or is no file. */
  modes: { before: string | undefined; after: string | undefined };
  binary: boolean;
  /** From the first `@@` on; '' when no line differs. Read by `hunksOf`. */
  body: string;
}

export interface Hunk {
  /** Line numbers from 1; 0 with no lines. */
  before: { start: number; lines: number };
  after: { start: number; lines: number };
  /** What git takes for the heading of the place: the function it is in. */
  heading: string;
  lines: HunkLine[];
}

export interface HunkLine {
  mark: '+' | '-' | ' ';
  /** Without its line feed; a carriage return stays. */
  text: string;
  /** Its number before and after; undefined where it does not exist. */
  before: number | undefined;
  after: number | undefined;
  /** The file ends here without a line feed. */
  unended: boolean;
}

/**
 * Reads what `git diff-tree -p` has written, in its order. Never throws: in a patch in which secrets were blanked out, headers and counts may
 * be gone. Hunks are left as text, so that a large patch costs one pass.
 */
export function readPatch(patch: Uint8Array): PatchFile[] {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(patch);
  const files: PatchFile[] = [];
  for (const section of sectionsOf(text)) {
    const file = readSection(section);
    const last = files.at(-1);
    // A file that becomes a link is removed and added anew.
    if (last?.status === 'deleted' && file.status === 'added' && last.path === file.path)
      files[files.length - 1] = joined(last, file);
    else files.push(file);
  }
  return files;
}

/** The changed stretches of a file, in order. What follows the count of a header belongs to its hunk as long as it looks like a line. */
export function hunksOf({ body }: Pick<PatchFile, 'body'>): Hunk[] {
  const hunks: Hunk[] = [];
  let hunk: Hunk | undefined;
  let before = 0;
  let after = 0;
  for (const line of body.split('\n')) {
    const header = hunkHeader.exec(line);
    if (header !== null) {
      hunk = startedBy(header);
      hunks.push(hunk);
      before = hunk.before.start;
      after = hunk.after.start;
      continue;
    }
    if (hunk === undefined) continue;
    const mark = line.charAt(0);
    const text = line.slice(1);
    if (mark === '\\') {
      const last = hunk.lines.at(-1);
      if (last !== undefined) last.unended = true;
    } else if (mark === '+') hunk.lines.push({ mark, text, before: undefined, after: after++, unended: false });
    else if (mark === '-') hunk.lines.push({ mark, text, before: before++, after: undefined, unended: false });
    else if (mark === ' ') hunk.lines.push({ mark, text, before: before++, after: after++, unended: false });
  }
  return hunks;
}

/** Added and removed lines; undefined for a binary file. */
export function countsOf(file: PatchFile): { added: number; removed: number } | undefined {
  if (file.binary) return undefined;
  const marked = (mark: string) =>
    hunksOf(file).reduce((sum, { lines }) => sum + lines.filter((line) => line.mark === mark).length, 0);
  return { added: marked('+'), removed: marked('-') };
}

const hunkHeader = /^@@ -(\d{1,15})(?:,(\d{1,15}))? \+(\d{1,15})(?:,(\d{1,15}))? @@ ?(.*)$/s;

function startedBy([, start, lines, newStart, newLines, heading = '']: RegExpExecArray): Hunk {
  return {
    before: { start: Number(start), lines: Number(lines ?? 1) },
    after: { start: Number(newStart), lines: Number(newLines ?? 1) },
    heading,
    lines: [],
  };
}

const fileStart = 'diff --git ';

/** A line of a file never begins with `d`: it has its mark in front; and the digits of a binary patch have no spaces. */
function sectionsOf(text: string): string[] {
  const sections: string[] = [];
  let at = text.startsWith(fileStart) ? 0 : nextStart(text, 0);
  while (at < text.length) {
    const next = nextStart(text, at);
    sections.push(text.slice(at, next));
    at = next;
  }
  return sections;
}

function nextStart(text: string, after: number): number {
  const found = text.indexOf(`\n${fileStart}`, after);
  return found === -1 ? text.length : found + 1;
}

function readSection(section: string): PatchFile {
  const bodyAt = section.search(/^@@ /m);
  const head = (bodyAt === -1 ? section : section.slice(0, bodyAt)).split('\n');
  const body = bodyAt === -1 ? '' : section.slice(bodyAt).replace(/\n$/, '');
  const first = head[0]?.slice(fileStart.length) ?? '';
  const value = (name: string) => head.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1);

  const binaryAt = head.findIndex((line) => line === 'GIT binary patch' || line.startsWith('Binary files '));
  const from = value('rename from') ?? value('copy from');
  const to = value('rename to') ?? value('copy to');
  const deleted = value('deleted file mode');
  const added = value('new file mode');
  const kept = /^[0-9a-f]+\.\.[0-9a-f]+ ([0-7]+)$/.exec(value('index') ?? '')?.[1];
  return {
    path: to === undefined ? pathOf(first, sideOf(head, '+++') ?? sideOf(head, '---')) : unquotePath(to),
    from: from === undefined ? undefined : unquotePath(from),
    status: statusOf(head, { deleted, added }),
    modes: {
      before: added === undefined ? (deleted ?? value('old mode') ?? kept) : undefined,
      after: deleted === undefined ? (added ?? value('new mode') ?? kept) : undefined,
    },
    binary: binaryAt !== -1,
    body,
  };
}

function statusOf(
  head: readonly string[],
  { deleted, added }: Record<'deleted' | 'added', string | undefined>,
): PatchFile['status'] {
  if (added !== undefined) return 'added';
  if (deleted !== undefined) return 'deleted';
  if (head.some((line) => line.startsWith('rename from '))) return 'renamed';
  return head.some((line) => line.startsWith('copy from ')) ? 'copied' : 'modified';
}

/** What stands behind `---` or `+++`; undefined for no such line and for `/dev/null`. */
function sideOf(head: readonly string[], mark: '---' | '+++'): string | undefined {
  // Git ends a name with spaces in it by a tab.
  const name = head
    .find((line) => line.startsWith(`${mark} `))
    ?.slice(4)
    .replace(/\t$/, '');
  return name === undefined || name === '/dev/null' ? undefined : unquotePath(name).replace(/^[ab]\//, '');
}

/** Without `---` and `+++` (nothing but the mode differs, or a binary file) the name stands twice in the first line. */
function pathOf(first: string, side: string | undefined): string {
  if (side !== undefined) return side;
  if (first.startsWith('"')) return unquotePath(first.slice(0, (first.length - 1) / 2)).replace(/^a\//, '');
  return first.slice(2, (first.length - 1) / 2);
}

function joined(removed: PatchFile, added: PatchFile): PatchFile {
  return {
    ...added,
    status: 'type_changed',
    modes: { before: removed.modes.before, after: added.modes.after },
    binary: removed.binary || added.binary,
    body: [removed.body, added.body].filter((body) => body !== '').join('\n'),
  };
}
