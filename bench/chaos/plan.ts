import { type Chances, chancesOf } from '../../tests/support/chaos-plan.ts';
import type { ChaosOptions } from './options.ts';

const always = [
  'a gateway is killed',
  'a gateway is restarted',
  'a runner is killed',
  'a runner is restarted',
  'all gateways are killed',
  'gateways and runners are killed',
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
const ofEmbedded = ['the database crashes'] as const;
const ofRedis = [
  'connections to Redis are dropped',
  'Redis is cut off',
  'Redis is killed and comes back empty',
  'Redis is wiped',
] as const;

export type Injection = (typeof always)[number] | (typeof ofEmbedded)[number] | (typeof ofRedis)[number];

/** One thing that goes wrong. */
export interface Step {
  what: Injection;
  /** How long nothing further goes wrong before it. */
  afterMs: number;
  /** How long it lasts, where it is not over at once. */
  lastsMs: number;
  /** Which of two it is about. */
  which: 0 | 1;
  /** How many calls, events or the like it is about. */
  times: number;
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
        lastsMs: chances.between(500, 6000),
        which: chances.oneOf([0, 1]),
        times: chances.between(1, 8),
      };
    }
  }
}
