import { describe, expect, it } from 'vitest';
import { nearestQuota } from '../../src/budgets/nearest.ts';
import { fixPrompt } from '../../src/changes/errand-prompt.ts';
import { decodePress } from '../../src/contracts/press.ts';
import type { RunEventData } from '../../src/contracts/run-event.ts';
import type { Verbosity } from '../../src/contracts/settings.ts';
import { liveCard } from '../../src/delivery/live-card.ts';
import { calls, ends, message, says, settled, steps, thinks, uses, working } from '../support/agent-cards.ts';
import { context, ended, executing, find, labels, queued, runAfter, text } from '../support/cards.ts';

const title = { title: 'Fix the flaky login test', command: 'Fix the flaky login test, please.' };
const busy = runAfter(
  ...working,
  thinks('hm'),
  thinks('', { final: true }),
  says('I look at the test first.'),
  calls('t1', 'Read src/session.ts'),
  ends('t1'),
  steps(
    { state: 'done', text: 'read the failing test' },
    { state: 'done', text: 'reproduce it (3 of 20 runs)' },
    { state: 'active', text: 'fix the race in session.ts' },
    { state: 'open', text: 'run the suite' },
  ),
  calls('t2', 'Bash: npm test -- login'),
  ends('t2', false, '2 failed of 20'),
  uses(),
  uses({ costUsd: 0.12, input: 35_000 }),
  message('m1', 'use vitest'),
  settled('m1'),
  message('m2', 'and leave the snapshot alone', 'Ben'),
  says('The **race** is in `refresh()`: two callers get the same token. ', { part: 'p2', final: false }),
  says('I lock it.', { part: 'p2', final: false }),
  calls('t3', 'Task: find the callers'),
  calls('t4', 'Grep useSession', 't3'),
  says('I found three callers so far', { part: 's1', parent: 't3', final: false }),
);
const card = (verbosity: Verbosity) => liveCard(busy, context({ task: title, thread: { verbosity } }));

