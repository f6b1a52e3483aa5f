import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunResult } from '../../src/contracts/run-event.ts';
import { viewSchema } from '../../src/contracts/view.ts';
import { endCard } from '../../src/delivery/end-card.ts';
import { fitView } from '../../src/delivery/fit.ts';
import { liveCard } from '../../src/delivery/live-card.ts';
import { plainText } from '../../src/delivery/plain-text.ts';
import { context, ended, executing, find, labels, output, runAfter, text } from '../support/cards.ts';
import { testCapabilities } from '../support/chat-platform.ts';

describe('the end card', () => {
  const files = [
    { path: 'src/session.ts', added: 28, removed: 5 },
    { path: 'test/login.test.ts', added: 12, removed: 2 },
    { path: 'logo.png', added: null, removed: null },
  ];
  const artifacts = [
    { id: 'art_log', name: '142.log', kind: 'log' as const, bytes: 9000 },
    { id: 'art_patch', name: '142.patch', kind: 'patch' as const, bytes: 1200 },
  ];

  it('of a success tells time, output, files and lines, memory, approvals, and attaches the patch', () => {
    const card = endCard(
      runAfter(
        ...executing,
        { type: 'interaction_opened', interaction: 'int_1', kind: 'approval' },
        { type: 'interaction_decided', interaction: 'int_1', state: 'approved' },
        output('214 passed\n'),
        ended({ files, artifacts, exitCode: 0, peakMemoryBytes: 214_000_000 }),
      ),
      context(),
    );
    expect(text(card)).toBe(
      [
        '#142 npm test · done in 6m 12s',
        '214 passed',
        'src/session.ts         +28  −5\ntest/login.test.ts     +12  −2\nlogo.png            binary',
        'web · main@3f9c2e1 · sandbox docker · asked by Ada · deckhand/142-npm-test 3 files +40 −7 · peak memory 214 MB · approved: 1 (Ben)',
      ].join('\n'),
    );
    expect(card.files).toEqual([{ from: 'artifact', name: '142.patch', artifact: 'art_patch' }]);
    expect(labels(card)).toEqual(['Retry', 'Log', 'Show']);
  });

  it('of a change names what is to be looked at twice, shows its picture and leads to its lines', () => {
    const picture = { id: 'art_png', name: 'diff.png', kind: 'picture' as const, bytes: 90_000 };
    const risks = [{ kind: 'deletion' as const, paths: ['a', 'b', 'c'], files: 3 }];
    const view = runAfter(...executing, ended({ files, artifacts: [...artifacts, picture], commit: 'c'.repeat(40), risks }));
    const card = endCard(view, context());
    expect(text(card)).toContain('\nrisk: deleted: a, b and 1 more\n');
    expect(card.files?.map(({ name }) => name)).toEqual(['diff.png', '142.patch']);
    expect(labels(card)).toEqual(['Review diff', 'Retry', 'Log', 'Show']);
    const { run } = context().run;
    expect(find(card, 'buttons')[0]?.buttons[0]?.token).toBe(`x:${run}:review`);
    const later = context();
    expect(labels(endCard(view, { ...later, run: { ...later.run, newest: 2 } }))).toEqual([]);
  });

  it('counts all changed files where the result lists only the first of them', () => {
    const card = endCard(
      runAfter(...executing, ended({ files, totals: { files: 30_000, added: 31_000, removed: 5 } })),
      context(),
    );
    expect(text(card)).toContain('logo.png            binary\nand 29,997 more files');
    expect(text(card)).toContain('30,000 files +31,000 −5');
  });

  it('keeps the end of a long path, which names the file, on one line with its counts', () => {
    const path = `packages/${'very-'.repeat(40)}deep/session.test.ts`;
    const [table = ''] =
      /^…\S+ .*$/m.exec(text(endCard(runAfter(...executing, ended({ files: [{ path, added: 9, removed: 1 }] })), context()))) ??
      [];
    expect(table).toMatch(/^…[very-]+deep\/session\.test\.ts {2}\+9 {2}−1$/);
    expect(table.length).toBeLessThan(55);
  });

  it('says what to do about changes that could not be taken over', () => {
    const message = 'The changes of the command could not be taken over: there is no room to collect them, they are too large.';
    const card = endCard(
      runAfter(...executing, ended({ outcome: 'failed', cause: 'result_invalid', message, uncollected: true })),
      context(),
    );
    expect(text(card)).toMatch(/they are too large\. Nothing was taken over from this run\. .*\.gitignore.* DH-306/);
  });

  it('tells what went wrong with the results, once, and not what was wrong while the command ran', () => {
    const lost = {
      type: 'note' as const,
      level: 'warning' as const,
      text: 'The changes could not be taken over: they are too large.',
    };
    const card = endCard(
      runAfter(
        ...executing,
        { type: 'note', level: 'warning', text: 'The container engine does not answer.' },
        { type: 'lifecycle', from: 'executing', to: 'finishing' },
        { type: 'note', level: 'info', text: 'collected' },
        lost,
        lost,
        ended({ outcome: 'failed', cause: 'exit_code', exitCode: 1, message: 'The command ended with exit code 1.' }),
      ),
      context(),
    );
    expect(
      text(card)
        .split('\n')
        .filter((line) => /taken over|engine|collected/.test(line)),
    ).toEqual([lost.text]);
  });

  it('of a failure says what happened, shows the last useful lines, attaches the log and offers to retry', () => {
    const lines = Array.from({ length: 200 }, (_, n) => `line ${n}`).join('\n');
    const card = endCard(
      runAfter(
        ...executing,
        output(`${lines}\nError: boom\n\n`),
        ended({ outcome: 'failed', cause: 'exit_code', message: 'The command ended with exit code 1.', exitCode: 1, artifacts }),
      ),
      context(),
    );
    expect(text(card)).toContain(
      '#142 npm test · failed after 6m 12s\nThe command ended with exit code 1.\nLast 20 lines of 201, 9.0 kB; Log has all of them.',
    );
    expect(find(card, 'code')[0]?.text.endsWith('line 199\nError: boom')).toBe(true);
    expect(card.files).toEqual([{ from: 'artifact', name: '142.log', artifact: 'art_log' }]);
    expect(text(card)).toContain('exit code 1');
  });

  const causes: [Partial<RunResult>, string][] = [
    [
      { outcome: 'timed_out', cause: 'timed_out', message: 'The command ran longer than 30 min and was stopped.' },
      'The command ran longer than 30 min and was stopped. Run it with less to do, or let a maintainer raise the time limit of the project: settings timeout=2h. DH-301',
    ],
    [{ outcome: 'interrupted', cause: 'runner_lost', message: 'The runner stopped answering.' }, 'Retry runs it again. DH-305'],
    [
      { outcome: 'cancelled', cause: 'expired', message: 'Nobody decided within an hour.' },
      'Nobody decided within an hour. Retry asks again. DH-401',
    ],
    [
      { outcome: 'failed', cause: 'repository_unreachable', message: 'https://x does not answer: timeout. Check it. DH-500' },
      'https://x does not answer: timeout. Check it. DH-500',
    ],
    [{ outcome: 'cancelled', cause: 'denied', message: 'Ben denied it: no.' }, 'Ben denied it: no.'],
  ];
  it.each(causes)('puts what to do and the error code at the end of the line: %o', (result, line) => {
    const said = find(endCard(runAfter(...executing, ended(result)), context()), 'text').map(plainText)[0];
    expect(said?.endsWith(line)).toBe(true);
  });

  it('links the code where the descriptions have an address', () => {
    const card = endCard(
      runAfter(...executing, ended({ outcome: 'failed', cause: 'memory_limit', message: 'Too much.' })),
      context({ docs: 'https://deckhand.example/errors' }),
    );
    expect(find(card, 'text')[0]?.spans.at(-1)).toEqual({
      type: 'link',
      url: 'https://deckhand.example/errors#dh-303',
      text: 'DH-303',
    });
  });

  it('gives its buttons up when a later run follows, because they would act on that one', () => {
    const card = endCard(runAfter(...executing, ended({})), context({ run: { newest: 2 } }));
    expect(labels(card)).toEqual([]);
    expect(text(card)).toContain('Run 1 of 2; a later run follows below.');
  });

  it('counts files beyond the first few and leaves a huge patch to its button', () => {
    const many = Array.from({ length: 30 }, (_, n) => ({ path: `file${n}.ts`, added: 1, removed: 0 }));
    const card = endCard(
      runAfter(
        ...executing,
        ended({ files: many, artifacts: [{ id: 'art_patch', name: '142.patch', kind: 'patch', bytes: 50_000_000 }] }),
      ),
      context(),
    );
    expect(text(card)).toContain('and 22 more files');
    expect(card.files).toBeUndefined();
    expect(labels(card)).toEqual(['Retry', 'Log', 'Patch', 'Show']);
  });
});

describe('every card', () => {
  it('promise 5: is one message on the tightest platform, whatever the run wrote', () => {
    const small = { ...testCapabilities, text: { ...testCapabilities.text, maxMessage: 3500 } };
    fc.assert(
      fc.property(
        fc.array(
          fc.string({ unit: fc.constantFrom('a', 'word ', '\n', '\r', '\u001b[31m', '😀', 'x'.repeat(400)), maxLength: 80 }),
          { maxLength: 30 },
        ),
        fc.constantFrom('quiet' as const, 'steps' as const, 'everything' as const),
        (pieces, verbosity) => {
          const running = runAfter(...executing, ...pieces.map(output));
          const over = runAfter(
            ...executing,
            ...pieces.map(output),
            ended({ outcome: 'failed', cause: 'exit_code', message: 'm'.repeat(300), exitCode: 1 }),
          );
          const at = context({ thread: { verbosity }, task: { title: 't'.repeat(500), command: 'c'.repeat(5000) } });
          for (const card of [liveCard(running, at), liveCard(over, at), endCard(over, at)]) {
            expect(viewSchema.parse(card)).toEqual(card);
            const { messages, files } = fitView(card, small);
            expect(messages).toHaveLength(1);
            expect(files).toEqual(card.files ?? []);
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});
