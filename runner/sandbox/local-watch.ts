import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { type Moment, msBetween, thisMoment } from './local-clock.ts';
import { freeBytes, type LocalFiles } from './local-files.ts';
import { type Family, isAlive, killFamily, signalFamily } from './local-process.ts';
import type { SandboxResult, SandboxState } from './port.ts';

/** From SIGTERM to SIGKILL when a limit is reached. */
const limitGraceMs = 5000;
/** launch.sh writes down who it is within milliseconds; when it has not after this long, it never started. */
const launchMs = 5000;

/** Where the command stands, from what is written down and what lives. */
export async function standing(files: LocalFiles): Promise<SandboxState> {
  const started = await files.started();
  if (started === undefined) return 'created';
  if ((await files.result()) !== undefined) return 'ended';
  const leader = await files.leader();
  const lives = leader === undefined ? msBetween(started, thisMoment()) < launchMs : await isAlive(leader);
  if (!lives) return 'ended';
  return (await files.pauses()).since === null ? 'running' : 'paused';
}

/** Who the command consists of. Asked anew each time: the leader may have ended. */
export async function familyOf(files: LocalFiles): Promise<Family> {
  const leader = await files.leader();
  const marks = [`TMPDIR=${files.temporary}`];
  if (leader === undefined || !(await isAlive(leader))) return { leader: undefined, helpers: [], marks };
  return { leader: leader.pid, helpers: leader.helpers, marks };
}

/** Kills the command, and whoever shares its home: what has started it, helpers of `exec` and what they have left. */
export async function killHousehold(files: LocalFiles): Promise<void> {
  const family = await familyOf(files);
  if (family.leader !== undefined) await killFamily(family);
  await killFamily({ leader: undefined, helpers: [], marks: [...family.marks, `HOME=${files.home}`] });
}

/** Ends the command: SIGTERM, and SIGKILL for what is left after `graceMs`. Resolves when nothing of it runs. */
export async function endCommand(files: LocalFiles, graceMs: number): Promise<void> {
  const pauses = await files.pauses();
  await signalFamily(await familyOf(files), 'SIGTERM');
  if (pauses.since !== null) {
    await signalFamily(await familyOf(files), 'SIGCONT');
    await files.setPauses({ since: null, totalMs: pauses.totalMs + msBetween(pauses.since, thisMoment()) });
  }
  const deadline = performance.now() + graceMs;
  while (performance.now() < deadline && (await files.exit()) === undefined && (await standing(files)) !== 'ended')
    await delay(25);
  await killFamily(await familyOf(files));
}

/**
 * Follows a started command to its end, holds it to the limits meanwhile, clears away what it leaves behind and writes down the
 * result. May be broken off anywhere; throws the signal's reason then. Of several at once, one that clears away late could hit the helper
 * that collects the results: whoever goes has to end this first.
 */
export async function follow(files: LocalFiles, minFreeBytes: number, signal: AbortSignal): Promise<void> {
  for (let wait = 10; (await standing(files)) !== 'ended'; wait = Math.min(250, wait * 1.5)) {
    signal.throwIfAborted();
    // Asked every time: throws when the sandbox has been destroyed.
    const { limits } = await files.spec();
    if ((await files.exit()) !== undefined) {
      // The command is over; what it left running holds the pipes open, and launch.sh waits for them.
      await killFamily(await familyOf(files));
      wait = 10;
    } else if ((await files.cause()) === undefined) {
      const reached = await reachedLimit(files, limits, minFreeBytes);
      if (reached !== undefined && (await files.endBy(reached))) await endCommand(files, limitGraceMs);
    }
    await delay(wait, undefined, { ref: false });
  }
  signal.throwIfAborted();
  if ((await files.result()) !== undefined) return;
  await killHousehold(files);
  await files.setResult(await resultOf(files, minFreeBytes));
}

async function reachedLimit(files: LocalFiles, limits: { timeMs: number; outputBytes: number }, minFreeBytes: number) {
  if ((await ranFor(files, thisMoment())) >= limits.timeMs) return 'timed_out';
  if ((await files.outputBytes()) > limits.outputBytes) return 'output_limit';
  if ((await freeBytes(files.directory)) < minFreeBytes) return 'disk_limit';
  return undefined;
}

/** Milliseconds from the start to `until`, without pauses. */
export async function ranFor(files: Pick<LocalFiles, 'pauses' | 'started'>, until: Moment): Promise<number> {
  const { since, totalMs } = await files.pauses();
  const started = (await files.started()) ?? until;
  return Math.max(0, msBetween(started, since ?? until) - totalMs);
}

async function resultOf(files: LocalFiles, minFreeBytes: number): Promise<SandboxResult> {
  const [exit, cause] = await Promise.all([files.exit(), files.cause()]);
  const durationMs = await ranFor(files, exit?.at ?? thisMoment());
  // Without an exit code its starter was killed too, by somebody else or in a restart of the host.
  if (exit === undefined) return { cause: cause ?? 'lost', exitCode: 137, oomKilled: false, durationMs };
  const signal = Object.entries(constants.signals).find(([, number]) => number === exit.code - 128)?.[0];
  const full = exit.code !== 0 && (await freeBytes(files.directory)) < minFreeBytes;
  return {
    cause: cause ?? (full ? 'disk_limit' : 'exit'),
    exitCode: exit.code,
    ...(signal === undefined ? {} : { signal }),
    oomKilled: false,
    durationMs,
  };
}
