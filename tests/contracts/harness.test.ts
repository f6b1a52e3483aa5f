import { afterAll, beforeAll, describe } from 'vitest';
import type { HarnessKind } from '../../runner/harness/port.ts';
import { agentKinds } from '../../src/contracts/agent.ts';
import { createAgentWorld } from '../support/agent-world.ts';
import { type HarnessSubject, harnessContract } from './harness-contract.ts';

/** Waits of people are long when they take seconds. */
const waits = { pauseAfterMs: 3000, parkAfterMs: 6000 };

/**
 * Programs of agents in containers. What a plain command does, and what the built-in agent does from the runner, is the same on the machine
 * itself and takes less there; tests/integration/agent-turn.test.ts and agent-crash.test.ts have it in containers.
 */
describe.each<{ sandbox: 'docker' | 'local'; kinds: readonly HarnessKind[] }>([
  { sandbox: 'docker', kinds: agentKinds.filter((kind) => kind !== 'claude') },
  { sandbox: 'local', kinds: ['shell', 'claude'] },
])('a harness on $sandbox', ({ sandbox, kinds }) => {
  let subject: HarnessSubject;
  beforeAll(async () => {
    const world = await createAgentWorld(sandbox, { waits });
    const [project, careful] = [await world.demoProject(), await world.demoProject({ mode: 'ask' })];
    subject = { world, project, careful };
    await world.startAgentRunner({ capacity: 5 });
  });
  afterAll(() => subject.world.close());

  for (const kind of kinds) harnessContract(kind, () => subject);
});
