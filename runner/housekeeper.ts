import { AppError } from '../src/contracts/errors.ts';
import {
  type DiskState,
  type Freed,
  type Holding,
  type HousekeepingControl,
  type Kept,
  nothingFreed,
  type RemovalRule,
} from '../src/contracts/housekeeping.ts';
import type { Clock } from '../src/runtime/clock.ts';
import { isId } from '../src/runtime/ids.ts';
import type { Logger } from '../src/runtime/logger.ts';
import { createLoop } from '../src/runtime/loop.ts';
import { bytesIn } from './bytes-in.ts';
import type { FilesKeeping } from './keep-files.ts';
import type { MirrorKeeping } from './keep-mirror.ts';
import { ownerOf } from './run-check-name.ts';
import type { Sandbox } from './sandbox/port.ts';
import type { Workspace } from './workspace.ts';

export interface HousekeeperDeps {
  control: HousekeepingControl;
  host: string;
  workspace: Pick<Workspace, 'mirrored' | 'list' | 'copyPath'>;
  mirrors: MirrorKeeping;
  files: FilesKeeping;
  sandboxes: readonly Pick<Sandbox, 'kind' | 'list'>[];
  /** How much is free on the disk, and how much of it Deckhand may take. */
  disk(): Promise<DiskState>;
  clock: Clock;
  logger: Logger;
  /** How far apart two rounds over everything are. Default one hour. */
  everyMs?: number | undefined;
}

/**
 * Keeps the disk of a runner in order: measures what is kept, deletes what was kept long enough or what somebody ordered to be deleted, and makes
 * room when the disk quota is exceeded. What may go is said by the database alone (HousekeepingControl); nothing of a live run ever does.
 */
export interface Housekeeper {
  /** Measures everything, and deletes what is due. */
  round(signal?: AbortSignal): Promise<Freed>;
  /** Carries out one order; undefined: there is none. */
  obey(signal?: AbortSignal): Promise<Freed | undefined>;
  /** A run of the project has ended: what it has left is measured soon. */
  ended(project: string): void;
  /** Throws DH-518 when Deckhand keeps more than it may, as it was measured last. */
  requireRoom(): void;
  start(): void;
  stop(): Promise<void>;
}

const hour = 60 * 60_000;
/** How long a lost wake-up lets an order wait. */
const lookMs = 15_000;
/** Over the quota nothing more is refused than must be: a measurement is repeated this often. */
const overMs = 60_000;
const gigabyte = 1_000_000_000;
const megabyte = 1_000_000;
/** What is made room for beyond what is missing, as a part of the quota. */
const slack = 0.02;

