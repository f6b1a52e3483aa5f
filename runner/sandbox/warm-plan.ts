import type { Ahead } from './ahead.ts';
import type { ExpectedSandbox, SandboxImage } from './port.ts';

/** Begins the names of sandboxes that are made before it is known for which run. */
export const warmPrefix = 'warm-';

/** Everything of a sandbox that cannot change once it runs. Only a run that wants exactly this gets it. */
export interface Shape {
  image: SandboxImage;
  ownImage: string | null;
  gateway: boolean;
  /** Name of what is started in it ahead of the run. */
  ahead: string | null;
  memoryBytes: number;
  cpus: number;
  pids: number;
  diskBytes: number;
  fileBytes: number;
  /** Its log has room for so much output. */
  outputBytes: number;
}

export function shapeOf({ image, ownImage, gateway, ahead, limits }: ExpectedSandbox): Shape {
  const { memoryBytes, cpus, pids, diskBytes, fileBytes, outputBytes } = limits;
  const what = { image: image ?? 'commands', ownImage: ownImage ?? null, gateway: gateway !== undefined };
  return { ...what, ahead: ahead?.name ?? null, memoryBytes, cpus, pids, diskBytes, fileBytes, outputBytes };
}

export function keyOf(shape: Shape): string {
  return JSON.stringify(Object.entries(shape).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** How often a shape is wanted. Times in ms. */
export interface Demand {
  shape: Shape;
  /** When a run last asked for one. */
  usedAt: number;
  /** What the last run that asked could have had started ahead. */
  ahead?: Ahead | undefined;
  /** Id of the image as it is now; undefined: not known, or not there. */
  imageId?: string | undefined;
  /** Until when runs that have announced themselves and have got none are waited for. */
  expected: readonly number[];
}

export interface Member {
  slot: string;
  key: string;
  state: 'making' | 'ready';
  /** Id of its image; undefined while it is being made. */
  imageId?: string | undefined;
}

export interface PlanInput {
  demands: readonly Demand[];
  members: readonly Member[];
  /** How many of each shape are kept ready. */
  size: number;
  now: number;
  /** Memory that the machine has to give. */
  availableBytes: number;
}

/** Without a run of the shape for so long, none is kept. */
export const keptMs = 8 * 60 * 60_000;
/** A run that has just begun has the machine for itself before its successor is made. */
export const quietMs = 3_000;
/** With less memory to give, none is kept ready. */
export const scarceBytes = 512 * 1024 ** 2;
/** What announces itself and then does not come is forgotten. */
export const expectedMs = 60_000;

/** Pure: what to make and what to remove, so that what is likely to be wanted is there and nothing else. */
export function planWarm(input: PlanInput): { make: Shape[]; remove: string[] } {
  const { demands, members, size, now, availableBytes } = input;
  const make: Shape[] = [];
  const remove: string[] = [];
  const scarce = availableBytes < scarceBytes;
  const known = new Set(demands.map(({ shape }) => keyOf(shape)));
  for (const { slot, key, state } of members) if (state === 'ready' && !known.has(key)) remove.push(slot);
  for (const { shape, usedAt, imageId, expected } of demands) {
    const key = keyOf(shape);
    const own = members.filter((member) => member.key === key);
    const stale = own.filter((member) => member.imageId !== undefined && imageId !== undefined && member.imageId !== imageId);
    const good = own.filter((member) => !stale.includes(member));
    const awaited = expected.filter((until) => until > now).length;
    const kept = scarce || now - usedAt >= keptMs ? 0 : size;
    const busy = awaited > 0 || now - usedAt < quietMs;
    const missing = (busy ? awaited : kept) - good.length;
    for (let n = 0; n < missing; n += 1) make.push(shape);
    const spare = good.filter(({ state }) => state === 'ready').slice(0, Math.max(0, good.length - kept - awaited));
    remove.push(...[...stale, ...spare].map(({ slot }) => slot));
  }
  return { make, remove };
}
