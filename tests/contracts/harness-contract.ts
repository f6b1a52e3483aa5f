import { describe, it } from 'vitest';
import type { HarnessCapabilities, HarnessKind } from '../../runner/harness/port.ts';
import { harnesses } from '../../runner/harness/registry.ts';
import { transcriptOf } from '../../runner/transcript.ts';
import type { AgentMode } from '../../src/contracts/agent.ts';
import type { RunEvent } from '../../src/contracts/run-event.ts';
import { agentOffers } from '../../src/store/runners.ts';
import type { AgentWorld } from '../support/agent-world.ts';
import { ofType, outputText } from '../support/runner-world.ts';
import { waitFor } from '../support/wait-for.ts';
import { harnessFaults } from './harness-faults.ts';

export interface HarnessSubject {
  world: AgentWorld;
  /** With the demo repository; commands run without asking. */
  project: string;
  /** The same, and everything asks. */
  careful: string;
}

/** What a turn is about: in words for an agent, as a command for a shell. */
export interface Work {
  prompt: string;
  command: string;
}

const patience = 90_000;
/** What a person would not wait for. */
const limit = { timeout: 2 * patience };
const refused = { code: 'DH-300' };

/**
 * What every harness does with a turn. What it can do, by its own words, is done for real: an agent against a model that follows scripts.
 * What it cannot do is not offered.
 */
