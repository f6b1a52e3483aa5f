import { describe, expect, it } from 'vitest';
import type { PullFacts } from '../../src/contracts/code-host.ts';
import type { RunEventData } from '../../src/contracts/run-event.ts';
import { type View, viewSchema } from '../../src/contracts/view.ts';
import { decisionCard } from '../../src/delivery/decision-card.ts';
import { endCard } from '../../src/delivery/end-card.ts';
import { publicationCards } from '../../src/delivery/publication-cards.ts';
import { runCards } from '../../src/delivery/run-cards.ts';
import type { ChangeStand } from '../../src/store/task-changes.ts';
import { ben, context, ended, executing, find, labels, runAfter, text } from '../support/cards.ts';

const commit = 'c'.repeat(40);
const branch = 'deckhand/142-npm-test';
const files = [{ path: 'src/session.ts', added: 28, removed: 5 }];
const changed = [...executing, ended({ files, commit, tree: 'd'.repeat(40), repository: 'acme/web' })];

type Publication = Extract<RunEventData, { type: 'publication' }>;
const publication = (state: Publication['state'], more: Partial<Publication> = {}): RunEventData => ({
  type: 'publication',
  publication: 'pub_1',
  what: 'push',
  state,
  branch,
  commit,
  ...more,
});

const pull: PullFacts = {
  number: 12,
  url: 'https://github.test/acme/web/pull/12',
  title: 'npm test',
  state: 'open',
  draft: false,
  head: { branch, commit },
  base: 'main',
  mergeable: 'unknown',
  checks: [],
  reviews: [],
};
const opened = (more: Partial<PullFacts> = {}): RunEventData => ({
  type: 'pull_request',
  repository: 'acme/web',
  pull: { ...pull, ...more },
});

const stand: ChangeStand = { run: 'run_1', commit, repository: 'acme/web', busy: false, pushed: false, pull: undefined };
const withChange = (change: Partial<ChangeStand> = {}) => context({ task: { change: { ...stand, ...change } } });
const agentAt = (): RunEventData => ({ type: 'agent', agent: 'claude', model: null, mode: 'auto', effort: null });

/** Text of a card in which links show their names only. */
const unlinked = (view: View) => text(view).replace(/ \(https:[^)]*\)/g, '');

describe('the buttons of a change', () => {
  const cases: [string, Partial<ChangeStand>, string[]][] = [
    ['is new', {}, ['Review diff', 'Approve & push', 'Open PR', 'Discard']],
    ['is at a server without pull requests', { repository: undefined }, ['Review diff', 'Approve & push', 'Discard']],
    ['is being pushed', { busy: true }, ['Review diff']],
    ['is pushed', { pushed: true }, ['Review diff', 'Open PR', 'Discard']],
    ['has a pull request', { pushed: true, pull: { number: 12, head: commit } }, ['Review diff']],
    ['goes on behind a pull request', { pull: { number: 12, head: 'e'.repeat(40) } }, ['Review diff', 'Push to PR #12']],
  ];
  it.each(cases)('of a change that %s', (_, change, expected) => {
    const card = endCard(runAfter(...changed), withChange(change));
    expect(labels(card)).toEqual([...expected, 'Retry', 'Log', 'Show']);
    expect(viewSchema.safeParse(card).success).toBe(true);
  });

  it('ask an agent for changes in a form, and before what is pushed is discarded', () => {
    const card = endCard(runAfter(agentAt(), ...changed), withChange({ pushed: true }));
    const buttons = find(card, 'buttons')[0]?.buttons ?? [];
    expect(buttons.find(({ label }) => label === 'Request changes…')).toMatchObject({ token: 'x:run_1:request', form: true });
    expect(buttons.find(({ label }) => label === 'Discard')?.confirm?.text).toContain('stays where it is');
    const fresh = find(endCard(runAfter(...changed), withChange()), 'buttons')[0]?.buttons ?? [];
    expect(fresh.find(({ label }) => label === 'Discard')?.confirm).toBeUndefined();
  });

  it('are those of the last change where the newest run has changed nothing', () => {
    const here = context({ task: { change: { ...stand, run: 'run_0' } } });
    const card = endCard(runAfter(...executing, ended({})), here);
    expect(
      find(card, 'buttons')[0]
        ?.buttons.map(({ token }) => token)
        .slice(0, 2),
    ).toEqual(['x:run_0:review', 'x:run_0:push']);
    const told = { repository: 'acme/web', facts: { ...pull, mergeable: 'clean' as const } };
    const open = context({
      task: { change: { ...stand, run: 'run_0', pushed: true, pull: { number: 12, head: commit }, told } },
    });
    const seen = endCard(runAfter(...executing, ended({})), open);
    expect(labels(seen)).toEqual(['Review diff', 'Merge', 'Retry', 'Log', 'Show']);
    expect(unlinked(seen)).toContain('▸ Pull request acme/web#12 is open');
  });

  it('lead to nothing but its revert once it is merged, until there is a newer change', () => {
    const merged = runAfter(agentAt(), ...changed, opened(), opened({ state: 'merged' }));
    const seen = ['Retry', 'Log', 'Show'];
    const left = ['Review diff', 'Revert', 'Request changes…', ...seen];
    expect(labels(endCard(merged, withChange({ pushed: true, merged: 12 })))).toEqual(left);
    expect(labels(endCard(merged, withChange({ pushed: false })))).toContain('Approve & push');
    const mergeable = runAfter(...changed, opened({ mergeable: 'clean' }));
    const here = withChange({ pushed: true, pull: { number: 12, head: commit } });
    expect(labels(endCard(mergeable, here))).toEqual(['Review diff', 'Merge', ...seen]);
  });

  it('are gone where nothing has changed', () => {
    expect(labels(endCard(runAfter(...executing, ended({})), context()))).toEqual(['Retry', 'Log', 'Show']);
  });
});

