import { whyNoPulls } from '../src/changes/why-no-pulls.ts';
import type { CodeHost } from '../src/contracts/code-host.ts';
import { AppError } from '../src/contracts/errors.ts';
import type { PublishControl, PublishSpec } from '../src/contracts/publish-control.ts';
import type { Logger } from '../src/runtime/logger.ts';
import { createLoop } from '../src/runtime/loop.ts';
import { createRedactor } from '../src/runtime/redact-patterns.ts';
import { writeLogins } from './code-host-login.ts';
import type { AtPoint } from './crash-points.ts';
import { branchLink } from './publish-link.ts';
import { troubleOf } from './publish-problem.ts';
import type { Publishing } from './publish-push.ts';

export interface PublisherDeps {
  control: PublishControl;
  /** Id of this life of the runner, and its host: only its own mirrors are pushed from. */
  runner: string;
  host: string;
  publishing: Publishing;
  /** Undefined: branches can be pushed, pull requests cannot be opened. */
  codeHost: CodeHost | undefined;
  /** Values that never show. */
  secrets: readonly string[];
  logger: Logger;
  at: AtPoint;
  /** How often to look without a wake-up. Milliseconds. */
  everyMs?: number | undefined;
}

/** Brings out the changes that were approved. */
export interface Publisher {
  start(): void;
  /** Gives up what is under way where it stands; the next runner of this host goes on with it. */
  stop(): Promise<void>;
}

/** A slow code host must not keep the others waiting. */
const atOnce = 3;

export function createPublisher(deps: PublisherDeps): Publisher {
  const { control, runner, host, logger } = deps;
  const leaving = new AbortController();
  const active = new Map<string, Promise<void>>();

  const loop = createLoop({
    name: 'publications',
    idleMs: deps.everyMs ?? 5_000,
    async run() {
      if (active.size >= atOnce) return false;
      const spec = await control.claim(host, runner, [...active.keys()]);
      if (spec === undefined) return false;
      active.set(
        spec.publication,
        bring(spec).finally(() => {
          active.delete(spec.publication);
          loop.wake();
        }),
      );
      return true;
    },
    onError: (error, failures) => logger.warn({ err: error, failures }, 'no publication could be claimed'),
  });

  /** Never rejects: what goes wrong is told, or left to the next claim. */
  async function bring(spec: PublishSpec): Promise<void> {
    const { publication } = spec;
    try {
      await publish(deps, spec, leaving.signal);
    } catch (error) {
      if (leaving.signal.aborted) return;
      const { problem, passes, afterMs } = troubleOf(error, spec, createRedactor(deps.secrets));
      logger.warn({ publication, run: spec.run, err: error, code: problem.code, passes }, 'a change could not be brought out');
      try {
        if (passes) await control.later(publication, runner, problem, afterMs);
        else await control.failed(publication, runner, problem);
      } catch (again) {
        logger.error({ publication, err: again }, 'what became of a publication could not be recorded');
      }
    }
  }

  return {
    start() {
      control.onWork(() => loop.wake(), leaving.signal);
      loop.start();
    },
    async stop() {
      leaving.abort(new Error('the runner stops'));
      await loop.stop();
      await Promise.allSettled(active.values());
    },
  };
}

/**
 * One publication, from where it stands to its end. Every step looks first at what is there: one that was done before a crash, or by somebody
 * else, is not done again. Returns early when the engine says that it is none of this runner's business any more.
 */
async function publish(deps: PublisherDeps, spec: PublishSpec, signal: AbortSignal): Promise<void> {
  const { control, codeHost, runner } = deps;
  const repository = codeHost?.repositoryOf(spec.remote);
  await deps.at('publish_claimed', spec.run);
  const why = spec.pull === undefined ? undefined : whyNoPulls(codeHost, spec.remote);
  if (why !== undefined) throw new AppError('DH-526', { remote: spec.remote, detail: why });
  if (spec.step !== 'open') {
    if (!(await pushBranch(deps, spec, signal))) return;
    const url = repository === undefined ? undefined : branchLink(spec.remote, repository, spec.branch);
    if (!(await control.pushed(spec.publication, runner, { url }))) return;
    await deps.at('push_recorded', spec.run);
  }
  if (spec.pull === undefined || codeHost === undefined || repository === undefined) return;
  if (!(await control.beginOpen(spec.publication, runner))) return;
  await deps.at('open_begun', spec.run);
  if (spec.baseBranch === 'HEAD') {
    const detail = 'the project has no base branch; set one with `settings`';
    throw new AppError('DH-530', { branch: spec.branch, remote: spec.remote, detail });
  }
  const clean = createRedactor(deps.secrets);
  const { title, body, draft } = spec.pull;
  const { pull } = await codeHost.openPull(
    { repository, head: spec.branch, base: spec.baseBranch, title: clean(title), body: clean(body), draft },
    signal,
  );
  await deps.at('pull_opened', spec.run);
  await control.opened(spec.publication, runner, { repository: `${repository.owner}/${repository.name}`, pull });
  await deps.at('pull_recorded', spec.run);
}

/** Brings the branch at the remote to the approved commit. False: it is not allowed, or not this runner's any more. */
async function pushBranch(deps: PublisherDeps, spec: PublishSpec, signal: AbortSignal): Promise<boolean> {
  const { publishing, control, runner } = deps;
  const login = writeLogins(deps.codeHost);
  await publishing.check(spec);
  const found = await publishing.branchAt(spec, login, signal);
  // A push that had begun has arrived.
  if (found === spec.commit && spec.step === 'pushing') return true;
  const begun = await control.beginPush(spec.publication, runner);
  if (begun.verdict === 'stop') return false;
  const { expected } = begun;
  await deps.at('push_begun', spec.run);
  if (found === spec.commit) return true;
  // One that is gone, as after a merge, is made again: nobody's commits are in the way.
  if (found !== null && found !== expected) throw elsewhere(spec, found, expected);
  try {
    await publishing.push(spec, found, login, signal);
  } catch (error) {
    signal.throwIfAborted();
    // An answer that was lost, or another push of the same commit that was faster: it is there.
    if ((await publishing.branchAt(spec, login, signal).catch(() => undefined)) !== spec.commit) throw error;
  }
  await deps.at('branch_pushed', spec.run);
  return true;
}

function elsewhere({ remote, branch }: PublishSpec, found: string, expected: string | null): AppError {
  if (expected === null) return new AppError('DH-520', { remote, branch });
  return new AppError('DH-521', { remote, branch, found: found.slice(0, 12) });
}
