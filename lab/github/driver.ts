/**
 * Acting as a person on GitHub's pages, for tests. What the pages would not let the person do throws: GithubApiError with GitHub's words,
 * or Refused.
 *
 *   const ben = github.person('ben');
 *   const issue = ben.openIssue('acme/shop', { title: 'It is slow', body: '…' });
 *   ben.comment('acme/shop', issue.number, '@deckhand fix this');
 *   await ben.push('acme/shop', 'fix', { 'a.ts': 'let a = 1;\n' });
 *   const pull = await ben.openPull('acme/shop', { head: 'fix', base: 'main', title: 'Fix' });
 *   await github.person('ada').review('acme/shop', pull.number, { verdict: 'REQUEST_CHANGES', body: 'no', comments: [{ path: 'a.ts', line: 1, body: 'why?' }] });
 *   const run = await ben.startChecks('acme/shop', { branch: 'fix', jobs: ['test', 'lint'] });
 *   await run.finish('test', 'failure', 'Error: 1 is not 2\n');
 *   await github.person('ada').merge('acme/shop', pull.number, { method: 'squash' });
 *
 * `waitFor…` look at what is there already and then at every change; one that runs out says what was there instead.
 */

import { Refused } from '../refused.ts';
import { canRead, hasRole, roleOf } from './access.ts';
import { addStatus } from './checks.ts';
import { addComment, deleteComment, editComment, react } from './comments.ts';
import { accountOf, type Core, repositoryOf } from './core.ts';
import { setDraft } from './drafts.ts';
import { createWaits, type Waits } from './driver-waits.ts';
import type { Files } from './git.ts';
import { git } from './git.ts';
import { changeIssue, deleteIssue, type IssueChange } from './issue-changes.ts';
import { mergePull, updateBranch } from './merges.ts';
import type { Comment, CommitStatus, Conclusion, Issue, MergeMethod, Repository, Review, ReviewComment, Role } from './model.ts';
import { type NewIssue, openIssue, openPull } from './pulls.ts';
import { takeOverRefs } from './refs.ts';
import { commitAs } from './repositories.ts';
import {
  addReview,
  addReviewComment,
  deleteReviewComment,
  editReview,
  editReviewComment,
  type NewReviewComment,
  replyTo,
  type Verdict,
} from './reviews.ts';
import { latestJobs, moveJob, startRun } from './workflows.ts';

/** A run of GitHub Actions that a test moves on. */
export interface Checks {
  id: number;
  /** Names and ids of the jobs of the newest attempt. */
  jobs(): { id: number; name: string; status: string; conclusion: Conclusion | null }[];
  start(job: string): Promise<void>;
  /** Ends a job of the newest attempt; its log gets these lines. */
  finish(job: string, conclusion: Conclusion, log?: string): Promise<void>;
}

export interface Person extends Waits {
  login: string;
  openIssue(repository: string, given: Partial<NewIssue> & { title: string }): Issue;
  openPull(
    repository: string,
    given: { head: string; base: string; title: string; body?: string; draft?: boolean },
  ): Promise<Issue>;
  /** Edits, closes or opens again an issue or pull request. */
  change(repository: string, number: number, change: IssueChange): Promise<void>;
  draft(repository: string, number: number, isDraft: boolean): Promise<void>;
  comment(repository: string, number: number, body: string): Comment;
  editComment(repository: string, id: number, body: string): void;
  deleteComment(repository: string, id: number): void;
  /** With all that was said in it. */
  deleteIssue(repository: string, number: number): void;
  /** To an issue (`issue/5`), a comment (`comment/77`) or a comment in a review (`review_comment/78`). */
  react(repository: string, subject: string, content: string): void;
  review(
    repository: string,
    number: number,
    given: { verdict: Verdict; body?: string; comments?: readonly NewReviewComment[] },
  ): Promise<Review>;
  commentOnLine(repository: string, number: number, comment: NewReviewComment): Promise<ReviewComment>;
  replyToComment(repository: string, id: number, body: string): ReviewComment;
  /** The body of a review, or a comment on a line. */
  editReview(repository: string, id: number, body: string): void;
  editLineComment(repository: string, id: number, body: string): void;
  deleteLineComment(repository: string, id: number): void;
  merge(repository: string, number: number, given?: { method?: MergeMethod }): Promise<string>;
  updateBranch(repository: string, number: number): Promise<void>;
  /** Commits files (null: removed) on a branch, which is made from the default branch when it is new; returns the commit. */
  push(repository: string, branch: string, files: Files, options?: { message?: string; from?: string }): Promise<string>;
  /** Puts a branch somewhere else, as a push by force does; undefined: deletes it. */
  moveBranch(repository: string, branch: string, to: string | undefined): Promise<void>;
  status(
    repository: string,
    given: { branch: string; context: string; state: CommitStatus['state']; description?: string; targetUrl?: string },
  ): Promise<void>;
  /** Starts a workflow run on a branch; its jobs are queued. */
  startChecks(repository: string, given: { branch: string; workflow?: string; jobs: readonly string[] }): Promise<Checks>;
}