export function harnessContract(kind: HarnessKind, subject: () => HarnessSubject): void {
  const can: HarnessCapabilities = harnesses[kind].capabilities;

  /** Gives it something to do, as chat does. Prompts differ from those of every other test. */
  async function begin(mode: AgentMode, { prompt, command }: Work, of?: string) {
    const { world, project } = subject();
    const { run, task } = await (kind === 'shell'
      ? world.sh(command, of ?? project)
      : world.ask(kind, mode, prompt, of ?? project));
    return {
      run,
      task,
      result: () => world.resultOf(run, patience),
      events: () => world.eventsOf(run),
      pending: () => world.pending(run, patience),
      /** Waits until its log says so. */
      tells: (what: RegExp) => world.told(`${what} of ${run}`, run, (events) => what.test(logOf(events)), patience),
      say: (text: string, when: 'next' | 'now' | 'btw') =>
        world.database.transaction((tx) =>
          world.engine.tasks.steer(tx, { task, text, when, by: world.ada, origin: `${run}-${text}` }),
        ),
      followUp: (text: string) =>
        world.database.transaction((tx) =>
          world.engine.tasks.followUp(tx, { task, text, by: world.ada, originKey: `follow-up-${task}` }),
        ),
    };
  }
  const ask = (mode: AgentMode, prompt: string) => begin(mode, { prompt, command: prompt });
  const slowly = (steps: number, seconds: number, marker: string): Work => ({
    prompt: `work slowly in ${steps} steps of ${seconds} s (${marker})`,
    command: `for i in $(seq ${steps}); do echo "step $i of ${steps}"; sleep ${seconds}; done`,
  });

  describe.concurrent(kind, () => {
    it('is offered with what it can do and nothing else', limit, async ({ expect }) => {
      const { database } = subject().world;
      const offers = await waitFor('offers', () => database.transaction((tx) => agentOffers(tx, new Date())), { everyMs: 50 });
      const offered = [...offers.values()].find(({ agent }) => agent === kind);
      const { modes, efforts, changes, steering } = can;
      // Without a mode there is nothing to choose.
      if (modes.length === 0) expect(offered).toBeUndefined();
      else expect(offered).toMatchObject({ modes, efforts, changes, steering });
    });

    it('stops when people want it to', limit, async ({ expect }) => {
      const turn = await begin('auto', slowly(9, 8, `${kind}, stopped`));
      await turn.tells(/step 1 of 9/);
      await subject().world.stop(turn.task);
      expect(await turn.result()).toMatchObject({ outcome: 'cancelled', cause: 'stopped' });
      const events = await turn.events();
      expect(logOf(events)).not.toContain('step 9 of 9');
      expect(ofType(events, 'terminal')).toHaveLength(1);
    });

    if (can.asks) {
      it(
        `obeys a refusal and its reason${can.resume ? '; a follow-up continues the session in a fresh sandbox' : ''}`,
        limit,
        async ({ expect }) => {
          const { world } = subject();
          const turn = await ask('ask', `push the result (${kind}, denied)`);
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

          if (!can.resume) return;
          const next = await turn.followUp(`hello again (${kind})`);
          expect(await world.resultOf(next.run, patience)).toMatchObject({ outcome: 'succeeded' });
          const second = await world.eventsOf(next.run);
          const sandboxes = [first, second].map((events) => ofType(events, 'sandbox').map(({ ref }) => ref));
          expect(new Set(sandboxes.flat()).size).toBe(2);
          const asked = world.model.requests(({ body }) => JSON.stringify(body).includes(`hello again (${kind})`));
          expect(asked.length).toBeGreaterThan(0);
          expect(JSON.stringify(asked.at(-1)?.body)).toContain(`push the result (${kind}, denied)`);
        },
      );

      it('is let go of while it waits long, and goes on at the same call with the decision', limit, async ({ expect }) => {
        const { world } = subject();
        const turn = await ask('ask', `fix the failing test (${kind}, let go of)`);
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
    } else {
      it('is approved as a whole before it starts, and nothing of it runs when it is not', limit, async ({ expect }) => {
        const { world, careful } = subject();
        const begun = (command: string) => begin('ask', { prompt: command, command }, careful);
        const [wanted, unwanted] = await Promise.all([begun('echo done > NOTES.md'), begun('echo no')]);
        for (const { run } of [wanted, unwanted]) await world.pending(run, patience);
        // Waiting costs nothing: no runner holds it, and it has no sandbox.
        expect(await world.database.db.run.count({ where: { id: wanted.run, runnerId: null, state: 'awaiting' } })).toBe(1);
        expect((await world.sandbox.list()).map(({ run }) => run)).not.toContain(wanted.run);
        await world.decide((await unwanted.pending()).secret, { decision: 'deny', reason: 'we publish on Fridays' });
        await world.decide((await wanted.pending()).secret, { decision: 'approve' });
        expect(await wanted.result()).toMatchObject({ outcome: 'succeeded', files: [{ path: 'NOTES.md' }] });
        expect(await unwanted.result()).toMatchObject({ outcome: 'cancelled' });
        expect(ofType(await unwanted.events(), 'sandbox')).toEqual([]);
      });

      it(
        'tells all its output byte by byte, bars and binary data too, and ends as its process does',
        limit,
        async ({ expect }) => {
          const command = "printf ' 10%%\\r 20%%\\rdone\\n\\377\\000.'; printf 'no line end' >&2; exit 3";
          const turn = await ask('auto', command);
          const result = await turn.result();
          expect(result).toMatchObject({ outcome: 'failed', cause: 'exit_code', exitCode: 3, files: [] });
          const events = await turn.events();
          expect(outputText(events, 'stdout')).toBe(' 10%\r 20%\rdone\n\ufffd\ufffd.');
          expect(outputText(events, 'stderr')).toBe('no line end');
          const log = result.artifacts.find(({ kind: one }) => one === 'log');
          expect(Buffer.from((await subject().world.artifacts.read(log?.id ?? '')) ?? []).toString()).toBe(logOf(events));
        },
      );
    }

    if (!can.resume) {
      it('has no session that could be continued, nor settings to change', limit, async ({ expect }) => {
        const { world } = subject();
        const turn = await ask('auto', 'true');
        expect(await turn.result()).toMatchObject({ outcome: 'succeeded', files: [], artifacts: [] });
        await expect(turn.followUp('go on')).rejects.toMatchObject(refused);
        const change = (what: object) =>
          world.database.transaction((tx) => world.engine.tasks.changeSettings(tx, turn.task, what, world.ada));
        for (const what of [{ mode: 'plan' }, { model: 'other' }, { effort: 'low' }]) {
          await expect(change(what)).rejects.toMatchObject(refused);
        }
        expect(ofType(await turn.events(), 'session')).toEqual([]);
      });
    }

    if (can.questions) {
      it('asks a question with choices and works with the answer', limit, async ({ expect }) => {
        const turn = await ask('auto', `ask me a question first (${kind})`);
        const request = await turn.pending();
        if (request.action.type !== 'question') throw new Error(`it asks for a ${request.action.type}`);
        const [question] = request.action.questions;
        expect(question?.options.map(({ label }) => label)).toEqual(['CHANGELOG.md', 'NOTES.md', 'Nowhere']);
        const answers = { [question?.id ?? '']: ['NOTES.md'] };
        await subject().world.decide(request.secret, { decision: 'answer', answers });
        expect(await turn.result()).toMatchObject({ outcome: 'succeeded', files: [{ path: 'NOTES.md' }] });
      });
    } else {
      it('asks nothing: whoever reads its input finds the end of it', limit, async ({ expect }) => {
        const command = 'read answer; echo "answered: $? [$answer]"';
        const turn = await ask('auto', command);
        expect(await turn.result()).toMatchObject({ outcome: 'succeeded' });
        const events = await turn.events();
        expect(outputText(events, 'stdout')).toBe('answered: 1 []\n');
        expect(ofType(events, 'interaction_opened')).toEqual([]);
      });
    }

    if (can.modes.includes('plan')) {
      it(
        'plans without changing anything, revises the plan, and carries it out in the same session',
        limit,
        async ({ expect }) => {
          const { world } = subject();
          const turn = await ask('plan', `plan first, then fix the failing test (${kind})`);
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
        },
      );
    }

    if (can.steering.next) {
      it('reads a message at its next step', limit, async ({ expect }) => {
        const turn = await begin('auto', slowly(4, 1.5, `${kind}`));
        await turn.tells(/step 1 of 4/);
        const said = await turn.say('write about the weather', 'next');
        expect(said.outcome).toBe('sent');
        expect(await turn.result()).toMatchObject({ outcome: 'succeeded', files: [{ path: 'STEERING.md' }] });
        const events = await turn.events();
        expect(ofType(events, 'message_settled')).toEqual([
          { type: 'message_settled', message: said.outcome === 'sent' ? said.message : '', how: 'read' },
        ]);
        expect(ofType(events, 'tool').some(({ title, detail }) => `${title} ${detail}`.includes('step 4 of 4'))).toBe(false);
      });
    } else {
      it('cannot be spoken to while it works', limit, async ({ expect }) => {
        const turn = await begin('auto', slowly(9, 8, `${kind}, spoken to`));
        await turn.tells(/step 1 of 9/);
        for (const when of ['next', 'now', 'btw'] as const) {
          await expect(turn.say('look around', when)).rejects.toMatchObject(refused);
        }
        await subject().world.stop(turn.task);
        expect(await turn.result()).toMatchObject({ outcome: 'cancelled' });
        expect(ofType(await turn.events(), 'message')).toEqual([]);
      });
    }

    if (can.steering.now) {
      it('is interrupted by a message that cannot wait', limit, async ({ expect }) => {
        const turn = await begin('auto', slowly(9, 8, `${kind}`));
        await turn.tells(/step 1 of 9/);
        await turn.say('look around', 'now');
        expect(await turn.result()).toMatchObject({ outcome: 'succeeded', files: [] });
        const events = await turn.events();
        expect(ofType(events, 'message_settled')).toMatchObject([{ how: 'read' }]);
        const ended = new Set(ofType(events, 'tool_ended').map(({ id }) => id));
        expect(ofType(events, 'tool').filter(({ id }) => !ended.has(id))).toEqual([]);
      });
    }

    if (can.models.length > 0) harnessFaults(kind, can, subject, ask);
    else {
      it('reaches no model: it has no gateway, and no token of its run', limit, async ({ expect }) => {
        const turn = await ask('auto', 'env');
        expect(await turn.result()).toMatchObject({ outcome: 'succeeded' });
        const names = [...outputText(await turn.events(), 'stdout').matchAll(/^(\w+)=/gm)].map(([, name]) => name ?? '');
        expect(names).toContain('DECKHAND_RUN');
        expect(names.filter((name) => /token|gateway|proxy|anthropic|openai/i.test(name))).toEqual([]);
        expect(ofType(await turn.events(), 'usage')).toEqual([]);
      });
    }
  });
}

export interface BegunTurn {
  run: string;
  result(): ReturnType<AgentWorld['resultOf']>;
  events(): Promise<RunEvent[]>;
  pending(): ReturnType<AgentWorld['pending']>;
}

/** Everything the agent said, as one text. */
export function spoken(events: readonly RunEvent[]): string {
  return ofType(events, 'assistant')
    .map(({ text, final }) => (final ? `${text}\n` : text))
    .join('');
}

/** What its log file says. */
function logOf(events: readonly RunEvent[]): string {
  return events.map(({ data }) => transcriptOf(data)).join('');
}

/** The names of sessions that were begun. */
function sessionsOf(events: readonly RunEvent[]): string[] {
  return ofType(events, 'session').map(({ session }) => session);
}
