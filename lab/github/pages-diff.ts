import { log, resolveCommit } from './commits.ts';
import { changesBetween, type FileChange } from './diffs.ts';
import type { Repository, ReviewComment } from './model.ts';
import { type Html, html, icon, plural } from './pages-html.ts';
import type { Page, RepositoryVisit } from './pages-layout.ts';
import { notFound } from './pages-layout.ts';
import { titleText } from './pages-markdown.ts';

/** The lines of a change, with what was said about them. */

export interface DiffLine {
  kind: 'hunk' | 'context' | 'added' | 'removed' | 'note';
  left: number | undefined;
  right: number | undefined;
  text: string;
}

export type Side = 'LEFT' | 'RIGHT';

/** What stands between the lines: comments, and the form for a new one. */
export interface Between {
  below(path: string, side: Side, line: number): Html | false;
  /** Where a click on the number of a line leads; undefined: nowhere. */
  link?(path: string, side: Side, line: number): string;
}

/** A page shows no more lines than this, of one file and of all. */
const MAX_LINES = 2_000;
const MAX_ALL = 8_000;

export function diffLines(patch: string): DiffLine[] {
  let [left, right] = [0, 0];
  return patch.split('\n').map((line): DiffLine => {
    const [, from, to] = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(line) ?? [];
    if (from !== undefined && to !== undefined) {
      [left, right] = [Number(from), Number(to)];
      return { kind: 'hunk', left: undefined, right: undefined, text: line };
    }
    const text = line.slice(1);
    if (line.startsWith('+')) return { kind: 'added', left: undefined, right: right++, text };
    if (line.startsWith('-')) return { kind: 'removed', left: left++, right: undefined, text };
    if (line.startsWith('\\')) return { kind: 'note', left: undefined, right: undefined, text: line };
    return { kind: 'context', left: left++, right: right++, text };
  });
}

export function diffView(changes: readonly FileChange[], between: Between): Html[] {
  let left = MAX_ALL;
  return changes.map((change, index) => {
    const lines = change.patch === undefined ? [] : diffLines(change.patch).slice(0, Math.min(MAX_LINES, left));
    left -= lines.length;
    const isCut = change.patch !== undefined && diffLines(change.patch).length > lines.length;
    return html`<details class="box diff" id="file-${index + 1}" open><summary class="head">${counts(change)}
<b class="path">${change.from !== undefined && html`${change.from} → `}${change.path}</b>${
      change.status !== 'modified' && html` <span class="pill">${change.status}</span>`
    }</summary>
${change.patch === undefined && html`<p class="inside soft">Nothing to show: a binary file, or only its name or mode changed.</p>`}
<table class="code">${lines.map((line) => row(change.path, line, between))}</table>
${isCut && html`<p class="inside soft">The rest is not shown: the change is too large.</p>`}
</details>`;
  });
}

const SIGNS = { hunk: '', context: ' ', added: '+', removed: '-', note: '' } as const;

function row(path: string, line: DiffLine, { below, link }: Between): Html {
  const { kind, left, right, text } = line;
  if (kind === 'hunk' || kind === 'note')
    return html`<tr class="${kind}"><td class="number"></td><td class="number"></td><td class="line">${text}</td></tr>`;
  const side: Side = right === undefined ? 'LEFT' : 'RIGHT';
  const at = right ?? left ?? 0;
  const number = (value: number | undefined) => {
    const href = value === undefined ? undefined : link?.(path, side, at);
    if (href === undefined) return html`<td class="number">${value}</td>`;
    return html`<td class="number"><a href="${href}" title="Comment on this line">${value}</a></td>`;
  };
  const isBoth = kind === 'context';
  return html`<tr class="${kind}">${number(left)}${number(right)}<td class="line"><i>${SIGNS[kind]}</i>${text}</td></tr>${
    isBoth && left !== undefined && below(path, 'LEFT', left)
  }${below(path, side, at)}`;
}

function counts({ additions, deletions }: FileChange): Html {
  return html`<span class="counts"><span class="plus">+${additions}</span> <span class="minus">−${deletions}</span></span>`;
}

export function totals(changes: readonly FileChange[]): Html {
  const sum = (pick: (change: FileChange) => number) => changes.reduce((all, change) => all + pick(change), 0);
  return html`<span class="totals">${plural(changes.length, 'file')} changed
<span class="plus">+${sum(({ additions }) => additions)}</span> <span class="minus">−${sum(({ deletions }) => deletions)}</span></span>`;
}

/** The last lines of the hunk that a comment stands below. */
export function excerpt(comment: ReviewComment): Html {
  const lines = diffLines(comment.diffHunk).filter(({ kind }) => kind !== 'note');
  return html`<table class="code">${lines.slice(-4).map((line) => row(comment.path, line, { below: () => false }))}</table>`;
}

/** `/commit/<sha>` */
export async function commitPage(visit: RepositoryVisit, name: string): Promise<Page> {
  const { repository } = visit;
  const sha = await resolveCommit(repository, name);
  const [commit] = sha === undefined ? [] : await log(repository, '--max-count=1', sha);
  if (commit === undefined) return notFound();
  const changes = await changesOf(repository, commit.parents[0], commit.sha);
  const [subject = '', ...rest] = commit.message.split('\n');
  return {
    tab: 'code',
    title: subject,
    body: html`<div class="box"><div class="inside"><h1 class="small">${titleText(subject)}</h1><pre class="message">${rest.join('\n').trim()}</pre>
<p class="soft"><b>${commit.author.name}</b> · ${icon('commit')} <code>${commit.sha}</code></p></div></div>
<p>${totals(changes)}</p>${diffView(changes, { below: () => false })}`,
  };
}

async function changesOf(repository: Repository, base: string | undefined, head: string): Promise<FileChange[]> {
  return await changesBetween(repository, base, head);
}
