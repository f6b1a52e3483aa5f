import { checksVerdict, mergeableOf } from '../changes/pull-news.ts';
import type { PullFacts } from '../contracts/code-host.ts';
import { type ErrorCode, errorCatalogue } from '../contracts/errors.ts';
import { type Block, code, plain, type Span } from '../contracts/view.ts';
import { type CardContext, person } from './card-context.ts';
import { errorCodeSpan, marked } from './error-view.ts';
import { oneLine, shorten } from './neutralise.ts';
import type { PublicationView, PullView } from './publication-view.ts';
import type { RunView } from './run-view.ts';
import { count } from './units.ts';

const nameLength = 120;

/** What has become of the change of a run, a line each: its branch, its pull requests, or that nobody wants it. */
export function changeBlocks(view: RunView, context: CardContext): Block[] {
  const { publications, pulls, discardedBy } = view.change;
  const shown = publications.filter((one) => isNews(one, publications));
  const lines: Span[][] = [
    ...shown.map((publication) => publicationSpans(publication, context)),
    ...(pulls.length > 0 ? pulls : ofChange(view, context)).map((pull) => pullSpans(pull)),
    ...(discardedBy?.type === 'user'
      ? [[person(context, discardedBy), plain(' discarded the change. It is kept for a while: pushing it takes that back.')]]
      : []),
  ];
  return lines.map((spans) => ({ type: 'text', spans }));
}

/** A run that has changed nothing shows the pull request of the change that it has left as it was. */
function ofChange({ run }: RunView, { task: { change } }: CardContext): Pick<PullView, 'repository' | 'pull'>[] {
  if (change?.told === undefined || change.run === run) return [];
  return [{ repository: change.told.repository, pull: change.told.facts }];
}

/** A failure that a later try has made good is no news, nor is a branch that its pull request shows. */
function isNews({ state, what, seq }: PublicationView, all: readonly PublicationView[]): boolean {
  if (state === 'done') return what === 'push';
  return state !== 'failed' || !all.some((one) => one.seq > seq);
}

/** "Pushed to `branch`", with who decided it; or why not. */
export function publicationSpans(publication: PublicationView, context: CardContext): Span[] {
  const { state, problem, retryAt, what } = publication;
  const to = [plain(' to '), branchSpan(publication)];
  if (state === 'failed') {
    const head = what === 'push' ? '✖ Not pushed: ' : '✖ No pull request: ';
    return [plain(head), ...problemSpans(problem ?? 'nothing is known about why.', context.docs)];
  }
  if (problem !== undefined && retryAt !== undefined) {
    return [plain('⏸ Pushing'), ...to, plain(' waits and is tried again: '), ...problemSpans(problem, context.docs)];
  }
  switch (state) {
    case 'pending':
    case 'pushing':
      return [plain('▸ Pushing'), ...to, ...decidedBy(publication, context)];
    case 'pushed':
    case 'opening':
      return [plain('▸ Pushed'), ...to, plain(', opening the pull request'), ...decidedBy(publication, context)];
    case 'done':
      return [plain('✔ Pushed'), ...to, ...decidedBy(publication, context)];
  }
}

function branchSpan({ url, branch }: PublicationView): Span {
  const text = shorten(oneLine(branch), nameLength);
  return isWebAddress(url) ? { type: 'link', url, text } : code(text);
}

function decidedBy({ by }: PublicationView, context: CardContext): Span[] {
  return by?.type === 'user' ? [plain(' · approved by '), person(context, by)] : [];
}

/** The name of a pull request, as a link; names and addresses come from outside. */
export function pullName({ repository, pull }: Pick<PullView, 'repository' | 'pull'>): Span {
  const text = shorten(oneLine(`${repository}#${pull.number}`), nameLength);
  return isWebAddress(pull.url) ? { type: 'link', url: pull.url, text } : plain(text);
}

function pullSpans({ repository, pull, branchDeleted }: Pick<PullView, 'repository' | 'pull' | 'branchDeleted'>): Span[] {
  const over = branchDeleted === true ? ['branch deleted'] : [];
  const facts = [stateOf(pull), ...checksOf(pull), ...reviewsOf(pull), ...over];
  return [plain(`${marks[pull.state]} Pull request `), pullName({ repository, pull }), plain(` ${facts.join(' · ')}`)];
}

const marks = { open: '▸', merged: '✔', closed: '○' } as const;

function stateOf(pull: PullFacts): string {
  const { state, draft, base } = pull;
  if (state === 'merged') return `is merged into ${shorten(oneLine(base), nameLength)}`;
  if (state === 'closed') return 'is closed without merging';
  const conflict = mergeableOf(pull) === 'conflict' ? ', with conflicts' : '';
  return draft ? `is a draft${conflict}` : `is open${conflict}`;
}

function checksOf(pull: PullFacts): string[] {
  if (pull.state !== 'open') return [];
  const words = { none: [], pending: ['checks run'], passed: ['checks ✔'], failed: ['checks ✖'] } as const;
  return [...words[checksVerdict(pull)]];
}

function reviewsOf({ reviews, state }: PullFacts): string[] {
  if (state !== 'open') return [];
  const by = (verdict: string) => reviews.filter((one) => one.verdict === verdict).length;
  const approved = by('approved');
  const requested = by('changes_requested');
  return [
    ...(approved > 0 ? [count(approved, 'approval')] : []),
    ...(requested > 0 ? [count(requested, 'request for changes', 'requests for changes')] : []),
  ];
}

function problemSpans(problem: string, docs: string | undefined): Span[] {
  const text = oneLine(problem);
  const known = /^(.*) (DH-\d{3})$/s.exec(text);
  const named = known?.[2];
  return known?.[1] !== undefined && isCode(named) ? [...marked(known[1]), plain(' '), errorCodeSpan(named, docs)] : marked(text);
}

function isCode(text: string | undefined): text is ErrorCode {
  return text !== undefined && text in errorCatalogue;
}

function isWebAddress(url: string | undefined): url is string {
  return url !== undefined && /^https?:\/\//.test(url) && URL.canParse(url);
}
