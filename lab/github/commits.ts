import type { Json } from '../slack/json.ts';
import type { Core } from './core.ts';
import { git, gitOnce } from './git.ts';
import { iso, nodeId } from './ids.ts';
import type { Account, Repository } from './model.ts';
import { wireAccount } from './wire-accounts.ts';
import { apiAddress, pageAddress } from './wire-repository.ts';

/** Commits of a repository, read by git. */

export interface Commit {
  sha: string;
  tree: string;
  parents: string[];
  author: Signature;
  committer: Signature;
  /** Without the last line break. */
  message: string;
}

export interface Signature {
  name: string;
  email: string;
  /** Milliseconds since 1970. */
  at: number;
}

const FORMAT = ['%H', '%T', '%P', '%an', '%ae', '%at', '%cn', '%ce', '%ct', '%B'].join('%x1f');

/** Commits as `git log` finds them with these arguments, newest first. */
export async function log(repository: Repository, ...args: string[]): Promise<Commit[]> {
  return commitsIn(await git(repository.directory, logOf(args)));
}

const logOf = (args: readonly string[]) => ['log', '-z', `--format=${FORMAT}`, ...args, '--'];

function commitsIn(out: string): Commit[] {
  return out.split('\0').flatMap((entry) => {
    const [sha = '', tree = '', parents = '', an = '', ae = '', at = '', cn = '', ce = '', ct = '', message = ''] =
      entry.split('\x1f');
    if (sha === '') return [];
    return [
      {
        sha,
        tree,
        parents: parents.split(' ').filter(Boolean),
        author: { name: an, email: ae, at: Number(at) * 1000 },
        committer: { name: cn, email: ce, at: Number(ct) * 1000 },
        message: message.replace(/\n+$/, ''),
      },
    ];
  });
}

/** The commit that a branch, tag, ref or (abbreviated) hash names. */
export async function resolveCommit(repository: Repository, name: string): Promise<string | undefined> {
  const { refs } = repository;
  const branch = refs.get(`refs/heads/${name}`);
  // Tags can be objects of their own, branches are commits.
  if (branch !== undefined) return branch;
  const known = refs.get(`refs/tags/${name}`) ?? refs.get(`refs/${name}`) ?? refs.get(name);
  if (known === undefined && !/^[0-9a-f]{4,40}$/i.test(name)) return undefined;
  const wanted = known ?? name;
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${wanted}^{commit}`];
  try {
    return isWhole(wanted) ? await gitOnce(repository, args) : await git(repository.directory, args);
  } catch {
    return undefined;
  }
}

const isWhole = (name: string) => /^[0-9a-f]{40}$/.test(name);

/** `name`: a hash, or what stands for one at the moment. */
export async function commitOf(repository: Repository, name: string): Promise<Commit> {
  const args = logOf(['--max-count=1', name]);
  const [commit] = commitsIn(isWhole(name) ? await gitOnce(repository, args) : await git(repository.directory, args));
  if (!commit) throw new Error(`there is no commit ${name}`);
  return commit;
}

/** The account whose address a commit carries, `login@users.noreply…` included. */
export function accountByEmail(core: Core, email: string): Account | undefined {
  const accounts = [...core.accounts.values()];
  const login = /^(?:\d+\+)?([^@]+)@users\.noreply\./.exec(email)?.[1]?.toLowerCase();
  return accounts.find((entry) => entry.email === email) ?? (login === undefined ? undefined : core.accounts.get(login));
}

export function wireCommit(core: Core, repository: Repository, commit: Commit): Json {
  const url = `${apiAddress(core, repository)}/commits/${commit.sha}`;
  const signature = ({ name, email, at }: Signature) => ({ name, email, date: iso(at) });
  const person = ({ email }: Signature) => {
    const account = accountByEmail(core, email);
    return account ? wireAccount(core, account) : null;
  };
  return {
    sha: commit.sha,
    node_id: nodeId('C', repository.id),
    commit: {
      author: signature(commit.author),
      committer: signature(commit.committer),
      message: commit.message,
      tree: { sha: commit.tree, url: `${apiAddress(core, repository)}/git/trees/${commit.tree}` },
      url: `${apiAddress(core, repository)}/git/commits/${commit.sha}`,
      comment_count: 0,
      verification: { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null },
    },
    url,
    html_url: `${pageAddress(core, repository)}/commit/${commit.sha}`,
    comments_url: `${url}/comments`,
    author: person(commit.author),
    committer: person(commit.committer),
    parents: commit.parents.map((sha) => ({
      sha,
      url: `${apiAddress(core, repository)}/commits/${sha}`,
      html_url: `${pageAddress(core, repository)}/commit/${sha}`,
    })),
  };
}

/** Whether `ancestor` is in the history of `sha`. */
export async function isAncestor(repository: Repository, ancestor: string, sha: string): Promise<boolean> {
  try {
    await gitOnce(repository, ['merge-base', '--is-ancestor', ancestor, sha]);
    return true;
  } catch {
    return false;
  }
}

export async function mergeBase(repository: Repository, one: string, other: string): Promise<string | undefined> {
  try {
    return await gitOnce(repository, ['merge-base', one, other]);
  } catch {
    return undefined;
  }
}

/** How many commits of `other` are missing in `one`, and the other way round. */
export async function distance(repository: Repository, one: string, other: string): Promise<{ behind: number; ahead: number }> {
  const out = await gitOnce(repository, ['rev-list', '--left-right', '--count', `${one}...${other}`]);
  const [left = '0', right = '0'] = out.split('\t');
  return { behind: Number(left), ahead: Number(right) };
}
