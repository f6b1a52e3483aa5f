import type { Json } from '../slack/json.ts';

/** What the emulator remembers. Times are milliseconds since 1970 and become ISO texts on the wire. */

export type Role = 'admin' | 'maintain' | 'write' | 'triage' | 'read';

export interface Account {
  id: number;
  login: string;
  name: string;
  email: string;
  type: 'User' | 'Bot' | 'Organization';
}

/** Rules of a branch, as "branch protection" has them. They hold for administrators too. */
export interface Protection {
  /** How many approvals a pull request needs before it can be merged. 0: a pull request is needed, but no approval. Default 0. */
  approvals?: number | undefined;
  /** Names of checks, or contexts of statuses, that must have succeeded. */
  checks?: readonly string[] | undefined;
  /** The head must hold everything of the base before it can be merged. */
  upToDate?: boolean | undefined;
}

export interface Repository {
  id: number;
  owner: string;
  name: string;
  description: string | null;
  private: boolean;
  archived: boolean;
  defaultBranch: string;
  createdAt: number;
  updatedAt: number;
  pushedAt: number;
  /** Of people; others have what everybody has: `read` where it is public. */
  roles: Map<string, Role>;
  /** By branch. */
  protections: Map<string, Protection>;
  methods: Record<MergeMethod, boolean>;
  deleteBranchOnMerge: boolean;
  /** The bare repository on disk. */
  directory: string;
  /** Every ref with its object, as after the last change. */
  refs: Map<string, string>;
  lastNumber: number;
  issues: Map<number, Issue>;
  comments: Map<number, Comment>;
  reviews: Map<number, Review>;
  reviewComments: Map<number, ReviewComment>;
  reactions: Map<number, Reaction>;
  statuses: CommitStatus[];
  suites: Map<number, CheckSuite>;
  checks: Map<number, CheckRun>;
  runs: Map<number, WorkflowRun>;
  jobs: Map<number, Job>;
  hooks: Map<number, Hook>;
}

export type MergeMethod = 'merge' | 'squash' | 'rebase';

/** Who changed a text last, and when. Only GraphQL tells. */
export interface LastEdit {
  by: string;
  at: number;
}

/** An issue, or with `pull` a pull request: they share their numbers. */
export interface Issue {
  id: number;
  number: number;
  title: string;
  body: string | null;
  author: string;
  state: 'open' | 'closed';
  stateReason: 'completed' | 'not_planned' | 'reopened' | null;
  labels: string[];
  assignees: string[];
  createdAt: number;
  updatedAt: number;
  closedAt: number | null;
  closedBy: string | null;
  /** Of the body. */
  edit?: LastEdit | undefined;
  pull?: Pull | undefined;
}

export interface Pull {
  id: number;
  headRef: string;
  /** Stays what it was when the branch is gone. */
  headSha: string;
  baseRef: string;
  /** Where the base was when the pull request was opened or last changed. */
  baseSha: string;
  draft: boolean;
  reviewers: string[];
  mergedAt: number | null;
  mergedBy: string | null;
  mergeCommit: string | null;
  /** What git said about merging `key` (head and base); another key means: not known yet. */
  mergeability: { key: string; isClean: boolean; testCommit: string | null } | undefined;
}

export interface Comment {
  id: number;
  number: number;
  author: string;
  body: string;
  createdAt: number;
  updatedAt: number;
  edit?: LastEdit | undefined;
}

export interface Review {
  id: number;
  number: number;
  author: string;
  state: 'PENDING' | 'COMMENTED' | 'APPROVED' | 'CHANGES_REQUESTED' | 'DISMISSED';
  body: string;
  commit: string;
  submittedAt: number | null;
  edit?: LastEdit | undefined;
}

