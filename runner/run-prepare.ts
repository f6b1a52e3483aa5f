import type { RunSpec, SandboxOffer } from '../src/contracts/run-control.ts';
import { parseSource } from './git-source.ts';
import { keptUnder } from './import-result.ts';
import { patiently } from './patience.ts';
import type { HarnessRun, Program } from './run-harness.ts';
import { type Journey, LetGo, type Place, sandboxRef } from './run-journey.ts';
import { CopyCollided } from './sandbox/port.ts';

export type Base = NonNullable<RunSpec['base']>;

/** What commands run in, as approvals are asked for it. */
export function offerOf({ sandbox, image }: Place): SandboxOffer {
  const { isolated, network } = sandbox.capabilities;
  return { sandbox: sandbox.kind, image, network, cwd: isolated ? '/workspace' : 'working copy' };
}

/**
 * From a claimed run to a sandbox in which the command may start: repository, working copy, sandbox, last check, and the record that
 * it is about to start. Nothing of the command has run when this fails, so it may be done again from the beginning; what an
 * interrupted attempt left is replaced. Returns the base of the task; undefined when the run must wait for a decision or was denied.
 */
export async function prepareRun(journey: Journey, harness: HarnessRun): Promise<Base | undefined> {
  const { deps, spec, place, calls } = journey;
  const { run, project, branch, head } = spec;
  const signal = AbortSignal.any([journey.left, journey.stop]);
  const { sandbox } = place;

  sandbox.expect({ ...harness.expects, limits: journey.limits });
  // What an interrupted attempt has left is removed meanwhile.
  let cleared: Promise<boolean> | undefined = sandbox.destroy(run).then(
    () => true,
    () => false,
  );
  const base = await pinBase(journey, signal);
  journey.announce('workspace', `making the working copy at ${base.branch}@${(head ?? base.commit).slice(0, 7)}`);
  const newest = await newestFor(journey, base, signal);
  const { isolated } = sandbox.capabilities;

  async function create(program: Program, until: AbortSignal): Promise<Program> {
    const work = async () => {
      if ((await cleared) !== true) await sandbox.destroy(run);
      cleared = undefined;
      await sandbox.create(
        {
          run,
          ...program,
          env: { ...program.env, DECKHAND_TASK: String(spec.taskNumber), DECKHAND_RUN: run },
          limits: journey.limits,
          expiresAt: new Date(deps.clock.now().getTime() + spec.timeoutMs + keepMs),
        },
        until,
      );
    };
    await journey.withSandbox(work, until, deps.engineWaitMs);
    await journey.at('sandbox_created');
    return program;
  }

  const [, program] = await together(signal, (both) => {
    const copied = deps.workspace
      .prepare({ run, task: keptUnder(spec), project, branch, base, head, newest }, both)
      .then(async () => {
        await journey.at('copy_made');
        journey.announce('sandbox', isolated ? 'starting a container' : 'starting on this machine, not isolated');
      });
    return [copied, harness.program(base.commit, copied, both).then((known) => create(known, both))];
  });

  await harness.fill(signal);
  const copyIn = () =>
    patiently(() => sandbox.copyIn(run, deps.workspace.pack(run), signal), {
      passes: (error) => error instanceof CopyCollided,
      withinMs: collisionsMs,
      signal,
    });
  await journey.withSandbox(copyIn, signal, deps.engineWaitMs);
  await journey.at('copied_in');
  await deps.workspace.discard(run);

  if (!harness.capabilities.asks && !(await authorised(journey))) {
    await sandbox.destroy(run);
    return undefined;
  }
  await journey.at('authorised');
  signal.throwIfAborted();
  const used = program.ownImage ?? place.image;
  const record = {
    kind: sandbox.kind,
    ref: sandboxRef(place, run),
    isolated,
    ...(used === null ? {} : { image: used }),
  };
  if (!(await calls.executing(run, deps.runner, record))) throw new LetGo(`${run} may not start`);
  await journey.at('executing_recorded');
  return base;
}

/**
 * Does two things at once. When one of them fails, the other has ended too before this throws: nothing goes on behind the back of whoever
 * clears up.
 */
async function together<A, B>(signal: AbortSignal, begin: (both: AbortSignal) => [Promise<A>, Promise<B>]): Promise<[A, B]> {
  const failed = new AbortController();
  const works = begin(AbortSignal.any([signal, failed.signal]));
  try {
    return await Promise.all(works);
  } catch (error) {
    failed.abort(error);
    await Promise.allSettled(works);
    throw error;
  }
}

/** The last check of a command. Of what asks each call is checked by itself. */
async function authorised({ deps, spec, place, calls }: Journey): Promise<boolean> {
  const { command, project, timeoutMs, run } = spec;
  const action = { type: 'command', command, project: project.id, timeoutMs } as const;
  const { verdict } = await calls.authorise(run, deps.runner, { ...action, ...offerOf(place) });
  return verdict === 'run';
}

/** What makes directories beside the copy has made them all by then. */
const collisionsMs = 10_000;
/** A sandbox outlives its command by this much before the reaper may take it. */
const keepMs = 24 * 60 * 60_000;

/** What an agent is to merge. One that goes on after a decision has what it was given before. */
async function newestFor({ deps, spec }: Journey, base: Base, signal: AbortSignal): Promise<Base | undefined> {
  const { rebase, task, project, agent } = spec;
  if (rebase !== 'resolve') return undefined;
  const given = agent?.resumed === true ? await deps.workspace.knownBase({ task, project, base }) : undefined;
  return given ?? (await deps.workspace.newestBase({ task, project, base }, signal));
}

/** The base the task is pinned to; the first run of a task looks it up. */
async function pinBase({ deps, spec, calls, announce, at }: Journey, signal: AbortSignal): Promise<Base> {
  let { base } = spec;
  if (base === null) {
    const { source } = spec.project;
    const what = source.kind === 'git' ? `fetching ${parseSource(source).address}` : `reading the commits of ${source.path}`;
    announce('repository', what);
    base = await deps.workspace.resolveBase(spec.project, signal);
    await at('base_resolved');
  }
  const pinned = await calls.pinBase(spec.run, deps.runner, base);
  await at('base_pinned');
  return pinned;
}
