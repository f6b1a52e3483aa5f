import { z } from 'zod';

/**
 * What a code host says of a pull request, as it is now. Texts come from people and programs outside: data, never markup.
 */
export const checkSchema = z.object({
  name: z.string(),
  /** `pending`: it has not ended. `neutral`: ended without a verdict (skipped, neutral, stale, cancelled). */
  state: z.enum(['pending', 'passed', 'failed', 'neutral']),
  url: z.string().optional(),
});
export type Check = z.infer<typeof checkSchema>;

export const reviewSchema = z.object({
  /** Login at the code host. */
  by: z.string(),
  /** The last verdict of this person; `commented` where there was none yet. */
  verdict: z.enum(['approved', 'changes_requested', 'commented', 'dismissed']),
});
export type Review = z.infer<typeof reviewSchema>;

const mergeableSchema = z.enum(['clean', 'conflict', 'behind', 'blocked', 'unknown']);

export const pullFactsSchema = z.object({
  number: z.number().int().positive(),
  url: z.string(),
  title: z.string(),
  state: z.enum(['open', 'merged', 'closed']),
  draft: z.boolean(),
  /** Branch and newest commit of what is to be merged. `elsewhere`: the branch is in another repository, a fork. */
  head: z.object({ branch: z.string(), commit: z.string(), elsewhere: z.boolean().optional() }),
  base: z.string(),
  /**
   * - `clean`: can be merged now
   * - `conflict`: not without resolving conflicts
   * - `behind`: the base must be merged in first
   * - `blocked`: rules of the repository do not allow it yet (reviews, required checks, draft)
   * - `unknown`: the host has not found out yet
   */
  mergeable: mergeableSchema,
  /** While that is `unknown`: what the host had found out about the same commit before. Kept here, no host says it. */
  mergeableBefore: mergeableSchema.optional(),
  checks: z.array(checkSchema),
  reviews: z.array(reviewSchema),
  /** How many comments there are, of any kind; undefined: the host does not say. */
  comments: z.number().int().nonnegative().optional(),
  /** Set when it was merged: the commit on the base branch. */
  mergeCommit: z.string().optional(),
});
export type PullFacts = z.infer<typeof pullFactsSchema>;

/** A repository at a code host: `acme/web`. */
export interface Repository {
  owner: string;
  name: string;
}

/** That of a full name, `acme/web`, which the code host has given. Parts that it lacks are empty: a repository that does not exist. */
export function repositoryNamed(fullName: string): Repository {
  const [owner = '', name = ''] = fullName.split('/');
  return { owner, name };
}

/** What git needs to reach a repository over HTTPS, good for a short time. */
export interface GitLogin {
  /** Value of an Authorization header. Never logged, never in an argument list, never in a sandbox. */
  authorization: string;
  /** Undefined: it does not expire by itself. */
  expiresAt: Date | undefined;
}

/** What Deckhand may do in a repository, for `project test` and `doctor`. */
export interface RepositoryAccess {
  /** As whom: `deckhand-bot`, or the name of the app. */
  as: string;
  private: boolean;
  defaultBranch: string;
  read: boolean;
  push: boolean;
  pulls: boolean;
  /** What is missing and how to get it, as sentences. Empty when all is there. */
  problems: readonly string[];
}

/** What was found out about the repository of a project. Sentences are for people. */
export const projectAccessSchema = z.object({
  /** As whom at the code host; absent: it is none, or it does not tell. */
  as: z.string().optional(),
  /** A push of a branch was tried, without doing it. `why`: what kept it from going through. */
  push: z.object({ ok: z.boolean(), why: z.string().optional() }),
  /** Absent: a repository at no code host has no pull requests. */
  pulls: z.object({ ok: z.boolean() }).optional(),
  problems: z.array(z.string()),
});
export type ProjectAccess = z.infer<typeof projectAccessSchema>;

export interface PullSpec {
  repository: Repository;
  /** Branch that was pushed, and where it is to be merged. */
  head: string;
  base: string;
  title: string;
  /** Markdown of the host; the caller has neutralised what is not its own. */
  body: string;
  draft: boolean;
}

