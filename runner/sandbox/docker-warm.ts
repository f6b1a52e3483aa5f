import { randomBytes } from 'node:crypto';
import { freemem } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { type Ahead, tellVariable } from './ahead.ts';
import { environmentOf, logBytes, waitingContainer } from './docker-container.ts';
import type { Disks } from './docker-disk.ts';
import { call, hasStatus } from './docker-engine.ts';
import { type ExpectedSandbox, ImageMissing, ImageUnfit, NoSpace, type SandboxSpec, SandboxUnreachable } from './port.ts';
import type { WarmControl } from './warm-control.ts';
import { type Demand, expectedMs, keyOf, type Member, planWarm, quietMs, type Shape, shapeOf, warmPrefix } from './warm-plan.ts';

export interface WarmOptions {
  docker: Docker;
  instance: string;
  disks: Disks;
  control: WarmControl;
  /** How many are kept ready of each shape in use. 0: none; a run that announces itself still gets one made ahead of its need. */
  size: number;
  /** Image as it is now. `waits`: its first process can wait for its command. */
  imageOf(
    spec: Pick<SandboxSpec, 'image' | 'ownImage'>,
    signal?: AbortSignal,
  ): Promise<{ name: string; id: string; waits: boolean; ahead: boolean }>;
  /** Removes everything of a member. */
  discard(slot: string): Promise<void>;
  /** Told when one cannot be made; runs do without. */
  onTrouble?: ((error: unknown) => void) | undefined;
}

/**
 * Sandboxes that run already and wait for their command. Each is made by this process, given to one run and never to another: what is
 * left of an earlier process is nobody's, and removed by the reaper.
 */
export interface WarmPool {
  /** A run will want this in a moment. Returns at once. */
  expect(spec: ExpectedSandbox): void;
  /**
   * Makes one of the waiting sandboxes the run's, under the name it has among the run's things. False: there is none that fits, and
   * nothing has changed. `imageId`: of its image as it is now. Throws SandboxUnreachable.
   */
  take(spec: SandboxSpec, imageId: string, signal?: AbortSignal): Promise<boolean>;
  /** Whether this process has made it, for runs to come or for one that is there. */
  holds(slot: string): boolean;
  /** The one that this process has given to a run. */
  slotOf(run: string): string | undefined;
  /** Its run wants it no more. */
  forget(slot: string): void;
  /** Removes those that no run has been promised, for want of room, and makes none for a while. True when there were any. */
  makeRoom(): Promise<boolean>;
  /** Removes all that wait, and makes no more. */
  close(): Promise<void>;
}

interface Pooled extends Member {
  made: Promise<boolean>;
  /** A run waits for it to be made. */
  promised: boolean;
  /** What was started in it; undefined: nothing, or not known yet. */
  ahead?: string | undefined;
}

const lookMs = 60_000;
/** How long a runner that stops waits for the removal. */
const closeMs = 8_000;
/** After a failure the engine is left alone for so long. */
const troubleMs = 60_000;
/** What keeps failing is said again after so long. */
const toldMs = 10 * 60_000;

