import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RemovalRule } from '../../src/contracts/housekeeping.ts';
import { freshMs, type Keeping, type LeftFiles, type LeftTask, removals } from '../../src/tasks/retention.ts';

const day = 24 * 60 * 60_000;
const now = new Date('2026-11-22T12:00:00Z');
const keeping: Keeping = { filesMs: 30 * day, changesMs: 90 * day };

const task = (more: Partial<LeftTask> & { days: number }): LeftTask => {
  const { days, ...facts } = more;
  return {
    task: 'tsk_1',
    workspace: 'wsp_1',
    needed: false,
    change: 'none',
    removed: false,
    lastAt: new Date(now.getTime() - days * day),
    ...facts,
  };
};
const files = (run: string, of: LeftTask | undefined, bytes = 100): LeftFiles => ({
  run,
  task: of,
  bytes,
  at: of?.lastAt ?? now,
  removed: false,
});
const named = (left: { files?: LeftFiles[]; commits?: LeftTask[] }, rule: RemovalRule) =>
  removals({ files: left.files ?? [], commits: left.commits ?? [] }, rule, keeping, now).map((one) =>
    one.kind === 'files' ? one.run : one.task,
  );

describe('what is kept long enough goes', () => {
  test('files after their days, commits after theirs, the oldest first', () => {
    const left = {
      files: [files('young', task({ days: 29 })), files('old', task({ days: 31 })), files('older', task({ days: 40 }))],
      commits: [task({ task: 'recent', days: 89, change: 'settled' }), task({ task: 'long', days: 91, change: 'open' })],
    };
    expect(named(left, { why: 'age' })).toEqual(['older', 'old', 'long']);
  });

  test('files of a change that is still to be decided about stay as long as the change', () => {
    const of = (days: number) => [files('run', task({ days, change: 'open' }))];
    expect(named({ files: of(89) }, { why: 'age' })).toEqual([]);
    expect(named({ files: of(91) }, { why: 'age' })).toEqual(['run']);
  });

  test('files of a run that nobody knows go by their own age, and those noted as removed at once', () => {
    const unknown = { ...files('unknown', undefined), at: new Date(now.getTime() - 31 * day) };
    const noted = { ...files('noted', task({ days: 1, needed: true })), removed: true };
    expect(named({ files: [unknown, noted, files('new', undefined)] }, { why: 'age' })).toEqual(['noted', 'unknown']);
    expect(named({ files: [unknown] }, { why: 'order', workspace: 'wsp_1' })).toEqual([]);
  });
});

test('an order takes what is finished in its workspace, and nothing of the last day', () => {
  const commits = [
    task({ task: 'merged', days: 2, change: 'settled' }),
    task({ task: 'undecided', days: 80, change: 'open' }),
    task({ task: 'today', days: 0.5, change: 'settled' }),
    task({ task: 'other', days: 80, change: 'settled', workspace: 'wsp_2' }),
  ];
  expect(named({ commits }, { why: 'order', workspace: 'wsp_1' })).toEqual(['merged']);
});

test('a quota takes no more files than are in the way, and commits only when files are not enough', () => {
  const left = {
    files: [files('b', task({ days: 4 })), files('a', task({ days: 5 })), files('c', task({ days: 3 }))],
    commits: [task({ task: 'merged', days: 9, change: 'settled' })],
  };
  expect(named(left, { why: 'room', bytes: 150 })).toEqual(['a', 'b']);
  expect(named(left, { why: 'room', bytes: 301 })).toEqual(['a', 'b', 'c', 'merged']);
});

const anyTask = fc.record({
  task: fc.constantFrom('tsk_1', 'tsk_2', 'tsk_3', 'tsk_4'),
  workspace: fc.constantFrom('wsp_1', 'wsp_2'),
  needed: fc.boolean(),
  removed: fc.constant(false),
  change: fc.constantFrom('none' as const, 'open' as const, 'settled' as const),
  lastAt: fc.integer({ min: 0, max: 200 * day }).map((ms) => new Date(now.getTime() - ms)),
});
const anyFiles = fc.record({
  run: fc.uuid(),
  task: fc.option(anyTask, { nil: undefined }),
  bytes: fc.nat(1000),
  at: fc.integer({ min: 0, max: 200 * day }).map((ms) => new Date(now.getTime() - ms)),
  removed: fc.constant(false),
});
const anyRule: fc.Arbitrary<RemovalRule> = fc.oneof(
  fc.constant<RemovalRule>({ why: 'age' }),
  fc.constant<RemovalRule>({ why: 'order', workspace: 'wsp_1' }),
  fc.nat(5000).map((bytes): RemovalRule => ({ why: 'room', bytes })),
);

test('nothing that is needed goes, no undecided change before its time, nothing twice, and nothing of another workspace by an order', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(anyFiles, { selector: ({ run }) => run, maxLength: 12 }),
      fc.uniqueArray(anyTask, { selector: ({ task: id }) => id, maxLength: 4 }),
      anyRule,
      (left, commits, rule) => {
        const going = removals({ files: left, commits }, rule, keeping, now);
        expect(new Set(going.map((one) => JSON.stringify(one))).size).toBe(going.length);
        for (const one of going) {
          const of =
            one.kind === 'commits'
              ? commits.find((known) => known.task === one.task)
              : left.find(({ run }) => run === one.run)?.task;
          if (of === undefined) {
            expect(rule.why).toBe('age');
            continue;
          }
          const age = now.getTime() - of.lastAt.getTime();
          expect(of.needed).toBe(false);
          if (of.change === 'open') expect(age).toBeGreaterThan(keeping.changesMs);
          if (rule.why === 'order') expect(of.workspace).toBe('wsp_1');
          if (rule.why !== 'age') expect(age).toBeGreaterThan(freshMs);
          else expect(age).toBeGreaterThan(one.kind === 'files' ? keeping.filesMs : keeping.changesMs);
        }
        if (rule.why === 'room') {
          const bytes = going.map((one) => (one.kind === 'files' ? (left.find(({ run }) => run === one.run)?.bytes ?? 0) : 0));
          // Without the last of them it would not be enough.
          const last = bytes.findLastIndex((_, at) => going[at]?.kind === 'files');
          if (last > 0) expect(bytes.slice(0, last).reduce((sum, one) => sum + one, 0)).toBeLessThan(rule.bytes);
        }
      },
    ),
  );
});
