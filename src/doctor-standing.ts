import type { DoctorCheck } from './commands/command.ts';
import { platformNames, platformSchema } from './contracts/platform.ts';
import { bytes, count, duration } from './delivery/units.ts';
import type { DoctorProbe } from './doctor.ts';
import { standingConditions } from './observe/conditions.ts';
import type { Database } from './store/database.ts';
import { agentOffers } from './store/runners.ts';
import { type Standing, standingOf } from './store/standing.ts';

/** How everything stands that the database knows of: runners, what waits, disks, agents. */
export function standingProbe(database: Database, now: () => Date): DoctorProbe {
  return {
    name: 'standing',
    async run() {
      const standing = await standingOf(database.db);
      return [...standingChecks(standing), ...(await agentChecks(database, now()))];
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
      name: 'disk',
      state: isOver ? 'failed' : 'ok',
      detail: `${bytes(free)} free, ${bytes(kept)}${bound} kept by Deckhand.`,
      ...(isOver ? { remedy: '`copies` says what takes room, `copies prune` deletes what is finished.' } : {}),
    });
  }
  return checks;
}

async function agentChecks(database: Database, now: Date): Promise<DoctorCheck[]> {
  const offers = await database.transaction((tx) => agentOffers(tx, now));
  return [...(offers?.values() ?? [])].map(({ agent, available, why, remedy, version, account }) => {
    const with_ = [version, account].filter((part) => part !== null).join(', ');
    if (available) return { name: agent, state: 'ok', detail: `can work${with_ === '' ? '' : ` (${with_})`}.` };
    // Many do without one agent or another.
    return { name: agent, state: 'ok', detail: `cannot work: ${why ?? 'the runner does not say why'} ${remedy ?? ''}`.trim() };
  });
}
