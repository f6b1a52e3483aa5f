import { randomBytes } from 'node:crypto';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { slackManifest } from '../../adapters/slack/manifest.ts';
import { createSlackEmulator, type SlackEmulator } from '../../lab/slack/emulator.ts';
import { findOrCreatePerson } from '../../src/store/people.ts';
import { embeddedPort } from '../../src/store/postgres-address.ts';
import { firstWorkspace } from '../../src/store/workspaces.ts';
import { type Kept, keptIn } from '../../tests/support/chaos-facts.ts';
import { removeFromEngine } from '../../tests/support/machine-traces.ts';
import { createTestRedis, freePort, type TestRedis } from '../../tests/support/redis.ts';
import { createRelay, type Relay } from '../../tests/support/socket-relay.ts';
import { bindPlaces, chatVariables, makeRepository, openDatabase, slackPlaces } from '../chat.ts';
import type { Site } from '../site.ts';
import { createClock, findFaketime } from './clocks.ts';
import { keepPostgres } from './database.ts';
import { type Disk, mountDisk } from './disk.ts';
import { startLastResort } from './last-resort.ts';
import { Member } from './member.ts';
import type { ChaosOptions } from './options.ts';

/** Everything that runs: the platform in this process, the rest as processes of their own. */
export interface World {
  slack: SlackEmulator;
  gateways: readonly Member[];
  runners: readonly Member[];
  members: readonly Member[];
  /** The database, not through the relay. */
  kept: Kept;
  databaseRelay: Relay;
  redis: { server: TestRedis; relay: Relay } | undefined;
  /** Data directories of the runners. */
  dataDirs: readonly string[];
  mirrors: string;
  /** Small ones, that can be filled; undefined where they cannot be mounted. */
  disks: Disks | undefined;
  /** When disks that runs need were full, milliseconds since 1970. */
  fullDisks: { since: number; until: number }[];
  /** What this machine does not let go wrong, and why. */
  missing: string[];
}

interface Disks {
  runners: readonly [Disk, Disk];
  /** Mirrors and files of runs. */
  shared: Disk;
  /** Undefined: it is not ours. */
  database: Disk | undefined;
}

const readyWithinMs = 120_000;
/** Slack tries again after a minute and after five; here nobody waits that long for a message that was not heard. */
const timing = { retryDelays: [0, 5000, 15_000] };

