import { waitForChange } from '../slack/waiting.ts';
import { type Core, repositoryOf } from './core.ts';
import type { Comment, Issue, Reaction, Repository } from './model.ts';

/** Looking at a repository's issues, pull requests and comments, and waiting for what others do there. */

export interface WaitOptions {
  /** Default 5,000. */
  timeoutMs?: number | undefined;
}

export type CommentMatch = string | RegExp | ((comment: Comment) => boolean);

export interface Waits {
  /** An issue or pull request as it is now; throws when there is none. */
  look(repository: string, number: number): Issue;
  /** Pull requests, oldest first. */
  pulls(repository: string): Issue[];
  /** Comments of an issue or pull request, oldest first. */
  comments(repository: string, number: number): Comment[];
  reactions(repository: string, subject: string): Reaction[];
  /** A pull request that fits, the newest one first. */
  waitForPull(repository: string, match: (issue: Issue) => boolean, options?: WaitOptions): Promise<Issue>;
  /** A comment whose text fits, the newest one first. */
  waitForComment(repository: string, number: number, match: CommentMatch, options?: WaitOptions): Promise<Comment>;
  waitForReaction(repository: string, subject: string, content: string, options?: WaitOptions): Promise<Reaction>;
}

const WAIT_MS = 5_000;

export function createWaits(core: Core): Waits {
  function at(name: string): Repository {
    const repository = repositoryOf(core, name);
    if (!repository) throw new Error(`there is no repository ${name}`);
    return repository;
  }
  const pulls = (name: string) => [...at(name).issues.values()].filter(({ pull }) => pull);
  const comments = (name: string, number: number) =>
    [...at(name).comments.values()].filter((comment) => comment.number === number);
  const reactions = (name: string, subject: string) =>
    [...at(name).reactions.values()].filter((entry) => entry.subject === subject);
  const wait = <T>(look: () => T | undefined, describe: () => string, { timeoutMs = WAIT_MS }: WaitOptions = {}) =>
    waitForChange(core, look, { timeoutMs, describe });

  return {
    look(name, number) {
      const issue = at(name).issues.get(number);
      if (!issue) throw new Error(`there is no #${number} in ${name}`);
      return issue;
    },
    pulls,
    comments,
    reactions,
    waitForPull: (name, match, options) =>
      wait(
        () => pulls(name).findLast(match),
        () =>
          `pull requests: ${
            pulls(name)
              .map(({ number, title, state }) => `#${number} ${state} ${title}`)
              .join('; ') || 'none'
          }`,
        options,
      ),
    waitForComment: (name, number, match, options) =>
      wait(
        () => comments(name, number).findLast((comment) => fits(match, comment)),
        () =>
          `comments of #${number}: ${
            comments(name, number)
              .map(({ author, body }) => `${author}: ${body}`)
              .join('; ') || 'none'
          }`,
        options,
      ),
    waitForReaction: (name, subject, content, options) =>
      wait(
        () => reactions(name, subject).find((entry) => entry.content === content),
        () =>
          `reactions to ${subject}: ${
            reactions(name, subject)
              .map((entry) => entry.content)
              .join(', ') || 'none'
          }`,
        options,
      ),
  };
}

function fits(match: CommentMatch, comment: Comment): boolean {
  if (typeof match === 'function') return match(comment);
  return typeof match === 'string' ? comment.body.includes(match) : match.test(comment.body);
}
