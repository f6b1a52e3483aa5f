/**
 * A runner in a process of its own that kills itself (SIGKILL) the first time it comes to a named point. Arguments: the installation
 * as JSON, the point or `none`. Writes `ready` when it has started; SIGTERM stops it gracefully.
 */
import { openEngine, openRunner } from './runner-parts.ts';

const [json, crashAt] = process.argv.slice(2);
if (json === undefined || crashAt === undefined) throw new Error('usage: runner-process.ts <installation> <point>');
const installation = JSON.parse(json);
const parts = await openEngine(installation);
const { runner } = openRunner(installation, parts, (point) => {
  if (point === crashAt) process.kill(process.pid, 'SIGKILL');
});
process.once('SIGTERM', async () => {
  await runner.stop();
  await parts.close();
});
await runner.start();
process.stdout.write('ready\n');
