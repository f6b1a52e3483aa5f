/**
 * Runners in a process of their own, one for each installation, which kills itself (SIGKILL) when all of them have come to a named point;
 * who is there first stands still until then. Arguments: the installations as JSON, and the point, or `none`, or as JSON a point for each
 * of several runs: then it is killed when each of these has come to its own. Writes `ready` when they have started; SIGTERM stops them
 * gracefully.
 */
import { flushCompileCache } from 'node:module';
import { type Installation, openEngine, openRunner } from './runner-parts.ts';

const [json, crashAt] = process.argv.slice(2);
if (json === undefined || crashAt === undefined) throw new Error('usage: runner-process.ts <installations> <point>');
const installations: Installation[] = JSON.parse(json);
const plan: Record<string, string> | undefined = crashAt.startsWith('{') ? JSON.parse(crashAt) : undefined;
const awaited = plan === undefined ? installations.length : Object.keys(plan).length;
const there = new Set<string>();
const forever = new Promise<void>(() => undefined);

const lives = await Promise.all(
  installations.map(async (installation) => {
    const parts = await openEngine(installation);
    const { runner } = openRunner(installation, parts, (point, run) => {
      if (point !== (plan === undefined ? crashAt : plan[run])) return;
      there.add(plan === undefined ? installation.instance : run);
      if (there.size === awaited) process.kill(process.pid, 'SIGKILL');
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
// Before it is killed, so that the next life need not compile all of it again.
flushCompileCache();
process.stdout.write('ready\n');
