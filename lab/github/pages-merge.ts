import { latestReviews, type MergeState, mergeStateOf, ruleAgainst } from './mergeability.ts';
import type { Issue, MergeMethod, Pull } from './model.ts';
import { checkMark, checkRows, checkSummary, checksOf } from './pages-checks.ts';
import { type Html, html, type Icon, icon, plural } from './pages-html.ts';
import { stateOf } from './pages-issues.ts';
import { avatar, form, is, type RepositoryVisit } from './pages-layout.ts';

/** The end of a pull request's page: reviews, checks, whether it can be merged, and the button that does it. */
export async function mergeBox(visit: RepositoryVisit, issue: Issue, pull: Pull): Promise<Html> {
  const { repository, base } = visit;
  const at = `${base}/pull/${issue.number}`;
  const state = stateOf(issue);
  if (state === 'merged')
    return box('merged', 'merged', [
      section(
        icon('merged', 'merged'),
        'Pull request successfully merged and closed',
        html`The branch <code class="ref">${pull.headRef}</code> can be deleted.`,
      ),
    ]);
  if (state === 'closed')
    return box('closed', 'closed', [
      section(icon('closed', 'closed'), 'Closed with unmerged commits', 'This pull request is closed.'),
    ]);
  const merge = await mergeStateOf(repository, issue);
  const rule = await ruleAgainst(repository, issue, pull);
  return box(merge === 'clean' ? 'clean' : merge === 'dirty' || merge === 'blocked' ? 'blocked' : 'unsettled', 'merged', [
    reviewSection(visit, issue),
    checkSection(visit, pull.headSha),
    mergeSection(merge, rule, pull),
    html`<div class="section buttons-left">${buttons(visit, { at, merge, draft: pull.draft })}</div>`,
  ]);
}

function box(tone: string, shape: Icon, sections: readonly (Html | false)[]): Html {
  return html`<div class="said merge ${tone}"><span class="avatar mark">${icon(shape)}</span><div class="box">${sections}</div></div>`;
}

function section(mark: Html, title: string, text: Html | string, more: Html | false = false): Html {
  return html`<div class="section">${mark}<div><b>${title}</b><p class="soft">${text}</p>${more}</div></div>`;
}

function reviewSection({ repository }: RepositoryVisit, issue: Issue): Html | false {
  const reviews = latestReviews(repository, issue).filter(({ state }) => state !== 'DISMISSED');
  if (reviews.length === 0) return false;
  const against = reviews.filter(({ state }) => state === 'CHANGES_REQUESTED').length;
  const names = html`<p class="reviewers">${reviews.map(
    ({ author, state }) =>
      html`<span>${icon(state === 'APPROVED' ? 'check' : 'cross', state === 'APPROVED' ? 'passed' : 'failed')} ${avatar(author, 'small')} ${author}</span>`,
  )}</p>`;
  return against > 0
    ? section(icon('cross', 'round failed'), 'Changes requested', `${plural(against, 'review')} requesting changes`, names)
    : section(icon('check', 'round passed'), 'Changes approved', plural(reviews.length, 'approving review'), names);
}

function checkSection(visit: RepositoryVisit, sha: string): Html | false {
  const checks = checksOf(visit.repository, sha);
  if (checks.length === 0) return false;
  const { state, text } = checkSummary(checks);
  const count = (name: string) => checks.filter((check) => check.state === name).length;
  const parts = (['failed', 'running', 'waiting', 'passed', 'skipped'] as const).flatMap((name) =>
    count(name) === 0 ? [] : [`${count(name)} ${WORDS[name]}`],
  );
  const mark = html`<span class="round ${state}">${checkMark(state)}</span>`;
  return section(
    mark,
    text,
    plural(checks.length, 'check').concat(': ', parts.join(', ')),
    html`<div class="rows">${checkRows(visit, checks)}</div>`,
  );
}

const WORDS = { failed: 'failing', running: 'in progress', waiting: 'queued', passed: 'successful', skipped: 'skipped' } as const;

function mergeSection(state: MergeState, rule: string | undefined, pull: Pull): Html {
  switch (state) {
    case 'dirty':
      return section(
        icon('cross', 'round failed'),
        'This branch has conflicts that must be resolved',
        `It conflicts with ${pull.baseRef}.`,
      );
    case 'draft':
      return section(
        icon('pull', 'round'),
        'This pull request is still a work in progress',
        'Draft pull requests cannot be merged.',
      );
    case 'blocked':
      return section(icon('cross', 'round failed'), 'Merging is blocked', rule ?? 'The rules of the branch are not met.');
    case 'behind':
      return section(icon('dot', 'round running'), 'This branch is out-of-date with the base branch', rule ?? '');
    case 'unknown':
      return section(
        icon('dot', 'round running'),
        'Checking for the ability to merge automatically…',
        'Hang in there while we check the status.',
      );
    default:
      return section(
        icon('check', 'round passed'),
        'This branch has no conflicts with the base branch',
        state === 'unstable'
          ? 'Merging can be performed, although not all checks have passed.'
          : 'Merging can be performed automatically.',
      );
  }
}

const METHODS: Readonly<Record<MergeMethod, [button: string, text: string]>> = {
  merge: ['Merge pull request', 'Create a merge commit'],
  squash: ['Squash and merge', 'Squash into one commit'],
  rebase: ['Rebase and merge', 'Rebase the commits'],
};
const isMethod = (name: string): name is MergeMethod => name in METHODS;

function buttons(visit: RepositoryVisit, given: { at: string; merge: MergeState; draft: boolean }): Html {
  const { at, merge, draft } = given;
  if (!is(visit, 'write'))
    return html`<span class="soft">Only those with write access to this repository can merge pull requests.</span>`;
  if (draft) return form(`${at}/ready`, html`<button>Ready for review</button>`);
  const { methods } = visit.repository;
  const allowed = Object.keys(METHODS)
    .filter(isMethod)
    .filter((name) => methods[name]);
  const isOff = merge === 'dirty' || merge === 'blocked' || merge === 'behind';
  const [first = 'merge'] = allowed;
  const others = html`<select name="method" aria-label="How it is merged">${allowed.map(
    (name) => html`<option value="${name}">${METHODS[name][1]}</option>`,
  )}</select>`;
  return html`${form(
    `${at}/merge`,
    html`<button class="good"${isOff && html` disabled`}>${allowed.length > 1 ? 'Merge pull request' : METHODS[first][0]}</button> ${others}`,
  )}${merge === 'behind' && form(`${at}/update`, html`<button>Update branch</button>`)}`;
}
