import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodePress } from '../../src/contracts/press.ts';
import { viewSchema } from '../../src/contracts/view.ts';
import { type DecisionFacts, decisionCard, escalation, reminder } from '../../src/delivery/decision-card.ts';
import { commandAction, context, decision, find, labels, queued, runAfter, start, text } from '../support/cards.ts';

describe('the decision card', () => {
  it('shows the whole command, where it runs, why it asks, what is risky and who may decide', () => {
    const card = decisionCard(decision(), runAfter(...queued), context());
    expect(text(card)).toBe(
      [
        '#142 wants to run a command · approval needed',
        'npm install left-pad@1.3.0',
        'where: /workspace in a container, no network\nbecause: the policy asks for everything\nrisk: network, changes lockfile\ntime limit: 30m\nuntil: 2026-01-01 13:00 UTC, then it counts as no',
        'web · asked by Ada',
        'Ben Maintainers and owners can decide.',
      ].join('\n'),
    );
    expect(labels(card)).toEqual(['Approve', 'Approve for this task', 'Deny', 'Deny with reason…', 'Details']);
    expect(find(card, 'buttons')[0]?.buttons.map(({ token }) => decodePress(token))).toContainEqual({
      kind: 'decide',
      secret: 'abcdefghijklmnopqrstuv',
      verb: 'approve_task',
    });
    // Platforms on which a form must be the first answer to a press need to know which button asks for one.
    expect(find(card, 'buttons').flatMap(({ buttons }) => buttons.filter(({ form }) => form === true))).toMatchObject([
      { label: 'Deny with reason…' },
    ]);
    expect(find(card, 'text').flatMap(({ spans }) => spans)).toContainEqual({
      type: 'person',
      name: 'Ben',
      user: 'UBEN',
      notify: true,
    });
  });

  it('of a quota says what is used, what a yes allows and until when, and has no wider yes', () => {
    const action = {
      type: 'quota',
      ask: 'quota:1',
      project: 'prj_1',
      quota: 'quo_1',
      name: '10 requests to models a day in project web',
      measure: 'requests',
      since: '2026-11-20T00:00:00.000Z',
      used: 10,
      limit: 10,
      raised: 20,
      upTo: '20 requests',
      freeAt: '2026-11-21T00:00:00.000Z',
    } as const;
    const card = decisionCard(decision({ action }), runAfter(...queued), context());
    expect(text(card)).toMatch(/#142 .*approval needed/);
    expect(text(card)).toContain('10 requests to models a day in project web');
    expect(text(card)).toContain('20 requests');
    expect(labels(card)).not.toContain('Approve for this task');
    expect(labels(card)).toContain('Deny');
    const decided = decisionCard(
      decision({
        action,
        state: 'approved',
        decidedAt: new Date('2026-11-20T12:02:00Z'),
        decidedBy: { user: 'U2', name: 'Ben' },
        choice: 'raise',
      }),
      runAfter(...queued),
      context(),
    );
    expect(text(decided)).toContain('Ben');
    expect(labels(decided)).toEqual([]);
  });

  it('promise 7: shows or attaches every character of any command', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4000 }),
          fc.array(fc.string({ maxLength: 60 }), { minLength: 1, maxLength: 90 }).map((lines) => lines.join('\n')),
        ),
        (command) => {
          const card = decisionCard(decision({ action: { ...commandAction, command } }), runAfter(...queued), context());
          const shown = find(card, 'code').map((block) => block.text);
          const attached = card.files?.flatMap((file) => (file.from === 'text' ? [file.text] : [])) ?? [];
          const whole = attached.length > 0 ? attached : shown;
          const read = (whole[0] ?? '').replace(/⟨U\+([0-9A-F]+)⟩/g, (_, hex: string) =>
            String.fromCodePoint(Number.parseInt(hex, 16)),
          );
          // A command that spells such a mark itself reads the same: the eye sees what the shell gets.
          if (!command.includes('⟨')) expect(read).toBe(command);
          if (attached.length > 0) expect(text(card)).toContain('is in the attached 142-command.sh. Read it before you decide.');
          expect(viewSchema.parse(card)).toEqual(card);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('writes hidden characters out and says so', () => {
    const card = decisionCard(
      decision({ action: { ...commandAction, command: 'rm -rf \u202e/tmp # lоg' } }),
      runAfter(...queued),
      context(),
    );
    expect(find(card, 'code')[0]?.text).toBe('rm -rf ⟨U+202E⟩/tmp # lоg');
    expect(text(card)).toContain('Hidden characters: U+202E, written out between ⟨ and ⟩.');
    expect(text(card)).toContain('Mixed alphabets: lоg has letters that look like others.');
  });

  it('says who has approved while others must, and all of them when it is approved', () => {
    const ada = { user: 'usr_ada', name: 'Ada' };
    const ben = { user: 'usr_ben', name: 'Ben' };
    const waiting = decisionCard(decision({ approvals: [ben], missing: 1 }), runAfter(...queued), context());
    expect(text(waiting)).toContain('\n✔ Ben approved it. One more person must approve.\n');
    expect(labels(waiting)).toContain('Approve');
    const done = { state: 'approved', decidedBy: ada, decidedAt: new Date(start), decidedOn: 'slack' } as const;
    const approved = decisionCard(decision({ ...done, approvals: [ben, ada], missing: 0 }), runAfter(...queued), context());
    expect(text(approved)).toContain('Ben and Ada approved it on Slack, 12:00 UTC.');
    const denied = decisionCard(
      decision({ ...done, state: 'denied', approvals: [ben], missing: 1 }),
      runAfter(...queued),
      context(),
    );
    expect(text(denied)).toContain('Ada denied it on Slack, 12:00 UTC.');
  });

  it('asks people with a stronger role besides, by name, with the same buttons, and says when it is over', () => {
    const escalated = { at: new Date(start + 1_800_000), to: 'owner', mention: [{ user: 'usr_ada', name: 'Ada' }] } as const;
    const asked = escalation(decision(), escalated, context());
    expect(text(asked)).toMatch(
      /^#142 has waited 30m for a decision, so owners are asked too\. .* Ada Maintainers and owners can decide\./,
    );
    expect(labels(asked)).toContain('Approve');
    const over = escalation(decision({ state: 'expired', decidedAt: new Date(start) }), escalated, context());
    expect(text(over)).toContain('no longer waits for a decision');
    expect(labels(over)).toEqual([]);
  });

  const by = { decidedAt: new Date(start + 60_000), decidedBy: { user: 'usr_ben', name: 'Ben' }, decidedOn: 'telegram' as const };
  const outcomes: [state: Partial<DecisionFacts>, says: string][] = [
    [{ state: 'approved', ...by }, 'Ben approved it on Telegram, 12:01 UTC.'],
    [{ state: 'denied', ...by, reason: 'too new' }, 'Ben denied it on Telegram, 12:01 UTC: too new'],
    [{ state: 'expired', decidedAt: new Date(start + 3_600_000) }, 'Nobody decided in time, which counts as no, 13:00 UTC.'],
    [{ state: 'cancelled', decidedAt: new Date(start) }, 'The run ended before anybody decided, 12:00 UTC.'],
    [{ state: 'superseded', decidedAt: new Date(start) }, 'A newer request has replaced this one, 12:00 UTC.'],
  ];
  it.each(outcomes)('promise 7: after %o says who, what, when and where, and has no buttons', (state, says) => {
    const facts = decision({ ...state, remindedAt: new Date(start + 1000) });
    for (const card of [decisionCard(facts, runAfter(...queued), context()), reminder(facts, context())]) {
      expect(text(card)).toContain(says);
      expect(labels(card)).toEqual([]);
      expect(JSON.stringify(card)).not.toContain('"notify":true');
    }
  });

  it('reminds with mention, time and buttons', () => {
    const card = reminder(decision({ remindedAt: new Date(start + 600_000) }), context());
    expect(text(card)).toBe(
      '#142 has waited 10m for a decision. It waits until 2026-01-01 13:00 UTC, then it counts as no. Ben Maintainers and owners can decide.',
    );
    expect(labels(card)).toContain('Approve');
    expect(JSON.stringify(card)).toContain('"notify":true');
  });
});
