import { describe, it } from 'vitest';
import type { AgentKind, AgentMode } from '../../src/contracts/agent.ts';
import type { RunEvent } from '../../src/contracts/run-event.ts';
import type { AgentWorld } from '../support/agent-world.ts';
import { ofType } from '../support/runner-world.ts';
import { waitFor } from '../support/wait-for.ts';
import { harnessFaults } from './harness-faults.ts';

export interface HarnessSubject {
  world: AgentWorld;
  /** With the demo repository; commands run without asking. */
  project: string;
}

const patience = 60_000;
/** What a person would not wait for. */
const limit = { timeout: 2 * patience };

/** What every harness of an agent does with a turn, in a container, against a model that follows scripts. */
export function harnessContract(agent: AgentKind, subject: () => HarnessSubject): void {
  /** Asks the agent; `marked` prompts differ from those of every other test. */
  async function begin(mode: AgentMode, prompt: string) {
    const { world, project } = subject();
    const asked = await world.ask(agent, mode, prompt, project);
    const { run, task } = asked;
    return {
      run,
      task,
      result: () => world.resultOf(run, patience),
      events: () => world.eventsOf(run),
      pending: () => world.pending(run, patience),
      /** Waits until the agent has called a tool of which the title says so. */
      calls: (title: RegExp) =>
        waitFor(
          `a call ${title} of ${run}`,
          async () => {
            const found = ofType(await world.eventsOf(run), 'tool').find((tool) => title.test(`${tool.title} ${tool.detail}`));
            if (found === undefined) throw new Error('not yet');
            return found;
          },
          { timeoutMs: patience, everyMs: 50 },
        ),
      say: (text: string, when: 'next' | 'now') =>
        world.database.transaction((tx) =>
          world.engine.tasks.steer(tx, { task, text, when, by: world.ada, origin: `${run}-${text}` }),
        ),
    };
  }

  describe.concurrent(`${agent}`, () => {
    it('obeys a refusal and its reason; a follow-up continues the session in a fresh sandbox', limit, async ({ expect }) => {
      const { world } = subject();
      const turn = await begin('ask', `push the result (${agent}, denied)`);
      const request = await turn.pending();
      expect(request).toMatchObject({ kind: 'approval', action: { call: { command: 'git push origin HEAD' } } });
      await world.decide(request.secret, { decision: 'deny', reason: 'we publish on Fridays' });
      expect(await turn.result()).toMatchObject({ outcome: 'succeeded', files: [] });
      const first = await turn.events();
      expect(spoken(first)).toContain('we publish on Fridays');
      expect(spoken(first)).toMatch(/`git push origin HEAD` was denied .*so I did not do it another way/);
      expect(ofType(first, 'tool').map(({ detail, title }) => `${title} ${detail}`)).toContainEqual(
        expect.stringContaining('git diff --stat'),
      );
      expect(ofType(first, 'interaction_opened')).toHaveLength(1);

      const next = await world.database.transaction((tx) =>
        world.engine.tasks.followUp(tx, {
          task: turn.task,
          text: `hello again (${agent})`,
          by: world.ada,
          originKey: `follow-up-${turn.task}`,
        }),
      );
      expect(await world.resultOf(next.run, patience)).toMatchObject({ outcome: 'succeeded' });
      const second = await world.eventsOf(next.run);
      const sandboxes = [first, second].map((events) => ofType(events, 'sandbox').map(({ ref }) => ref));
      expect(new Set(sandboxes.flat()).size).toBe(2);
      const asked = world.model.requests(({ body }) => JSON.stringify(body).includes(`hello again (${agent})`));
      expect(asked.length).toBeGreaterThan(0);
      expect(JSON.stringify(asked.at(-1)?.body)).toContain(`push the result (${agent}, denied)`);
    });

    it('asks a question with choices and works with the answer', limit, async ({ expect }) => {
      const turn = await begin('auto', `ask me a question first (${agent})`);
      const request = await turn.pending();
      if (request.action.type !== 'question') throw new Error(`it asks for a ${request.action.type}`);
      const [question] = request.action.questions;
      expect(question?.options.map(({ label }) => label)).toEqual(['CHANGELOG.md', 'NOTES.md', 'Nowhere']);
      const answers = { [question?.id ?? '']: ['NOTES.md'] };
      await subject().world.decide(request.secret, { decision: 'answer', answers });
      expect(await turn.result()).toMatchObject({ outcome: 'succeeded', files: [{ path: 'NOTES.md' }] });
    });

    it('plans without changing anything, revises the plan, and carries it out in the same session', limit, async ({ expect }) => {
      const { world } = subject();
      const turn = await begin('plan', `plan first, then fix the failing test (${agent})`);
      const first = await turn.pending();
      expect(first).toMatchObject({ kind: 'plan', action: { text: expect.stringContaining('Correct the rounding') } });
      await world.decide(first.secret, { decision: 'revise', reason: 'name the changelog' });
      const second = await turn.pending();
      expect(second).toMatchObject({ kind: 'plan', action: { text: expect.stringContaining('name the changelog') } });
      const before = await turn.events();
      expect(ofType(before, 'tool').filter(({ title }) => /npm test|^(?:Edit|Write|apply)/.test(title))).toEqual([]);
      await world.decide(second.secret, { decision: 'implement' });
      expect(await turn.result()).toMatchObject({ outcome: 'succeeded', files: [{ path: 'src/basket.js' }] });
      expect(sessionsOf(await turn.events()).length).toBeLessThanOrEqual(1);
    });

    it('reads a message at its next step', limit, async ({ expect }) => {
      const turn = await begin('auto', `work slowly in 4 steps of 1.5 s (${agent})`);
      await turn.calls(/step 1 of 4/);
      const said = await turn.say('write about the weather', 'next');
      expect(said.outcome).toBe('sent');
      expect(await turn.result()).toMatchObject({ outcome: 'succeeded', files: [{ path: 'STEERING.md' }] });
      const events = await turn.events();
      expect(ofType(events, 'message_settled')).toEqual([
        { type: 'message_settled', message: said.outcome === 'sent' ? said.message : '', how: 'read' },
      ]);
      expect(ofType(events, 'tool').some(({ title, detail }) => `${title} ${detail}`.includes('step 4 of 4'))).toBe(false);
    });

    it('is interrupted by a message that cannot wait', limit, async ({ expect }) => {
      const turn = await begin('auto', `work slowly in 9 steps of 8 s (${agent})`);
      await turn.calls(/step 1 of 9/);
      await turn.say('look around', 'now');
      expect(await turn.result()).toMatchObject({ outcome: 'succeeded', files: [] });
      const events = await turn.events();
      expect(ofType(events, 'message_settled')).toMatchObject([{ how: 'read' }]);
      const ended = new Set(ofType(events, 'tool_ended').map(({ id }) => id));
      expect(ofType(events, 'tool').filter(({ id }) => !ended.has(id))).toEqual([]);
    });

    it('stops when people want it to', limit, async ({ expect }) => {
      const turn = await begin('auto', `work slowly in 9 steps of 8 s (${agent}, stopped)`);
      await turn.calls(/step 1 of 9/);
      await subject().world.stop(turn.task);
      expect(await turn.result()).toMatchObject({ outcome: 'cancelled', cause: 'stopped' });
    });

    it('is let go of while it waits long, and goes on at the same call with the decision', limit, async ({ expect }) => {
      const { world } = subject();
      const turn = await begin('ask', `fix the failing test (${agent}, let go of)`);
      const waiting = await turn.pending();
      expect(waiting).toMatchObject({ action: { call: { command: 'npm test' } } });
      await waitFor(
        'a run without a sandbox',
        async () => {
          if ((await world.sandbox.list()).some(({ run }) => run === turn.run)) throw new Error('it has one');
          const { runnerId } = await world.database.db.run.findUniqueOrThrow({ where: { id: turn.run } });
          if (runnerId !== null) throw new Error('it is held');
          return true;
        },
        { timeoutMs: patience, everyMs: 100 },
      );
      await world.decide(waiting.secret, { decision: 'approve' });
      const change = await turn.pending();
      expect(change).toMatchObject({ action: { call: { files: [{ path: 'src/basket.js' }] } } });
      await world.decide(change.secret, { decision: 'approve' });
      const again = await turn.pending();
      expect(again).toMatchObject({ action: { call: { command: 'npm test' } } });
      await world.decide(again.secret, { decision: 'approve' });
      expect(await turn.result()).toMatchObject({ outcome: 'succeeded', files: [{ path: 'src/basket.js' }] });
      expect(ofType(await turn.events(), 'interaction_opened')).toHaveLength(3);
    });

    harnessFaults(agent, subject, begin);
  });
}

export type BegunTurn = { run: string; result(): ReturnType<AgentWorld['resultOf']>; events(): Promise<RunEvent[]> };

/** Everything the agent said, as one text. */
export function spoken(events: readonly RunEvent[]): string {
  return ofType(events, 'assistant')
    .map(({ text, final }) => (final ? `${text}\n` : text))
    .join('');
}

/** The names of sessions that were begun. */
function sessionsOf(events: readonly RunEvent[]): string[] {
  return ofType(events, 'session').map(({ session }) => session);
}
