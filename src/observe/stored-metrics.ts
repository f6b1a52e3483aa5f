import { Gauge, type Registry } from 'prom-client';
import type { Database } from '../store/database.ts';
import type { Standing } from '../store/standing.ts';

type Values = readonly { labels?: Record<string, string>; value: number }[];

interface StoredGauge {
  name: string;
  help: string;
  labelNames?: readonly string[];
  /** What is not told any more is 0, not gone: its line in a graph goes on. For labels with few values. */
  lasting?: true;
  values(standing: Standing): Values;
}

const gauges: readonly StoredGauge[] = [
  {
    name: 'deckhand_inbox_oldest_seconds',
    help: 'Age of the oldest event of a platform that is not dealt with; 0: none waits',
    values: ({ inboxOldest }) => [{ value: inboxOldest }],
  },
  {
    name: 'deckhand_inbox_waiting_lanes',
    help: 'Lanes with events that wait: what belongs together and is dealt with one after the other, mostly a conversation',
    values: ({ lanesWaiting }) => [{ value: lanesWaiting }],
  },
  {
    name: 'deckhand_outbox_waiting_messages',
    help: 'Messages that are to be sent or edited',
    labelNames: ['platform'],
    lasting: true,
    values: ({ outbox }) => outbox.map(({ platform, waiting }) => ({ labels: { platform }, value: waiting })),
  },
  {
    name: 'deckhand_outbox_oldest_seconds',
    help: 'For how long the first of them waits, however often it was tried',
    labelNames: ['platform'],
    lasting: true,
    values: ({ outbox }) => outbox.map(({ platform, oldest }) => ({ labels: { platform }, value: oldest })),
  },
  {
    name: 'deckhand_runs',
    help: 'Runs that are not over, by state and by what works in them',
    labelNames: ['state', 'worker'],
    lasting: true,
    values: ({ runs }) => runs.map(({ state, worker, runs: value }) => ({ labels: { state, worker }, value })),
  },
  {
    name: 'deckhand_run_queue_oldest_seconds',
    help: 'For how long the run waits that was put into the queue first; 0: none waits',
    values: ({ queueOldest }) => [{ value: queueOldest }],
  },
  {
    name: 'deckhand_decisions_waiting',
    help: 'Requests for decisions that nobody has answered yet',
    labelNames: ['kind'],
    lasting: true,
    values: ({ decisions }) => decisions.map(({ kind, waiting }) => ({ labels: { kind }, value: waiting })),
  },
  {
    name: 'deckhand_decision_oldest_seconds',
    help: 'For how long the first of them waits',
    labelNames: ['kind'],
    lasting: true,
    values: ({ decisions }) => decisions.map(({ kind, oldest }) => ({ labels: { kind }, value: oldest })),
  },
  {
    name: 'deckhand_dead_letters',
    help: 'Events (inbound) and messages (outbound) that were given up within the last hour; not answers to a person alone who does not let Deckhand write',
    labelNames: ['direction'],
    values: ({ deadLetters }) => Object.entries(deadLetters).map(([direction, value]) => ({ labels: { direction }, value })),
  },
  {
    name: 'deckhand_runner_heartbeat_age_seconds',
    help: 'Since when the runner of a machine was not heard; runners that were stopped are left out',
    labelNames: ['host'],
    values: ({ runners }) =>
      runners.filter(({ left }) => !left).map(({ host, beatAge }) => ({ labels: { host }, value: beatAge })),
  },
  {
    name: 'deckhand_runner_capacity_runs',
    help: 'Runs at once that the runner of a machine takes; 0 when it does not live',
    labelNames: ['host'],
    values: ({ runners }) => runners.map(({ host, alive, capacity }) => ({ labels: { host }, value: alive ? capacity : 0 })),
  },
  {
    name: 'deckhand_runner_busy_runs',
    help: 'Runs that the runner of a machine has',
    labelNames: ['host'],
    values: ({ runners }) => runners.map(({ host, busy }) => ({ labels: { host }, value: busy })),
  },
  {
    name: 'deckhand_disk_free_bytes',
    help: 'Free on the disk of the data directory of a machine, as it was found last (every hour and at ends of runs)',
    labelNames: ['host'],
    values: ({ disks }) => disks.map(({ host, free }) => ({ labels: { host }, value: free })),
  },
  {
    name: 'deckhand_disk_kept_bytes',
    help: 'What Deckhand keeps there in mirrors, files of runs and working copies',
    labelNames: ['host'],
    values: ({ disks }) => disks.map(({ host, kept }) => ({ labels: { host }, value: kept })),
  },
  {
    name: 'deckhand_disk_quota_bytes',
    help: 'How much of that it may keep; absent where there is no bound',
    labelNames: ['host'],
    values: ({ disks }) => disks.flatMap(({ host, quota }) => (quota === null ? [] : [{ labels: { host }, value: quota }])),
  },
];

