import { afterAll, beforeAll, describe } from 'vitest';
import { agentKinds } from '../../src/contracts/agent.ts';
import { createAgentWorld } from '../support/agent-world.ts';
import { type HarnessSubject, harnessContract } from './harness-contract.ts';

/** Waits of people are long when they take seconds. */
const waits = { pauseAfterMs: 3000, parkAfterMs: 6000 };

describe('a harness', () => {
  let subject: HarnessSubject;
  beforeAll(async () => {
    const world = await createAgentWorld('docker', { waits });
    subject = { world, project: await world.demoProject() };
    await world.startAgentRunner({ capacity: 5 });
  });
  afterAll(() => subject.world.close());

  for (const agent of agentKinds) harnessContract(agent, () => subject);
});
