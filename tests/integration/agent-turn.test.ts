import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AgentKind } from '../../src/contracts/agent.ts';
import { type AgentWorld, createAgentWorld } from '../support/agent-world.ts';
import { git } from '../support/git-repository.ts';
import { ofType } from '../support/runner-world.ts';
import { waitFor } from '../support/wait-for.ts';

const agents: AgentKind[] = ['claude', 'claude-code', 'codex'];

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

  it.each(agents)(
    '%s shows people a file, which is no part of the changes',
    async (agent) => {
      const { run } = await world.ask(agent, 'bypass', 'draw a chart', project);
      const result = await world.resultOf(run, 60_000);
      expect(result).toMatchObject({ outcome: 'succeeded', files: [] });
      const chart = result.artifacts.find(({ kind }) => kind === 'file');
      expect(chart?.name).toBe('chart.png');
      const bytes = Buffer.from((await world.artifacts.read(chart?.id ?? '')) ?? []);
      expect(bytes.subarray(1, 4).toString('latin1')).toBe('PNG');
      const log = result.artifacts.find(({ kind }) => kind === 'log');
      expect(Buffer.from((await world.artifacts.read(log?.id ?? '')) ?? []).toString()).toContain(
        'The chart is in the file `chart.png`.',
      );
    },
    90_000,
  );

  it('answers a side question beside the turn', async () => {
    const { run, task } = await world.ask('claude', 'ask', 'fix the failing test', project);
    const request = await world.pending(run);
    const asked = { task, text: 'what are you doing?', when: 'btw', by: world.ada, origin: 'message-1' } as const;
    await world.database.transaction((tx) => world.engine.tasks.steer(tx, asked));
    const aside = await waitFor('the answer', async () => ofType(await world.eventsOf(run), 'aside')[0], { timeoutMs: 20_000 });
    expect(aside.text).toContain('[scripted]');
    expect(await world.pending(run)).toMatchObject({ id: request.id });
    await world.stop(task);
    expect(await world.resultOf(run)).toMatchObject({ outcome: 'cancelled' });
  }, 60_000);
});
