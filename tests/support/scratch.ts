import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';

const memory = '/dev/shm';
/** What the tests put down at once is well below this. */
const neededBytes = 8 * 1024 ** 3;

/**
 * A directory for everything that the tests of a run put down: in memory where there is enough of it, else where temporary files go. Databases
 * and working copies by the hundred cost a disk more time than everything that is tested in them.
 */
export function makeScratch(): { path: string; remove(): void } {
  const path = mkdtempSync(join(hasRoom() ? memory : tmpdir(), 'dh-'));
  // PostgreSQL runs as another user, and sandboxes enter the directories of their sockets.
  execFileSync('chmod', ['711', path]);
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }) };
}

function hasRoom(): boolean {
  let probe: string | undefined;
  try {
    const { bavail, bsize } = statfsSync(memory);
    if (bavail * bsize < neededBytes || freemem() < neededBytes) return false;
    probe = mkdtempSync(join(memory, 'dh-'));
    // Programs must be allowed to run there.
    writeFileSync(join(probe, 'program'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
    execFileSync(join(probe, 'program'));
    return true;
  } catch {
    return false;
  } finally {
    if (probe !== undefined) rmSync(probe, { recursive: true, force: true });
  }
}
