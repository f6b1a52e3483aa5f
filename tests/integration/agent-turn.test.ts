import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AgentKind } from '../../src/contracts/agent.ts';
import { type AgentWorld, createAgentWorld } from '../support/agent-world.ts';
import { git } from '../support/git-repository.ts';
import { ofType } from '../support/runner-world.ts';

const agents: AgentKind[] = ['claude', 'claude-code'];

describe('a turn of an agent in a container', () => {
  let world: AgentWorld;
  let project: string;
  beforeAll(async () => {
    world = await createAgentWorld('docker');
    project = await world.demoProject();
    await world.startAgentRunner();
  });
  afterAll(() => world.close());

  it.each(agents)(
    '%s fixes the failing test; what it changed is committed on the branch of the task',
    async (agent) => {
      const { run, task } = await world.ask(agent, 'bypass', 'fix the failing test', project);
      const result = await world.resultOf(run, 60_000);
      expect(result).toMatchObject({ outcome: 'succeeded', files: [{ path: 'src/basket.js' }] });
      expect(await git(world.mirror(project), 'rev-parse', `refs/deckhand/tasks/${task}/head`)).toBe(result.commit);
      const events = await world.eventsOf(run);
      expect(
        ofType(events, 'assistant')
          .map(({ text }) => text)
          .join(''),
      ).toContain('All tests pass now.');
      expect(ofType(events, 'usage').length).toBeGreaterThan(2);
      expect(
        ofType(events, 'checklist')
          .at(-1)
          ?.items.every(({ state }) => state === 'done'),
      ).toBe(true);
    },
    90_000,
  );
});