/** What was read is told again for so long: any number of scrapes costs the database no more than one every few seconds. */
const keptMs = 3_000;
/** A database that has not answered by then is away: whoever scrapes waits ten seconds by default, and wants the other figures too. */
const answerMs = 5_000;

/**
 * What the database says about all processes, read when `/metrics` is asked for: two statements and the counts of the queue, whatever the
 * number of gauges. Every gateway tells the same, so a dashboard takes the maximum over them.
 */
export function addStoredMetrics(
  registry: Registry,
  read: { standing(): Promise<Standing>; waiting(): Promise<Record<string, number>> },
  times: { keptMs: number; answerMs: number } = { keptMs, answerMs },
): void {
  const registers = [registry];
  const look = sparing(read.standing, times);
  const lookWaiting = sparing(read.waiting, times);
  new Gauge({
    name: 'deckhand_waiting',
    help: 'Rows that wait: inbound events, messages to send, runs, decisions, jobs',
    labelNames: ['what'],
    registers,
    async collect() {
      this.reset();
      const found = await lookWaiting().catch(() => undefined);
      for (const [what, count] of Object.entries(found ?? {})) this.set({ what }, count);
    },
  });
  new Gauge({
    name: 'deckhand_database_up',
    help: '1 when the database answered this look; 0 when it did not, and what it would have said is left out',
    registers,
    async collect() {
      this.set(
        await look().then(
          () => 1,
          () => 0,
        ),
      );
    },
  });
  for (const { name, help, labelNames = [], lasting, values } of gauges) {
    const told = new Map<string, Record<string, string>>();
    new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers,
      async collect() {
        this.reset();
        const standing = await look().catch(() => undefined);
        if (standing === undefined) return;
        for (const labels of told.values()) this.set(labels, 0);
        for (const { labels = {}, value } of values(standing)) {
          this.set(labels, value);
          if (lasting === true) told.set(JSON.stringify(labels), labels);
        }
      },
    });
  }
}

/** Reads once at a time, and not again soon after it has succeeded. Rejects when there is no answer in time; who asks then waits for the same one. */
function sparing<T>(read: () => Promise<T>, times: { keptMs: number; answerMs: number }): () => Promise<T> {
  let reading: Promise<T> | undefined;
  let last: { value: T; at: number } | undefined;
  return async () => {
    if (last !== undefined && performance.now() - last.at < times.keptMs) return last.value;
    reading ??= read()
      .then((value) => {
        last = { value, at: performance.now() };
        return value;
      })
      .finally(() => {
        reading = undefined;
      });
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error(`no answer within ${times.answerMs} ms`)), times.answerMs);
    return await Promise.race([reading, late.promise]).finally(() => clearTimeout(timer));
  };
}

/** Connections of this process to the database. */
export function addPoolMetrics(registry: Registry, database: Pick<Database, 'pool'>): void {
  new Gauge({
    name: 'deckhand_database_connections',
    help: 'Connections of the pool of this process that are busy or idle, and how many callers are waiting for one',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      for (const [state, count] of Object.entries(database.pool())) this.set({ state }, count);
    },
  });
}
