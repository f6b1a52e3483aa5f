import type { Comment, Issue } from './model.ts';
import { checkMark, checkSummary, checksOf } from './pages-checks.ts';
import { ago, type Html, html, icon, plural } from './pages-html.ts';
import { avatar, form, is, type Page, type RepositoryVisit, who, written } from './pages-layout.ts';
import { titleText } from './pages-markdown.ts';
import { changed, changeForms, reactionsTo, type Written } from './pages-said.ts';
import { commentsOf } from './wire-issues.ts';

/** Lists of issues and pull requests, and an issue with what was said about it. */

export type IssueState = 'open' | 'draft' | 'merged' | 'closed';

export function stateOf({ state, pull, stateReason }: Issue): IssueState {
  if (pull) return pull.mergedAt !== null ? 'merged' : state === 'closed' ? 'closed' : pull.draft ? 'draft' : 'open';
  return state === 'open' ? 'open' : stateReason === 'not_planned' ? 'closed' : 'merged';
}

const NAMES = { open: 'Open', draft: 'Draft', merged: 'Merged', closed: 'Closed' } as const;

function stateIcon(issue: Issue): Html {
  const state = stateOf(issue);
  if (!issue.pull) return icon(state === 'open' ? 'issue' : 'done', state);
  return icon(state === 'merged' ? 'merged' : state === 'closed' ? 'closed' : 'pull', state);
}

export function stateBadge(issue: Issue): Html {
  const state = stateOf(issue);
  const name = !issue.pull && state === 'merged' ? 'Closed' : NAMES[state];
  return html`<span class="state ${state}">${stateIcon(issue)} ${name}</span>`;
}

/** `/pulls` and `/issues`, the newest first; `?state=closed`. */
export function listPage(visit: RepositoryVisit, kind: 'pulls' | 'issues'): Page {
  const { repository, base, url } = visit;
  const all = [...repository.issues.values()].filter(({ pull }) => (pull !== undefined) === (kind === 'pulls')).toReversed();
  const shown = url.searchParams.get('state') === 'closed' ? 'closed' : 'open';
  const count = (state: 'open' | 'closed') => all.filter((issue) => issue.state === state).length;
  const tab = (state: 'open' | 'closed', name: string) =>
    html`<a class="${state === shown ? 'here' : ''}" href="${base}/${kind}?state=${state}">${count(state)} ${name}</a>`;
  const rows = all.filter(({ state }) => state === shown).map((issue) => row(visit, issue));
  const noun = kind === 'pulls' ? 'pull requests' : 'issues';
  return {
    tab: kind,
    title: kind === 'pulls' ? 'Pull requests' : 'Issues',
    body: html`${kind === 'issues' && html`<div class="bar"><a class="button good end" href="${base}/issues/new">New issue</a></div>`}
<div class="box list"><div class="head states">${tab('open', 'Open')} ${tab('closed', 'Closed')}</div>${rows}
${rows.length === 0 && html`<p class="blank soft">There are no ${shown} ${noun}.</p>`}</div>`,
  };
}

function row({ repository, base, core }: RepositoryVisit, issue: Issue): Html {
  const { number, title, author, createdAt, pull } = issue;
  const comments = commentsOf(repository, number).length;
  const checks = pull ? checksOf(repository, pull.headSha) : [];
  return html`<div class="row"><div>${stateIcon(issue)} <a class="subject" href="${base}/${pull ? 'pull' : 'issues'}/${number}"><b>${titleText(
    title,
  )}</b></a> ${checks.length > 0 && checkMark(checkSummary(checks).state)}<br><span class="soft indent">#${number} opened ${ago(
    createdAt,
    core.now(),
  )} by ${author}${stateOf(issue) === 'draft' && ' · Draft'}</span></div>${
    comments > 0 && html`<span class="soft end">${icon('comment')} ${comments}</span>`
  }</div>`;
}

/** `/issues/<n>` */
export function issuePage(visit: RepositoryVisit, issue: Issue): Page {
  const { repository, base, core } = visit;
  const comments = commentsOf(repository, issue.number);
  return {
    tab: 'issues',
    title: issue.title,
    body: html`<h1>${titleText(issue.title)} <span class="number">#${issue.number}</span></h1>
<p class="under">${stateBadge(issue)} <span class="soft">${who(issue.author)} opened this issue ${ago(issue.createdAt, core.now())} · ${plural(
      comments.length,
      'comment',
    )}</span></p>
<div class="timeline">${firstComment(visit, issue)}${comments.map((comment) => commentBox(visit, comment))}
${commentForm(visit, issue, `${base}/issues/${issue.number}`)}</div>`,
  };
}

