import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { accessTokenHash, newAccessToken } from '../../src/access/access-token.ts';
import type { RunEventData } from '../../src/contracts/run-event.ts';
import { createTokenRow } from '../../src/store/access-tokens.ts';
import { findOrCreateChannel } from '../../src/store/channels.ts';
import type { Database } from '../../src/store/database.ts';
import { findOrCreatePerson } from '../../src/store/people.ts';
import { projectsOf } from '../../src/store/projects.ts';
import { firstWorkspace } from '../../src/store/workspaces.ts';
import { addChannels, bindPlaces, chatVariables, type Place, slackPlaces, startChat } from '../chat.ts';
import { startCluster } from '../cluster.ts';
import { type BenchEngine, executeRun, openEngine, registerRunner } from '../engine.ts';
import { durations, type Figure } from '../figures.ts';
import type { Followed, Following } from '../followers-process.ts';
import { cpuSecondsOf } from '../processes.ts';
import { complaints } from '../program.ts';
import type { Site } from '../site.ts';
import { countStatements } from '../statements.ts';
import type { Scenario } from './scenario.ts';

const followers = 100;
const perSecond = 500;
const warmUpSeconds = 3;
const seconds = 10;
const targetP99 = 50;
/** Within those that a token may have. */
const streamsOfToken = 25;

interface Load {
  name: string;
  runs: number;
  /** Events of one commit. */
  together: number;
}

const loads: readonly Load[] = [
  { name: '1 run, an event a commit', runs: 1, together: 1 },
  { name: '1 run, 5 events a commit', runs: 1, together: 5 },
  { name: '10 runs, an event a commit', runs: 10, together: 1 },
];

/** How fast what happens in a run reaches programs that follow it: gateway, appends and followers are three processes. */
export const sse: Scenario = {
  name: 'sse',
  about: `from the append of an event to ${followers} followers over HTTP, at ${perSecond} events a second`,
  async run(site) {
    const slack = await startChat(site);
    const cluster = await startCluster(site, {
      backend: 'PostgreSQL',
      shape: { gateways: 1, runners: 0 },
      variables: chatVariables(slack, 'socket'),
    });
    const { database } = cluster;
    const [gateway] = cluster.gateways;
    if (gateway === undefined) throw new Error('there is no gateway');
    const places = slackPlaces(slack, addChannels(slack, 1));
    await bindPlaces(database, places, { repository: '/nowhere', projects: 1, concurrency: 100 });
    const parts = await openEngine(site, database.url);
    const runner = await registerRunner(site, parts.engine, 100);
    const { tokens, start } = await makeDesk(parts, places);

    const figures: Figure[] = [];
    const broken: string[] = [];
    for (const load of loads) {
      site.say(load.name);
      const runs: string[] = [];
      for (let n = 0; n < load.runs; n += 1) runs.push(await start(runner));
      const afters = await Promise.all(runs.map((run) => lastSeq(database, run)));
      const child = await openFollowers(site, {
        url: gateway.url,
        streams: Array.from({ length: followers }, (_, n) => ({
          run: runs[n % runs.length] ?? '',
          token: tokens[Math.floor(n / streamsOfToken) % tokens.length] ?? '',
          after: afters[n % runs.length] ?? 0,
        })),
      });
      await appendFor(site, parts, runner, runs, load, warmUpSeconds);
      child.send('forget');
      const counting = await countStatements(database);
      const cpu = { gateway: cpuSecondsOf(gateway.pid), database: cpuSecondsOf(cluster.postgresPid) };
      const appended = await appendFor(site, parts, runner, runs, load, seconds);
      const spent = {
        gateway: cpuSecondsOf(gateway.pid) - cpu.gateway,
        database: cpuSecondsOf(cluster.postgresPid) - cpu.database,
      };
      const use = await counting.read();
      const wanted = await Promise.all(runs.map((run) => lastSeq(database, run)));
      let followed = await report(child);
      await site
        .until(
          'all events',
          async () => {
            followed = await report(child);
            return followed.last.every((last, n) => last === wanted[n % runs.length]);
          },
          10_000,
          200,
        )
        .catch(() => undefined);
      child.disconnect();
      const late = followed.last.filter((last, n) => last !== wanted[n % runs.length]).length;
      if (late > 0) broken.push(`${load.name}: ${late} followers have not got all events`);
      if (followed.wrong > 0) broken.push(`${load.name}: ${followed.wrong} events were missing or came twice`);
      if (followed.ended > 0) broken.push(`${load.name}: ${followed.ended} streams ended`);
      const arrivals = arrivalsOf(followed.times, appended.commits);
      const reads = use.kinds
        .filter(({ query }) => /FROM "public"\."RunEvent"/.test(query))
        .reduce((sum, { calls }) => sum + calls, 0);
      const figure = (what: string, value: number, unit: Figure['unit']): Figure => ({
        name: `${load.name}: ${what}`,
        value,
        unit,
      });
      figures.push(
        figure('events appended', appended.events / appended.seconds, '/s'),
        ...durations(`${load.name}: append`, appended.ms),
        ...durations(`${load.name}: beginning of the append to follower`, arrivals.sinceBegin, { p99: targetP99 }),
        ...durations(`${load.name}: commit to follower`, arrivals.sinceCommit, { p99: targetP99 }),
        figure('events that reached followers', arrivals.sinceBegin.length / appended.seconds, '/s'),
        figure('reads of the log', reads / appended.seconds, '/s'),
        figure('CPU of the gateway', spent.gateway / appended.seconds, 'cores'),
        figure('CPU of the database', spent.database / appended.seconds, 'cores'),
      );
    }
    const notes = [
      'an append ends when its commit is on the disk; the gateway makes cards of the events besides',
      ...parts.complaints,
      ...complaints(gateway).map((text) => `gateway logged ${text}`),
    ];
    await gateway.stop();
    return { figures, notes, broken };
  },
};

