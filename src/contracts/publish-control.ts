import type { PullFacts } from './code-host.ts';
import type { ErrorCode, ErrorParams } from './errors.ts';
import type { PublishWhat } from './publication.ts';
import type { RunSpec } from './run-control.ts';

/** An approved change that is to be brought out, and how far that has come. */
export interface PublishSpec {
  publication: string;
  run: string;
  taskNumber: number;
  project: RunSpec['project'];
  what: PublishWhat;
  /** The repository that was approved: its address without a login, or the path of a directory. */
  remote: string;
  branch: string;
  /** Where a pull request is to be merged. */
  baseBranch: string;
  /** Exactly this commit, whose tree is exactly this one, and nothing else. */
  commit: string;
  tree: string;
  /**
   * `push`: nothing has begun. `pushing`: a push had begun; whether the branch has arrived is not known. `open`: the branch is there, the
   * pull request is next.
   */
  step: 'push' | 'pushing' | 'open';
  /** Texts of the pull request; undefined: only a branch is wanted. */
  pull: { title: string; body: string; draft: boolean } | undefined;
}

/** Why it does not go on, from the catalogue of errors. */
export interface PublishProblem {
  code: ErrorCode;
  params: ErrorParams;
}

/**
 * What has been decided about changes, as the runner that has their commits sees it; beside RunControl. A claimed publication stays with its
 * runner for as long as that one beats. Every method is one transaction, guarded by runner and state, and harmless when it is repeated:
 * false, or `stop`, says that this runner has nothing more to do with it.
 */
export interface PublishControl {
  /** Takes the next publication that is due, whose commits are on this host; publications of one task one after the other. `except`: those
   * under way in this process. Undefined: there is none. */
  claim(host: string, runner: string, except: readonly string[]): Promise<PublishSpec | undefined>;
  /**
   * The last look before the push (promise 7): the approval is of exactly this action, by somebody who still may decide, and not used
   * for anything else; it is used up here. `expected`: the commit that the branch must be at; null: there must be none of this name.
   * `stop`: it was not allowed, which is recorded, or it is no longer this runner's.
   */
  beginPush(publication: string, runner: string): Promise<{ verdict: 'go'; expected: string | null } | { verdict: 'stop' }>;
  /** The branch is at the commit. `url`: where people see it. Ends it when no pull request is wanted. */
  pushed(publication: string, runner: string, branch: { url: string | undefined }): Promise<boolean>;
  /** The same last look before the pull request is opened. */
  beginOpen(publication: string, runner: string): Promise<boolean>;
  /** The pull request is there. `repository`: its name at the code host, `acme/web`. Ends it. */
  opened(publication: string, runner: string, opened: { repository: string; pull: PullFacts }): Promise<boolean>;
  /** What prevented a step may pass: it is due again after a while that grows, at least `afterMs`; given up after some hours. */
  later(publication: string, runner: string, problem: PublishProblem, afterMs: number | undefined): Promise<boolean>;
  /** It cannot be done. People are told why. */
  failed(publication: string, runner: string, problem: PublishProblem): Promise<boolean>;
  /** Calls back when there may be something to claim; a wake-up that is lost is made up for by looking every few seconds. */
  onWork(listener: () => void, until: AbortSignal): void;
}
