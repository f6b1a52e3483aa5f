import { canRead } from './access.ts';
import { log, resolveCommit } from './commits.ts';
import { fullName } from './core.ts';
import { GitFailed, git } from './git.ts';
import type { Repository } from './model.ts';
import { address, ago, type Html, html, icon, plural } from './pages-html.ts';
import { avatar, isOpenPull, notFound, type Page, type RepositoryVisit, type Visit, written } from './pages-layout.ts';
import { titleText } from './pages-markdown.ts';

/** Files, branches and commits of a repository. */

interface Entry {
  kind: 'tree' | 'blob' | 'commit';
  path: string;
}

/** What a look at a file shows at most, bytes. */
const MAX_FILE = 256 * 1024;

export const branchesOf = (repository: Repository) =>
  [...repository.refs.keys()].flatMap((ref) => (ref.startsWith('refs/heads/') ? [ref.slice('refs/heads/'.length)] : []));

/** All repositories that the person may see. */
export function homePage({ core, person }: Visit): Page {
  const seen = [...core.repositories.values()].filter((repository) => canRead(repository, person.login));
  return {
    title: 'Repositories',
    body: html`<div class="box list"><h2 class="head">Repositories</h2>${seen.map(
      (repository) => html`<a class="row" href="${address(fullName(repository))}">${icon('code')} <b>${fullName(repository)}</b>
<span class="pill">${repository.private ? 'Private' : 'Public'}</span><span class="soft">${repository.description}</span></a>`,
    )}${seen.length === 0 && html`<p class="row soft">There is no repository yet.</p>`}</div>`,
  };
}

/** The branch (or commit) that the path begins with, and the rest of it. */
function splitRef(repository: Repository, path: string): { ref: string; rest: string } {
  const branch = branchesOf(repository)
    .filter((name) => path === name || path.startsWith(`${name}/`))
    .toSorted((one, other) => other.length - one.length)[0];
  const ref = branch ?? path.split('/')[0] ?? '';
  return { ref, rest: path.slice(ref.length + 1).replace(/\/+$/, '') };
}

/** `/acme/demo`, and below `/tree/`: a branch and a directory in it. */
export async function treePage(visit: RepositoryVisit, path: string): Promise<Page> {
  const { repository, base } = visit;
  const isRoot = path === '';
  const { ref, rest } = isRoot ? { ref: repository.defaultBranch, rest: '' } : splitRef(repository, path);
  const commit = await resolveCommit(repository, ref);
  if (commit === undefined) return isRoot ? emptyPage(visit) : notFound();
  const entries = await list(repository, commit, rest);
  if (entries === undefined) return notFound();
  const readme = entries.find((entry) => entry.kind === 'blob' && /^readme(\.md)?$/i.test(nameOf(entry.path)));
  const [head] = await log(repository, '--max-count=1', commit);
  const rows = entries.map(
    ({ kind, path: at }) =>
      html`<a class="row file" href="${base}${address(kind === 'tree' ? 'tree' : 'blob', ref, at)}">${icon(
        kind === 'tree' ? 'folder' : 'file',
        kind,
      )} ${nameOf(at)}</a>`,
  );
  const main = html`<div class="bar">${branchMenu(visit, ref)}<span class="crumbs">${crumbs(visit, ref, rest)}</span></div>
<div class="box">
<div class="head commit">${
    head &&
    html`${avatar(head.author.name)} <b>${head.author.name}</b>
<a class="subject" href="${base}/commit/${head.sha}">${titleText(head.message.split('\n')[0] ?? '')}</a>
<span class="soft">${head.sha.slice(0, 7)} · ${ago(head.author.at, visit.core.now())} · <a href="${base}${address('commits', ref)}">Commits</a></span>`
  }</div>
${rest !== '' && html`<a class="row file" href="${base}${address('tree', ref, ...upOf(rest))}">${icon('folder', 'tree')} ..</a>`}
${rows}
</div>
${readme && html`<div class="box readme"><div class="head">${icon('file')} ${nameOf(readme.path)}</div><div class="inside">${written(visit, await show(repository, commit, readme.path))}</div></div>`}`;
  return {
    tab: 'code',
    title: rest === '' ? fullName(repository) : nameOf(rest),
    body: html`<div class="columns"><div>${main}</div>${aside(visit)}</div>`,
  };
}

const upOf = (path: string) => (path.includes('/') ? [path.slice(0, path.lastIndexOf('/'))] : []);
const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);

function emptyPage({ core, repository }: RepositoryVisit): Page {
  const clone = `${core.baseUrl}/${fullName(repository)}.git`;
  return {
    tab: 'code',
    title: fullName(repository),
    body: html`<div class="blank"><h1>This repository is empty</h1><p><code>git clone ${clone}</code></p></div>`,
  };
}