export interface ReviewComment {
  id: number;
  number: number;
  review: number;
  author: string;
  body: string;
  path: string;
  /** Last line of what is meant; null for the whole file. */
  line: number | null;
  startLine: number | null;
  side: 'LEFT' | 'RIGHT';
  commit: string;
  diffHunk: string;
  inReplyTo: number | null;
  createdAt: number;
  updatedAt: number;
  edit?: LastEdit | undefined;
}

export interface Reaction {
  id: number;
  /** `issue/5`, `comment/77`, `review_comment/78`, `review/79` */
  subject: string;
  user: string;
  content: string;
  createdAt: number;
}

export interface CommitStatus {
  id: number;
  sha: string;
  state: 'error' | 'failure' | 'pending' | 'success';
  context: string;
  description: string | null;
  targetUrl: string | null;
  creator: string;
  createdAt: number;
}

export interface CheckSuite {
  id: number;
  sha: string;
  branch: string | null;
  /** Slug of the app. */
  app: string;
  createdAt: number;
  updatedAt: number;
}

export type CheckState = 'queued' | 'in_progress' | 'completed';
export type Conclusion = 'success' | 'failure' | 'neutral' | 'cancelled' | 'skipped' | 'timed_out' | 'action_required';

export interface CheckRun {
  id: number;
  suite: number;
  name: string;
  sha: string;
  externalId: string;
  detailsUrl: string | null;
  status: CheckState;
  conclusion: Conclusion | null;
  startedAt: number | null;
  completedAt: number | null;
  output: { title: string | null; summary: string | null; text: string | null; annotations: Json[] };
}

export interface WorkflowRun {
  id: number;
  name: string;
  path: string;
  sha: string;
  branch: string;
  event: string;
  suite: number;
  number: number;
  attempt: number;
  status: CheckState;
  conclusion: Conclusion | null;
  actor: string;
  createdAt: number;
  updatedAt: number;
  startedAt: number;
}

export interface Job {
  id: number;
  run: number;
  attempt: number;
  check: number;
  name: string;
  status: CheckState;
  conclusion: Conclusion | null;
  createdAt: number;
  startedAt: number;
  completedAt: number | null;
  log: string;
}

export interface Hook {
  id: number;
  /** `owner/name` or `app`. */
  target: string;
  url: string;
  secret: string | undefined;
  events: string[];
  active: boolean;
  createdAt: number;
  deliveries: Delivery[];
}

export interface Delivery {
  id: number;
  guid: string;
  event: string;
  action: string | null;
  repository: number | null;
  installation: number | null;
  payload: Json;
  redelivery: boolean;
  requestHeaders: Record<string, string>;
  /** `lost` when the emulator was told to lose it. */
  status: string;
  statusCode: number;
  responseHeaders: Record<string, string>;
  responseText: string;
  at: number;
  /** Seconds. */
  duration: number;
}

export type Level = 'read' | 'write' | 'admin';
export type Permissions = Readonly<Record<string, Level>>;

export interface App {
  id: number;
  slug: string;
  name: string;
  clientId: string;
  owner: string;
  /** Login of its bot user. */
  bot: string;
  /** PEM. */
  publicKey: string;
  permissions: Permissions;
  events: string[];
  createdAt: number;
}

export interface Installation {
  id: number;
  app: string;
  account: string;
  /** Names of repositories of the account, or all of them. */
  repositories: 'all' | Set<string>;
  permissions: Permissions;
  createdAt: number;
  suspendedAt: number | null;
}

/** A login of a person (`ghp_…` with scopes, `github_pat_…` with permissions) or of an installation (`ghs_…`). */
export interface Token {
  token: string;
  /** Login of the person, or of the app's bot. */
  login: string;
  scopes?: readonly string[] | undefined;
  permissions?: Permissions | undefined;
  /** `owner/name`; undefined: all that the account, or the installation, reaches. */
  repositories?: ReadonlySet<string> | undefined;
  installation?: number | undefined;
  expiresAt: number | undefined;
}

/** Told to listeners of the state, for pages and waiting tests. */
export interface Change {
  repository: string;
  what: string;
}
