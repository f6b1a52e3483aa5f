import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { discordCapabilities } from '../../adapters/discord/capabilities.ts';
import { slackCapabilities } from '../../adapters/slack/capabilities.ts';
import { telegramCapabilities } from '../../adapters/telegram/capabilities.ts';
import { agentTroubleSchema, troubleCodes } from '../../src/contracts/agent-trouble.ts';
import type { Capabilities } from '../../src/contracts/chat-adapter.ts';
import type { RunEventData, RunResult } from '../../src/contracts/run-event.ts';
import { type View, viewSchema } from '../../src/contracts/view.ts';
import { decisionCard } from '../../src/delivery/decision-card.ts';
import { endCard } from '../../src/delivery/end-card.ts';
import { fitView } from '../../src/delivery/fit.ts';
import { liveCard } from '../../src/delivery/live-card.ts';
import { createMeasure } from '../../src/delivery/measure.ts';
import {
  calls,
  ends,
  message,
  planAction,
  question,
  questionAction,
  says,
  steps,
  toolAction,
  uses,
  working,
} from '../support/agent-cards.ts';
import { context, decision, ended, find, labels, runAfter, text } from '../support/cards.ts';

const failed = (said: string, more: Partial<RunResult> = {}) =>
  endCard(
    runAfter(
      ...working,
      steps({ state: 'done', text: 'one' }, { state: 'active', text: 'two' }, { state: 'open', text: 'three' }),
      says('I was about to', { final: false }),
      ended({ outcome: 'failed', cause: 'agent', message: said, ...more }),
    ),
    context(),
  );

describe('the end card of an agent', () => {
  it('tells its answer, what changed, what it cost and who decided', () => {
    const view = endCard(
      runAfter(
        ...working,
        says('Looking.', { part: 'p0' }),
        calls('t1', 'Read a'),
        ends('t1'),
        says('## Done\nThe race is fixed: `refresh()` now **locks**.\n```sh\nnpm test\n```'),
        uses(),
        { type: 'interaction_opened', interaction: 'int_1', kind: 'approval' },
        { type: 'interaction_decided', interaction: 'int_1', state: 'denied' },
        { type: 'interaction_opened', interaction: 'int_2', kind: 'question' },
        { type: 'interaction_decided', interaction: 'int_2', state: 'expired' },
        ended({
          files: [{ path: 'src/session.ts', added: 28, removed: 5 }],
          artifacts: [
            { id: 'art_1', name: '142.patch', kind: 'patch', bytes: 900 },
            { id: 'art_2', name: 'login.png', kind: 'file', bytes: 12_000_000 },
            { id: 'art_3', name: 'film.mp4', kind: 'file', bytes: 50_000_000 },
            { id: 'art_4', name: 'session.tgz', kind: 'session', bytes: 12_000 },
          ],
        }),
      ),
      context(),
    );
    expect(text(view)).toBe(
      [
        '#142 npm test · done in 6m 12s',
        'Done\nThe race is fixed: refresh() now locks.',
        'npm test',
        'Too large to attach: film.mp4 (50 MB).',
        'src/session.ts  +28  −5',
        'web · main@3f9c2e1 · claude-code (opus, auto) · asked by Ada · deckhand/142-login 1 file +28 −5 · $0.06 · 2k tokens, 20k more from the cache · 1 decision (Ben)',
      ].join('\n'),
    );
    expect(view.files).toEqual([
      { from: 'artifact', name: 'login.png', artifact: 'art_2' },
      { from: 'artifact', name: '142.patch', artifact: 'art_1' },
    ]);
    expect(labels(view)).toEqual(['Retry', 'Log', 'Show']);
    expect(view.fallback).toBe('#142 npm test: done in 6m 12s. Done ⏎ The race is fixed: refresh() now locks. ⏎ npm test');
  });

  it('promise 5: attaches an answer that is too long for a card, to the last letter', () => {
    const answer = `${'One more sentence of the answer. '.repeat(3000)}The end.`;
    const view = endCard(runAfter(...working, says(answer), ended({})), context());
    expect(view.files).toEqual([{ from: 'text', name: '142-answer.md', text: answer, language: 'markdown' }]);
    expect(text(view)).toContain('One more sentence of the answer.');
    expect(text(view)).toContain('The whole answer, 1 line and 99 kB, is in the attached 142-answer.md.');
  });

  it('says why it failed and what to do, how far it came, and what it said last', () => {
    const view = failed('The model server refused: Overloaded.', { trouble: 'overloaded' });
    expect(text(view)).toContain(
      'The model server refused: Overloaded. Retry in some minutes, or take another model. DH-310\n✔ one\n✖ two\n○ three\nI was about to',
    );
    for (const trouble of agentTroubleSchema.options) {
      expect(text(failed('It does not go on.', { trouble }))).toContain(troubleCodes[trouble]);
    }
    // Words say nothing about the kind.
    expect(text(failed('429: the budget for api keys is overloaded, the context is too long.'))).toContain('DH-308');
    const stopped = failed('The agent was stopped on request.', { outcome: 'cancelled', cause: 'stopped' });
    expect(text(stopped)).toContain('The agent was stopped on request.\n✔ one\n– two\n○ three');
  });

  it('says nothing where the agent has said nothing', () => {
    const view = endCard(runAfter(...working, ended({})), context());
    expect(text(view)).toBe('#142 npm test · done in 6m 12s\nweb · main@3f9c2e1 · claude-code (opus, auto) · asked by Ada');
  });
});

