import pg from 'pg';
import type { ApiCall } from '../../lab/slack/calls.ts';
import type { Site } from '../site.ts';
import { type Counts, count } from './counts.ts';
import type { Disk } from './disk.ts';
import type { Member } from './member.ts';
import type { Injection, Step } from './plan.ts';
import type { World } from './world.ts';

/** Methods whose answers get lost: those that make or change something that people see. */
const visible = ['chat.postMessage', 'chat.update', 'reactions.add', 'views.open', 'files.completeUploadExternal'];

/** This machine does not let it go wrong; the report says so. */
export class Unavailable extends Error {
  readonly what: string;

  constructor(what: string) {
    super(`${what} is not possible here`);
    this.what = what;
  }
}

/**
 * What makes each thing go wrong: `inject` resolves when it is over, as far as it is not over at once. After `end` the platform refuses nothing any
 * more, also what was still to be refused: where little is sent, that is much.
 */
export function createInjections(site: Site, world: World, counts: Counts): { inject(step: Step): Promise<void>; end(): void } {
  const { slack, gateways, runners, members, kept, databaseRelay, redis, disks } = world;
  const { controls } = slack;

  async function sql(text: string): Promise<number> {
    const client = new pg.Client({ connectionString: kept.url });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query<{ pid: number }>(text);
      return rows[0]?.pid ?? 0;
    } finally {
      await client.end();
    }
  }
  const others = `FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`;
  let isOver = false;
  const isVisible = ({ method }: ApiCall) => !isOver && visible.includes(method);

  /** The newest events, sent once more. A connection that is cut meanwhile ends that. */
  function repeat(order: (ids: string[]) => string[], times: number): void {
    const ids = slack.deliveries.flatMap(({ eventId, outcome }) => (outcome === 'acked' ? (eventId ?? []) : []));
    for (const id of order([...new Set(ids)].slice(-times))) {
      count(counts, 'events sent again');
      void controls.redeliver(id).catch((error: unknown) => site.say(`an event could not be sent again: ${error}`));
    }
  }

  /** `fails`: runs that need the disk may end for want of it. */
  async function fillDisk(disk: Disk | undefined, lastsMs: number, fails: boolean): Promise<void> {
    if (disk === undefined) throw new Unavailable('a full disk');
    const since = Date.now();
    await disk.fill();
    try {
      await site.pause(lastsMs);
    } finally {
      await disk.free();
      if (fails) world.fullDisks.push({ since, until: Date.now() });
    }
  }

  /** It stays wrong until this comes again, over restarts too. */
  async function setClock(member: Member | undefined, seconds: number): Promise<void> {
    if (member?.clock === undefined) throw new Unavailable('a wrong clock');
    await member.clock.set(seconds);
  }

  const ways: Record<Injection, (step: Step) => unknown> = {
    'a gateway is killed': ({ which }) => gateways[which]?.kill(),
    'a gateway is restarted': ({ which }) => gateways[which]?.restart(),
    'a runner is killed': ({ which }) => runners[which]?.kill(),
    'a runner is restarted': ({ which }) => runners[which]?.restart(),
    'a gateway is killed at a named point': ({ which, gatewayPoint }) => gateways[which]?.killAt(gatewayPoint),
    'a runner is killed at a named point': ({ which, runnerPoint }) => runners[which]?.killAt(runnerPoint),
    'the clock of a gateway is wrong': ({ which, seconds }) => setClock(gateways[which], seconds),
    'the clock of a runner is wrong': ({ which, seconds }) => setClock(runners[which], seconds),
    'the disk of a runner is full': ({ which, lastsMs }) => fillDisk(disks?.runners[which], lastsMs, true),
    'the disk for files of runs is full': ({ lastsMs }) => fillDisk(disks?.shared, lastsMs, true),
    'the disk of the database is full': ({ lastsMs }) => fillDisk(disks?.database, lastsMs, false),
    'all gateways are killed': () => Promise.all(gateways.map((one) => one.kill())),
    'gateways and runners are killed': () => Promise.all(members.map((one) => one.kill())),
    'half of the connections to the database are ended': () =>
      sql(`SELECT pg_terminate_backend(pid)::int AS "pid" ${others} AND random() < 0.5`),
    'connections to the database are dropped': () => databaseRelay.drop(),
    'the database is cut off': async ({ lastsMs }) => {
      await databaseRelay.cut();
      await site.pause(lastsMs);
      await databaseRelay.mend();
    },
    // A killed backend makes the server end all others and recover from its log.
    'the database crashes': async () => {
      const pid = await sql(`SELECT pid ${others} AND backend_type = 'client backend' ORDER BY random() LIMIT 1`);
      if (pid > 0) process.kill(pid, 'SIGKILL');
    },
    'the platform answers 429 again and again': ({ times, lastsMs }) =>
      controls.failNext('*', { status: 429, retryAfter: Math.ceil(lastsMs / 1000), times, when: isVisible }),
    'the platform answers 500 and breaks connections': ({ times }) => {
      controls.failNext('*', { status: 500, times, when: isVisible });
      controls.failNext('*', { dropConnectionBeforeEffect: true, times, when: isVisible });
    },
    'replies of the platform are lost': ({ times }) =>
      controls.failNext('*', { dropConnectionAfterEffect: true, times, when: isVisible }),
    'the platform is slow': async ({ lastsMs }) => {
      controls.latency(lastsMs / 4);
      await site.pause(lastsMs);
      controls.latency(0);
    },
    'connections of the platform are cut': () => controls.sockets.cut(),
    'events come again': ({ times }) => repeat((ids) => ids, times),
    'events come in another order': ({ times, which }) => {
      controls.mentionOrder(which === 0 ? 'message_first' : 'app_mention_first');
      repeat((ids) => ids.toReversed(), times);
    },
    'connections to Redis are dropped': () => redis?.relay.drop(),
    'Redis is cut off': async ({ lastsMs }) => {
      await redis?.relay.cut();
      await site.pause(lastsMs);
      await redis?.relay.mend();
    },
    'Redis is killed and comes back empty': async ({ lastsMs }) => {
      await redis?.server.kill();
      await site.pause(lastsMs);
      await redis?.server.start();
    },
    'Redis is wiped': () => redis?.server.client.flushall(),
  };

  return {
    async inject(step) {
      site.say(step.what);
      await ways[step.what](step);
      count(counts, step.what);
    },
    end() {
      isOver = true;
    },
  };
}