/** Tokens that can read, and what starts runs whose commands are running. */
async function makeDesk({ database, engine }: BenchEngine, places: readonly Place[]) {
  const [place] = places;
  if (place === undefined) throw new Error('there is no channel');
  const { platform, tenant, channel, name } = place;
  const identity = { platform, tenant, user: 'UBENCH' };
  const known = await database.transaction(async (tx) => {
    const { id: workspace } = await firstWorkspace(tx, 'Deckhand');
    const person = await findOrCreatePerson(tx, { workspace, identity, name: 'Bench', role: 'owner' });
    const row = await findOrCreateChannel(tx, workspace, { platform, tenant, channel, kind: 'channel' }, { channelName: name });
    const [project] = await projectsOf(tx, workspace);
    if (person === undefined || row === undefined || project === undefined) throw new Error('the database was not empty');
    const tokens: string[] = [];
    for (let n = 0; n * streamsOfToken < followers; n += 1) {
      const token = newAccessToken();
      const at = new Date();
      const of = { workspace, user: person.user, name: `bench-${n}`, hash: accessTokenHash(token), end: token.slice(-4), at };
      const kind = 'personal';
      await createTokenRow(tx, {
        ...of,
        kind,
        project: undefined,
        scopes: ['read'],
        role: 'guest',
        expiresAt: new Date(at.getTime() + 3_600_000),
      });
      tokens.push(token);
    }
    return { workspace, project: project.id, channel: row.id, user: person.user, tokens };
  });
  const requester = { workspace: known.workspace, user: known.user, name: 'Bench', role: 'owner' as const, identity };
  let count = 0;
  return {
    tokens: known.tokens,
    async start(runner: string): Promise<string> {
      count += 1;
      const { run } = await database.transaction((tx) =>
        engine.tasks.createCommandTask(tx, {
          workspace: known.workspace,
          project: known.project,
          requester,
          command: `echo ${count}`,
          channel: known.channel,
          thread: null,
          originKey: `sse-${count}`,
        }),
      );
      if ((await executeRun(engine, run, runner)) === undefined) throw new Error(`${run} could not be claimed`);
      return run;
    },
  };
}

async function lastSeq({ db }: Database, run: string): Promise<number> {
  return (await db.run.findUniqueOrThrow({ where: { id: run }, select: { lastSeq: true } })).lastSeq;
}

async function openFollowers(site: Site, following: Following): Promise<ChildProcess> {
  const child = fork(new URL('../followers-process.ts', import.meta.url), [JSON.stringify(following)], {
    serialization: 'advanced',
  });
  site.onEnd(async () => void child.kill('SIGKILL'));
  const [message] = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => ['ended'])]);
  if (message !== 'open') throw new Error('the followers could not open their streams');
  return child;
}

async function report(child: ChildProcess): Promise<Followed> {
  const answer = once(child, 'message');
  child.send('report');
  return (await answer)[0] as Followed;
}

/** Appends at an even pace, whether earlier appends have ended or not. */
async function appendFor(
  site: Site,
  { engine }: BenchEngine,
  runner: string,
  runs: readonly string[],
  { together }: Load,
  forSeconds: number,
): Promise<{ events: number; seconds: number; ms: number[]; commits: Map<number, number> }> {
  const ms: number[] = [];
  const commits = new Map<number, number>();
  const under = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const everyMs = (1000 * together) / perSecond;
  const began = performance.now();
  const append = async (run: string) => {
    const since = micros();
    const text = `${since}µ ${'x'.repeat(80)}`;
    const events = Array.from({ length: together }, (): RunEventData => ({ type: 'note', level: 'info', text }));
    if (!(await engine.runs.append(run, runner, events))) throw new Error(`${run} was lost`);
    const done = micros();
    ms.push((done - since) / 1000);
    commits.set(since, done);
  };
  const count = (forSeconds * perSecond) / together;
  for (let n = 0; n < count; n += 1) {
    const wait = began + n * everyMs - performance.now();
    if (wait > 0) await site.pause(wait);
    const one: Promise<void> = append(runs[n % runs.length] ?? '')
      .catch((error: unknown) => void failures.push(error))
      .finally(() => under.delete(one));
    under.add(one);
  }
  await Promise.all(under);
  if (failures.length > 0) throw failures[0];
  return { events: count * together, seconds: (performance.now() - began) / 1000, ms, commits };
}

/** Of the machine's monotonic clock. */
function micros(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/** How long events took to followers, in ms; `commits`: by the beginning of an append, when it was told that it is done. */
function arrivalsOf(times: Float64Array, commits: ReadonlyMap<number, number>): { sinceBegin: number[]; sinceCommit: number[] } {
  const sinceBegin: number[] = [];
  const sinceCommit: number[] = [];
  for (let at = 0; at + 1 < times.length; at += 2) {
    const [began = 0, arrived = 0] = [times[at], times[at + 1]];
    sinceBegin.push((arrived - began) / 1000);
    // A follower may know before the appending process does.
    sinceCommit.push(Math.max(0, arrived - (commits.get(began) ?? began)) / 1000);
  }
  return { sinceBegin, sinceCommit };
}
