import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunEvent, RunEventData, RunResult } from '../../src/contracts/run-event.ts';
import { addOutput, emptyTail, keptColumns, keptLines, lastLines, type OutputTail } from '../../src/delivery/output-tail.ts';
import { emptyRunView, foldRun, foldRuns } from '../../src/delivery/run-view.ts';

const ben = { type: 'user', user: 'usr_ben', name: 'Ben' } as const;
const runner = { type: 'system', part: 'runner' } as const;

function log(...data: RunEventData[]): RunEvent[] {
  return data.map((item, at) => ({
    run: 'run_1',
    seq: at + 1,
    at: new Date(Date.UTC(2026, 0, 1, 12, 0, at)),
    actor: item.type === 'interaction_decided' ? ben : runner,
    data: item,
  }));
}

const whole = log(
  { type: 'lifecycle', from: null, to: 'queued' },
  { type: 'lifecycle', from: 'queued', to: 'preparing' },
  { type: 'stage', stage: 'repository', detail: 'fetching the repository' },
  { type: 'git', branch: 'deckhand/142-npm-test', baseBranch: 'main', baseCommit: '3f9c2e1aaaa' },
  { type: 'stage', stage: 'workspace', detail: 'making the working copy' },
  { type: 'interaction_opened', interaction: 'int_1', kind: 'approval' },
  { type: 'lifecycle', from: 'preparing', to: 'awaiting' },
  { type: 'interaction_reminded', interaction: 'int_1' },
  { type: 'interaction_decided', interaction: 'int_1', state: 'approved' },
  { type: 'lifecycle', from: 'awaiting', to: 'queued' },
  { type: 'lifecycle', from: 'queued', to: 'preparing' },
  { type: 'sandbox', kind: 'docker', isolated: true, ref: 'c1', image: 'deckhand-sandbox' },
  { type: 'lifecycle', from: 'preparing', to: 'executing' },
  { type: 'stage', stage: 'command', detail: 'npm test' },
  { type: 'output', stream: 'stdout', from: 0, to: 12, text: 'one\ntwo\n50%' },
  { type: 'output', stream: 'stderr', from: 0, to: 5, text: 'warn\n' },
  { type: 'output', stream: 'stdout', from: 12, to: 18, text: '\r100%\n' },
  { type: 'note', level: 'warning', text: 'The command has been quiet for 5 min.' },
  {
    type: 'terminal',
    result: {
      outcome: 'failed',
      cause: 'exit_code',
      message: 'The command ended with exit code 1.',
      exitCode: 1,
      durationMs: 9000,
      files: [],
      artifacts: [],
    },
  },
);

describe('a run view', () => {
  it('tells state, steps, sandbox, branch, decisions and the end', () => {
    const view = foldRuns(emptyRunView('run_1'), whole);
    expect(view).toMatchObject({
      seq: whole.length,
      state: 'failed',
      sandbox: { kind: 'docker', isolated: true },
      git: { branch: 'deckhand/142-npm-test', baseBranch: 'main' },
      interactions: [{ id: 'int_1', state: 'approved', decidedBy: ben }],
      result: { exitCode: 1 },
    });
    expect(view.steps).toEqual([
      { stage: 'repository', detail: 'fetching the repository', state: 'done' },
      { stage: 'workspace', detail: 'making the working copy', state: 'done' },
      { stage: 'command', detail: 'npm test', state: 'failed' },
    ]);
    expect(view.startedAt).toEqual(whole[1]?.at);
    expect(view.executingAt).toEqual(whole[12]?.at);
    expect(view.notes).toHaveLength(1);
    expect(lastLines(view.tail, 10)).toEqual({ lines: ['one', 'two', 'warn', '100%'], hidden: 0 });
  });

  it('says which step went wrong, though the changes of a failed command are collected after it', () => {
    const steps = (result: Partial<RunResult>) =>
      foldRuns(
        emptyRunView('run_1'),
        log(
          { type: 'stage', stage: 'command', detail: 'running' },
          { type: 'stage', stage: 'results', detail: 'collecting' },
          { type: 'terminal', result: { outcome: 'failed', message: '', durationMs: 1, files: [], artifacts: [], ...result } },
        ),
      ).steps.map(({ state }) => state);
    expect(steps({ outcome: 'succeeded' })).toEqual(['done', 'done']);
    expect(steps({ cause: 'exit_code' })).toEqual(['failed', 'done']);
    expect(steps({ outcome: 'timed_out', cause: 'timed_out' })).toEqual(['failed', 'done']);
    expect(steps({ outcome: 'cancelled', cause: 'stopped' })).toEqual(['skipped', 'done']);
    expect(steps({ cause: 'result_invalid' })).toEqual(['done', 'failed']);
    expect(steps({ cause: 'result_invalid', exitCode: 0, uncollected: true })).toEqual(['done', 'failed']);
  });

  it('says that collecting failed, whatever became of the command', () => {
    const stepsOf = (result: Partial<RunResult>) =>
      foldRuns(
        emptyRunView('run_1'),
        log(
          { type: 'stage', stage: 'command', detail: 'running' },
          { type: 'stage', stage: 'results', detail: 'collecting' },
          {
            type: 'terminal',
            result: { outcome: 'failed', message: '', durationMs: 1, files: [], artifacts: [], uncollected: true, ...result },
          },
        ),
      ).steps.map(({ state }) => state);
    expect(stepsOf({ cause: 'exit_code', exitCode: 1 })).toEqual(['failed', 'failed']);
    expect(stepsOf({ cause: 'signal', exitCode: 137, signal: 'SIGKILL' })).toEqual(['failed', 'failed']);
    expect(stepsOf({ outcome: 'cancelled', cause: 'stopped' })).toEqual(['skipped', 'failed']);
    expect(stepsOf({ outcome: 'interrupted', cause: 'sandbox_lost' })).toEqual(['skipped', 'failed']);
    expect(stepsOf({ cause: 'disk_limit', exitCode: 0 }), 'the disk was full for the changes').toEqual(['done', 'failed']);
    expect(stepsOf({ cause: 'disk_limit', exitCode: 1 }), 'and for the command before').toEqual(['failed', 'failed']);
  });

  it('promise 5: is the same however the log is read: at once, in pieces, from a stored view on, twice', () => {
    const expected = foldRuns(emptyRunView('run_1'), whole);
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 7 })),
        fc.array(fc.integer({ min: 0, max: whole.length - 1 })),
        (sizes, again) => {
          let view = emptyRunView('run_1');
          let at = 0;
          for (const size of [...sizes, whole.length]) {
            view = foldRuns(view, whole.slice(at, at + size));
            at = Math.min(whole.length, at + size);
            for (const repeated of again) {
              const event = whole[repeated];
              if (event !== undefined && event.seq <= view.seq) expect(foldRun(view, event)).toBe(view);
            }
          }
          expect(view).toEqual(expected);
        },
      ),
    );
  });

  it('refuses a gap: an event that is missing would be missing for ever', () => {
    const third = whole[2];
    if (third === undefined) throw new Error('no third event');
    expect(() => foldRun(emptyRunView('run_1'), third)).toThrow('event 3 of run_1 does not follow 0');
  });

  it('keeps a bounded tail of endless output', () => {
    let tail = emptyTail;
    for (let i = 0; i < 200; i += 1) tail = addOutput(tail, 'stdout', `${'x'.repeat(10_000)} ${i}\n`);
    expect(tail.lines).toHaveLength(keptLines);
    expect(Math.max(...tail.lines.map(({ text }) => text.length))).toBe(keptColumns);
    const { lines, hidden } = lastLines(tail, 2);
    expect(lines).toHaveLength(2);
    expect(lines[0]?.endsWith('…')).toBe(true);
    expect(hidden).toBe(198);
  });
});

