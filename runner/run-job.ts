import { setTimeout as delay } from 'node:timers/promises';
import type { CodeHost } from '../src/contracts/code-host.ts';
import { AppError, describeError } from '../src/contracts/errors.ts';
import type { JobQueue, JobWorker } from '../src/contracts/jobs.ts';
import type { PublishControl } from '../src/contracts/publish-control.ts';
import type { RunControl } from '../src/contracts/run-control.ts';
import type { EventLog } from '../src/contracts/run-event.ts';
import { type Clock, systemClock } from '../src/runtime/clock.ts';
import { newId } from '../src/runtime/ids.ts';
import type { Logger } from '../src/runtime/logger.ts';
import { createLoop } from '../src/runtime/loop.ts';
import { passPoint } from '../src/runtime/points.ts';
import { withModels } from './agent-models.ts';
import { agentOffers } from './agent-offers.ts';
import type { Artifacts } from './artifacts.ts';
import type { AtPoint } from './crash-points.ts';
import { accessOf } from './project-access.ts';
import { createModelLists } from './proxy/models.ts';
import { createPublisher } from './publish.ts';
import { createReaper } from './reaper.ts';
import type { AgentDeps } from './run-agent.ts';
import { type JourneyDeps, LetGo, type Place } from './run-journey.ts';
import { liveRun } from './run-life.ts';
import { offerOf } from './run-prepare.ts';
import { defaultSandboxLimits, type SandboxLimits } from './sandbox/port.ts';
import type { Workspace } from './workspace.ts';

export interface RunnerDeps {
  control: RunControl;
  queue: Pick<JobQueue, 'work'>;
  /** The first is for new runs; the others serve to continue what was started in them. */
  places: readonly [Place, ...Place[]];
  workspace: Workspace;
  artifacts: Artifacts;
  events: EventLog;
  /** Identity of the data directory: only a runner with the same one can continue its runs. */
  hostId: string;
  /** Runs at once. */
  capacity: number;
  /** What this machine is, for runs that need it: contracts/labels.ts. */
  labels?: readonly string[] | undefined;
  /** Identity of the disk with its mirrors, when several hosts may share it. */
  store?: string | undefined;
  /** How long what runs may go on, when the runner is to stop, before it lets go of it (0). */
  drainMs?: number | undefined;
  logger: Logger;
  /** Values that never show in output or patches: tokens of the configuration. */
  secrets: readonly string[];
  clock?: Clock | undefined;
  /** Of every command; the time comes with the run. */
  limits?: Partial<Omit<SandboxLimits, 'timeMs'>> | undefined;
  stopGraceMs?: number | undefined;
  /** How long the start of a run waits for a container engine that does not answer (1 hour). */
  engineWaitMs?: number | undefined;
  beatEveryMs?: number | undefined;
  /** How often it looks for runs whose jobs do not come (10 s). */
  overlookedEveryMs?: number | undefined;
  reapEveryMs?: number | undefined;
  at?: AtPoint | undefined;
  /** Draws what runs have changed. Undefined: no pictures are made. */
  draw?: JourneyDeps['draw'];
  /** Proxies of this machine, as in HTTPS_PROXY. */
  environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Undefined: no runs of agents are taken. */
  agents?: AgentDeps | undefined;
  /** Undefined: no changes are brought out. */
  publishing?: { control: PublishControl; everyMs?: number | undefined } | undefined;
  /** Where pull requests are opened, when there is one. */
  codeHost?: CodeHost | undefined;
}

/** Executes runs on this machine. */
export interface Runner {
  readonly id: string;
  /** Registers, continues what an earlier life left unfinished, and takes jobs from then on. */
  start(): Promise<void>;
  /**
   * Takes no more jobs: what waits for it goes to other runners that fit. After `drainMs` it lets go of its runs as they stand: commands run
   * on, and the next runner on this data directory continues them. Resolves when nothing is in flight.
   */
  stop(): Promise<void>;
}

