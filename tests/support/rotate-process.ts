/**
 * Changes the key of a data directory and dies, as by kill -9, when it comes to a named point for the nth time. Arguments: database address, data
 * directory, point, n; prints what was done when it comes to its end.
 */
import { subscribe } from 'node:diagnostics_channel';
import { flushCompileCache } from 'node:module';
import { rotateKeys } from '../../src/keys/rotate.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { pointsChannel } from '../../src/runtime/points.ts';
import { storedSecretKeys, writeSecretKeys } from '../../src/store/data-dir.ts';
import { createDatabase } from '../../src/store/database.ts';

const [url, dataDir, point, times] = process.argv.slice(2);
if (url === undefined || dataDir === undefined) throw new Error('usage: rotate-process.ts <url> <data directory> [<point> <n>]');

let left = Number(times ?? 0);
subscribe(pointsChannel, (passed) => {
  if (passed !== point || --left !== 0) return;
  // Before it is killed, so that the next life need not compile all of it again.
  flushCompileCache();
  process.kill(process.pid, 'SIGKILL');
});
const ring = () => {
  const keys = storedSecretKeys(dataDir);
  if (keys === undefined) throw new Error('there are no keys');
  return keys;
};
const database = createDatabase({ url, connections: 2, onEffectError: () => undefined });
const report = await rotateKeys({
  database,
  source: { ring, write: (keys) => writeSecretKeys(dataDir, keys) },
  again: false,
  now: () => new Date(),
  logger: createLogger({ level: 'silent' }),
});
await database.close();
process.stdout.write(JSON.stringify(report));