const bit = fc.constantFrom(
  'word ',
  'a',
  '\n',
  '\n\n',
  '`',
  '```\n',
  '**',
  '- ',
  '&',
  '<!channel>',
  'é',
  '😀',
  'x'.repeat(300),
  '1. ',
);
const words = (maxLength: number) => fc.string({ unit: bit, maxLength });
const event: fc.Arbitrary<RunEventData> = fc.oneof(
  words(200).map((said) => says(said, { final: false })),
  fc.tuple(fc.nat(9), words(20)).map(([id, title]) => calls(`t${id}`, title, id > 6 ? `t${id - 3}` : undefined)),
  fc.tuple(fc.nat(9), words(20)).map(([id, summary]) => ends(`t${id}`, id % 2 === 0, summary)),
  fc
    .array(fc.record({ state: fc.constantFrom('done' as const, 'open' as const), text: words(30) }), { maxLength: 60 })
    .map((items) => steps(...items)),
  fc.tuple(fc.nat(9), words(30)).map(([id, said]) => message(`m${id}`, said, said)),
  fc.constant(uses()),
);
const asked = fc.oneof(
  words(400).map((command) => toolAction({ command, input: JSON.stringify({ command, more: command }) })),
  words(200).map((diff) => toolAction({ files: [{ path: diff, change: 'edit', diff }] })),
  words(200).map((input) => toolAction({ tool: input, title: input, input: JSON.stringify({ input }) })),
  words(400).map(planAction),
  fc
    .array(
      fc.record({
        text: words(60),
        header: words(10),
        multiple: fc.boolean(),
        options: fc.array(fc.record({ label: words(20), description: words(60) }), { maxLength: 30 }),
      }),
      {
        minLength: 1,
        maxLength: 5,
      },
    )
    .map((questions) => questionAction(...questions.map((one, at) => question({ id: `q${at}`, ...one })))),
);

describe('what people see of agents', () => {
  it('promise 5: fits every platform, whatever models write', () => {
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 12 }),
        asked,
        fc.constantFrom('quiet' as const, 'steps' as const, 'everything' as const),
        fc.constantFrom<Capabilities>(slackCapabilities, telegramCapabilities, discordCapabilities),
        (events, action, verbosity, capabilities) => {
          const at = context({ thread: { verbosity, platform: capabilities.platform } });
          const run = runAfter(...working, ...events);
          const over = runAfter(...working, ...events, ended({ outcome: 'failed', cause: 'agent', message: 'It gave up.' }));
          const views = [liveCard(run, at), decisionCard(decision({ action }), run, at), liveCard(over, at), endCard(over, at)];
          for (const view of views) expectFits(view, capabilities);
          expect(fitView(liveCard(run, at), capabilities).messages.length, 'a live card is few messages').toBeLessThanOrEqual(4);
        },
      ),
      { numRuns: 150 },
    );
  });
});

function expectFits(view: View, capabilities: Capabilities): void {
  expect(viewSchema.parse(view)).toEqual(view);
  const measure = createMeasure(capabilities.text);
  for (const shown of fitView(view, capabilities).messages) {
    const lengths = shown.blocks.map(measure.block);
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(capabilities.text.maxMessage);
    for (const length of lengths) expect(length).toBeLessThanOrEqual(capabilities.text.maxBlock);
    expect(shown.blocks.length).toBeLessThanOrEqual(capabilities.text.maxBlocks);
    for (const { options } of find(shown, 'select'))
      expect(options.length).toBeLessThanOrEqual(capabilities.select?.options ?? 0);
    expect(labels(shown).length).toBeLessThanOrEqual(capabilities.buttons?.perMessage ?? 0);
  }
}
