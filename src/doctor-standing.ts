import type { DoctorCheck } from './commands/command.ts';
import { labelsIn } from './contracts/labels.ts';
import { platformNames, platformSchema } from './contracts/platform.ts';
import { bytes, count, duration, shortHost } from './delivery/units.ts';
import type { DoctorProbe } from './doctor.ts';
import { standingConditions } from './observe/conditions.ts';
import { programVersion } from './runtime/version.ts';
import { someArtifact } from './store/artifact-rows.ts';
import type { Database } from './store/database.ts';
import { type DatabaseStanding, databaseStanding } from './store/database-standing.ts';
import { senderLease } from './store/outbox-rows.ts';
import { agentOffers } from './store/runners.ts';
import { type Standing, standingOf } from './store/standing.ts';

/** How everything stands that the database knows of: runners, what waits, disks, agents. */
export function standingProbe(database: Database, now: () => Date): DoctorProbe {
  return {
    name: 'standing',
    async run() {
      const [standing, own] = await Promise.all([standingOf(database.db), databaseStanding(database.db)]);
      const version: DoctorCheck = { name: 'deckhand', state: 'ok', detail: `Deckhand ${programVersion()} answers.` };
      return [version, ...standingChecks(standing), ...databaseChecks(own), ...(await agentChecks(database, now()))];
    },
  };
}

/** Pure: judges what was found. What alerts are told for is wrong here too. */
export function standingChecks(standing: Standing): DoctorCheck[] {
  const wrong = standingConditions(standing);
  const checks: DoctorCheck[] = wrong.map(({ key, text, remedy }) => ({
    name: key.split(':')[0] ?? key,
    state: 'failed',
    detail: text,
    remedy,
  }));
  const { runners, outbox, inboxOldest, queueOldest, runs, decisions, disks } = standing;
  const alive = runners.filter((runner) => runner.alive);
  const places = alive.reduce((sum, { capacity }) => sum + capacity, 0);
  const busy = alive.reduce((sum, runner) => sum + runner.busy, 0);
  checks.push(
    alive.length === 0
      ? { name: 'runners', state: 'failed', detail: 'None is up: runs wait for one.', remedy: 'Start a runner.' }
      : { name: 'runners', state: 'ok', detail: `${alive.length} up, ${busy} of ${count(places, 'place')} taken.` },
    ...alive.slice(0, mostRunners).map(runnerCheck),
  );
  const waiting = outbox.map(({ platform, waiting: messages, oldest }) => {
    const known = platformSchema.safeParse(platform);
    return `${messages} to ${known.success ? platformNames[known.data] : platform} (${duration(oldest * 1000)})`;
  });
  const queued = runs.reduce((sum, run) => sum + (run.state === 'queued' ? run.runs : 0), 0);
  const open = decisions.reduce((sum, decision) => sum + decision.waiting, 0);
  checks.push({
    name: 'waiting',
    state: 'ok',
    detail: [
      `messages: ${waiting.length === 0 ? 'none' : waiting.join(', ')}`,
      `events: ${inboxOldest === 0 ? 'none' : `the first for ${duration(inboxOldest * 1000)}`}`,
      `runs: ${queued === 0 ? 'none' : `${queued}, the first for ${duration(queueOldest * 1000)}`}`,
      `decisions: ${open === 0 ? 'none' : open}`,
    ].join('; '),
  });
  for (const { host, free, kept, quota } of disks) {
    if (!alive.some((runner) => runner.host === host)) continue;
    const bound = quota === null ? '' : ` of ${bytes(quota)}`;
    const isOver = quota !== null && kept > quota;
    checks.push({
      name: alive.length === 1 ? 'disk' : `disk ${shortHost(host)}`,
      state: isOver ? 'failed' : 'ok',
      detail: `${bytes(free)} free, ${bytes(kept)}${bound} kept by Deckhand.`,
      ...(isOver ? { remedy: '`copies` says what takes room, `copies prune` deletes what is finished.' } : {}),
    });
  }
  return checks;
}