/** Two gateways and two runners that reach database and Redis through relays. All are up when this resolves. */
export async function startWorld(site: Site, options: ChaosOptions): Promise<World> {
  startLastResort(site.dir);
  // What anything here makes in the directory for temporary files is found there, and taken down, too.
  process.env.TMPDIR = site.dir;
  const manifest = slackManifest({ mode: 'socket', usageHint: 'help' });
  const slack = await createSlackEmulator({ manifest, keepCalls: 20_000, rateLimiting: true, timing });
  site.onEnd(() => slack.close());

  const missing: string[] = [];
  const explain = (what: string) => (error: unknown) => {
    const why = error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error);
    missing.push(`${what}: ${why}`);
    site.say(`not possible here: ${missing.at(-1)}`);
    return undefined;
  };
  const disks = await mountDisks(site, options).catch(explain('full disks (they take root, loop devices and mkfs.ext4)'));
  const faketime = await findFaketime().catch(explain('wrong clocks (they take the package libfaketime)'));

  const databaseDir = disks?.database?.dir ?? join(site.dir, 'database');
  if (options.database === undefined) await keepPostgres(site, databaseDir);
  const sharedDir = disks?.shared.dir ?? site.dir;
  const shared = { artifacts: join(sharedDir, 'artifacts'), mirrors: join(sharedDir, 'mirrors') };
  const url = options.database ?? (await keptIn(databaseDir)).url ?? '';
  const { relay: databaseRelay, address } = await relayTo(site, url);
  const redis = options.redis ? await startRedis(site) : undefined;

  for (const dir of Object.values(shared)) await mkdir(dir);
  const settings: Record<string, string> = {
    ...chatVariables(slack, 'socket'),
    DATABASE_URL: address,
    DECKHAND_SECRET_KEY: randomBytes(32).toString('base64'),
    SANDBOX: options.sandbox,
    ...(redis === undefined ? {} : { REDIS_URL: redis.address }),
  };
  const dataDirs: string[] = [];
  const member = async (role: 'gateway' | 'runner', number: number) => {
    const disk = role === 'runner' ? disks?.runners[number - 1] : undefined;
    const dataDir = disk?.dir ?? join(site.dir, `${role}-${number}`);
    await mkdir(dataDir, { mode: 0o711, recursive: true });
    if (role === 'runner') dataDirs.push(dataDir);
    const order = join(site.dir, `${role}-${number}.order`);
    const clock = faketime === undefined ? undefined : await createClock(faketime, join(site.dir, `${role}-${number}.clock`));
    for (const [name, path] of Object.entries(shared)) await symlink(path, join(dataDir, name));
    site.onEnd(() => removeFromEngine(dataDir));
    const one = new Member(`${role} ${number}`, role, { dataDir, order, clock }, settings);
    site.onEnd(() => one.end());
    one.spared = options.spare && number === 1;
    return one;
  };
  const gateways = [await member('gateway', 1), await member('gateway', 2)];
  const runners = [await member('runner', 1), await member('runner', 2)];

  const members = [...gateways, ...runners];
  for (const one of members) one.begin();
  await site.until('all to be ready', () => members.every((one) => one.isReady()), readyWithinMs, 100);
  const database = await openDatabase(site, url);
  const repository = await makeRepository(join(site.dir, 'repository'));
  await bindPlaces(database, slackPlaces(slack, ['demo', 'ops']), {
    repository,
    projects: 2,
    concurrency: 8,
    policy: (project) =>
      project === 1 ? {} : { mode: 'ask', approvers: { role: 'developer', people: [], notRequester: false } },
  });
  const identity = { platform: 'slack', tenant: slack.teamId, user: slack.person('ben').id } as const;
  await database.transaction(async (tx) => {
    const { id: workspace } = await firstWorkspace(tx, 'Deckhand');
    await findOrCreatePerson(tx, { workspace, identity, name: 'Ben', role: 'developer' });
  });
  return {
    slack,
    gateways,
    runners,
    members,
    kept: { url, artifacts: shared.artifacts },
    databaseRelay,
    redis: redis && { server: redis.server, relay: redis.relay },
    dataDirs,
    mirrors: shared.mirrors,
    disks,
    fullDisks: [],
    missing,
  };
}

/** All of them or none: what is mounted by then is taken down with the site. */
async function mountDisks(site: Site, { database }: ChaosOptions): Promise<Disks> {
  return {
    runners: [await mountDisk(site, 'runner-1'), await mountDisk(site, 'runner-2')],
    shared: await mountDisk(site, 'files'),
    database: database === undefined ? await mountDisk(site, 'database') : undefined,
  };
}

/** A relay in front of a PostgreSQL that listens on a socket or on a port, and the address through it. */
async function relayTo(site: Site, url: string): Promise<{ relay: Relay; address: string }> {
  const address = new URL(url);
  const socket = address.searchParams.get('host');
  const target =
    socket === null
      ? { host: address.hostname, port: Number(address.port || embeddedPort) }
      : { path: join(socket, `.s.PGSQL.${address.port || embeddedPort}`) };
  const port = await freePort();
  const relay = createRelay({ host: '127.0.0.1', port }, target);
  await relay.mend();
  site.onEnd(() => relay.cut());
  address.searchParams.delete('host');
  address.hostname = '127.0.0.1';
  address.port = String(port);
  return { relay, address: address.href };
}

async function startRedis(site: Site): Promise<{ server: TestRedis; relay: Relay; address: string }> {
  const server = await createTestRedis(['--maxmemory-policy', 'noeviction']);
  site.onEnd(() => server.close());
  const port = await freePort();
  const relay = createRelay({ host: '127.0.0.1', port }, { host: '127.0.0.1', port: server.port });
  await relay.mend();
  site.onEnd(() => relay.cut());
  return { server, relay, address: `redis://127.0.0.1:${port}` };
}
