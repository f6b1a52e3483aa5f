import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, nearest } from '../../src/commands/nearest.ts';

describe('edit distance', () => {
  it.each([
    ['', '', 0],
    ['board', 'board', 0],
    ['', 'abc', 3],
    ['tsak', 'task', 1],
    ['lgos', 'logs', 1],
    ['sotp', 'stop', 1],
    ['qeue', 'queue', 1],
    ['setings', 'settings', 1],
    ['ca', 'abc', 3],
    ['help', 'who', 4],
  ])('from %j to %j is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  it('is the same both ways, zero only for equal texts and at most the longer length', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});

describe('nearest names', () => {
  const known = ['sh', 'stop', 'show', 'tasks', 'board', 'project add', 'project list'];
  it.each([
    ['tsks', ['tasks']],
    ['bord', ['board']],
    ['sho', ['show']],
    ['project ad', ['project add']],
    ['ta', ['tasks']],
    ['xyzzy', []],
    ['', []],
  ])('of %j are %j', (word, expected) => {
    expect(nearest(word, known).filter((name) => name !== 'sh')).toEqual(expected);
  });
});
