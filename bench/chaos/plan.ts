import { crashPoints } from '../../runner/crash-points.ts';
import { type Chances, chancesOf } from '../../tests/support/chaos-plan.ts';
import type { ChaosOptions } from './options.ts';

const always = [
  'a gateway is killed',
  'a gateway is restarted',
  'a runner is killed',
  'a runner is restarted',
  'all gateways are killed',
  'gateways and runners are killed',
  'a gateway is killed at a named point',
  'a runner is killed at a named point',
  'the clock of a gateway is wrong',
  'the clock of a runner is wrong',
  'the disk of a runner is full',
  'the disk for files of runs is full',
  'half of the connections to the database are ended',
  'connections to the database are dropped',
  'the database is cut off',
  'the platform answers 429 again and again',
  'the platform answers 500 and breaks connections',
  'replies of the platform are lost',
  'the platform is slow',
  'connections of the platform are cut',
  'events come again',
  'events come in another order',
] as const;
const ofEmbedded = ['the database crashes', 'the disk of the database is full'] as const;
const ofRedis = [
  'connections to Redis are dropped',
  'Redis is cut off',
  'Redis is killed and comes back empty',
  'Redis is wiped',
] as const;

export type Injection = (typeof always)[number] | (typeof ofEmbedded)[number] | (typeof ofRedis)[number];

/** Steps of a gateway, as its traces name them, and of a run; between two of them anything may be half done. */
const gatewayPoints = ['take events', 'handle event', 'command', 'deliver message', 'platform call'].flatMap(
  (name) => [`${name} begins`, `${name} ends`] as const,
);
const runnerPoints: readonly string[] = crashPoints;

/** One thing that goes wrong. */
export interface Step {
  what: Injection;
  /** How long nothing further goes wrong before it. */
  afterMs: number;
  /** Not before all processes are ready again. Else it may hit those that are only just starting. */
  whenReady: boolean;
  /** How long it lasts, where it is not over at once. */
  lastsMs: number;
  /** Which of two it is about. */
  which: 0 | 1;
  /** How many calls, events or the like it is about. */
  times: number;
  /** For a kill at a named point: where. */
  gatewayPoint: string;
  runnerPoint: string;
  /** For a wrong clock: by how much it is ahead. */
  seconds: number;
}

/** Without end: all kinds in a random order, then all again in another. The same options give the same steps. */
export function* stepsOf(options: Pick<ChaosOptions, 'seed' | 'redis' | 'database'>): Generator<Step, never> {
  const chances: Chances = chancesOf(options.seed, 'injections');
  const kinds: Injection[] = [
    ...always,
    ...(options.database === undefined ? ofEmbedded : []),
    ...(options.redis ? ofRedis : []),
  ];
  for (;;) {
    for (const what of chances.shuffled(kinds)) {
      yield {
        what,
        afterMs: chances.between(500, 6000),
        whenReady: chances.between(1, 3) > 1,
        lastsMs: chances.between(500, 6000),
        which: chances.oneOf([0, 1]),
        times: chances.between(1, 8),
        gatewayPoint: gatewayPoints[chances.between(0, gatewayPoints.length - 1)] ?? '',
        runnerPoint: runnerPoints[chances.between(0, runnerPoints.length - 1)] ?? '',
        seconds: chances.oneOf([-1, 1]) * chances.between(30, 900),
      };
    }
  }
}
