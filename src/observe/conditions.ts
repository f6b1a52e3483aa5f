import { platformNames, platformSchema } from '../contracts/platform.ts';
import { bytes, count, duration } from '../delivery/units.ts';
import type { AlertFacts } from '../store/alerts.ts';
import type { Standing } from '../store/standing.ts';

/** Something that whoever runs Deckhand must know of. */
export interface Condition extends AlertFacts {
  /** The same thing has the same key, however it is worded. */
  key: string;
  /** It is told when it has held for so long. Milliseconds. */
  holdMs: number;
  /** It is over already when it is told: there is no second message. */
  past?: true | undefined;
}

const second = 1000;
const minute = 60 * second;
const usual = { holdMs: minute };

/** Seconds. */
const outboxOldest = 5 * 60;
const inboxOldest = 2 * 60;
const queueOldest = 30 * 60;
const noRunnerOldest = 60;
/** Runs do not begin below 200 MB; there is time to make room before. */
const diskFloor = 2e9;

/** What is wrong, as far as the database says it. */
export function standingConditions(standing: Standing): Condition[] {
  const { outbox, inboxOldest: inbox, queueOldest: queue, runners, disks, deadLetters } = standing;
  const ago = (seconds: number) => duration(seconds * second);
  const machine = (host: string) => `machine \`${host.slice(0, 13)}\``;
  const nobody = !runners.some(({ alive }) => alive);
  return [
    ...outbox
      .filter(({ oldest }) => oldest > outboxOldest)
      .map(({ platform, oldest, waiting }) => ({
        ...usual,
        key: `outbox:${platform}`,
        text: `${count(waiting, 'message')} to ${nameOf(platform)} wait, the first for ${ago(oldest)}.`,
        remedy: 'Nothing is lost: they are sent when it answers. `doctor` says whether it is reached and takes our token.',
        over: `Messages to ${nameOf(platform)} are sent again.`,
      })),
    ...(inbox > inboxOldest
      ? [
          {
            ...usual,
            key: 'inbox',
            text: `What people have sent is not dealt with, the first for ${ago(inbox)}.`,
            remedy: 'The log says which event fails, and why.',
            over: 'Everything that people have sent is dealt with.',
          },
        ]
      : []),
    ...runners
      .filter(({ left, alive }) => !left && !alive)
      .map(({ host, beatAge }) => ({
        ...usual,
        key: `runner:${host}`,
        text: `The runner of ${machine(host)} was not heard for ${ago(beatAge)}.`,
        remedy: 'Start it on its data directory: it continues its runs. After a while they end as interrupted.',
        over: `The runner of ${machine(host)} is back.`,
      })),
    ...(nobody && queue > noRunnerOldest
      ? [
          {
            ...usual,
            key: 'no-runner',
            text: `Runs wait for ${ago(queue)}, and no runner is up.`,
            remedy: 'Start a runner; runs begin by themselves.',
            over: 'A runner is up, and runs begin.',
          },
        ]
      : []),
    ...(!nobody && queue > queueOldest
      ? [
          {
            ...usual,
            key: 'queue',
            text: `The first run in the queue waits for ${ago(queue)}.`,
            remedy: '`queue` says for what. More runs at once: `RUNNER_CONCURRENCY`, or another machine.',
            over: 'The queue is short again.',
          },
        ]
      : []),
    ...disks
      .filter(({ host, free }) => free < diskFloor && runners.some((runner) => runner.host === host && runner.alive))
      .map(({ host, free }) => ({
        ...usual,
        key: `disk:${host}`,
        text: `The disk of ${machine(host)} has ${bytes(free)} left.`,
        remedy: '`copies` says what takes room, `copies prune` deletes what is finished. Below 200 MB nothing new is started.',
        over: `The disk of ${machine(host)} has room again.`,
      })),
    ...(deadLetters.inbound + deadLetters.outbound > 0
      ? [
          {
            holdMs: 0,
            key: 'given-up',
            text: `Given up within an hour: ${givenUp(deadLetters)}.`,
            remedy: 'Who was concerned was told where that is possible. The log says why.',
            over: 'Nothing was given up within the last hour.',
          },
        ]
      : []),
  ];
}

function givenUp({ inbound, outbound }: Standing['deadLetters']): string {
  const parts = [inbound > 0 ? `${count(inbound, 'event')} of people` : '', outbound > 0 ? count(outbound, 'message') : ''];
  return parts.filter((part) => part !== '').join(' and ');
}

/** The queue of jobs does not answer, although the database does. */
export function queueAway(detail: string): Condition {
  return {
    holdMs: 30 * second,
    key: 'jobs',
    text: `The queue of jobs does not answer: ${detail}.`,
    remedy: 'Start what it runs on (`REDIS_URL`). Nothing is lost; runs begin when it is back.',
    over: 'The queue of jobs answers again.',
  };
}

/** Told when it is back: nothing can be told before. */
export function databaseWasAway(ms: number): Condition {
  return {
    holdMs: 0,
    past: true,
    key: 'database',
    text: `The database did not answer for ${duration(ms)}. It is back, and so is Deckhand.`,
    remedy: 'What was acknowledged before is there; platforms deliver the rest again.',
    over: 'The database answers again.',
  };
}

/** A model server has refused the key that an agent works with. */
export function keyRefused(worker: string): Condition {
  return {
    holdMs: 0,
    key: `model:${worker}`,
    text: `The model server refuses the key that \`${worker}\` works with.`,
    remedy:
      '`account` says which it is; `account key` takes a new one. Keys of variables are changed where the runner is started.',
    over: `No key of \`${worker}\` was refused for a quarter of an hour.`,
  };
}

function nameOf(platform: string): string {
  const known = platformSchema.safeParse(platform);
  return known.success ? platformNames[known.data] : platform;
}
