import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentCrashPoints } from '../../runner/crash-points.ts';
import type { AgentKind } from '../../src/contracts/agent.ts';
import { type AgentWorld, createAgentWorld } from '../support/agent-world.ts';
import { ofType } from '../support/runner-world.ts';

const agents: AgentKind[] = ['claude', 'claude-code', 'codex'];
/**
 * Where lives of the runner end, one after the other: before the agent has started, in the middle of its turn again and again, at its end. Where an
 * agent does not run, one of them stands for the others.
 */
const deaths: readonly (readonly [point: string, nth: number, only?: AgentKind])[] = [
  ['executing_recorded', 1, 'claude-code'],
  ['gateway_open', 1],
  ['started', 1],
  ['agent_committed', 2],
  ['agent_committed', 3, 'claude'],
  ['agent_committed', 4],
  ['command_ended', 1],
  ['session_kept', 1],
  ['result_imported', 1, 'codex'],
];

describe('promise 8: a runner that is killed during a turn of an agent', () => {
  let world: AgentWorld;
  let project: string;
  beforeAll(async () => {
    world = await createAgentWorld('docker');
    project = await world.demoProject();
  });
  afterAll(() => world.close());

  it('is killed at every point there is', () => {
    expect(agentCrashPoints.every((point) => deaths.some(([known]) => known === point))).toBe(true);
  });

  it.each(agents)('%s goes on where it was: nothing is asked, said or done twice', { timeout: 120_000 }, async (agent) => {
    const { run } = await world.ask(agent, 'bypass', 'fix the failing test', project);
    const lives = [];
    const own = deaths.filter(([, , only]) => only === undefined || only === agent);
    for (const [point, nth] of own) lives.push(await world.liveUntil(point, nth));
    expect(lives).toEqual(own.map(() => 'SIGKILL'));
    const last = await world.startAgentRunner();
    const result = await world.resultOf(run, 60_000);
    await last.stop();
    expect(result).toMatchObject({ outcome: 'succeeded', files: [{ path: 'src/basket.js', added: 2, removed: 2 }] });
    const events = await world.eventsOf(run);
    expect(ofType(events, 'terminal').length).toBe(1);
    const ended = ofType(events, 'tool_ended').map(({ id }) => id);
    expect(new Set(ended).size).toBe(ended.length);
    expect(ended.toSorted()).toEqual(
      ofType(events, 'tool')
        .map(({ id }) => id)
        .toSorted(),
    );
    expect(
      ofType(events, 'checklist')
        .at(-1)
        ?.items.every(({ state }) => state === 'done'),
    ).toBe(true);
  });
});