function branchMenu({ repository, base }: RepositoryVisit, here: string): Html {
  return html`<details class="menu"><summary class="button">${icon('branch')} ${here}</summary><div class="menu-list">${branchesOf(
    repository,
  ).map(
    (name) => html`<a href="${base}${address('tree', name)}">${name === here ? icon('check') : html`<i></i>`} ${name}</a>`,
  )}</div></details>
<span class="soft">${icon('branch')} ${plural(branchesOf(repository).length, 'branch').replace('branchs', 'branches')}</span>`;
}

function crumbs({ repository, base }: RepositoryVisit, ref: string, path: string): Html[] {
  if (path === '') return [];
  const parts = path.split('/');
  return [
    html`<a href="${base}${address('tree', ref)}">${repository.name}</a>`,
    ...parts.map((part, index) =>
      index === parts.length - 1
        ? html` / <b>${part}</b>`
        : html` / <a href="${base}${address('tree', ref, parts.slice(0, index + 1).join('/'))}">${part}</a>`,
    ),
  ];
}

function aside({ core, repository, base }: RepositoryVisit): Html {
  const pulls = isOpenPull(repository).toReversed();
  return html`<aside>
<h3>About</h3><p class="soft">${repository.description ?? 'No description.'}</p>
<h3>Open pull requests</h3>
${pulls.map(({ number, title, pull }) => html`<p class="short">${icon('pull', pull?.draft ? 'draft' : 'open')} <a href="${base}/pull/${number}">${titleText(title)}</a> <span class="soft">#${number}</span></p>`)}
${pulls.length === 0 && html`<p class="soft">None.</p>`}
<h3>Clone</h3><p><code>${core.baseUrl}/${fullName(repository)}.git</code></p>
</aside>`;
}

/** `/blob/<branch>/<path>` */
export async function filePage(visit: RepositoryVisit, path: string): Promise<Page> {
  const { repository } = visit;
  const { ref, rest } = splitRef(repository, path);
  const commit = await resolveCommit(repository, ref);
  const text = commit === undefined || rest === '' ? undefined : await show(repository, commit, rest).catch(noFile);
  if (text === undefined) return notFound();
  const lines = text.replace(/\n$/, '').split('\n');
  const isBinary = text.includes('\0');
  const content = isBinary
    ? html`<p class="inside soft">Binary file.</p>`
    : html`<table class="code">${lines.map(
        (line, index) => html`<tr id="L${index + 1}"><td class="number">${index + 1}</td><td class="line">${line}</td></tr>`,
      )}</table>`;
  return {
    tab: 'code',
    title: nameOf(rest),
    body: html`<div class="bar">${branchMenu(visit, ref)}<span class="crumbs">${crumbs(visit, ref, rest)}</span></div>
<div class="box"><div class="head soft">${plural(lines.length, 'line')}</div>${content}</div>`,
  };
}

/** `/commits/<branch>` */
export async function commitsPage(visit: RepositoryVisit, path: string): Promise<Page> {
  const { repository } = visit;
  const { ref } = splitRef(repository, path === '' ? repository.defaultBranch : path);
  const commit = await resolveCommit(repository, ref);
  if (commit === undefined) return notFound();
  const commits = await log(repository, '--max-count=100', commit);
  return {
    tab: 'code',
    title: 'Commits',
    body: html`<div class="bar">${branchMenu(visit, ref)}</div>${commitList(visit, commits)}`,
  };
}

export function commitList({ core, base }: RepositoryVisit, commits: Awaited<ReturnType<typeof log>>): Html {
  return html`<div class="box list">${commits.map(
    ({ sha, message, author }) => html`<div class="row"><div><a class="subject" href="${base}/commit/${sha}"><b>${titleText(
      message.split('\n')[0] ?? '',
    )}</b></a><br><span class="soft">${avatar(author.name, 'small')} ${author.name} committed ${ago(author.at, core.now())}</span></div>
<a class="sha" href="${base}/commit/${sha}"><code>${sha.slice(0, 7)}</code></a></div>`,
  )}</div>`;
}

async function list(repository: Repository, commit: string, path: string): Promise<Entry[] | undefined> {
  const args = ['--literal-pathspecs', 'ls-tree', '-z', commit, ...(path === '' ? [] : ['--', `${path}/`])];
  const out = await git(repository.directory, args);
  const entries = out.split('\0').flatMap((line): Entry[] => {
    const [, kind, at] = /^\d+ (tree|blob|commit) [0-9a-f]+\t([\s\S]+)$/.exec(line) ?? [];
    return kind === undefined || at === undefined ? [] : [{ kind: kind as Entry['kind'], path: at }];
  });
  if (entries.length === 0 && path !== '') return undefined;
  return entries.toSorted((one, other) => Number(other.kind === 'tree') - Number(one.kind === 'tree'));
}

async function show(repository: Repository, commit: string, path: string): Promise<string> {
  const text = await git(repository.directory, ['cat-file', 'blob', `${commit}:${path}`]);
  return text.length > MAX_FILE ? `${text.slice(0, MAX_FILE)}\n… (the rest is left out)` : text;
}

function noFile(error: unknown): undefined {
  if (error instanceof GitFailed) return undefined;
  throw error;
}