describe('what has become of a change, on the card of its end', () => {
  const line = (...events: RunEventData[]) =>
    unlinked(endCard(runAfter(...changed, ...events), withChange()))
      .split('\n')
      .filter((one) => /^[✔▸✖⏸○]|discarded/.test(one));

  it('is told step by step', () => {
    expect(line(publication('pending'))).toEqual([`▸ Pushing to ${branch}`]);
    expect(line(publication('pending', { what: 'draft' }), publication('pushed', { what: 'draft' }))).toEqual([
      `▸ Pushed to ${branch}, opening the pull request`,
    ]);
    expect(line(publication('pending'), publication('pushing'), publication('done', { url: 'https://github.test/x' }))).toEqual([
      `✔ Pushed to ${branch}`,
    ]);
  });

  it('says why it waits or has failed, with what to do, until a later try has made it good', () => {
    const problem = 'https://github.test does not answer: no answer. Try again later. DH-500';
    const waiting = publication('pushing', { problem, retryAt: '2026-01-01T12:10:00.000Z' });
    expect(line(waiting)).toEqual([`⏸ Pushing to ${branch} waits and is tried again: ${problem}`]);
    const failed = publication('failed', { problem: 'Somebody has pushed. Look. DH-521' });
    expect(line(failed)).toEqual(['✖ Not pushed: Somebody has pushed. Look. DH-521']);
    expect(line(failed, publication('done', { publication: 'pub_2' }))).toEqual([`✔ Pushed to ${branch}`]);
  });

  it('shows a pull request with its state, checks and reviews, as a link to nowhere else', () => {
    const what = { what: 'pull_request' } as const;
    expect(line(publication('done', what), opened())).toEqual(['▸ Pull request acme/web#12 is open']);
    const reviews = [{ by: 'eve', verdict: 'approved' as const }];
    const checks = [{ name: 'ci', state: 'passed' as const }];
    expect(line(opened({ checks, reviews }))).toEqual(['▸ Pull request acme/web#12 is open · checks ✔ · 1 approval']);
    expect(line(opened({ draft: true, mergeable: 'conflict' }))).toEqual([
      '▸ Pull request acme/web#12 is a draft, with conflicts',
    ]);
    expect(line(opened(), opened({ state: 'merged' }))).toEqual(['✔ Pull request acme/web#12 is merged into main']);
    const card = endCard(runAfter(...changed, opened({ url: 'javascript:alert(1)' })), withChange());
    expect(viewSchema.safeParse(card).success).toBe(true);
    expect(JSON.stringify(card)).not.toContain('javascript:');
  });

  it('says who does not want it, until it is brought out', () => {
    const view = runAfter(...changed, { type: 'discarded' });
    const card = endCard({ ...view, change: { ...view.change, discardedBy: ben } }, withChange());
    expect(text(card)).toContain('Ben discarded the change.');
    expect(labels(card)).not.toContain('Discard');
    expect(line({ type: 'discarded' }, publication('pending'))).toEqual([`▸ Pushing to ${branch}`]);
  });
});

