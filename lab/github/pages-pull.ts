import { log, mergeBase } from './commits.ts';
import { changesBetween, type FileChange } from './diffs.ts';
import { computeMergeability, latestReviews } from './mergeability.ts';
import type { Issue, Pull, ReviewComment } from './model.ts';
import { checkMark, checkSummary, checksOf, checksSection, ciBox } from './pages-checks.ts';
import { type Between, diffView, type Side, totals } from './pages-diff.ts';
import { type Html, html, icon, type Part, plural } from './pages-html.ts';
import { commentForm, stateBadge, stateOf } from './pages-issues.ts';
import { avatar, form, notFound, type Page, type RepositoryVisit, who } from './pages-layout.ts';
import { titleText } from './pages-markdown.ts';
import { mergeBox } from './pages-merge.ts';
import { commitList } from './pages-repository.ts';
import { discussion, timeline } from './pages-timeline.ts';

/** The four pages of a pull request: its conversation, commits, checks and files. */

interface Shown {
  issue: Issue;
  pull: Pull;
  changes: FileChange[];
  commits: Awaited<ReturnType<typeof log>>;
}

/** `/pull/<n>`, `/pull/<n>/commits`, `/pull/<n>/checks`, `/pull/<n>/files`. */
export async function pullPage(visit: RepositoryVisit, issue: Issue, part: string): Promise<Page> {
  const { pull } = issue;
  if (!pull) return notFound();
  const { core, repository } = visit;
  await computeMergeability(core, repository, issue);
  const from = (await mergeBase(repository, pull.baseSha, pull.headSha)) ?? pull.baseSha;
  const [changes, commits] = await Promise.all([
    changesBetween(repository, from, pull.headSha),
    log(repository, '--max-count=250', pull.headSha, `^${from}`),
  ]);
  const shown: Shown = { issue, pull, changes, commits: commits.reverse() };
  const body = await partOf(visit, shown, part);
  if (body === undefined) return notFound();
  return {
    tab: 'pulls',
    title: `${issue.title} · Pull request #${issue.number}`,
    body: html`${head(visit, shown, part)}${body}`,
  };
}

async function partOf(visit: RepositoryVisit, shown: Shown, part: string): Promise<Part> {
  const { issue, pull, commits } = shown;
  const ci = stateOf(issue) === 'open' || stateOf(issue) === 'draft' ? ciBox(visit, issue.number, pull.headSha) : undefined;
  if (part === '')
    return html`<div class="columns"><div class="timeline">${timeline(visit, issue, pull, commits)}
${await mergeBox(visit, issue, pull)}${commentForm(visit, issue, `${visit.base}/pull/${issue.number}`)}</div>
<aside>${ci}${reviewers(visit, shown)}</aside></div>`;
  if (part === 'commits') return commitList(visit, commits.toReversed());
  if (part === 'checks')
    return html`<div class="columns"><div>${checksSection(visit, pull.headSha)}</div><aside>${ci}</aside></div>`;
  if (part === 'files') return filesPart(visit, shown);
  return undefined;
}

function head(visit: RepositoryVisit, { issue, pull, changes, commits }: Shown, part: string): Html {
  const { base, repository } = visit;
  const at = `${base}/pull/${issue.number}`;
  const checks = checksOf(repository, pull.headSha);
  const tab = (key: string, shape: Parameters<typeof icon>[0], name: string, more: Part) =>
    html`<a href="${at}${key === '' ? '' : `/${key}`}" class="${key === part ? 'here' : ''}">${icon(shape)}${name} ${more}</a>`;
  const count = (of: number) => html`<span class="count">${of}</span>`;
  const told =
    pull.mergedBy === null
      ? html`${who(issue.author)} wants to merge ${plural(commits.length, 'commit')}`
      : html`${who(pull.mergedBy)} merged ${plural(commits.length, 'commit')}`;
  return html`<h1>${titleText(issue.title)} <span class="number">#${issue.number}</span></h1>
<p class="under">${stateBadge(issue)} <span class="soft">${told} into <code class="ref">${pull.baseRef}</code> from <code class="ref">${pull.headRef}</code></span></p>
<nav class="subtabs">${tab('', 'comment', 'Conversation', '')}${tab('commits', 'commit', 'Commits', count(commits.length))}${tab(
    'checks',
    'done',
    'Checks',
    checks.length > 0 && [count(checks.length), checkMark(checkSummary(checks).state)],
  )}${tab('files', 'file', 'Files changed', count(changes.length))}<span class="end">${totals(changes)}</span></nav>`;
}

