import { addressPrompt, fixPrompt } from '../changes/errand-prompt.ts';
import { lookAfterFailure } from '../changes/next-look.ts';
import { CodeHostError, type PullFacts, repositoryNamed } from '../contracts/code-host.ts';
import { AppError, describeError } from '../contracts/errors.ts';
import type { PullErrandKind } from '../contracts/pull-news.ts';
import { delayErrand, endErrand, lastAddressed, type PullErrand } from '../store/pull-errands.ts';
import { type PullRecord, pullById } from '../store/pull-requests.ts';
import { taskById } from '../store/tasks.ts';
import { branchDone, errandDone, errandRefused, recordPull } from '../tasks/pull-life.ts';
import type { PullWatchDeps } from './pull-watch.ts';
import { readPerson } from './stored-person.ts';

/** Tries until somebody would rather be told. */
const mostAttempts = 8;

type Errand = PullErrand & { kind: PullErrandKind };

/** Why an errand is not done: a sentence for people. */
class Refused extends Error {}

/**
 * Does what somebody wants done with a pull request; again after a crash, or when the code host did not answer. Each can be repeated: a merge
 * names its commit, a follow-up has the key of the press.
 */
export async function runErrand(deps: PullWatchDeps, errand: PullErrand, signal: AbortSignal): Promise<void> {
  const { database, clock, logger } = deps;
  const pull = await pullById(database.db, errand.pull);
  if (pull === undefined) throw new Error(`errand ${errand.id} has no pull request`);
  try {
    const { kind } = errand;
    if (kind === 'delete_branch') return await deleteBranch(deps, errand, pull, signal);
    await carryOut(deps, { ...errand, kind }, pull, signal);
    await errandDone(database, errand, clock.now());
  } catch (error) {
    signal.throwIfAborted();
    const why = whyNot(error);
    if (why === undefined) throw error;
    const passes = error instanceof CodeHostError && error.reason === 'unreachable' && errand.attempts < mostAttempts;
    logger.warn({ err: error, errand: errand.id, kind: errand.kind, passes }, 'an errand at a pull request was not done');
    if (!passes) return errandRefused(database, pull, errand, why, clock.now());
    const inMs = Math.max(lookAfterFailure(errand.attempts), error.retryAfterMs ?? 0);
    await delayErrand(database.db, errand.id, new Date(clock.now().getTime() + inMs), why);
  }
}

function whyNot(error: unknown): string | undefined {
  if (error instanceof CodeHostError || error instanceof Refused) return error.message;
  return error instanceof AppError ? describeError(error.code, error.params).text : undefined;
}

/**
 * At the commit that was merged, or closed: whatever was pushed there since is somebody's. Looked at first: one that is open again would be closed
 * with its branch, and nobody may have told of that.
 */
async function deleteBranch(deps: PullWatchDeps, errand: PullErrand, pull: PullRecord, signal: AbortSignal): Promise<void> {
  const { codeHost, database, clock } = deps;
  const facts = await lookAt(deps, pull, signal);
  if (facts.state === 'open') throw new Refused('It is open again.');
  const gone = await codeHost.deleteBranch(repositoryNamed(pull.repository), pull.facts.head.branch, errand.head, signal);
  await branchDone(database, pull, errand, gone, clock.now());
}

async function lookAt({ codeHost, database, clock }: PullWatchDeps, pull: PullRecord, signal: AbortSignal): Promise<PullFacts> {
  const asked = clock.now();
  const facts = await codeHost.pull(repositoryNamed(pull.repository), pull.number, signal);
  await recordPull(database, pull, facts, { asked, at: clock.now() });
  return facts;
}

async function carryOut(deps: PullWatchDeps, errand: Errand, pull: PullRecord, signal: AbortSignal): Promise<void> {
  const { codeHost, database } = deps;
  const repository = repositoryNamed(pull.repository);
  switch (errand.kind) {
    case 'merge':
      await codeHost.merge({ repository, number: pull.number, head: errand.head }, signal);
      return;
    case 'ready':
      return codeHost.ready(repository, pull.number, signal);
    case 'fix_ci': {
      const checks = await codeHost.failedChecks(repository, pull.facts.head.commit, signal);
      if (checks.length === 0) throw new Refused('No check has failed any more.');
      return followUp(deps, errand, pull, fixPrompt(pull.facts, checks));
    }
    case 'address': {
      const since = await database.transaction((tx) => lastAddressed(tx, pull.id));
      const comments = await codeHost.reviewComments(repository, pull.number, since, signal);
      if (comments.length === 0) throw new Refused('There is no comment that the agent has not been given already.');
      return followUp(deps, errand, pull, addressPrompt(pull.facts, comments));
    }
  }
}

/** A further run of the task, which must have all that the branch has: else its change could not be pushed there. */
async function followUp(deps: PullWatchDeps, errand: Errand, pull: PullRecord, text: string): Promise<void> {
  await deps.database.transaction(async (tx) => {
    const task = await taskById(tx, pull.task);
    if (task === undefined) throw new Refused('Its task is gone.');
    if (task.head !== pull.facts.head.commit) throw new Refused(foreign(pull.facts));
    const by = readPerson(errand.by);
    await deps.tasks.followUp(tx, { task: pull.task, text: deps.redact(text), by, originKey: errand.originKey });
    // With it: else a crash in between would begin it again when it is over.
    await endErrand(tx, errand.id, 'done', null, deps.clock.now());
  });
}

function foreign({ head }: PullFacts): string {
  return `Its branch is at ${head.commit.slice(0, 7)}, which this task has not made: somebody else has pushed there, or a newer change is not pushed yet.`;
}
