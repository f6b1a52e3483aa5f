import { describe, expect, it } from 'vitest';
import type { BaseState } from '../../src/contracts/base-look.ts';
import type { RunEventData } from '../../src/contracts/run-event.ts';
import { baseCards } from '../../src/delivery/base-cards.ts';
import { endCard } from '../../src/delivery/end-card.ts';
import type { ChangeStand } from '../../src/store/task-changes.ts';
import { isNews } from '../../src/tasks/base-control.ts';
import { context, ended, executing, labels, runAfter, text } from '../support/cards.ts';

const commit = 'c'.repeat(40);
const files = [{ path: 'a.ts', added: 1, removed: 0 }];
const stand: ChangeStand = { run: 'run_1', commit, repository: undefined, busy: false, pushed: false, pull: undefined };
const where = (agent: boolean, newest = 1, run = 'run_1') =>
  context({ task: { agent, change: { ...stand, run }, base: { branch: 'main', commit } }, run: { newest } });
const base = (state: BaseState, conflicting?: string[]): RunEventData => ({
  type: 'base',
  branch: 'main',
  commit: 'd'.repeat(40),
  state,
  files: conflicting,
});
const followedBy = (...events: RunEventData[]) => runAfter(...executing, ended({ files, commit }), ...events);
const told = (view: ReturnType<typeof followedBy>, contexts = [where(true)]) =>
  baseCards({ workspace: 'wsp_1', view, contexts, decisions: [] }, view.seq - 1).map(({ payload }) =>
    payload.type === 'message' ? payload.view : expect.unreachable(),
  );

describe('a change without a pull request that its base has moved away from', () => {
  it('says so in the thread and on its card, with the files, and offers the same as a pull request that conflicts', () => {
    const view = followedBy(base('conflict', ['src/a.ts', 'odd\nname', '1', '2', '3', '4', '5']));
    const [message] = told(view);
    if (message === undefined) return expect.unreachable();
    expect(text(message)).toContain('its change conflicts with main@ddddddd, the newest base: src/a.ts');
    expect(text(message)).toContain('2 more files');
    expect(labels(message)).toEqual(['Rebase', 'Ask the agent to resolve']);
    const card = endCard(view, where(true));
    expect(text(card)).toContain('✖ The change conflicts with main@ddddddd');
    expect(labels(card)).toEqual(expect.arrayContaining(['Rebase', 'Ask the agent to resolve', 'Approve & push']));
    expect(labels(endCard(view, where(false)))).not.toContain('Ask the agent to resolve');
  });

  it('offers nothing where a later run has changed more', () => {
    const [message] = told(followedBy(base('conflict')), [where(true, 2, 'run_2')]);
    expect(message === undefined ? [] : labels(message)).toEqual([]);
  });

  it('takes it back on the card without a message once it fits again', () => {
    const view = followedBy(base('conflict', ['a.ts']), base('fits'));
    expect(told(view)).toEqual([]);
    expect(text(endCard(view, where(true)))).not.toContain('conflicts');
    expect(labels(endCard(view, where(true)))).not.toContain('Rebase');
  });

  it('is told to be merged, and is not offered to be pushed any more', () => {
    const view = followedBy(base('merged'));
    expect(
      told(view)
        .map((message) => text(message))
        .join(),
    ).toContain('All of its change is in main@ddddddd.');
    expect(labels(endCard(view, where(true)))).toEqual(['Review diff', 'Request changes…', 'Retry', 'Log', 'Show']);
  });
});

it('is news once: what was told already is not told again, and that a change fits only where it did not', () => {
  expect(isNews(undefined, { state: 'fits' })).toBe(false);
  for (const state of ['fits', 'conflict', 'merged'] as const) expect(isNews({ state }, { state })).toBe(false);
  expect(isNews(undefined, { state: 'conflict' })).toBe(true);
  expect(isNews({ state: 'conflict' }, { state: 'fits' })).toBe(true);
});
