import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunEventData } from '../../src/contracts/run-event.ts';
import { type AgentView, lastSaid, sayingText } from '../../src/delivery/agent-view.ts';
import { agentText } from '../../src/delivery/agent-words.ts';
import { agent, calls, ends, message, says, settled, steps, thinks, uses, working } from '../support/agent-cards.ts';
import { runAfter } from '../support/cards.ts';

function view(...data: RunEventData[]): AgentView {
  const { agent: found } = runAfter(...working, ...data);
  if (found === undefined) throw new Error('no agent');
  return found;
}

describe('the view of an agent', () => {
  it('knows the agent, its model and its mode, as they were changed last', () => {
    expect(view()).toMatchObject({ agent: 'claude-code', version: '2.1.197', model: 'opus', mode: 'auto' });
    const changed = view({ type: 'agent', agent: 'claude-code', model: 'sonnet', mode: 'plan', effort: 'high' });
    expect(changed).toMatchObject({ version: '2.1.197', model: 'sonnet', mode: 'plan', effort: 'high' });
    const moded = view({ type: 'agent', agent: 'claude-code', model: null, mode: 'ask', effort: null });
    expect(moded).toMatchObject({ model: 'opus', mode: 'ask' });
    const named = view({ type: 'agent', agent: 'codex', model: null, mode: 'ask', effort: 'high', account: 'team' });
    expect(agentText(named)).toBe('codex (opus, ask, effort high, account team)');
    expect(agentText(changed)).toBe('claude-code (sonnet, plan, effort high)');
    expect(changed.context).toEqual({ messages: 12, files: 2 });
    expect(runAfter({ type: 'lifecycle', from: null, to: 'queued' }).agent).toBeUndefined();
  });

  it('puts the pieces of what the agent says together, and keeps the last of it whole', () => {
    const said = 'a long word '.repeat(20_000);
    const pieces = said.match(/.{1,997}/g) ?? [];
    const grown = view(
      says('I look first.', { part: 'p0' }),
      calls('t1', 'Read a.ts'),
      ...pieces.map((text) => says(text, { final: false })),
    );
    expect(lastSaid(grown)).toBe(said.trim());
    expect(lastSaid(view(says('I look first.'), calls('t1', 'Read a.ts')))).toBe('I look first.');
    expect(sayingText(view(says('I look first.'), calls('t1', 'Read a.ts')))).toBe('');
    expect(lastSaid(view(says('One.', { part: 'a' }), says('Two.', { part: 'b' })))).toBe('One.\n\nTwo.');
    expect(lastSaid(view(says('Done.'), message('m1', 'more'), settled('m1'), says('Done again.', { part: 'p2' })))).toBe(
      'Done again.',
    );
  });

  it('takes nothing a sub-agent says for what the agent says', () => {
    const nested = view(says('Mine.'), calls('t1', 'Task: look'), says('Its own.', { part: 's1', parent: 't1', final: false }));
    expect(lastSaid(nested)).toBe('Mine.');
    expect(nested.subAgents.get('t1')?.text).toBe('Its own.');
    expect(calls('t2', 'Grep x', 't1')).toMatchObject({ parent: 't1' });
    const deeper = view(
      says('Mine.'),
      calls('t1', 'Task: look'),
      says('Still mine.', { part: 'p9' }),
      calls('t2', 'Grep x', 't1'),
    );
    expect(sayingText(deeper), 'a call of a sub-agent does not end what the agent says').toBe('Still mine.');
  });

  it('counts cost and tokens, and says when a price is not known', () => {
    expect(view(uses(), uses({ costUsd: null, input: 10, output: 0, cacheWrite: 0, cacheRead: 0 })).usage).toEqual({
      requests: 2,
      tokens: 2010,
      cached: 20_000,
      costUsd: 0.06,
      unpriced: true,
    });
  });

  it('knows which messages wait, were edited, read or taken back', () => {
    const messages = view(
      message('m1', 'one'),
      message('m2', 'two'),
      message('m3', 'three'),
      message('m2', 'two, edited'),
      settled('m1'),
      settled('m3', 'dropped'),
    ).messages.map(({ message: name, text, state }) => [name, text, state]);
    expect(messages).toEqual([
      ['m1', 'one', 'read'],
      ['m2', 'two, edited', 'waiting'],
      ['m3', 'three', 'dropped'],
    ]);
  });

  it('leaves nothing under way when the sandbox of it is gone', () => {
    const parked = view(
      calls('t1', 'Bash: npm test'),
      thinks('hm'),
      { type: 'lifecycle', from: 'executing', to: 'awaiting' },
      { type: 'lifecycle', from: 'awaiting', to: 'queued' },
    );
    expect(parked.acts.every(({ until }) => until !== undefined)).toBe(true);
    const waits = view(calls('t1', 'Bash: npm test'), { type: 'lifecycle', from: 'executing', to: 'awaiting' });
    expect(waits.acts.map(({ until }) => until)).toEqual([undefined]);
    expect(view(calls('t1', 'Bash: npm test'), calls('t1', 'Bash: npm test')).calls.all).toBe(1);
  });

  it('forgets messages that were settled when there are many, also those that waited together', () => {
    const ids = Array.from({ length: 60 }, (_, at) => `m${at}`);
    const read = view(...ids.map((id) => message(id, 'short')), ...ids.map((id) => settled(id)));
    expect(read.messages.map((one) => one.message)).toEqual(ids.slice(20));
  });

  it('stays small however long the turn is', () => {
    const part = fc.constantFrom('a', 'b', 'c');
    const event: fc.Arbitrary<RunEventData> = fc.oneof(
      fc
        .record({ id: fc.nat(300), parent: fc.option(fc.nat(300), { nil: undefined }) })
        .map(({ id, parent }) => calls(`t${id}`, 'x'.repeat(5000), parent === undefined ? undefined : `t${parent}`)),
      fc.nat(300).map((id) => ends(`t${id}`, id % 2 === 0, 'y'.repeat(5000))),
      part.map((name) => thinks('z'.repeat(5000), { part: name })),
      fc.nat(60).map((id) => says('s'.repeat(5000), { part: 's', parent: `t${id}` })),
      fc.nat(300).map((id) => message(`m${id}`, 'short')),
      fc.nat(300).map((id) => settled(`m${id}`)),
      fc.constant(uses()),
      fc.constant(steps({ state: 'open', text: 'one' })),
      fc.constant(agent),
    );
    fc.assert(
      fc.property(fc.array(event, { minLength: 300, maxLength: 600 }), (events) => {
        const folded = view(...events);
        expect(folded.acts.length).toBeLessThanOrEqual(60);
        expect(folded.subAgents.size).toBeLessThanOrEqual(20);
        const waiting = folded.messages.filter(({ state }) => state === 'waiting').length;
        expect(folded.messages.length).toBeLessThanOrEqual(Math.max(40, waiting + 1));
        expect(JSON.stringify(folded.acts).length).toBeLessThan(60_000);
      }),
      { numRuns: 25 },
    );
  });
});
