import { isAncestor, log } from './commits.ts';
import { type Core, fullName } from './core.ts';
import { createdEvent, deletedEvent, pushEvent } from './events-git.ts';
import { refsOf } from './git.ts';
import type { Account, Repository } from './model.ts';
import { followBase, followHead } from './pulls.ts';

/** What follows when refs of a repository have changed, by a push, a merge or the API: pull requests move, webhooks go out. */

export interface RefChange {
  /** `refs/heads/main` */
  ref: string;
  before: string | undefined;
  after: string | undefined;
}

/** Compares the refs on disk with those the emulator knows and tells everybody about the differences. Returns them. */
export async function takeOverRefs(core: Core, repository: Repository, actor: Account): Promise<RefChange[]> {
  const next = await refsOf(repository.directory);
  const changes: RefChange[] = [];
  for (const ref of new Set([...repository.refs.keys(), ...next.keys()])) {
    const [before, after] = [repository.refs.get(ref), next.get(ref)];
    if (before !== after && /^refs\/(heads|tags)\//.test(ref)) changes.push({ ref, before, after });
  }
  repository.refs = next;
  if (changes.length === 0) return changes;
  repository.pushedAt = core.now();
  repository.updatedAt = core.now();
  for (const change of core.isHeard(repository) ? changes : []) {
    if (change.before === undefined) createdEvent(core, repository, change, actor);
    if (change.after === undefined) deletedEvent(core, repository, change, actor);
    await tellOfPush(core, repository, change, actor);
  }
  for (const { ref, before, after } of changes) {
    if (!ref.startsWith('refs/heads/')) continue;
    const branch = ref.slice('refs/heads/'.length);
    await followHead(core, repository, { branch, before, after }, actor);
    await followBase(core, repository, { branch, after }, actor);
  }
  core.changed({ repository: fullName(repository), what: 'refs' });
  return changes;
}

async function tellOfPush(core: Core, repository: Repository, change: RefChange, actor: Account): Promise<void> {
  const { before, after } = change;
  const isForced =
    before !== undefined &&
    after !== undefined &&
    change.ref.startsWith('refs/heads/') &&
    !(await isAncestor(repository, before, after));
  const others = [...repository.refs]
    .filter(([ref]) => ref !== change.ref && ref.startsWith('refs/heads/'))
    .map(([, sha]) => sha);
  const known = before === undefined ? others : [before];
  const commits = after === undefined ? [] : await log(repository, '--max-count=20', after, ...known.map((sha) => `^${sha}`));
  const head = after === undefined ? undefined : (await log(repository, '--max-count=1', after))[0];
  await pushEvent(core, repository, { ...change, isForced, commits: commits.reverse(), head }, actor);
}
