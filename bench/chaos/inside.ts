/**
 * Loaded into every process that is broken, before the program (`--import`). At a named point it ends the process, as a crash there would,
 * when the file `CHAOS_ORDER` names that point; and it ends the process when the one that started it is gone.
 */
import { subscribe } from 'node:diagnostics_channel';
import { readFileSync, rmSync } from 'node:fs';
import { pointsChannel } from '../../src/runtime/points.ts';

const order = process.env.CHAOS_ORDER;
const parent = Number(process.env.CHAOS_PARENT);

function ordered(): string | undefined {
  try {
    return order === undefined ? undefined : readFileSync(order, 'utf8');
  } catch {
    return undefined; // none
  }
}

subscribe(pointsChannel, (point) => {
  if (order === undefined || ordered() !== point) return;
  rmSync(order, { force: true });
  process.kill(process.pid, 'SIGKILL');
});

// Children of the program inherit the options of Node, and have other parents.
if (process.ppid === parent) {
  setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
  }, 1000).unref();
}