/** A piece of a conversation at a pull request that somebody may have to act on. */
export interface ReviewComment {
  id: string;
  by: string;
  /** Null: about the whole. */
  path: string | null;
  line: number | null;
  text: string;
  url: string;
  at: Date;
}

/** A check that has failed, with the end of its log where the host gives it. */
export interface FailedCheck {
  name: string;
  url: string | undefined;
  /** What the check says of itself. */
  summary: string | undefined;
  /** At most the last 200 lines; undefined: the host gives none to us. */
  log: string | undefined;
}

/**
 * The part of a code host that git does not have. Every implementation passes tests/contracts/code-host-contract.ts.
 *
 * Methods throw `CodeHostError`. What is asked for again because an answer was lost is done once: a pull request is looked for before it
 * is opened, a merge names the commit it is about. An aborted signal rejects with its reason.
 */
export interface CodeHost {
  readonly kind: 'github';
  /** The repository that the address of a project names, when it is one of this host's. Pure; no request. */
  repositoryOf(address: string): Repository | undefined;
  /** A login for git, with no more rights than `right` where the host can limit them. Made anew shortly before it expires. */
  login(repository: Repository, right: 'read' | 'write', signal?: AbortSignal): Promise<GitLogin>;
  access(repository: Repository, signal?: AbortSignal): Promise<RepositoryAccess>;
  /** The open pull request of this head into this base, else a new one. `made`: false when it was there. */
  openPull(spec: PullSpec, signal?: AbortSignal): Promise<{ pull: PullFacts; made: boolean }>;
  pull(repository: Repository, number: number, signal?: AbortSignal): Promise<PullFacts>;
  /** A draft becomes ready for review. Nothing happens when it is. */
  ready(repository: Repository, number: number, signal?: AbortSignal): Promise<void>;
  close(repository: Repository, number: number, signal?: AbortSignal): Promise<void>;
  /**
   * Merges exactly this head commit, as one commit where the repository allows that, else as it allows. Merged already with this head is
   * success. `moved`: the head is another by now.
   */
  merge(merge: { repository: Repository; number: number; head: string }, signal?: AbortSignal): Promise<{ commit: string }>;
  failedChecks(repository: Repository, commit: string, signal?: AbortSignal): Promise<FailedCheck[]>;
  /** Open review comments and bodies of reviews that ask for something, oldest first, made after `since` or in its second. */
  reviewComments(repository: Repository, number: number, since: Date | undefined, signal?: AbortSignal): Promise<ReviewComment[]>;
  /**
   * What a person may do in the repository, by login; `none` where there is no such person. `account`: the lasting id of the account that the
   * login has to be of; `none` where it is another's by now.
   */
  permission(
    repository: Repository,
    login: string,
    signal?: AbortSignal,
    account?: string,
  ): Promise<'none' | 'read' | 'write' | 'admin'>;
  /** Deletes a branch; nothing happens when there is none, or when it is not at `commit`. False: it is there, at another commit. */
  deleteBranch(repository: Repository, branch: string, commit: string, signal?: AbortSignal): Promise<boolean>;
}

/**
 * - `unreachable`: no answer, 5xx, a limit of rates; asking again later may help (`retryAfterMs`, where the host says when)
 * - `unauthorised`: the login is refused · `forbidden`: it lacks a right (named in the message) · `missing`: no such thing, or not for us
 * - `invalid`: the host refuses the content · `moved`: the branch is at another commit · `not_mergeable`: with why
 */
export class CodeHostError extends Error {
  override name = 'CodeHostError';
  readonly reason: 'unreachable' | 'unauthorised' | 'forbidden' | 'missing' | 'invalid' | 'moved' | 'not_mergeable';
  readonly retryAfterMs: number | undefined;
  constructor(reason: CodeHostError['reason'], message: string, options?: ErrorOptions & { retryAfterMs?: number | undefined }) {
    super(message, options);
    this.reason = reason;
    this.retryAfterMs = options?.retryAfterMs;
  }
}
