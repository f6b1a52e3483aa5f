import type { Json } from '../slack/json.ts';
import { accountByEmail, type Commit, type Signature } from './commits.ts';
import { accountOf, type Core, installationFor } from './core.ts';
import { git } from './git.ts';
import { iso } from './ids.ts';
import type { Account, Repository } from './model.ts';
import type { RefChange } from './refs.ts';
import { pageAddress, wireRepository } from './wire-repository.ts';

/** The webhooks about refs: `push`, `create`, `delete`. */

const NOTHING = '0'.repeat(40);

export interface Push extends RefChange {
  isForced: boolean;
  /** What is new, oldest first, at most twenty. */
  commits: Commit[];
  head: Commit | undefined;
}

export async function pushEvent(core: Core, repository: Repository, push: Push, sender: Account): Promise<void> {
  const page = pageAddress(core, repository);
  const files = await filesOf(repository, push.head ? [...push.commits, push.head] : push.commits);
  const wire = (commit: Commit): Json => ({
    id: commit.sha,
    tree_id: commit.tree,
    distinct: true,
    message: commit.message,
    timestamp: iso(commit.committer.at),
    url: `${page}/commit/${commit.sha}`,
    author: person(core, commit.author),
    committer: person(core, commit.committer),
    ...(files.get(commit.sha) ?? { added: [], removed: [], modified: [] }),
  });
  const before = push.before ?? NOTHING;
  const after = push.after ?? NOTHING;
  core.send({
    event: 'push',
    action: undefined,
    repository,
    installation: installationFor(core, repository),
    sender,
    payload: {
      ref: push.ref,
      before,
      after,
      base_ref: null,
      created: push.before === undefined,
      deleted: push.after === undefined,
      forced: push.isForced,
      compare: `${page}/compare/${before.slice(0, 12)}...${after.slice(0, 12)}`,
      commits: push.commits.map(wire),
      head_commit: push.head ? wire(push.head) : null,
      pusher: { name: sender.login, email: sender.email },
      repository: pushedRepository(core, repository),
    },
  });
}

/** In this one event times are numbers, and the owner has a name and an address. */
function pushedRepository(core: Core, repository: Repository): Json {
  const wired = wireRepository(core, repository);
  const { name, email } = accountOf(core, repository.owner);
  return {
    ...wired,
    owner: { ...(typeof wired.owner === 'object' ? wired.owner : {}), name, email },
    created_at: Math.floor(repository.createdAt / 1000),
    pushed_at: Math.floor(repository.pushedAt / 1000),
    stargazers: 0,
    master_branch: repository.defaultBranch,
  };
}

function person(core: Core, { name, email, at }: Signature): Json {
  const account = accountByEmail(core, email);
  return { name, email, date: iso(at), ...(account ? { username: account.login } : {}) };
}

/** Paths that each commit added, removed and modified, against its first parent. */
async function filesOf(repository: Repository, commits: readonly Commit[]): Promise<Map<string, Json>> {
  const files = new Map<string, Json>();
  if (commits.length === 0) return files;
  const range = ['--no-walk=unsorted', '-m', '--first-parent', '--no-renames', '--name-status', '-z', '--format=%x1e%H'];
  const out = await git(repository.directory, ['log', ...range, ...commits.map(({ sha }) => sha), '--']);
  for (const entry of out.split('\x1e')) {
    const [sha = '', ...parts] = entry.split('\0').map((part) => part.trim());
    const names: Record<'added' | 'removed' | 'modified', string[]> = { added: [], removed: [], modified: [] };
    const words = parts.filter((part) => part !== '');
    for (let at = 0; at + 1 < words.length; at += 2) {
      const kind = words[at] === 'A' ? 'added' : words[at] === 'D' ? 'removed' : 'modified';
      names[kind].push(words[at + 1] ?? '');
    }
    if (sha !== '') files.set(sha, names);
  }
  return files;
}

function refEvent(core: Core, event: 'create' | 'delete', repository: Repository, { ref }: RefChange, sender: Account): void {
  const payload: Json = {
    ref: ref.replace(/^refs\/(heads|tags)\//, ''),
    ref_type: ref.startsWith('refs/tags/') ? 'tag' : 'branch',
    pusher_type: 'user',
    ...(event === 'create' ? { master_branch: repository.defaultBranch, description: repository.description } : {}),
  };
  core.send({ event, action: undefined, repository, installation: installationFor(core, repository), sender, payload });
}

export function createdEvent(core: Core, repository: Repository, change: RefChange, sender: Account): void {
  refEvent(core, 'create', repository, change, sender);
}

export function deletedEvent(core: Core, repository: Repository, change: RefChange, sender: Account): void {
  refEvent(core, 'delete', repository, change, sender);
}