export function createWarmPool(options: WarmOptions): WarmPool {
  const { docker, instance, disks, control, size } = options;
  const members = new Map<string, Pooled>();
  /** All that this process has made and not yet begun to remove, also those that have become a run's. */
  const own = new Set<string>();
  /** Of the runs that have one. */
  const taken = new Map<string, string>();
  const demands = new Map<string, Demand & { expected: number[] }>();
  const leaving = new Set<Promise<void>>();
  const closed = new AbortController();
  let toldUntil = 0;
  /** Runs have the directories of their gateways on another file system, where a data directory has too long a path for sockets. */
  let farGateways = false;
  let troubledUntil = 0;
  let timer: NodeJS.Timeout | undefined;

  const imageOf = ({ image, ownImage }: Shape) => options.imageOf({ image, ownImage: ownImage ?? undefined });

  /** What also keeps runs from being made they say themselves; the rest is said now and then. */
  function trouble(error: unknown): void {
    const saidByRuns = [NoSpace, ImageMissing, ImageUnfit, SandboxUnreachable].some((kind) => error instanceof kind);
    if (saidByRuns || closed.signal.aborted || Date.now() < toldUntil) return;
    toldUntil = Date.now() + toldMs;
    options.onTrouble?.(error);
  }

  function plan(): void {
    if (closed.signal.aborted) return;
    const now = Date.now();
    for (const demand of demands.values()) demand.expected = demand.expected.filter((until) => until > now);
    // What is promised to a run is not there for another.
    const free = [...members.values()].filter(({ promised }) => !promised);
    const todo = planWarm({ demands: [...demands.values()], members: free, size, now, availableBytes: freemem() });
    for (const slot of todo.remove) void letGo(slot);
    if (now >= troubledUntil) for (const shape of todo.make) make(shape);
  }

  function planIn(ms: number): void {
    clearTimeout(timer);
    if (closed.signal.aborted) return;
    timer = setTimeout(() => {
      void lookAtImages().finally(() => {
        plan();
        const busy = [...demands.values()].some(({ usedAt }) => Date.now() - usedAt < quietMs);
        if (demands.size > 0) planIn(busy ? quietMs : lookMs);
      });
    }, ms);
    timer.unref();
  }

  /** An image that was built anew makes those of the old one useless. */
  async function lookAtImages(): Promise<void> {
    await Promise.all(
      [...demands.values()].map(async (demand) => {
        try {
          demand.imageId = (await imageOf(demand.shape)).id;
        } catch {
          // No image, no engine: whoever needs them says so.
        }
      }),
    );
  }

  function make(shape: Shape): void {
    const slot = `${warmPrefix}${randomBytes(8).toString('hex')}`;
    const member: Pooled = {
      slot,
      key: keyOf(shape),
      state: 'making',
      promised: false,
      made: build(slot, shape).then(
        ({ imageId, ahead }) => {
          member.imageId = imageId;
          member.ahead = ahead;
          member.state = 'ready';
          if (closed.signal.aborted) void letGo(slot);
          return true;
        },
        async (error: unknown) => {
          troubledUntil = Date.now() + troubleMs;
          trouble(error);
          await letGo(slot);
          return false;
        },
      ),
    };
    members.set(slot, member);
    own.add(slot);
  }

  /** Makes and starts it. Nothing aborts it: the engine might make what nobody knows of. */
  async function build(slot: string, shape: Shape): Promise<{ imageId: string; ahead: string | undefined }> {
    const image = await imageOf(shape);
    if (!image.waits) throw new Error(`Image ${image.name} was built before sandboxes could wait; \`npm run image\` builds it`);
    // Whoever finds it after this process can tell by itself that it is nobody's.
    const expiresAt = new Date(0);
    const limits = { ...shape, timeMs: 1 };
    const { volume, kind, hosts } = await disks.prepare({ run: slot, limits, expiresAt });
    await control.make(slot, shape.gateway);
    const ahead = image.ahead ? demands.get(keyOf(shape))?.ahead : undefined;
    const started = startedNow(ahead);
    const container = waitingContainer({
      image: image.id,
      instance,
      volume,
      hosts,
      slot,
      limits,
      expiresAt,
      memoryBytes: shape.memoryBytes + (kind === 'tmpfs' ? shape.diskBytes : 0),
      kind,
      directory: control.directory(slot),
      gateway: shape.gateway ? control.gateway(slot) : undefined,
      ahead,
    });
    const name = disks.volumeName(slot);
    await call((abortSignal) => docker.createContainer({ name, ...container, abortSignal }));
    await call((abortSignal) => docker.getContainer(name).start({ abortSignal }));
    return { imageId: image.id, ahead: started };
  }

  function letGo(slot: string): Promise<void> {
    members.delete(slot);
    own.delete(slot);
    const gone = (async () => {
      try {
        await options.discard(slot);
      } catch (error) {
        // The reaper finds it.
        trouble(error);
      }
    })();
    leaving.add(gone);
    void gone.finally(() => leaving.delete(gone));
    return gone;
  }

  /** One that is ready, or the first of those being made. */
  async function claim(key: string, imageId: string, wanted: string | undefined, signal?: AbortSignal) {
    const fitting = [...members.values()].filter((member) => member.key === key && !member.promised);
    const ready = fitting
      .filter((member) => member.state === 'ready' && member.imageId === imageId)
      .sort((one, other) => Number(other.ahead === wanted) - Number(one.ahead === wanted))[0];
    const found = ready ?? fitting.find((member) => member.state === 'making');
    if (found === undefined) return undefined;
    found.promised = true;
    try {
      const aborted = Promise.withResolvers<never>();
      const onAbort = () => aborted.reject(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
      try {
        if (!(await Promise.race([found.made, aborted.promise]))) return undefined;
      } finally {
        signal?.removeEventListener('abort', onAbort);
      }
    } catch (error) {
      found.promised = false;
      throw error;
    }
    members.delete(found.slot);
    if (found.imageId === imageId) return found;
    await letGo(found.slot);
    return undefined;
  }

  /** The name is what makes it the run's: the last step, and one that happens once. */
  async function bind(member: Pooled, spec: SandboxSpec, signal?: AbortSignal): Promise<boolean> {
    const { slot } = member;
    const fits = member.ahead !== undefined && member.ahead === startedNow(spec.ahead);
    const tell = fits && spec.tell !== undefined ? { [tellVariable]: JSON.stringify(spec.tell) } : {};
    const own = docker.getContainer(disks.volumeName(slot));
    const [{ State }] = await Promise.all([
      call((abortSignal) => own.inspect({ abortSignal }), signal),
      control.prepare(slot, {
        argv: spec.argv,
        env: { ...environmentOf(spec), ...tell },
        timeMs: spec.limits.timeMs,
        outputBytes: spec.limits.outputBytes,
        logBytes: logBytes(spec.limits.outputBytes),
        expiresAt: spec.expiresAt,
      }),
    ]);
    if (!State.Running || State.Paused) return false;
    if (spec.gateway !== undefined) await control.moveGateway(slot, spec.gateway);
    await call((abortSignal) => own.rename({ name: disks.volumeName(spec.run), abortSignal }), signal);
    return true;
  }

  async function removeAll(): Promise<void> {
    await Promise.all([...members.values()].map(({ made }) => made));
    await Promise.all([...members.keys()].map(letGo));
    await Promise.all(leaving);
  }

  function demandFor(spec: ExpectedSandbox) {
    const shape = shapeOf(spec);
    const key = keyOf(shape);
    const demand = demands.get(key) ?? { shape, usedAt: 0, expected: [] };
    demands.set(key, demand);
    demand.ahead = spec.ahead;
    return demand;
  }

  return {
    expect(spec) {
      if (closed.signal.aborted || (farGateways && spec.gateway !== undefined)) return;
      const demand = demandFor(spec);
      demand.expected.push(Date.now() + expectedMs);
      plan();
      planIn(expectedMs + 1);
    },
    async take(spec, imageId, signal) {
      if (closed.signal.aborted || (farGateways && spec.gateway !== undefined)) return false;
      const demand = demandFor(spec);
      demand.usedAt = Date.now();
      demand.expected.shift();
      planIn(quietMs + 20);
      demand.imageId = imageId;
      const member = await claim(keyOf(demand.shape), imageId, startedNow(spec.ahead), signal);
      if (member === undefined) return false;
      let bound = false;
      try {
        bound = await bind(member, spec, signal);
        if (bound) taken.set(spec.run, member.slot);
        return bound;
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof SandboxUnreachable) throw error;
        // The run has a container, or something in the directory of its gateway: it is continued.
        if (!hasStatus(error, 409) && !hasCode(error, 'ENOTEMPTY', 'EEXIST')) trouble(error);
        if (hasCode(error, 'EXDEV')) {
          farGateways = true;
          demands.delete(keyOf(demand.shape));
        }
        return false;
      } finally {
        if (!bound) await letGo(member.slot);
      }
    },
    holds: (slot) => own.has(slot),
    slotOf: (run) => taken.get(run),
    forget(slot) {
      own.delete(slot);
      for (const [run, one] of taken) if (one === slot) taken.delete(run);
    },
    async makeRoom() {
      // No others in their place, which would take the room again.
      troubledUntil = Date.now() + troubleMs;
      const free = [...members.values()].filter(({ promised }) => !promised);
      const gone = free.map(async (member) => {
        await member.made;
        if (!member.promised && members.has(member.slot)) await letGo(member.slot);
      });
      await Promise.all(gone);
      return free.length > 0;
    },
    async close() {
      closed.abort(new Error('the runner stops'));
      clearTimeout(timer);
      // What an engine that does not answer keeps is removed by the reaper of the next life.
      await Promise.race([removeAll(), delay(closeMs, undefined, { ref: false })]);
    },
  };
}

/** The same for what was started alike, on the same day: programs look at the calendar when they start. */
function startedNow(ahead: Ahead | undefined): string | undefined {
  return ahead === undefined ? undefined : JSON.stringify([new Date().toISOString().slice(0, 10), ahead]);
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}