describe('the live card of an agent', () => {
  it('tells how much of the budget of the task and of the quota with the least left is used, and marks both from 80 % on', () => {
    const meter = (usd: number, used: number) => {
      const quota = {
        id: 'q',
        workspace: 'w',
        scope: 'project',
        subject: 'p',
        measure: 'requests',
        per: 'day',
        limit: 50,
      } as const;
      const other = { ...quota, id: 'q2', scope: 'workspace', limit: 1000 } as const;
      const since = new Date(0);
      const nearest = nearestQuota([
        { quota: other, used: 510, extra: 0, since },
        { quota, used, extra: 0, since },
      ]);
      const view = liveCard(busy, context({ task: { ...title, spending: { usd, budgetUsd: 5 } }, quota: nearest }));
      const block = view.blocks.find((one) => one.type === 'context' && JSON.stringify(one).includes('tokens'));
      return block?.type === 'context'
        ? block.spans.map((span) => (span.type === 'text' ? [span.text, ...(span.style ?? [])] : []))
        : [];
    };
    expect(meter(1, 26).flat().join('')).toBe(
      '$0.18 · 38k tokens · $1.00 of the budget of $5.00 · 26 of 50 requests to models a day in the project',
    );
    expect(meter(1, 3).flat().join('')).toContain('510 of 1,000 requests to models a day in the whole workspace');
    expect(meter(4, 40)).toContainEqual(['$4.00 of the budget of $5.00', 'bold']);
    expect(meter(4, 40)).toContainEqual(['40 of 50 requests to models a day in the project', 'bold']);
  });

  it('tells state, agent, mode, what it was given, its steps, what it does and says, who said what, and what it costs', () => {
    expect(text(card('steps'))).toBe(
      [
        '#142 Fix the flaky login test · running 1m 30s',
        'web · main@3f9c2e1 · claude-code (opus, auto) · asked by Ada · started 12:00 UTC',
        'The agent was also given 12 messages of the thread and 2 files.',
        '✔ read the failing test',
        '✔ reproduce it (3 of 20 runs)',
        '▸ fix the race in session.ts',
        '○ run the suite',
        'now: Task: find the callers, begun 12:00 UTC',
        '  ↳ Grep useSession',
        'The race is in refresh(): two callers get the same token. I lock it.',
        '✔ Ada: “use vitest”, read',
        '○ Ben: “and leave the snapshot alone”, read at the next step',
        '$0.18 · 38k tokens',
      ].join('\n'),
    );
    expect(labels(card('steps'))).toEqual(['Stop', 'Log', 'Steer…', 'Show context']);
    const steer = find(card('steps'), 'buttons')[0]?.buttons.find(({ label }) => label === 'Steer…');
    expect(steer?.form).toBe(true);
    expect(decodePress(steer?.token ?? '')).toEqual({ kind: 'task', task: 'tsk_01m7yrmgctesbv2kwhqydyvtht', verb: 'steer' });
  });

  it('says little where the channel is quiet', () => {
    expect(text(card('quiet'))).toBe(
      [
        '#142 Fix the flaky login test · running 1m 30s',
        'web · main@3f9c2e1 · claude-code (opus, auto) · asked by Ada · started 12:00 UTC',
        '$0.18 · 38k tokens',
      ].join('\n'),
    );
  });

  it('tells every call one by one where the channel wants everything, thinking as one line, sub-agents below their call', () => {
    expect(find(card('everything'), 'code').map((block) => block.text)).toEqual([
      [
        '– thought for 1 s',
        '✔ Read src/session.ts (1 s)',
        '✖ Bash: npm test -- login (1 s): 2 failed of 20',
        '▸ Task: find the callers',
        '  ▸ Grep useSession',
        '  “I found three callers so far”',
      ].join('\n'),
    ]);
  });

  it('counts what is done of a long list, and loses nothing that is ahead', () => {
    const items = Array.from({ length: 40 }, (_, n) => ({
      state: n < 30 ? ('done' as const) : n === 30 ? ('active' as const) : ('open' as const),
      text: `step ${n}`,
    }));
    const shown = find(liveCard(runAfter(...working, steps(...items)), context()), 'steps')[0]?.items ?? [];
    expect(shown[0]).toEqual({ state: 'done', text: '30 done' });
    expect(shown.slice(1)).toEqual(items.slice(30));
    const endless = Array.from({ length: 90 }, (_, n) => ({ state: 'open' as const, text: `step ${n}` }));
    const ahead = find(liveCard(runAfter(...working, steps(...endless)), context()), 'steps')[0]?.items ?? [];
    expect(ahead.at(-1)).toEqual({ state: 'open', text: '75 more after that' });
  });

  it('says what happens when nothing is called, several things are, and when it plans', () => {
    const now = (...data: Parameters<typeof runAfter>) => text(liveCard(runAfter(...working, ...data), context()));
    expect(now(thinks('hm'))).toContain('now: thinking, begun 12:00 UTC');
    expect(now(calls('t1', 'Read a'), ends('t1'))).toContain('last: Read a (1 s)');
    const many = now(...['a', 'b', 'c', 'd', 'e'].map((name) => calls(name, `Read ${name}`)));
    expect(many).toContain(
      'now: Read c, begun 12:00 UTC\nnow: Read d, begun 12:00 UTC\nnow: Read e, begun 12:00 UTC\nand 2 more at the same time',
    );
    const planning = runAfter(...working.slice(0, -1), { type: 'lifecycle', from: 'preparing', to: 'planning' });
    expect(liveCard(planning, context()).fallback).toBe('#142 npm test: planning 1m 30s');
    const waits = runAfter(...working, { type: 'lifecycle', from: 'executing', to: 'awaiting' });
    expect(liveCard(waits, context()).fallback).toBe('#142 npm test: waits for a decision');
  });

  it('shows the way there before the agent starts, and what a further turn was asked', () => {
    const early = liveCard(runAfter(...working.slice(0, 7)), context());
    expect(text(early)).toContain('✔ fetching web\n○ make the working copy\n▸ starting a container\n○ start the agent');
    expect(text(early)).not.toContain('run the command');
    expect(text(liveCard(runAfter(...executing), context()))).not.toContain('agent');
    const further = context({ run: { attempt: 2, newest: 2, prompt: 'now the logout too' } });
    expect(text(liveCard(runAfter(...working.slice(0, 2)), further))).toContain('“now the logout too”');
    const errand = fixPrompt({ number: 7, url: '', head: { branch: 'b', commit: 'c'.repeat(40) } }, [
      { name: 'lint', summary: 'semicolon missing', url: undefined, log: '> semicolon missing' },
    ]);
    const mending = text(liveCard(runAfter(...working.slice(0, 2)), context({ run: { attempt: 2, newest: 2, prompt: errand } })));
    expect(mending).toContain('“Checks of pull request #7 have failed at commit ccccccc. Find out why and mend it.”');
    expect(mending).not.toContain('semicolon');
    const first = context({ task: title, run: { prompt: title.command } });
    expect(text(liveCard(runAfter(...working), first))).not.toContain('please');
    expect(labels(liveCard(runAfter(...queued, ...working.slice(1, 2)), context()))).toEqual(['Stop', 'Steer…']);
  });

  it('is the receipt of what the agent is given: of whom, what is still coming and what is missing, and lets it be spared that', () => {
    const given = (receipt: object, ...more: RunEventData[]) =>
      liveCard(runAfter(...working.slice(0, 2), { type: 'context', messages: 3, files: 0, ...receipt }, ...more), context());
    const waiting = given({ guests: 1, bots: 2, coming: 2 });
    expect(text(waiting)).toContain(
      'The agent was also given 3 messages of the thread (1 of a guest, 2 of bots). 2 files are being fetched.',
    );
    expect(labels(waiting)).toEqual(['Stop', 'Steer…', 'Show context', 'Only my message']);
    expect(text(given({ externals: 1, files: 1, missing: 1 }))).toContain(
      '3 messages of the thread (1 from outside) and 1 file. 1 file could not be given to it.',
    );
    expect(labels(given({}, { type: 'lifecycle', from: 'queued', to: 'preparing' }))).toEqual(['Stop', 'Steer…', 'Show context']);
    const alone = given({ messages: 0, files: 1 });
    expect(text(alone)).toContain('The agent was also given 1 file.');
    expect(labels(alone)).toEqual(['Stop', 'Steer…']);
  });

  it('has no buttons and nothing under way when the run is over, and offers no second stop', () => {
    const over = liveCard(runAfter(...working, calls('t1', 'Read a'), says('Done.'), ended({})), context());
    expect(labels(over)).toEqual([]);
    expect(text(over)).not.toContain('Read a');
    expect(text(over)).not.toContain('Done.');
    const stopping = liveCard(runAfter(...working, calls('t1', 'Read a')), context({ run: { stopRequested: true } }));
    expect(labels(stopping)).toEqual(['Log', 'Show context']);
    expect(labels(liveCard(runAfter(...working.slice(0, 2)), context({ run: { stopRequested: true } })))).toEqual([]);
  });

  it('promise 11: shows what models and people write as plain words', () => {
    const evil = '[x](https://evil.example) <!channel> \u202eabc\u202c\u001b[31m';
    for (const verbosity of ['quiet', 'steps', 'everything'] as const) {
      const shown = liveCard(
        runAfter(
          ...working,
          says(evil),
          calls('t1', evil),
          calls('t2', evil, 't1'),
          says(evil, { part: 's', parent: 't1' }),
          steps({ state: 'open', text: evil }),
          message('m1', evil, evil),
        ),
        context({ task: title, run: { prompt: evil }, thread: { verbosity } }),
      );
      for (const bad of ['\u202e', '\u001b']) expect(JSON.stringify(shown)).not.toContain(JSON.stringify(bad).slice(1, -1));
      const spans = shown.blocks.flatMap((block) => ('spans' in block ? block.spans : []));
      expect(spans.filter(({ type }) => type === 'link')).toEqual([]);
      expect(spans.filter((span) => span.type === 'person' && span.notify)).toEqual([]);
    }
  });
});
