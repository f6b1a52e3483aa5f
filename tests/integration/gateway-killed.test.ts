import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { type AgentInstallation, agentLimits, openAgents } from '../support/agent-parts.ts';
import { createAgentWorld } from '../support/agent-world.ts';
import { briefFlags } from '../support/brief-flags.ts';
import { waitFor } from '../support/wait-for.ts';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const act of cleanUp.splice(0).reverse()) await act();
});

const agents = ['claude-code', 'codex'] as const;
const methods = { 'claude-code': 'messages', codex: 'responses' } as const;

it('promise 8: a runner is killed in the middle of answers of the model: both programs get theirs through the bridge when it is back', async () => {
  const world = await createAgentWorld('docker');
  cleanUp.push(() => world.close());
  const installation: AgentInstallation = {
    anthropicUrl: world.model.anthropicUrl,
    openaiUrl: world.model.openaiUrl,
    key: randomBytes(32).toString('base64url'),
    gatewayRoot: join(world.installation.dataDir, 'gateway'),
  };
  const project = await world.demoProject();
  const asked = await Promise.all(agents.map((agent) => world.ask(agent, 'bypass', 'fix the failing test', project)));
  const stopped = new Set<string>();
  for (const agent of agents) {
    let count = 0;
    // The second answer of the turn stops in its middle.
    world.model.faults.failNext(methods[agent], {
      midStream: 'stall',
      afterEvents: 3,
      when: () => {
        count += 1;
        if (count === 2) stopped.add(agent);
        return count === 2;
      },
    });
  }
  const program = join(import.meta.dirname, '../support/agent-runner-process.ts');
  const args = [...briefFlags, program, JSON.stringify(world.installation), JSON.stringify(installation), '{}'];
  const life = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  cleanUp.push(() => life.kill('SIGKILL'));
  await waitFor('the answers that stop', () => stopped.size === agents.length, { timeoutMs: 40_000 });
  const dead = once(life, 'exit');
  life.kill('SIGKILL');
  await dead;
  const parts = openAgents(installation, world);
  cleanUp.push(() => parts.close());
  const last = await world.startRunner({ agents: parts, limits: agentLimits });
  cleanUp.push(() => last.stop());
  for (const { run } of asked) {
    const result = await world.resultOf(run, 60_000);
    expect(result).toMatchObject({ outcome: 'succeeded', files: [{ path: 'src/basket.js' }] });
  }
}, 120_000);
