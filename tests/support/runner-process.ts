/**
 * Runners in a process of their own, one for each installation, which kills itself (SIGKILL) when all of them have come to a named point;
 * who is there first stands still until then. Arguments: the installations as JSON, the point or `none`. Writes `ready` when they have
 * started; SIGTERM stops them gracefully.
 */
import { type Installation, openEngine, openRunner } from './runner-parts.ts';

const [json, crashAt] = process.argv.slice(2);
if (json === undefined || crashAt === undefined) throw new Error('usage: runner-process.ts <installations> <point>');
const installations: Installation[] = JSON.parse(json);
const there = new Set<Installation>();
const forever = new Promise<void>(() => undefined);

const lives = await Promise.all(
  installations.map(async (installation) => {
    const parts = await openEngine(installation);
    const { runner } = openRunner(installation, parts, (point) => {
      if (point !== crashAt) return;
      there.add(installation);
      if (there.size === installations.length) process.kill(process.pid, 'SIGKILL');
      return forever;
    });
    await runner.start();
    return { parts, runner };
  }),
);
process.once('SIGTERM', async () => {
  for (const { parts, runner } of lives) {
    await runner.stop();
    await parts.close();
  }
});
process.stdout.write('ready\n');
