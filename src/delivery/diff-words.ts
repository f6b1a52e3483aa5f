import { revealHidden } from '../approvals/hidden-characters.ts';
import type { FileStat, Risk, RiskKind } from '../contracts/run-event.ts';
import { type Block, bold, code, plain, type Span } from '../contracts/view.ts';
import { shortenStart } from './neutralise.ts';
import { bytes, count, digits } from './units.ts';

/** What is to be looked at twice, as it stands before the names of the files. */
const riskWords: Record<RiskKind, string> = {
  secret: 'secrets in',
  history: 'secrets in earlier commits:',
  link: 'links out of the repository:',
  automation: 'hooks and settings of agents:',
  ci: 'CI:',
  submodule: 'submodules:',
  executable: 'made executable:',
  migration: 'migrations:',
  lockfile: 'lockfiles:',
  container: 'container builds:',
  deletion: 'deleted:',
  large: 'large:',
  binary: 'binary:',
};

/** Path and counts must stay on one line of a narrow thread. */
const pathLength = 44;

/** `risk: CI: .github/workflows/test.yml · deleted: a.ts, b.ts and 3 more`; nothing when there is none. */
export function riskBlocks(risks: readonly Risk[] | undefined, named = 2): Block[] {
  if (risks === undefined || risks.length === 0) return [];
  const spans = risks.flatMap(({ kind, paths, files }, at): Span[] => {
    const shown = paths.slice(0, named);
    const more = files - shown.length;
    return [
      plain(`${at === 0 ? '' : ' · '}${riskWords[kind]} `),
      ...shown.flatMap((path, place) => [...(place === 0 ? [] : [plain(', ')]), code(pathWords(path))]),
      ...(more === 0 ? [] : [plain(` and ${digits(more)} more`)]),
    ];
  });
  return [{ type: 'text', spans: [bold('risk: '), ...spans] }];
}

/** `secrets in src/key.ts and 2 more`, as plain text. */
export function riskText({ kind, paths, files }: Risk): string {
  const [first = ''] = paths;
  return `${riskWords[kind]} ${pathWords(first)}${files > 1 ? ` and ${digits(files - 1)} more` : ''}`;
}

/** `CI`: what is to be looked at twice, in a word or two. */
export function riskName(kind: RiskKind): string {
  return riskWords[kind].replace(/:$| in$/, '');
}

/** `risk: CI · binary`, for a file whose name stands above; nothing when there is none. */
export function fileRiskBlocks(risks: readonly Risk[] | undefined, path: string): Block[] {
  const kinds = (risks ?? []).filter(({ paths }) => paths.includes(path)).map(({ kind }) => riskName(kind));
  return kinds.length === 0 ? [] : [{ type: 'text', spans: [bold('risk: '), plain(kinds.join(' · '))] }];
}

/** A path on one line, with nothing hidden in it; its end names the file. */
export function pathWords(path: string, length = pathLength): string {
  const seen = revealHidden(path.toWellFormed()).replaceAll('\n', '⏎').replaceAll('\t', '⇥');
  return shortenStart(seen, length) || '(no name)';
}

/** `+28 −5`, with what is not there left out; '' when no line differs. */
export function countWords(added: number, removed: number): string {
  return [added === 0 ? '' : `+${digits(added)}`, removed === 0 ? '' : `−${digits(removed)}`]
    .filter((text) => text !== '')
    .join(' ');
}

const statusWords = { added: 'new', deleted: 'deleted', renamed: 'renamed', copied: 'copied' } as const;
const kindWords = { file: 'a file', executable: 'executable', symlink: 'a link', submodule: 'a submodule' } as const;

/** The same in a word or two, for a list. */
export function fateWord({ status, kinds, added }: FileStat): string {
  const fate = status === undefined ? kindOf({ status, kinds }).replace(/^(?:now )?(?:a )?/, '') : status.replace('_changed', '');
  return [fate === 'added' ? 'new' : fate, added === null ? 'binary' : ''].filter((text) => text !== '').join(' ');
}

/** What became of a file besides its lines: `new`, `renamed`, `binary 4.2 kB → 5.0 kB`, `now executable`. */
export function fateWords({ status, kinds, added, bytes: sizes }: FileStat): string {
  const fate = status === undefined || status === 'type_changed' ? '' : statusWords[status];
  const size = [sizes?.before, sizes?.after].flatMap((value) => (value === undefined ? [] : [bytes(value)])).join(' → ');
  const content = [added === null ? 'binary' : '', size].filter((text) => text !== '').join(' ');
  return [fate, kindOf({ status, kinds }), content].filter((text) => text !== '').join(', ');
}

function kindOf({ status, kinds }: Pick<FileStat, 'status' | 'kinds'>): string {
  if (kinds === undefined) return status === 'type_changed' ? 'another kind of file' : '';
  const { before, after } = kinds;
  if (after === undefined || (before === after && after === 'executable')) return '';
  return before === undefined || before === after ? kindWords[after] : `now ${kindWords[after]}`;
}

/** `3 files +41 −7`. */
export function totalWords({ files, added, removed }: { files: number; added: number; removed: number }): string {
  return `${count(files, 'file')} +${digits(added)} −${digits(removed)}`;
}