export function createPerson(core: Core, login: string): Person {
  const actor = accountOf(core, login);

  function within(name: string, least: Role): Repository {
    const repository = repositoryOf(core, name);
    if (!repository || !canRead(repository, actor.login)) throw new Refused('not_found', `${actor.login} does not find ${name}.`);
    if (!hasRole(roleOf(repository, actor.login), least))
      throw new Refused('not_allowed', `${actor.login} is not ${least} in ${name}.`);
    return repository;
  }

  function issueOf(repository: Repository, number: number): Issue {
    const issue = repository.issues.get(number);
    if (!issue) throw new Refused('not_found', `There is no #${number}.`);
    return issue;
  }

  function tipOf(repository: Repository, branch: string): string {
    const sha = repository.refs.get(`refs/heads/${branch}`);
    if (sha === undefined) throw new Refused('not_found', `There is no branch ${branch}.`);
    return sha;
  }

  function own(repository: Repository, id: number): Comment {
    const comment = repository.comments.get(id);
    if (!comment) throw new Refused('not_found', `There is no comment ${id}.`);
    mayChange(repository, comment.author);
    return comment;
  }

  function mayChange(repository: Repository, author: string): void {
    if (author !== actor.login && !hasRole(roleOf(repository, actor.login), 'write'))
      throw new Refused('not_allowed', 'Only own comments can be changed.');
  }

  function lineComment(repository: Repository, id: number): ReviewComment {
    const comment = repository.reviewComments.get(id);
    if (!comment) throw new Refused('not_found', `There is no comment ${id}.`);
    mayChange(repository, comment.author);
    return comment;
  }

  const move = async (repository: Repository, args: string[]) => {
    await core.exclusive(repository, async () => {
      await git(repository.directory, ['update-ref', ...args]);
      await takeOverRefs(core, repository, actor);
    });
  };

  function refuseProtected(repository: Repository, branch: string): void {
    if (repository.protections.has(branch)) throw new Refused('protected', `${branch} is protected.`);
  }

  return {
    ...createWaits(core),
    login: actor.login,
    openIssue: (name, given) => openIssue(core, within(name, 'read'), actor, { body: null, ...given }),
    openPull(name, { draft = false, body = '', ...given }) {
      const repository = within(name, 'write');
      return core.exclusive(repository, () => openPull(core, repository, actor, { ...given, body, draft }));
    },
    async change(name, number, change) {
      const repository = within(name, 'read');
      const issue = issueOf(repository, number);
      if (issue.author !== actor.login) within(name, 'triage');
      await core.exclusive(repository, () => changeIssue(core, repository, issue, actor, change));
    },
    async draft(name, number, isDraft) {
      const repository = within(name, 'write');
      await setDraft(core, repository, issueOf(repository, number), actor, isDraft);
    },
    comment(name, number, body) {
      const repository = within(name, 'read');
      return addComment(core, repository, issueOf(repository, number), actor, body);
    },
    editComment(name, id, body) {
      const repository = within(name, 'read');
      editComment(core, repository, own(repository, id), actor, body);
    },
    deleteComment(name, id) {
      const repository = within(name, 'read');
      deleteComment(core, repository, own(repository, id), actor);
    },
    deleteIssue(name, number) {
      const repository = within(name, 'admin');
      deleteIssue(core, repository, issueOf(repository, number), actor);
    },
    editReview(name, id, body) {
      const repository = within(name, 'read');
      const review = repository.reviews.get(id);
      if (!review) throw new Refused('not_found', `There is no review ${id}.`);
      mayChange(repository, review.author);
      editReview(core, repository, issueOf(repository, review.number), actor, review, body);
    },
    editLineComment(name, id, body) {
      const repository = within(name, 'read');
      editReviewComment(core, repository, lineComment(repository, id), actor, body);
    },
    deleteLineComment(name, id) {
      const repository = within(name, 'read');
      deleteReviewComment(core, repository, lineComment(repository, id), actor);
    },
    react(name, subject, content) {
      react(core, within(name, 'read'), subject, actor, content);
    },
    async review(name, number, { verdict, body = '', comments }) {
      const repository = within(name, 'read');
      return await addReview(core, repository, issueOf(repository, number), actor, { verdict, body, comments });
    },
    async commentOnLine(name, number, comment) {
      const repository = within(name, 'read');
      return await addReviewComment(core, repository, issueOf(repository, number), actor, comment);
    },
    replyToComment(name, id, body) {
      const repository = within(name, 'read');
      const to = repository.reviewComments.get(id);
      if (!to) throw new Refused('not_found', `There is no comment ${id}.`);
      return replyTo(core, repository, issueOf(repository, to.number), actor, to, body);
    },
    async merge(name, number, { method = 'merge' } = {}) {
      const repository = within(name, 'write');
      return await mergePull(core, repository, issueOf(repository, number), actor, { method });
    },
    async updateBranch(name, number) {
      const repository = within(name, 'write');
      await updateBranch(core, repository, issueOf(repository, number), actor, undefined);
    },
    async push(name, branch, files, { message = 'Change', from } = {}) {
      const repository = within(name, 'write');
      refuseProtected(repository, branch);
      return await core.exclusive(repository, async () => {
        const parent = repository.refs.get(`refs/heads/${branch}`) ?? tipOf(repository, from ?? repository.defaultBranch);
        const commit = await commitAs(core, repository, { branch, author: actor.login, files, message, parent });
        await takeOverRefs(core, repository, actor);
        return commit;
      });
    },
    async moveBranch(name, branch, to) {
      const repository = within(name, 'write');
      refuseProtected(repository, branch);
      await move(repository, to === undefined ? ['-d', `refs/heads/${branch}`] : [`refs/heads/${branch}`, to]);
    },
    async status(name, { branch, context, state, description = null, targetUrl = null }: StatusGiven) {
      const repository = within(name, 'write');
      await addStatus(core, repository, actor, { sha: tipOf(repository, branch), context, state, description, targetUrl });
    },
    async startChecks(name, { branch, workflow = 'CI', jobs }) {
      const repository = within(name, 'write');
      const run = await startRun(core, repository, actor, {
        name: workflow,
        sha: tipOf(repository, branch),
        branch,
        event: 'push',
        jobs,
      });
      const jobNamed = (job: string) => {
        const found = latestJobs(repository, run).find((entry) => entry.name === job);
        if (!found) throw new Refused('not_found', `There is no job ${job}.`);
        return found;
      };
      return {
        id: run.id,
        jobs: () =>
          latestJobs(repository, run).map(({ id, name: title, status, conclusion }) => ({ id, name: title, status, conclusion })),
        start: (job) => moveJob(core, repository, jobNamed(job), {}),
        finish: (job, conclusion, log) => moveJob(core, repository, jobNamed(job), { conclusion, log }),
      };
    },
  };
}

type StatusGiven = {
  branch: string;
  context: string;
  state: CommitStatus['state'];
  description?: string | null;
  targetUrl?: string | null;
};