export function createRunner(deps: RunnerDeps): Runner {
  const id = newId('rnr');
  const { control, logger } = deps;
  const active = new Map<string, Promise<void>>();
  const leaving = new AbortController();
  let workers: JobWorker[] = [];

  const journeyDeps: JourneyDeps & { control: RunControl } = {
    runner: id,
    control,
    places: deps.places,
    workspace: deps.workspace,
    artifacts: deps.artifacts,
    events: deps.events,
    secrets: deps.secrets,
    limits: { ...defaultSandboxLimits, ...deps.limits },
    stopGraceMs: deps.stopGraceMs ?? 10_000,
    engineWaitMs: deps.engineWaitMs ?? 60 * 60_000,
    clock: deps.clock ?? systemClock,
    logger,
    at: deps.at ?? passPoint,
    draw: deps.draw,
    agents: deps.agents,
    repositoryAt(address) {
      const found = deps.codeHost?.repositoryOf(address);
      return found === undefined ? undefined : `${found.owner}/${found.name}`;
    },
  };

  /** A run lives once in a process, however often it is asked for. */
  function live(run: string): Promise<void> {
    const known = active.get(run);
    if (known !== undefined) return known;
    const life = lives(run).finally(() => active.delete(run));
    active.set(run, life);
    return life;
  }

  async function lives(run: string): Promise<void> {
    while (await liveRun(journeyDeps, run, leaving.signal));
  }

  async function syncProject(project: string, signal: AbortSignal): Promise<void> {
    const wanted = await control.projectSource(project);
    if (wanted === null) return;
    const { access: isAsked, ...source } = wanted;
    const until = AbortSignal.any([signal, leaving.signal]);
    try {
      const found = await deps.workspace.sync(source, until);
      const { publishing } = deps.workspace;
      const access = isAsked ? await accessOf({ publishing, codeHost: deps.codeHost }, source, found.head, until) : undefined;
      await control.projectSynced(project, { ok: true, ...found, access });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      logger.info({ project, err: error }, 'project cannot be read');
      const { text: detail, remedy } = describeError(error.code, error.params);
      await control.projectSynced(project, { ok: false, code: error.code, detail, remedy });
    }
  }

  const beats = createLoop({
    name: 'runner beat',
    idleMs: deps.beatEveryMs ?? 5_000,
    async run() {
      await control.beat(id);
      return false;
    },
    onError: (error) => logger.warn({ err: error }, 'beat failed'),
  });
  const strays = createLoop({
    name: 'overlooked runs',
    idleMs: deps.overlookedEveryMs ?? 10_000,
    async run() {
      const room = deps.capacity - active.size;
      for (const run of room > 0 ? (await control.overlooked(id)).slice(0, room) : []) {
        live(run).catch((error: unknown) => logger.error({ run, err: error }, 'run could not be taken'));
      }
      return false;
    },
    onError: (error) => logger.warn({ err: error }, 'overlooked runs could not be looked for'),
  });
  let told = '';
  const modelLists = createModelLists({ environment: deps.environment, signal: leaving.signal });
  const offers = createLoop({
    name: 'offers of agents',
    idleMs: 60_000,
    async run(signal) {
      const { agents, places } = deps;
      if (agents === undefined) return false;
      const { models, accounts = {} } = agents;
      const found = await agentOffers({ models, accounts, sandbox: places[0].sandbox }, signal);
      const offered = await withModels(found, models, modelLists);
      const now = JSON.stringify(offered);
      if (now !== told) await control.offerAgents(id, offered);
      told = now;
      return false;
    },
    onError: (error) => logger.warn({ err: error }, 'it is not known which agents can work here'),
  });
  const publisher =
    deps.publishing === undefined
      ? undefined
      : createPublisher({
          ...deps.publishing,
          runner: id,
          host: deps.hostId,
          publishing: deps.workspace.publishing,
          codeHost: deps.codeHost,
          secrets: deps.secrets,
          logger: logger.child({ part: 'publications' }),
          at: deps.at ?? passPoint,
        });
  const reaper = createReaper({
    control,
    host: deps.hostId,
    sandboxes: deps.places.map(({ sandbox }) => sandbox),
    workspace: deps.workspace,
    active: () => new Set(active.keys()),
    clock: deps.clock ?? systemClock,
    logger,
    everyMs: deps.reapEveryMs,
  });

  /** Takes nothing new, and resolves when what runs has ended, or after `withinMs`. */
  async function drain(withinMs: number): Promise<void> {
    await control.drain(id).catch((error: unknown) => logger.warn({ err: error }, 'that this runner drains could not be said'));
    const runs = active.size;
    if (runs > 0) logger.info({ runs, withinMs }, 'what runs may end before the runner does');
    // Taken already, and refused when it is claimed: what a worker is given between.
    const taking = Promise.all(workers.map((worker) => worker.stop(withinMs + 5_000)));
    const over = new AbortController();
    const time = delay(withinMs, undefined, { signal: over.signal }).catch(() => undefined);
    await Promise.race([Promise.allSettled([...active.values()]).then(() => taking), time]);
    over.abort();
  }

  return {
    id,
    async start() {
      const unfinished = await control.register({
        id,
        host: deps.hostId,
        capacity: deps.capacity,
        sandboxes: deps.places.map(({ sandbox }) => sandbox.kind),
        offer: offerOf(deps.places[0]),
        labels: deps.labels,
        store: deps.store,
      });
      beats.start();
      offers.start();
      for (const run of unfinished) {
        live(run).catch((error: unknown) => logger.error({ run, err: error }, 'run could not be continued'));
      }
      const { capacity: concurrency, hostId: host } = deps;
      workers = [
        await deps.queue.work({ 'run.execute': ({ run }) => live(run) }, { concurrency, host }),
        await deps.queue.work({ 'project.sync': ({ project }, signal) => syncProject(project, signal) }, { concurrency }),
      ];
      strays.start();
      reaper.start();
      publisher?.start();
    },
    async stop() {
      const drainMs = deps.drainMs ?? 0;
      await strays.stop();
      if (drainMs > 0) await drain(drainMs);
      leaving.abort(new LetGo('the runner stops'));
      await publisher?.stop();
      await reaper.stop();
      await Promise.allSettled(active.values());
      await Promise.all(workers.map((worker) => worker.stop(5_000)));
      await Promise.allSettled(active.values());
      await Promise.allSettled(deps.places.map(({ sandbox }) => sandbox.close()));
      await offers.stop();
      await beats.stop();
      await control.unregister(id);
    },
  };
}
