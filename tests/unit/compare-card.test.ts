import { describe, expect, it } from 'vitest';
import type { ComparedAttempt, RunEventData } from '../../src/contracts/run-event.ts';
import { compareCard } from '../../src/delivery/compare-card.ts';
import { endCard } from '../../src/delivery/end-card.ts';
import { liveCard } from '../../src/delivery/live-card.ts';
import { runCards } from '../../src/delivery/run-cards.ts';
import type { RunView } from '../../src/delivery/run-view.ts';
import { context, ended, executing, labels, runAfter, text } from '../support/cards.ts';

const agent: RunEventData = { type: 'agent', agent: 'claude-code', model: 'opus', mode: 'ask', effort: null };
const attempts: ComparedAttempt[] = [
  { run: 'run_1', variant: 1, agent: 'claude-code', model: 'opus', outcome: 'failed', durationMs: 61_000, costUsd: 0.2 },
  {
    run: 'run_2',
    variant: 2,
    agent: 'codex',
    model: null,
    outcome: 'succeeded',
    durationMs: 372_000,
    costUsd: 0.61,
    totals: { files: 3, added: 41, removed: 7 },
    check: { outcome: 'passed', summary: '214 passed' },
    risks: ['ci', 'lockfile'],
  },
];
const compared: RunEventData = { type: 'compared', attempts };
const chosen: RunEventData = { type: 'chosen', run: 'run_2', variant: 2 };
const files = [{ path: 'a.ts', added: 3, removed: 1 }];
const lead = (...after: RunEventData[]) => runAfter(...executing, agent, ended({ commit: 'c1', files }), ...after);
const of = (variant: number, more: { newest?: number } = {}) => {
  return context({
    task: { agent: true, title: 'Fix it' },
    run: { attempt: variant, newest: variant, among: { variant, of: 2 }, ...more },
  });
};
const card = (view: RunView, change = of(1)) => compareCard(view, view.change.compared ?? [], change);

describe('the card that compares attempts', () => {
  it('says of each how it went, and offers those that have changed something', () => {
    const view = card(lead(compared));
    expect(text(view).split('\n')).toEqual([
      '#142 Fix it · 2 attempts to choose from',
      '✖ 1 claude-code (opus) · failed · 1m 1s · $0.20 · nothing changed',
      '✔ 2 codex · 6m 12s · $0.61 · 3 files +41 −7 · tests ✔ 214 passed · risk: CI, lockfiles',
      'Nothing goes on before one is chosen. choose #142 2 does the same as a button.',
      'web · main@3f9c2e1 · asked by Ada',
    ]);
    expect(labels(view)).toEqual(['Review 2', 'Choose 2', 'Discard all']);
    expect(view.blocks.map(({ type }) => type)).toEqual(['title', 'text', 'text', 'buttons', 'context', 'context', 'buttons']);
    expect(view.fallback).toBe('#142 Fix it: 2 attempts to choose from.');
  });

  it('names the agent once where all were made by the same', () => {
    const same = attempts.map((attempt) => ({ ...attempt, agent: 'codex' as const, model: null }));
    const lines = text(card(lead({ type: 'compared', attempts: same }))).split('\n');
    expect(lines[2]).toBe('✔ 2 · 6m 12s · $0.61 · 3 files +41 −7 · tests ✔ 214 passed · risk: CI, lockfiles');
    expect(lines.at(-1)).toBe('web · main@3f9c2e1 · asked by Ada · all by codex');
  });

  it('says who chose which, and only shows the changes then', () => {
    const view = card(lead(compared, chosen));
    expect(text(view)).toContain('attempt 2 chosen');
    expect(text(view)).toContain('chose attempt 2; the task goes on from it. Its own card has');
    expect(labels(view)).toEqual(['Review 2']);
  });

  it('lets a choice take up again what was discarded', () => {
    const view = card(lead(compared, { type: 'discarded' }));
    expect(text(view)).toContain('discarded all of them');
    expect(labels(view)).toEqual(['Review 2', 'Choose 2']);
    expect(text(card(lead(compared, { type: 'discarded' }, chosen)))).toContain('attempt 2 chosen');
  });

  it('offers another run where none has changed anything, until there is one', () => {
    const none: RunEventData = { type: 'compared', attempts: attempts.slice(0, 1) };
    expect(text(card(lead(none)))).toContain('1 attempts have changed nothing');
    expect(labels(card(lead(none)))).toEqual(['Retry']);
    expect(labels(card(lead(none), of(1, { newest: 3 })))).toEqual([]);
  });

  it('comes once, with the first of the attempts', () => {
    const keys = (view: RunView) =>
      runCards({ workspace: 'w', view, decisions: [], contexts: [of(1)] }, false).map(({ key }) => key.split(':')[0]);
    expect(keys(lead())).toEqual(['live', 'end']);
    expect(keys(lead(compared))).toEqual(['live', 'end', 'compare']);
  });
});

describe('the cards of one of several attempts', () => {
  it('say which it is, and that stopping and steering are for all', () => {
    const view = liveCard(runAfter(...executing, agent), of(2));
    expect(text(view)).toContain('#142 Fix it (attempt 2 of 2)');
    expect(labels(view)).toEqual(['Stop all', 'Steer all…']);
  });

  it('offer nothing but to look before it is chosen', () => {
    const said = 'Done.\n\n| a | b |\n|---|---|\n\nThe `sum` is *rounded* now.';
    const says: RunEventData = { type: 'assistant', part: 'p', text: said, final: true };
    const view = endCard(runAfter(...executing, agent, says, ended({ commit: 'c1', files })), of(2));
    expect(text(view)).toContain('The sum is rounded now.');
    expect(text(view)).not.toContain('|');
    expect(text(view)).toContain('1 file +3 −1');
    expect(labels(view)).toEqual(['Review diff', 'Log']);
    expect(view.files).toBeUndefined();
  });

  it('are those of any end once it is chosen, and say so of the others', () => {
    const change = { run: 'run_1', commit: 'c1', repository: undefined, busy: false, pushed: false, pull: undefined };
    const mine = lead({ type: 'chosen', run: 'run_1', variant: 1 });
    const known = of(1);
    const view = endCard(mine, { ...known, task: { ...known.task, change } });
    expect(labels(view)).toContain('Approve & push');
    expect(text(view)).not.toContain('Not chosen');
    const other = endCard(lead(chosen), of(1));
    expect(text(other)).toContain('Not chosen');
    expect(labels(other)).toEqual(['Review diff', 'Log']);
  });

  it('open no second thread', () => {
    const anchors = (variant: number) =>
      runCards({ workspace: 'w', view: runAfter(...executing, agent), decisions: [], contexts: [of(variant)] }, false).map(
        ({ target }) => target.type === 'thread' && target.anchor,
      );
    expect([anchors(1), anchors(2)]).toEqual([[true], [false]]);
  });
});