export function createHousekeeper(deps: HousekeeperDeps): Housekeeper {
  const { control, host, mirrors, files, workspace, clock, logger } = deps;
  const touched = new Set<string>();
  let state: { kept: Kept; disk: DiskState } | undefined;
  let roundAt = Number.NEGATIVE_INFINITY;

  const isOver = () => state !== undefined && state.disk.quota !== null && state.kept.bytes > state.disk.quota;

  async function store(holdings: readonly Holding[], all: boolean): Promise<void> {
    const disk = await deps.disk();
    state = { kept: await control.measured(host, { holdings, all, disk }), disk };
  }

  async function mirrorsOf(projects: readonly string[]): Promise<Holding[]> {
    const found: Holding[] = [];
    for (const project of projects) found.push({ kind: 'mirror', subject: project, bytes: await mirrors.bytes(project) });
    return found;
  }

  async function measureAll(): Promise<void> {
    const sizes = new Map<string, number>();
    for (const run of await workspace.list()) {
      const owner = ownerOf(run);
      sizes.set(owner, (sizes.get(owner) ?? 0) + (await bytesIn(workspace.copyPath(run))));
    }
    const copies = [...sizes].map(([subject, bytes]): Holding => ({ kind: 'copy', subject, bytes }));
    const lists = await Promise.all(deps.sandboxes.map((sandbox) => sandbox.list().catch(() => [])));
    const runs = new Set(lists.flat().map(({ run }) => ownerOf(run)));
    const sandboxes = [...runs].filter((run) => isId('run', run));
    await store(
      [
        ...(await mirrorsOf(await workspace.mirrored())),
        ...copies,
        ...sandboxes.map((subject): Holding => ({ kind: 'sandbox', subject, bytes: null })),
      ],
      true,
    );
  }

  /** Deletes what may go by a rule, in the order in which it is named. What cannot be deleted now is left for another time. */
  async function remove(rule: RemovalRule, signal: AbortSignal | undefined): Promise<Freed> {
    let freed = nothingFreed;
    const projects = await workspace.mirrored();
    const projectOf = new Map<string, string>();
    for (const project of projects) for (const task of await mirrors.tasksIn(project, signal)) projectOf.set(task, project);
    const named = await control.removable({ runs: await files.list(), tasks: [...projectOf.keys()] }, rule);
    const going = new Map<string, string[]>();
    for (const removal of named) {
      signal?.throwIfAborted();
      try {
        if (!(await control.release(removal, rule))) continue;
        if (removal.kind === 'files') {
          freed = { ...freed, files: freed.files + 1, bytes: freed.bytes + (await files.remove(removal.run)) };
          continue;
        }
        const project = projectOf.get(removal.task);
        if (project !== undefined) going.set(project, [...(going.get(project) ?? []), removal.task]);
      } catch (error) {
        signal?.throwIfAborted();
        logger.warn({ ...removal, err: error }, 'it could not be deleted');
      }
    }
    for (const project of projects) {
      freed = await tidy(project, going.get(project) ?? [], freed, signal);
    }
    if (freed.files + freed.commits > 0) {
      const megabytes = Math.round(freed.bytes / megabyte);
      logger.info({ why: rule.why, files: freed.files, commits: freed.commits, megabytes }, 'finished things deleted');
    }
    return freed;
  }

  /** Lets go of tasks in a mirror and packs it anew, when there is a reason to. */
  async function tidy(project: string, tasks: readonly string[], freed: Freed, signal: AbortSignal | undefined): Promise<Freed> {
    try {
      if (tasks.length > 0) await mirrors.letGo(project, tasks, signal);
      else if (!(await mirrors.isUntidy(project, signal))) return freed;
      const before = await mirrors.bytes(project);
      await mirrors.collectGarbage(project, signal);
      const bytes = Math.max(0, before - (await mirrors.bytes(project)));
      return { ...freed, commits: freed.commits + tasks.length, bytes: freed.bytes + bytes };
    } catch (error) {
      signal?.throwIfAborted();
      logger.warn({ project, tasks: tasks.length, err: error }, 'a mirror could not be tidied');
      return freed;
    }
  }

  /** Makes room while more is kept than may be. */
  async function makeRoom(signal: AbortSignal | undefined): Promise<void> {
    if (!isOver() || state?.disk.quota == null) return;
    const bytes = state.kept.bytes - state.disk.quota * (1 - slack);
    await remove({ why: 'room', bytes }, signal);
    await measureAll();
    if (isOver()) {
      const { kept, disk } = state;
      logger.warn({ keptMegabytes: Math.round(kept.bytes / megabyte), disk }, 'more is kept than the disk quota allows');
    }
  }

  async function round(signal?: AbortSignal): Promise<Freed> {
    const freed = await remove({ why: 'age' }, signal);
    const forgotten = await control.forget();
    if (forgotten > 0) logger.info({ rows: forgotten }, 'what is long over was forgotten');
    await measureAll();
    await makeRoom(signal);
    return freed;
  }

  async function obey(signal?: AbortSignal): Promise<Freed | undefined> {
    const order = await control.order(host);
    if (order === undefined) return undefined;
    const freed = await remove({ why: 'order', workspace: order.workspace }, signal);
    await measureAll();
    await control.carriedOut(order.id, host, freed);
    return freed;
  }

  async function measureEnded(signal: AbortSignal): Promise<void> {
    if (touched.size === 0) return;
    const projects = [...touched];
    touched.clear();
    const there = new Set(await workspace.mirrored());
    await store(await mirrorsOf(projects.filter((project) => there.has(project))), false);
    await makeRoom(signal);
  }

  const leaving = new AbortController();
  const loop = createLoop({
    name: 'housekeeper',
    idleMs: lookMs,
    gapMs: 1000,
    async run(signal) {
      if ((await obey(signal)) !== undefined) return true;
      await measureEnded(signal);
      const now = clock.now().getTime();
      if (now - roundAt < (isOver() ? overMs : (deps.everyMs ?? hour))) return false;
      roundAt = now;
      await round(signal);
      return false;
    },
    onError: (error) => logger.warn({ err: error }, 'housekeeping failed'),
  });

  return {
    round,
    obey,
    ended(project) {
      touched.add(project);
      loop.wake();
    },
    requireRoom() {
      if (!isOver() || state?.disk.quota == null) return;
      const { kept, disk } = state;
      const most = kept.largest.map(({ what, bytes }) => `${what} (${size(bytes)})`).join(', ');
      throw new AppError('DH-518', { kept: size(kept.bytes), quota: size(disk.quota ?? 0), most });
    },
    start() {
      control.onOrder(() => loop.wake(), leaving.signal);
      loop.start();
    },
    async stop() {
      leaving.abort();
      await loop.stop();
    },
  };
}

function size(bytes: number): string {
  return bytes < gigabyte ? `${Math.ceil(bytes / megabyte)} MB` : `${(bytes / gigabyte).toFixed(1)} GB`;
}
