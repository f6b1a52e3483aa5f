import { hasRole, roleOf } from './access.ts';
import { type Core, fullName } from './core.ts';
import type { Account, Repository, Role } from './model.ts';
import { type Html, html, type Icon, icon, type Part } from './pages-html.ts';
import { markdown } from './pages-markdown.ts';
import { PEOPLE } from './seed.ts';

/** Somebody who looks at a page. */
export interface Visit {
  core: Core;
  person: Account;
  url: URL;
  /** What came of the form that was sent last, when it was refused. */
  said: Said | undefined;
}

/** Why a form was not accepted, and what was written in it. */
export interface Said {
  error: string;
  typed: string;
}

/** A visit of a repository that the person may see. */
export interface RepositoryVisit extends Visit {
  repository: Repository;
  /** `/acme/demo` */
  base: string;
  /** How often the repository has changed before this look: the page loads itself anew when it has changed since. */
  version: number;
}

/** A page that is shown. */
export interface Page {
  status?: number;
  title: string;
  body: Part;
  /** Tab of the repository. */
  tab?: 'code' | 'issues' | 'pulls';
}

export const isOpenPull = (repository: Repository) =>
  [...repository.issues.values()].filter((issue) => issue.pull !== undefined && issue.state === 'open');
export const isOpenIssue = (repository: Repository) =>
  [...repository.issues.values()].filter((issue) => issue.pull === undefined && issue.state === 'open');

export const is = ({ repository, person }: RepositoryVisit, least: Role) => hasRole(roleOf(repository, person.login), least);

/** A whole page: who looks, where, and what the last form came to. */
export function layout(visit: Visit | RepositoryVisit, page: Page): Html {
  const at = 'repository' in visit ? visit : undefined;
  const name = at && fullName(at.repository);
  const live = at && html` data-changes="${`${at.base}/changes?after=${at.version}`}"`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${page.title}${name !== undefined && ` · ${name}`}</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='7' fill='%231f2328'/%3E%3Cpath d='M10 9v14M10 16c0-5 12 0 12-7' stroke='%23fff' stroke-width='3' fill='none'/%3E%3C/svg%3E">
<link rel="stylesheet" href="/-/pages.css">
<script type="module" src="/-/pages.js"></script>
</head>
<body${live}>
${top(visit, at)}
${at && tabs(at, page.tab)}
<p class="news" hidden>This page has changed. <a href="${visit.url.pathname}">Load it again</a></p>
<main>
${visit.said && html`<p class="flash" role="alert">${visit.said.error}</p>`}
${page.body}
</main>
</body>
</html>
`;
}

function top({ person, url }: Visit, at: RepositoryVisit | undefined): Html {
  const people = PEOPLE.map(({ login, name }) => {
    const isHere = login === person.login;
    const query = new URLSearchParams({ as: login });
    return html`<a href="${url.pathname}?${query.toString()}" class="${isHere ? 'here' : ''}"${
      isHere && html` aria-current="true"`
    }>${avatar(login)}<span>${name}${at && html`<small>${roleName(at.repository, login)}</small>`}</span></a>`;
  });
  const { owner, name } = at?.repository ?? {};
  return html`<header class="top"><div class="wide">
<a class="home" href="/">GitHub <small title="A GitHub that runs on this machine. Nothing here leaves it.">lab</small></a>
${at && html`<span class="where">${owner} <i>/</i> <a href="${at.base}"><b>${name}</b></a></span>`}
<nav class="people" aria-label="Who you act as"><span>Act as</span>${people}</nav>
</div></header>`;
}

function roleName(repository: Repository, login: string): string {
  return roleOf(repository, login) ?? 'no access';
}

function tabs({ base, repository }: RepositoryVisit, here: Page['tab']): Html {
  const tab = (key: Page['tab'], href: string, shape: Icon, name: string, count?: number) =>
    html`<a href="${href}" class="${key === here ? 'here' : ''}">${icon(shape)}${name}${
      count !== undefined && count > 0 && html` <span class="count">${count}</span>`
    }</a>`;
  return html`<nav class="tabs"><div class="wide">
${tab('code', base, 'code', 'Code')}
${tab('issues', `${base}/issues`, 'issue', 'Issues', isOpenIssue(repository).length)}
${tab('pulls', `${base}/pulls`, 'pull', 'Pull requests', isOpenPull(repository).length)}
</div></nav>`;
}

/** Colours of the lab's people, as on its other pages. */
const TONES: Readonly<Record<string, number>> = { ada: 1, ben: 5, gus: 3 };

/** The first letter of a name on a colour of its own. */
export function avatar(login: string, more = ''): Html {
  let sum = 0;
  for (const letter of login) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 8;
  return html`<span class="avatar tone-${TONES[login.toLowerCase()] ?? sum} ${more}" aria-hidden="true">${login.slice(0, 1).toUpperCase()}</span>`;
}

/** A login as those who did something are named. */
export const who = (login: string) => html`<b class="who">${login}</b>`;

/** What somebody wrote, as Markdown. */
export function written({ core, repository }: RepositoryVisit, text: string): Html {
  return markdown(text, {
    repository: fullName(repository),
    has: (number) => repository.issues.has(number),
    knows: (login) => core.accounts.has(login.toLowerCase()),
  });
}

/** A form that is sent to the address; its answer leads back to the page. */
export function form(action: string, inside: Part, more = ''): Html {
  return html`<form method="post" action="${action}" class="${more}">${inside}</form>`;
}

export function notFound(): Page {
  return {
    status: 404,
    title: 'Page not found',
    body: html`<div class="blank"><h1>404</h1><p>There is nothing here, or nothing that you may see.</p><p><a href="/">All repositories</a></p></div>`,
  };
}