const mostRunners = 12;

function runnerCheck({ host, labels, capacity, busy, draining, beatAge }: Standing['runners'][number]): DoctorCheck {
  const facts = [
    `${busy} of ${count(capacity, 'run')}`,
    labels === '' ? 'no labels' : labelsIn(labels).join(', '),
    `heard ${duration(beatAge * 1000)} ago`,
    ...(draining ? ['takes nothing new'] : []),
  ];
  return { name: `runner ${shortHost(host)}`, state: 'ok', detail: `${facts.join('; ')}.` };
}

const day = 24 * 60 * 60;
/** Seconds. */
const backupWanted = 8 * day;
/** A part of all connections: the next process does not find enough. */
const connectionsFull = 0.8;

/** Pure: how the database is used, what only one process does, and when all was backed up. */
export function databaseChecks({
  connections,
  mostConnections,
  bytes: size,
  leases,
  backupAge,
  age,
}: DatabaseStanding): DoctorCheck[] {
  const isFull = connections > connectionsFull * mostConnections;
  const ago = (seconds: number) => duration(seconds * 1000);
  const sends = leases.some(({ name }) => name === senderLease);
  const held = leases.map(({ name, from, age: since }) => `${name}${from === null ? '' : ` by ${from}`} for ${ago(since)}`);
  const backedUp = backupAge === null ? 'never' : `${ago(backupAge)} ago`;
  const isOld = Math.min(age, backupAge ?? age) > backupWanted;
  return [
    {
      name: 'database use',
      state: isFull ? 'warning' : 'ok',
      detail: `${bytes(size)}; ${connections} of ${mostConnections} connections.`,
      ...(isFull ? { remedy: 'Raise `max_connections` of PostgreSQL, or start fewer processes: each takes up to 30.' } : {}),
    },
    {
      name: 'leases',
      state: sends ? 'ok' : 'failed',
      detail: sends ? `${held.join('; ')}.` : `Nobody sends messages${held.length === 0 ? '' : `; held: ${held.join('; ')}`}.`,
      ...(sends ? {} : { remedy: 'A gateway takes that over within seconds. Ask again; then look at the log of the gateways.' }),
    },
    {
      name: 'backup',
      state: isOld ? 'warning' : 'ok',
      detail: `Last made by deckhand backup: ${backedUp}.`,
      ...(isOld
        ? { remedy: 'Have it made every day, unless tools of your own back up the database and the data directory.' }
        : {}),
    },
  ];
}

/** Can what runs leave behind be read here? Runners and gateways share the folder of it. `read`: a file by its id. */
export function filesProbe(database: Database, read: (artifact: string) => Promise<Uint8Array | undefined>): DoctorProbe {
  const name = 'files of runs';
  return {
    name,
    async run() {
      const artifact = await someArtifact(database.db);
      if (artifact === undefined) return { name, state: 'ok', detail: 'None yet.' };
      if ((await read(artifact)) !== undefined) return { name, state: 'ok', detail: 'Those of the last runs can be read.' };
      return {
        name,
        state: 'failed',
        detail: 'This gateway does not find those of the last runs: logs, patches and pictures cannot be shown.',
        remedy: 'Share `artifacts/` and `mirrors/` of the data directory between gateways and runners.',
      };
    },
  };
}

async function agentChecks(database: Database, now: Date): Promise<DoctorCheck[]> {
  const offers = await database.transaction((tx) => agentOffers(tx, now));
  return [...(offers?.values() ?? [])].map(({ agent, available, why, remedy, version, account }) => {
    const with_ = [version, account].filter((part) => part !== null).join(', ');
    if (available) return { name: agent, state: 'ok', detail: `can work${with_ === '' ? '' : ` (${with_})`}.` };
    // Many do without one agent or another.
    return {
      name: agent,
      state: 'unused',
      detail: `cannot work: ${why ?? 'the runner does not say why'} ${remedy ?? ''}`.trim(),
    };
  });
}
