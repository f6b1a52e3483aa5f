import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checksVerdict, isMergeable, pullNews, remembering } from '../../src/changes/pull-news.ts';
import { type Check, type PullFacts, pullFactsSchema } from '../../src/contracts/code-host.ts';

const facts = (more: Partial<PullFacts> = {}): PullFacts => ({
  number: 12,
  url: 'https://github.com/acme/web/pull/12',
  title: 'Fix',
  state: 'open',
  draft: false,
  head: { branch: 'deckhand/1-fix', commit: 'a'.repeat(40) },
  base: 'main',
  mergeable: 'clean',
  checks: [],
  reviews: [],
  comments: 0,
  ...more,
});
const checks = (...states: Check['state'][]): Check[] => states.map((state, index) => ({ name: `check ${index}`, state }));
const none: ReadonlySet<string> = new Set();

describe('news of a pull request', () => {
  it('a failed check is told at once, success when all have ended', () => {
    const running = facts({ checks: checks('pending', 'pending') });
    expect(pullNews(facts(), running, none)).toEqual([]);
    expect(pullNews(running, facts({ checks: checks('passed', 'pending') }), none)).toEqual([]);
    expect(pullNews(running, facts({ checks: checks('passed', 'neutral') }), none)).toEqual([
      { type: 'checks', state: 'passed', failed: [] },
      { type: 'mergeable' },
    ]);
    const failed = facts({ checks: checks('failed', 'pending') });
    expect(pullNews(running, failed, none)).toEqual([{ type: 'checks', state: 'failed', failed: ['check 0'] }]);
    expect(pullNews(failed, facts({ checks: checks('failed', 'failed') }), none)).toEqual([]);
    expect(checksVerdict(facts({ checks: checks('neutral') }))).toBe('none');
  });

  it('checks of another commit are told anew', () => {
    const before = facts({ checks: checks('failed') });
    const head = { branch: 'deckhand/1-fix', commit: 'b'.repeat(40) };
    const after = facts({ head, checks: checks('failed') });
    expect(pullNews(before, after, new Set([head.commit]))).toEqual([{ type: 'checks', state: 'failed', failed: ['check 0'] }]);
    expect(pullNews(before, facts({ head }), none)).toEqual([{ type: 'pushed', commit: head.commit }]);
  });

  it('a review is told once for each new verdict of a person, and comments only where no review brings them', () => {
    const approved = facts({ reviews: [{ by: 'ben', verdict: 'approved' }], comments: 2 });
    expect(pullNews(facts(), approved, none)).toEqual([
      { type: 'review', by: 'ben', verdict: 'approved' },
      { type: 'mergeable' },
    ]);
    const blocked = { ...approved, mergeable: 'blocked' as const };
    expect(pullNews(facts(), blocked, none)).toEqual([{ type: 'review', by: 'ben', verdict: 'approved' }]);
    expect(pullNews(blocked, approved, none)).toEqual([{ type: 'mergeable' }]);
    expect(pullNews(approved, { ...approved, comments: 5 }, none)).toEqual([{ type: 'comments', count: 3 }]);
    const head = { ...approved.head, commit: 'b'.repeat(40) };
    expect(pullNews(approved, { ...approved, head }, new Set([head.commit]))).toEqual([{ type: 'mergeable' }]);
    expect(pullNews(approved, { ...approved, comments: 1 }, none)).toEqual([]);
  });

  it('the end is all there is to tell', () => {
    const merged = facts({ state: 'merged', mergeCommit: 'c'.repeat(40), reviews: [{ by: 'ben', verdict: 'approved' }] });
    expect(pullNews(facts(), merged, none)).toEqual([{ type: 'merged', commit: 'c'.repeat(40) }]);
    expect(pullNews(facts(), facts({ state: 'closed', checks: checks('failed') }), none)).toEqual([{ type: 'closed' }]);
    expect(pullNews(facts({ state: 'closed' }), facts(), none)).toEqual([{ type: 'reopened' }]);
  });

  it('drafts that become ready and conflicts are told', () => {
    expect(pullNews(facts({ draft: true, mergeable: 'unknown' }), facts({ mergeable: 'conflict' }), none)).toEqual([
      { type: 'ready' },
      { type: 'conflict', base: 'main' },
    ]);
  });

  it('promise 2: what the code host has to find out again, because the base has moved on, is told once', () => {
    const approved = { reviews: [{ by: 'ben', verdict: 'approved' as const }] };
    for (const [mergeable, news] of [
      ['conflict', { type: 'conflict', base: 'main' }],
      ['clean', { type: 'mergeable' }],
    ] as const) {
      const known = facts({ ...approved, mergeable });
      expect(pullNews(facts({ ...approved, mergeable: 'unknown' }), known, none)).toEqual([news]);
      const asked = remembering(known, remembering(known, facts({ ...approved, mergeable: 'unknown' })));
      expect(isMergeable(asked)).toBe(mergeable === 'clean');
      expect([...pullNews(known, asked, none), ...pullNews(asked, known, none)]).toEqual([]);
      expect(pullNews(asked, facts({ ...approved, mergeable: 'behind' }), none)).toEqual([]);
      const head = { branch: 'deckhand/1-fix', commit: 'b'.repeat(40) };
      const moved = remembering(asked, facts({ ...approved, head, mergeable: 'unknown' }));
      expect(pullNews(moved, { ...known, head }, none)).toEqual([news]);
    }
  });

  it('promise 2: a look that finds the same tells nothing', () => {
    const any = fc.record({
      state: fc.constantFrom('open' as const, 'merged' as const, 'closed' as const),
      draft: fc.boolean(),
      mergeable: fc.constantFrom('clean' as const, 'conflict' as const, 'unknown' as const),
      checks: fc
        .array(fc.constantFrom<Check['state']>('pending', 'passed', 'failed', 'neutral'))
        .map((states) => checks(...states)),
      comments: fc.nat(9),
    });
    fc.assert(fc.property(any, (more) => void expect(pullNews(facts(more), facts(more), none)).toEqual([])));
    expect(pullFactsSchema.parse(facts())).toEqual(facts());
  });
});
