/**
 * A runner that takes runs of agents, in a process of its own that kills itself (SIGKILL) when it comes to a named point for the nth
 * time. Arguments: the installation and that of the agents as JSON, the point or `none`, n.
 */
import { flushCompileCache } from 'node:module';
import { agentLimits, openAgents } from './agent-parts.ts';
import { openEngine, openRunner } from './runner-parts.ts';

const [json, agentJson, crashAt, nth = '1'] = process.argv.slice(2);
if (json === undefined || agentJson === undefined)
  throw new Error('usage: agent-runner-process.ts <installation> <agents> <point> <n>');
const installation = JSON.parse(json);
const parts = await openEngine(installation);
const agents = openAgents(JSON.parse(agentJson), parts);
let left = Number(nth);
const { runner } = openRunner(
  installation,
  parts,
  (point) => {
    if (point === crashAt) left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
  },
  { agents, limits: agentLimits },
);
await runner.start();
// Before it is killed, so that the next life need not compile all of it again.
flushCompileCache();
process.stdout.write('ready\n');