/** `/issues/new` */
export function newIssuePage({ base, said }: RepositoryVisit): Page {
  return {
    tab: 'issues',
    title: 'New issue',
    body: form(
      `${base}/issues/new`,
      html`<h1 class="small">New issue</h1><p><input name="title" placeholder="Title" aria-label="Title" required autofocus></p>
<p><textarea name="body" rows="8" placeholder="What is it about?" aria-label="Text">
${said?.typed}</textarea></p><p class="buttons"><button class="good">Create</button></p>`,
      'new-issue',
    ),
  };
}

export function firstComment(visit: RepositoryVisit, issue: Issue): Html {
  const { author, createdAt, body, number, edit } = issue;
  const text = body === null || body.trim() === '' ? html`<p class="soft">No description provided.</p>` : written(visit, body);
  const of = { subject: `issue/${number}`, author, body: body ?? '', edit, address: pathOf(visit, issue) };
  return said(visit, { id: `issue-${number}`, author, at: createdAt, did: 'commented', text, of });
}

export function commentBox(visit: RepositoryVisit, comment: Comment): Html {
  const { id, author, createdAt, body, number, edit } = comment;
  const issue = visit.repository.issues.get(number);
  const of = issue && { subject: `comment/${id}`, author, body, edit, address: pathOf(visit, issue) };
  return said(visit, { id: `issuecomment-${id}`, author, at: createdAt, did: 'commented', text: written(visit, body), of });
}

function pathOf({ base }: RepositoryVisit, { pull, number }: Issue): string {
  return `${base}/${pull ? 'pull' : 'issues'}/${number}`;
}

export function said(
  visit: RepositoryVisit,
  given: { id: string; author: string; at: number; did: string; text: Html; of?: Written | undefined },
): Html {
  const { core, person, repository } = visit;
  const { of } = given;
  const role = repository.roles.get(given.author.toLowerCase());
  return html`<div class="said" id="${given.id}">${avatar(given.author)}<div class="box${given.author === person.login && ' mine'}">
<div class="head">${who(given.author)} <a class="soft" href="#${given.id}">${given.did} ${ago(given.at, core.now())}</a>${of && changed(visit, of.edit)}${
    role !== undefined && html`<span class="pill end">${role === 'admin' ? 'Owner' : 'Member'}</span>`
  }</div><div class="inside">${given.text}${of && html`${reactionsTo(visit, of.subject)}${changeForms(visit, of)}`}</div></div></div>`;
}

/** What one says about an issue or pull request; whoever may also closes it or opens it again. */
export function commentForm(visit: RepositoryVisit, issue: Issue, address: string): Html {
  const { person } = visit;
  const isMerged = stateOf(issue) === 'merged' && issue.pull !== undefined;
  const mayClose = !isMerged && (is(visit, 'triage') || issue.author === person.login);
  const noun = issue.pull ? 'pull request' : 'issue';
  const other = issue.state === 'open' ? 'close' : 'reopen';
  return html`<div class="said" id="new-comment">${avatar(person.login)}<div class="box"><div class="head"><b>Add a comment</b></div><div class="inside">${form(
    `${address}/comment`,
    html`<textarea name="body" rows="4" placeholder="Leave a comment" aria-label="Comment">
${visit.said?.typed}</textarea><p class="buttons">${
      mayClose &&
      html`<button name="also" value="${other}">${other === 'close' ? icon(issue.pull ? 'closed' : 'done', issue.pull ? 'closed' : 'merged') : icon('dot', 'open')} ${
        other === 'close' ? 'Close' : 'Reopen'
      } ${noun}</button>`
    } <button class="good" name="also" value="">Comment</button></p>`,
  )}</div></div></div>`;
}

export function issueNamed({ repository }: RepositoryVisit, number: string | undefined): Issue | undefined {
  return number !== undefined && /^\d{1,9}$/.test(number) ? repository.issues.get(Number(number)) : undefined;
}
