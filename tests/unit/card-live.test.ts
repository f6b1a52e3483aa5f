import { describe, expect, it } from 'vitest';
import { decodePress } from '../../src/contracts/press.ts';
import { decisionCard } from '../../src/delivery/decision-card.ts';
import { endCard } from '../../src/delivery/end-card.ts';
import { liveCard } from '../../src/delivery/live-card.ts';
import {
  commandAction,
  context,
  decision,
  ended,
  executing,
  find,
  labels,
  output,
  queued,
  runAfter,
  text,
} from '../support/cards.ts';

describe('the live card', () => {
  it('tells the place in the queue and about how long it takes', () => {
    const card = liveCard(runAfter(...queued), context({ place: { place: 2, estimateMs: 180_000, waitsFor: 'project' } }));
    expect(text(card)).toBe('#142 npm test · queued, 2nd, about 3 min\nweb · asked by Ada');
    expect(labels(card)).toEqual(['Stop']);
    const nobody = liveCard(runAfter(...queued), context({ place: { place: 1, estimateMs: null, waitsFor: 'no_runner' } }));
    expect(nobody.fallback).toBe('#142 npm test: queued, 1st; no runner is up');
    const labelled = context({ place: { place: 1, estimateMs: null, waitsFor: 'labels', missing: ['eu', 'gpu'] } });
    expect(text(liveCard(runAfter(...queued), labelled))).toBe(
      [
        '#142 npm test · queued; no runner with eu and gpu takes runs',
        'web · asked by Ada',
        'It needs a runner with eu,gpu, and none takes runs now. It begins by itself when one does: when one with RUNNER_LABELS=eu,gpu starts, or one that is being emptied takes runs again. Or stop #142 and ask again with other runs-on; status shows the runners and their labels.',
      ].join('\n'),
    );
  });

  it('shows the commands that a note names as code, and when it was said', () => {
    const note = { type: 'note', level: 'warning', text: 'It waits for a quota. `quota` shows it.' } as const;
    const spans = find(liveCard(runAfter(...queued, note), context()), 'text').at(-1)?.spans;
    expect(spans?.map((span) => ('text' in span ? span.text : span.name))).toEqual([
      'It waits for a quota. ',
      'quota',
      ' shows it.',
      ' · ',
      '12:00 UTC',
    ]);
    expect(spans?.[1]).toMatchObject({ style: ['code'] });
  });

  it('tells state, project, base, sandbox, who asked, stages and the last lines', () => {
    const card = liveCard(runAfter(...executing, output('> test\n> vitest run\n\n ✓ login 12 ms\n')), context());
    expect(text(card)).toBe(
      [
        '#142 npm test · running 1m 40s',
        'web · main@3f9c2e1 · sandbox docker · asked by Ada · started 12:00 UTC',
        '✔ fetching web\n✔ making the working copy at main@3f9c2e1\n✔ starting a container\n▸ running the command\n○ collect the changes',
        '> test\n> vitest run\n\n ✓ login 12 ms',
      ].join('\n'),
    );
    expect(labels(card)).toEqual(['Stop', 'Log']);
    expect(find(card, 'buttons')[0]?.buttons.map(({ token }) => decodePress(token))).toEqual([
      { kind: 'task', task: 'tsk_01m7yrmgctesbv2kwhqydyvtht', verb: 'stop' },
      { kind: 'task', task: 'tsk_01m7yrmgctesbv2kwhqydyvtht', verb: 'log' },
    ]);
  });

  it('shows a command without what looks like a secret in it', () => {
    const command = `echo ${'x '.repeat(100)} ghp_0123456789abcdefghijABCDEFGHIJ012345`;
    const card = liveCard(runAfter(...queued), context({ task: { command } }));
    expect(text(card)).toContain('x  [redacted github token]');
    expect(text(card)).not.toContain('ghp_');
  });

  it('shows as much as the channel wants', () => {
    const lines = Array.from({ length: 30 }, (_, n) => `line ${n}`).join('\n');
    const card = (verbosity: 'quiet' | 'steps' | 'everything') =>
      liveCard(
        runAfter(...executing, output(lines), { type: 'note', level: 'warning', text: 'quiet for 5 min' }),
        context({ thread: { verbosity } }),
      );
    expect(find(card('quiet'), 'code')).toEqual([]);
    expect(find(card('quiet'), 'steps')).toEqual([]);
    expect(text(card('quiet'))).toContain('quiet for 5 min');
    expect(find(card('quiet'), 'text')).toHaveLength(1);
    const calm = runAfter(...executing, { type: 'note', level: 'info', text: 'all is well' });
    expect(text(liveCard(calm, context({ thread: { verbosity: 'quiet' } })))).not.toContain('all is well');
    expect(find(liveCard(calm, context({})), 'text')).toEqual([]);
    expect(find(card('steps'), 'code')[0]?.text.split('\n')).toHaveLength(4);
    expect(text(card('steps'))).toContain('quiet for 5 min');
    expect(find(card('everything'), 'code')[0]?.text.split('\n')).toHaveLength(15);
  });

  it('marks a sandbox that does not isolate, on every card', () => {
    const local = runAfter(...executing, { type: 'sandbox', kind: 'local', isolated: false, ref: '1' });
    const over = runAfter(...executing, { type: 'sandbox', kind: 'local', isolated: false, ref: '1' }, ended({}));
    for (const card of [liveCard(local, context()), liveCard(over, context()), endCard(over, context())]) {
      expect(find(card, 'context').flatMap(({ spans }) => spans)).toContainEqual({
        type: 'text',
        text: 'not isolated',
        style: ['bold'],
      });
    }
    expect(
      text(decisionCard(decision({ action: { ...commandAction, sandbox: 'local', network: 'host' } }), local, context())),
    ).toContain('where: /workspace on the machine of the runner, not isolated, the network of the machine');
  });

  it('says that it is stopping and offers no second stop', () => {
    const card = liveCard(runAfter(...executing, output('x')), context({ run: { stopRequested: true } }));
    expect(card.fallback).toBe('#142 npm test: stopping');
    expect(labels(card)).toEqual(['Log']);
  });

  it('has neither buttons nor output when the run is over: the end card has them', () => {
    const card = liveCard(
      runAfter(...executing, output('x\n'), { type: 'lifecycle', from: 'executing', to: 'finishing' }, ended({})),
      context(),
    );
    expect(labels(card)).toEqual([]);
    expect(find(card, 'code')).toEqual([]);
    expect(find(card, 'title')[0]?.state).toEqual({ text: 'done in 6m 12s', tone: 'good' });
  });

  it('promise 11: shows what others wrote as plain text without tricks', () => {
    const card = liveCard(
      runAfter(...executing, output('\u001b[31m<!channel> <@UADA> \u202eevil\u202c\u001b[0m\r\n')),
      context({ task: { title: 'echo \u202e\u0007<!here>', project: 'we\u0000b' } }),
    );
    for (const bad of ['\u0000', '\u0007', '\u001b', '\u202e', '\u202c']) expect(text(card)).not.toContain(bad);
    expect(find(card, 'code').at(-1)?.text).toBe('<!channel> <@UADA> evil');
    for (const span of card.blocks.flatMap((block) => (block.type === 'context' || block.type === 'title' ? block.spans : []))) {
      expect(span.type === 'person' && span.notify).toBe(false);
    }
  });
});