describe('messages about what has become of a change', () => {
  const said = (after: number, ...events: RunEventData[]) =>
    publicationCards(
      { workspace: 'wsp_1', view: runAfter(...changed, ...events), decisions: [], contexts: [withChange()] },
      after,
    ).map(({ key, payload }) => [key.split(':')[0], payload.type === 'message' ? unlinked(payload.view) : '']);

  it('come once: when the branch is there, when a pull request is open, when it failed', () => {
    const seq = changed.length;
    expect(said(seq, publication('pending'), publication('pushing'))).toEqual([]);
    expect(said(seq, publication('pending'), publication('done'))).toEqual([['out', `#142 ✔ Pushed to ${branch}`]]);
    expect(said(seq + 2, publication('pending'), publication('done'))).toEqual([]);
    const open = [publication('done', { what: 'pull_request' }), opened()];
    expect(said(seq, ...open)).toEqual([['opened', '#142 ✔ A pull request is open: acme/web#12']]);
    expect(said(seq + 2, ...open, opened({ checks: [{ name: 'ci', state: 'passed' }] }))).toEqual([]);
    // A pull request that follows its branch from an earlier run is no news.
    expect(said(seq, publication('done'), opened())).toEqual([['out', `#142 ✔ Pushed to ${branch}`]]);
    expect(said(seq, publication('failed', { problem: 'No. DH-523' }))).toEqual([['out', '#142 ✖ Not pushed: No. DH-523']]);
  });
});

describe('every thread of a task', () => {
  it('is told the same, each once', () => {
    const here = withChange();
    const there = { ...here, thread: { ...here.thread, thread: 'thr_2' } };
    const view = runAfter(...changed, publication('done'));
    const puts = publicationCards({ workspace: 'wsp_1', view, decisions: [], contexts: [here, there] }, changed.length);
    expect(puts.map(({ target }) => target.type === 'thread' && target.thread)).toEqual([here.thread.thread, 'thr_2']);
    expect(new Set(puts.map(({ key }) => key)).size).toBe(2);
  });
});

describe('the request to bring a change out', () => {
  const decision = {
    id: 'int_1',
    secret: 'x'.repeat(22),
    state: 'pending' as const,
    action: {
      type: 'publish' as const,
      project: 'prj_1',
      remote: 'https://github.test/acme/web.git',
      branch,
      baseBranch: 'main',
      base: 'a'.repeat(40),
      commit,
      tree: 'd'.repeat(40),
      what: 'pull_request' as const,
    },
    because: 'Dev wants to bring it out',
    risks: ['secret (src/key.ts)'],
    openedAt: new Date(),
    expiresAt: new Date(),
    remindedAt: undefined,
    decidedAt: undefined,
    decidedBy: undefined,
    decidedOn: undefined,
    reason: undefined,
    who: { text: 'Maintainers can decide.', mention: [] },
  };

  it('shows exactly what, where to, how much and what to look at twice', () => {
    const card = decisionCard(decision, runAfter(...changed), withChange());
    const shown = text(card);
    expect(shown).toContain('wants to open a pull request');
    for (const words of [
      'https://github.test/acme/web.git',
      `${branch} into main`,
      `${commit.slice(0, 12)}, 1 file +28 −5`,
      'secret (src/key.ts)',
      'Dev wants to bring it out',
    ]) {
      expect(shown).toContain(words);
    }
    expect(labels(card)).toEqual(['Approve & open PR', 'Deny', 'Deny with reason…', 'Review diff', 'Details']);
    expect(viewSchema.safeParse(card).success).toBe(true);
  });

  it('is a message only where it was a question', () => {
    const input = { workspace: 'wsp_1', decisions: [{ ...decision, state: 'approved' as const }], contexts: [withChange()] };
    const keys = (...events: RunEventData[]) =>
      runCards({ ...input, view: runAfter(...changed, ...events) }, false).map(({ key }) => key.split(':')[0]);
    expect(keys()).toEqual(['live', 'end']);
    expect(keys({ type: 'interaction_opened', interaction: 'int_1', kind: 'publish' })).toEqual(['live', 'decision', 'end']);
  });
});