describe('the tail of the output', () => {
  const cases: [name: string, output: string, lines: string[]][] = [
    ['a progress bar is its last state', 'load 10%\rload 55%\rload 100%\ndone\n', ['load 100%', 'done']],
    ['a shorter rewrite after an erase leaves nothing behind', 'downloading 99 of 100\r\u001b[Kok\n', ['ok']],
    ['Windows line ends are line ends', 'one\r\ntwo\r\n', ['one', 'two']],
    [
      'colours and links are stripped',
      '\u001b[1;31mFAIL\u001b[0m \u001b]8;;https://x.example\u001b\\a.ts\u001b]8;;\u001b\\\n',
      ['FAIL a.ts'],
    ],
    ['backspace goes back', 'abc\b\bX\n', ['aXc']],
    ['an unfinished sequence does not swallow the next line', '\u001b]0;title without end\nvisible\n', ['visible']],
    ['an unfinished line is shown', 'listening on 3000', ['listening on 3000']],
    ['blank lines at both ends are left out', '\n\none\n\ntwo\n\n\n', ['one', '', 'two']],
  ];
  it.each(cases)('%s', (_, output, lines) => {
    expect(lastLines(addOutput(emptyTail, 'stdout', output), 10).lines).toEqual(lines);
  });

  it('reads a megabyte of half-finished sequences in no time', () => {
    for (const hostile of ['\u001b]', '\u001b[1;', '\u001b]8;;x', '\r\u001b[K']) {
      const started = performance.now();
      addOutput(emptyTail, 'stdout', hostile.repeat(300_000));
      expect(performance.now() - started).toBeLessThan(3000);
    }
  });

  it('does not depend on how the output was cut into pieces', () => {
    const bit = fc.constantFrom(
      'a',
      'bc',
      '\n',
      '\r',
      '\b',
      '\t',
      '\u001b',
      '[',
      '2',
      ';',
      'K',
      'm',
      ']',
      '\\',
      '\u0007',
      '\u009b',
      '😀',
      '\ud83d',
      'é',
      ' ',
    );
    const output = fc.array(fc.tuple(fc.constantFrom('stdout', 'stderr'), fc.string({ unit: bit, maxLength: 30 })), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(output, fc.infiniteStream(fc.integer({ min: 1, max: 5 })), (pieces, sizes) => {
        let atOnce: OutputTail = emptyTail;
        let inBits: OutputTail = emptyTail;
        for (const [stream, text] of pieces) {
          atOnce = addOutput(atOnce, stream, text);
          for (let at = 0; at < text.length; ) {
            const size = sizes.next().value ?? 1;
            inBits = addOutput(inBits, stream, text.slice(at, at + size));
            at += size;
          }
        }
        expect(inBits).toEqual(atOnce);
      }),
      { numRuns: 500 },
    );
  });
});
