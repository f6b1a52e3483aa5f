import { join } from 'node:path';
import { accountOf, type Core, fullName, organisationOr } from './core.ts';
import { commitFiles, type Files, git } from './git.ts';
import { createBare } from './git-backend.ts';
import { addHook } from './hooks.ts';
import type { Protection, Repository, Role } from './model.ts';
import { takeOverRefs } from './refs.ts';

/** Making repositories with real content, and looking at them as a test does. */

export interface NewRepository {
  name: string;
  /** Default `acme`. A login that nobody has becomes an organisation. */
  owner?: string | undefined;
  /** What the first commit of the default branch holds; `{}`: an empty repository without commits. Default: a README. */
  files?: Files | undefined;
  /** Of that commit. Default `Begin`. */
  message?: string | undefined;
  /** Default true. */
  private?: boolean | undefined;
  /** Default `main`. */
  defaultBranch?: string | undefined;
  description?: string | undefined;
  /** Besides Ada (admin) and Ben (write): who has which role. `undefined` takes one of theirs away. */
  roles?: Readonly<Record<string, Role | undefined>> | undefined;
  /** Rules by branch; `true`: the default branch takes changes by pull request alone. */
  protect?: true | Readonly<Record<string, Protection>> | undefined;
  /** Merge methods that are allowed. Default: all three. */
  methods?: readonly ('merge' | 'squash' | 'rebase')[] | undefined;
  deleteBranchOnMerge?: boolean | undefined;
}

/** A repository as tests hold it. */
export interface LabRepository {
  /** `owner/name` */
  fullName: string;
  owner: string;
  name: string;
  id: number;
  /** For `git clone`. */
  cloneUrl: string;
  /** Of the bare repository on disk. */
  directory: string;
  /** Where a branch is now; undefined: there is none. */
  sha(branch?: string): string | undefined;
  branches(): string[];
  /** Content of a file; throws when there is none. */
  read(path: string, branch?: string): Promise<string>;
  /** Any git command in the bare repository; stdout without the last line break. Must not change refs. */
  git(...args: string[]): Promise<string>;
  /** Adds a webhook; GitHub sends `ping` to it first. */
  hook(given: { url: string; secret?: string | undefined; events?: readonly string[] | undefined }): number;
  /** Removes all webhooks. */
  unhook(): void;
  /** Sets or (undefined) lifts the rules of a branch. */
  protect(branch: string, rules: Protection | undefined): void;
  setRole(login: string, role: Role | undefined): void;
  archive(isArchived: boolean): void;
  /** Gives it another name, or owner; the old one leads to it. Returns it under the new name. */
  rename(fullName: string): LabRepository;
}

export async function createRepository(core: Core, given: NewRepository): Promise<LabRepository> {
  const owner = given.owner ?? 'acme';
  const branch = given.defaultBranch ?? 'main';
  const now = core.now();
  const id = core.ids.next();
  const methods = given.methods ?? ['merge', 'squash', 'rebase'];
  const roles = Object.entries({ ada: 'admin', ben: 'write', ...given.roles } as Record<string, Role | undefined>);
  const repository: Repository = {
    id,
    owner: organisationOr(core, owner).login,
    name: given.name,
    description: given.description ?? null,
    private: given.private ?? true,
    archived: false,
    defaultBranch: branch,
    createdAt: now,
    updatedAt: now,
    pushedAt: now,
    roles: new Map(roles.flatMap(([login, role]) => (role === undefined ? [] : [[login.toLowerCase(), role]]))),
    protections: new Map(Object.entries(given.protect === true ? { [branch]: {} } : (given.protect ?? {}))),
    methods: { merge: methods.includes('merge'), squash: methods.includes('squash'), rebase: methods.includes('rebase') },
    deleteBranchOnMerge: given.deleteBranchOnMerge ?? false,
    directory: join(core.root, `${id}.git`),
    refs: new Map(),
    lastNumber: 0,
    issues: new Map(),
    comments: new Map(),
    reviews: new Map(),
    reviewComments: new Map(),
    reactions: new Map(),
    statuses: [],
    suites: new Map(),
    checks: new Map(),
    runs: new Map(),
    jobs: new Map(),
    hooks: new Map(),
  };
  if (core.repositories.has(fullName(repository).toLowerCase())) throw new Error(`${fullName(repository)} exists already`);
  await createBare(repository.directory, branch);
  const files = given.files ?? { 'README.md': `# ${given.name}\n` };
  const ada = accountOf(core, 'ada');
  if (Object.keys(files).length > 0) {
    await commitAs(core, repository, { branch, author: 'ada', files, message: given.message ?? 'Begin', parent: undefined });
  }
  core.repositories.set(fullName(repository).toLowerCase(), repository);
  await takeOverRefs(core, repository, ada);
  return handleOf(core, repository);
}

/** A commit of a person on a branch. */
export async function commitAs(
  core: Core,
  repository: Repository,
  given: { branch: string; author: string; files: Files; message: string; parent: string | undefined },
): Promise<string> {
  const { name, email } = accountOf(core, given.author);
  const ref = `refs/heads/${given.branch}`;
  return await commitFiles(repository.directory, { ...given, ref, author: { name, email }, at: core.now() });
}

export function handleOf(core: Core, repository: Repository): LabRepository {
  const at = (branch: string) => repository.refs.get(`refs/heads/${branch}`);
  return {
    fullName: fullName(repository),
    owner: repository.owner,
    name: repository.name,
    id: repository.id,
    cloneUrl: `${core.baseUrl}/${fullName(repository)}.git`,
    directory: repository.directory,
    sha: (branch = repository.defaultBranch) => at(branch),
    branches: () => [...repository.refs.keys()].flatMap((ref) => (ref.startsWith('refs/heads/') ? [ref.slice(11)] : [])),
    read: (path, branch = repository.defaultBranch) => git(repository.directory, ['show', `refs/heads/${branch}:${path}`]),
    git: (...args) => git(repository.directory, args),
    hook: ({ url, secret, events }) =>
      addHook(core, repository, { url, secret, events: [...(events ?? ['*'])], active: true }).id,
    unhook: () => repository.hooks.clear(),
    protect(branch, rules) {
      if (rules) repository.protections.set(branch, rules);
      else repository.protections.delete(branch);
    },
    setRole(login, role) {
      if (role) repository.roles.set(login.toLowerCase(), role);
      else repository.roles.delete(login.toLowerCase());
    },
    archive(isArchived) {
      repository.archived = isArchived;
    },
    rename(to) {
      const [owner = repository.owner, name = repository.name] = to.split('/');
      if (core.repositories.has(to.toLowerCase())) throw new Error(`${to} exists already`);
      core.renamed.set(fullName(repository).toLowerCase(), repository);
      core.repositories.delete(fullName(repository).toLowerCase());
      repository.owner = accountOf(core, owner).login;
      repository.name = name;
      core.repositories.set(to.toLowerCase(), repository);
      return handleOf(core, repository);
    },
  };
}