function reviewers({ repository, base }: RepositoryVisit, { issue, pull }: Shown): Html {
  const latest = latestReviews(repository, issue);
  const rows = [
    ...latest.map(({ author, state }) => {
      const good = state === 'APPROVED';
      return html`<p class="short">${avatar(author, 'small')} ${author} ${icon(good ? 'check' : state === 'DISMISSED' ? 'skip' : 'cross', good ? 'passed end' : 'failed end')}</p>`;
    }),
    ...pull.reviewers.map((login) => html`<p class="short">${avatar(login, 'small')} ${login} ${icon('dot', 'waiting end')}</p>`),
  ];
  return html`<h3>Reviewers</h3>${rows.length === 0 ? html`<p class="soft">No reviews yet.</p>` : rows}
${issue.state === 'open' && html`<p><a class="button" href="${base}/pull/${issue.number}/files">Review the changes</a></p>`}`;
}

/** Which line is being commented on: `on=RIGHT:12:src/a.ts`. */
function lineAsked(url: URL): { side: Side; line: number; path: string } | undefined {
  const [, side, line, path] = /^(LEFT|RIGHT):(\d{1,7}):([\s\S]+)$/.exec(url.searchParams.get('on') ?? '') ?? [];
  if (line === undefined || path === undefined) return undefined;
  return { side: side === 'LEFT' ? 'LEFT' : 'RIGHT', line: Number(line), path };
}

function filesPart(visit: RepositoryVisit, { issue, pull, changes }: Shown): Html {
  const { repository, url, base, person, said } = visit;
  const at = `${base}/pull/${issue.number}`;
  const asked = lineAsked(url);
  const isOpen = issue.state === 'open';
  const comments = [...repository.reviewComments.values()].filter(
    ({ number, inReplyTo, commit }) => number === issue.number && inReplyTo === null && commit === pull.headSha,
  );
  const isHere = (one: Pick<ReviewComment, 'path' | 'side' | 'line'>, path: string, side: Side, line: number) =>
    one.path === path && one.side === side && one.line === line;
  const between: Between = {
    below(path, side, line) {
      const here = comments.filter((comment) => isHere(comment, path, side, line));
      const isAsked = asked !== undefined && isOpen && isHere(asked, path, side, line);
      if (here.length === 0 && !isAsked) return false;
      return html`<tr class="between"${isAsked && html` id="here"`}><td colspan="3">${here.map((comment) =>
        discussion(visit, issue, comment, `line-${comment.id}`),
      )}${isAsked && lineForm({ at, asked, typed: said?.typed ?? '', mayJudge: issue.author !== person.login })}</td></tr>`;
    },
    ...(isOpen && {
      link: (path: string, side: Side, line: number) =>
        `${at}/files?${new URLSearchParams({ on: `${side}:${line}:${path}` }).toString()}#here`,
    }),
  };
  return html`<div class="bar"><span class="soft">${isOpen && 'Click the number of a line to comment on it.'}</span>${
    isOpen && html`<div class="end">${reviewMenu(visit, issue, at, asked === undefined ? (said?.typed ?? '') : '')}</div>`
  }</div>${diffView(changes, between)}`;
}

function lineForm(given: {
  at: string;
  asked: { side: Side; line: number; path: string };
  typed: string;
  mayJudge: boolean;
}): Html {
  const { at, asked } = given;
  return form(
    `${at}/line`,
    html`<input type="hidden" name="path" value="${asked.path}"><input type="hidden" name="side" value="${asked.side}"><input type="hidden" name="line" value="${asked.line}">
<textarea name="body" rows="3" placeholder="Leave a comment" aria-label="Comment on line ${asked.line}" autofocus>
${given.typed}</textarea><p class="buttons"><a class="button" href="${at}/files">Cancel</a> ${
      given.mayJudge && html`<button name="verdict" value="REQUEST_CHANGES" class="bad">Request changes</button>`
    } <button name="verdict" value="COMMENT" class="good">Add comment</button></p>`,
    'line-form',
  );
}

function reviewMenu({ person }: RepositoryVisit, issue: Issue, at: string, typed: string): Html {
  const isOwn = issue.author === person.login;
  const choice = (value: string, name: string, text: string) =>
    html`<label${isOwn && value !== 'COMMENT' && html` class="off"`}><input type="radio" name="verdict" value="${value}"${
      value === 'COMMENT' && html` checked`
    }${isOwn && value !== 'COMMENT' && html` disabled`}> <b>${name}</b><br><span class="soft">${text}</span></label>`;
  return html`<details class="menu review"${typed !== '' && html` open`}><summary class="button good">Review changes</summary><div class="menu-list">${form(
    `${at}/review`,
    html`<textarea name="body" rows="4" placeholder="Leave a comment" aria-label="Review">
${typed}</textarea>${choice('COMMENT', 'Comment', 'Say something without a verdict.')}${choice(
      'APPROVE',
      'Approve',
      isOwn ? 'Nobody approves an own pull request.' : 'It is good as it is.',
    )}${choice('REQUEST_CHANGES', 'Request changes', 'Something must change first.')}
<p class="buttons"><button class="good">Submit review</button></p>`,
  )}</div></details>`;
}
