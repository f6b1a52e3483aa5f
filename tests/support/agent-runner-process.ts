/**
 * A runner that takes runs of agents, in a process of its own that kills itself (SIGKILL) when each run of a plan has come to its point for
 * the nth time; who is there first stands still until then. Arguments: the installation, that of the agents and the plan as JSON.
 */
import { flushCompileCache } from 'node:module';
import { agentLimits, openAgents } from './agent-parts.ts';
import type { KillPlan } from './agent-world.ts';
import { openEngine, openRunner } from './runner-parts.ts';

const [json, agentJson, planJson] = process.argv.slice(2);
if (json === undefined || agentJson === undefined || planJson === undefined)
  throw new Error('usage: agent-runner-process.ts <installation> <agents> <plan>');
const installation = JSON.parse(json);
const parts = await openEngine(installation);
const agents = openAgents(JSON.parse(agentJson), parts);
const left = new Map(Object.entries<KillPlan[string]>(JSON.parse(planJson)));
const forever = new Promise<void>(() => undefined);
const { runner } = openRunner(
  installation,
  parts,
  (point, run) => {
    const [awaited, nth] = left.get(run) ?? [];
    if (point !== awaited || nth === undefined) return;
    if (nth > 1) {
      left.set(run, [awaited, nth - 1]);
      return;
    }
    left.delete(run);
    if (left.size === 0) process.kill(process.pid, 'SIGKILL');
    return forever;
  },
  { agents, limits: agentLimits },
);
await runner.start();
// Before it is killed, so that the next life need not compile all of it again.
flushCompileCache();
process.stdout.write('ready\n');
