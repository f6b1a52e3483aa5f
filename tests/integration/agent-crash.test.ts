import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentCrashPoints, type CrashPoint } from '../../runner/crash-points.ts';
import type { AgentKind } from '../../src/contracts/agent.ts';
import { type AgentWorld, createAgentWorld, type KillPlan } from '../support/agent-world.ts';
import { ofType } from '../support/runner-world.ts';

const agents: AgentKind[] = ['claude', 'claude-code', 'codex'];
/**
 * Where lives of the runner end, one after the other: before the agent has started, in the middle of its turn again and again, at its end. Where an
 * agent does not run, one of them stands for the others.
 */
const deaths: readonly (readonly [point: CrashPoint, nth: number, only?: AgentKind])[] = [
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
const deathsOf = (agent: AgentKind) => deaths.filter(([, , only]) => only === undefined || only === agent);

describe('promise 8: a runner that is killed during turns of agents', () => {
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

  // Side by side: a life costs most for its start.
  it('goes on where each was: nothing is asked, said or done twice', { timeout: 240_000 }, async () => {
    const turns: { agent: AgentKind; run: string }[] = [];
    for (const agent of agents) turns.push({ agent, ...(await world.ask(agent, 'bypass', 'fix the failing test', project)) });
    for (let life = 0; life < Math.max(...agents.map((agent) => deathsOf(agent).length)); life += 1) {
      const plan: KillPlan = {};
      for (const { agent, run } of turns) {
        const [point, nth] = deathsOf(agent)[life] ?? [];
        if (point !== undefined && nth !== undefined) plan[run] = [point, nth];
      }
      expect({ plan, end: await world.liveUntil(plan) }).toEqual({ plan, end: 'SIGKILL' });
    }
    const last = await world.startAgentRunner();
    for (const { agent, run } of turns) {
      const result = await world.resultOf(run, 60_000);
      const whole = { outcome: 'succeeded', files: [{ path: 'src/basket.js', added: 2, removed: 2 }] };
      expect({ agent, ...result }).toMatchObject({ agent, ...whole });
      const events = await world.eventsOf(run);
      expect([agent, ofType(events, 'terminal').length]).toEqual([agent, 1]);
      const ended = ofType(events, 'tool_ended').map(({ id }) => id);
      expect([agent, new Set(ended).size]).toEqual([agent, ended.length]);
      const begun = ofType(events, 'tool').map(({ id }) => id);
      expect([agent, ended.toSorted()]).toEqual([agent, begun.toSorted()]);
      const checklist = ofType(events, 'checklist').at(-1)?.items ?? [];
      expect([agent, checklist.length > 0, checklist.filter(({ state }) => state !== 'done')]).toEqual([agent, true, []]);
    }
    await last.stop();
  });
});
