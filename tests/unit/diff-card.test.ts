import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { discordCapabilities } from '../../adapters/discord/capabilities.ts';
import { slackCapabilities } from '../../adapters/slack/capabilities.ts';
import { telegramCapabilities } from '../../adapters/telegram/capabilities.ts';
import { hiddenCharacters } from '../../src/approvals/hidden-characters.ts';
import { hunksOf, readPatch } from '../../src/changes/read-patch.ts';
import type { FileStat } from '../../src/contracts/run-event.ts';
import { type View, viewSchema } from '../../src/contracts/view.ts';
import { type Change, changeCard, fileCard, isOneFile } from '../../src/delivery/diff-card.ts';
import { mostPages, pagesOf } from '../../src/delivery/diff-pages.ts';
import { fateWords, riskBlocks } from '../../src/delivery/diff-words.ts';
import { fitView } from '../../src/delivery/fit.ts';
import { find, labels, text } from '../support/cards.ts';

const platforms = [slackCapabilities, telegramCapabilities, discordCapabilities];

const section = (path: string, body: string, head = 'index 1..2 100644') =>
  `diff --git a/${path} b/${path}\n${head}\n--- a/${path}\n+++ b/${path}\n${body}\n`;
const hunk = (at: number, lines: readonly string[]) => `@@ -${at},${lines.length} +${at},${lines.length} @@\n${lines.join('\n')}`;

function change(
  patch: string | undefined,
  files: FileStat[],
  more: Partial<Change['result']> = {},
): Change & { patch: NonNullable<Change['patch']> } {
  return {
    run: 'run_0123456789abcdefghijklmnop',
    attempt: 1,
    newest: true,
    task: {
      id: 'tsk_1',
      number: 142,
      title: 'Fix the login',
      project: 'acme/web',
      branch: 'deckhand/142-fix',
      base: 'main@3f9c2e1',
    },
    result: {
      outcome: 'succeeded',
      message: 'The command succeeded.',
      durationMs: 1000,
      commit: 'abcdef0123456789abcdef0123456789abcdef01',
      files,
      artifacts: [{ id: 'art_1', name: '142.patch', kind: 'patch', bytes: 100 }],
      ...more,
    },
    patch: readPatch(Buffer.from(patch ?? '')),
  };
}

const tokens = (view: View) =>
  find(view, 'buttons').flatMap((block) =>
    block.buttons.map(({ label, token }) => `${label} ${token.split(':').slice(2).join(':')}`),
  );

describe('the card of a change', () => {
  const files: FileStat[] = [
    { path: 'src/session.ts', added: 28, removed: 5 },
    { path: 'test/login.test.ts', added: 12, removed: 0, status: 'added' },
    { path: 'logo.png', added: null, removed: null, bytes: { before: 4200, after: 5000 } },
    { path: 'run.sh', added: 0, removed: 0, kinds: { before: 'file', after: 'executable' } },
    { path: '.github/workflows/ci.yml', added: 0, removed: 9, status: 'deleted' },
  ];
  const patch = files.map(({ path }) => section(path, '@@ -1 +1 @@\n-a\n+b')).join('');

  it('lists the files with what became of them, marks those to look at twice, and lets one choose', () => {
    const risks = [{ kind: 'ci' as const, paths: ['.github/workflows/ci.yml'], files: 1 }];
    const view = changeCard(change(patch, files, { risks }), 1);
    expect(text(view)).toBe(
      [
        '#142 Fix the login · changes',
        'acme/web · deckhand/142-fix 5 files +40 −14 since main@3f9c2e1 · commit abcdef0',
        'risk: CI: .github/workflows/ci.yml',
        '1    src/session.ts            +28 −5',
        '2    test/login.test.ts        +12 new',
        '3    logo.png                  binary',
        '4    run.sh                    executable',
        '5 !  .github/workflows/ci.yml  −9 deleted',
      ].join('\n'),
    );
    expect(find(view, 'select')[0]?.options.map(({ value }) => value)).toEqual(['1', '2', '3', '4', '5']);
    expect(view.fallback).toBe('#142 Fix the login · changes: 5 files +40 −14');
    expect(labels(view)).toEqual(['Patch']);
  });

  it('turns pages of very many files, each with its own select, and counts those that are not listed', () => {
    const many = Array.from({ length: 45 }, (_, n) => ({ path: `f${n}`, added: 1, removed: 1 }));
    const all = change(many.map(({ path }) => section(path, '@@ -1 +1 @@\n-a\n+b')).join(''), many, {
      totals: { files: 99, added: 99, removed: 99 },
    });
    expect(text(changeCard(all, 1))).toContain('page 1 of 3');
    expect(text(changeCard(all, 1))).toContain('and 54 more files, which are not listed; the branch has all of them.');
    expect(tokens(changeCard(all, 1))).toEqual(['Next review:0:2', 'Patch patch']);
    expect(tokens(changeCard(all, 2))).toEqual(['Previous review:0:1', 'Next review:0:3', 'Patch patch']);
    expect(find(changeCard(all, 3), 'select')[0]?.options).toHaveLength(15);
    expect(changeCard(all, 9)).toEqual(changeCard(all, 3));
  });

  it('names the risks of one file without naming it again', () => {
    const risks = [
      { kind: 'secret' as const, paths: ['a', 'b'], files: 2 },
      { kind: 'ci' as const, paths: ['a'], files: 1 },
    ];
    const all = change(section('a', '@@ -1 +1 @@\n-a\n+b'), [], { risks });
    expect(text(fileCard(all, 1, 1))).toBe('#142 a · file 1 of 1\n+1 −1\nrisk: secrets · CI\n@@ -1,1 +1,1 @@\n-a\n+b');
  });

  it('shows the lines at once where there is one file, with what a list would say, and leads to no list', () => {
    const files = [{ path: 'src/a.ts', added: 1, removed: 1 }];
    const one = change(section('src/a.ts', '@@ -1 +1 @@\n-a\n+b'), files, {
      check: { command: 'npm test', outcome: 'passed', durationMs: 1 },
    });
    expect([isOneFile(one), isOneFile({ ...one, patch: undefined })]).toEqual([true, false]);
    expect(
      text(fileCard(one, 1, 1))
        .split('\n')
        .slice(0, 3),
    ).toEqual([
      '#142 src/a.ts',
      'acme/web · deckhand/142-fix 1 file +1 −1 since main@3f9c2e1 · commit abcdef0',
      'tests: npm test ✔ passed',
    ]);
    expect(tokens(fileCard(one, 1, 1))).toEqual(['Patch patch']);
  });

  it('says so when the lines are not kept', () => {
    const large = { ...change(undefined, files, { artifacts: [] }), patch: undefined };
    expect(text(changeCard(large, 1))).toContain('too large to be shown line by line; the branch has all of them.');
    expect(find(changeCard(large, 1), 'select')).toEqual([]);
    const gone = { ...change(undefined, files), patch: undefined };
    expect(text(changeCard(gone, 1))).toContain('no longer there');
  });

  it('shows one file, and leads on to its further pages and to the next file', () => {
    const long = hunk(
      1,
      Array.from({ length: 100 }, (_, n) => `+line ${n}`),
    );
    const all = change(section('a b.ts', long) + section('c.ts', '@@ -1 +1 @@ fn()\n-a\n+b'), [
      { path: 'a b.ts', added: 100, removed: 0 },
      { path: 'c.ts', added: 1, removed: 1 },
    ]);
    const first = fileCard(all, 1, 1);
    expect(text(first)).toMatch(/^#142 a b\.ts · file 1 of 2, page 1 of 3\n\+100\n@@ -1,100 \+1,100 @@\n\+line 0\n/);
    expect(tokens(first)).toEqual(['Next review:1:2', 'All files review:0:1', 'Patch patch']);
    expect(tokens(fileCard(all, 1, 3))).toEqual([
      'Previous review:1:2',
      'Next file review:2:1',
      'All files review:0:1',
      'Patch patch',
    ]);
    expect(text(fileCard(all, 2, 1))).toBe('#142 c.ts · file 2 of 2\n+1 −1\n@@ -1,1 +1,1 @@ fn()\n-a\n+b');
    expect(tokens(fileCard(all, 2, 1))).toEqual(['Previous file review:1:1', 'All files review:0:1', 'Patch patch']);
  });

  it('tells of a renamed, a binary and an executable file what there is to tell', () => {
    const renamed = 'diff --git a/old b/new\nsimilarity index 100%\nrename from old\nrename to new\n';
    const binary =
      'diff --git a/x.png b/x.png\nindex 1..2 100644\nGIT binary patch\nliteral 3\nKcmZQzWMT#Y01f~L\n\nliteral 0\nHcmV?d00001\n\n';
    const mode = 'diff --git a/run.sh b/run.sh\nold mode 100644\nnew mode 100755\n';
    const all = change(renamed + binary + mode, []);
    expect(text(fileCard(all, 1, 1))).toContain('#142 new · file 1 of 3\nwas old  renamed\nNo line of it differs.');
    expect(text(fileCard(all, 2, 1))).toContain(
      '#142 x.png · file 2 of 3\nbinary\nIt is a binary file; the patch has its bytes.',
    );
    expect(text(fileCard(all, 3, 1))).toContain('No line of it differs. Its mode was 100644 and is 100755.');
  });

  it('promise 11: whatever names and lines hold, nothing stays invisible and each card is one message everywhere', () => {
    const hostile = fc.oneof(
      fc.constantFrom(
        '<@U1>',
        '@everyone',
        '```',
        '\u202eevil',
        '\u0007',
        '\u001b[31m',
        '[x](https://e.example)',
        '<b>',
        '&amp;',
        '\t',
        '*',
        '|',
        '_',
      ),
      fc.string({ unit: 'binary', maxLength: 30 }),
    );
    const line = fc.array(hostile, { maxLength: 60 }).map((parts) => parts.join('').replaceAll('\n', ''));
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 120 }), line, (lines, name) => {
        const path = name.replace(/["\\\n\t]/g, '').trim() || 'x';
        const all = change(
          section(
            path,
            hunk(
              1,
              lines.map((one) => `+${one}`),
            ),
          ),
          [{ path, added: lines.length, removed: 0 }],
          {
            risks: [{ kind: 'secret', paths: [path], files: 1 }],
          },
        );
        for (const view of [changeCard(all, 1), fileCard(all, 1, 1), fileCard(all, 1, 2)]) {
          expect(viewSchema.safeParse(view).success).toBe(true);
          expect(hiddenCharacters(text(view))).toEqual([]);
          for (const capabilities of platforms) {
            const { messages, files } = fitView(view, capabilities);
            expect([messages.length, files]).toEqual([1, []]);
            expect(messages[0]?.blocks.filter(({ type }) => type === 'code').length).toBeLessThanOrEqual(1);
          }
        }
      }),
      { numRuns: 25 },
    );
  });
});

describe('the pages of a file', () => {
  const lineOf = fc.stringMatching(/^[ -~]{0,80}$/);
  const hunks = fc.array(
    fc.array(
      fc.tuple(fc.constantFrom('+', '-', ' '), lineOf).map(([mark, one]) => `${mark}${one}`),
      { minLength: 1, maxLength: 70 },
    ),
    {
      minLength: 1,
      maxLength: 5,
    },
  );

  it('hold every line once and in order, and a hunk stays together when it fits on a page', () => {
    fc.assert(
      fc.property(hunks, (all) => {
        const patch = readPatch(Buffer.from(section('x', all.map((lines, at) => hunk(1 + at * 1000, lines)).join('\n'))));
        const pages = pagesOf(hunksOf(patch[0] ?? { body: '' }));
        const shown = pages.flatMap((page) => page.split('\n')).filter((one) => !one.startsWith('@@ '));
        expect(shown).toEqual(all.flat());
        for (const page of pages) {
          expect(page.startsWith('@@ ')).toBe(true);
          expect(page.split('\n').length).toBeLessThanOrEqual(36);
        }
        for (const lines of all) {
          if (lines.length > 25 || lines.join('\n').length > 800) continue;
          expect(pages.some((page) => page.includes(lines.join('\n')))).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('tell the numbers of the lines with which a page goes on', () => {
    const lines = Array.from({ length: 60 }, (_, n) => (n % 2 === 0 ? `-old ${n}` : `+new ${n}`));
    const pages = pagesOf(hunksOf({ body: hunk(101, lines) }));
    expect(pages[1]?.split('\n').slice(0, 2)).toEqual(['@@ goes on at line 118 @@', '+new 35']);
  });

  it('are no more than anybody turns, and tell how many lines there are more', () => {
    const pages = pagesOf(
      hunksOf({
        body: hunk(
          1,
          Array.from({ length: 20_000 }, (_, n) => `+${n}`),
        ),
      }),
    );
    expect(pages).toHaveLength(mostPages);
    const lines = pages.flatMap((page) => page.split('\n').filter((line) => line.startsWith('+')));
    expect(pages.at(-1)?.endsWith(`\n@@ ${(20_000 - lines.length).toLocaleString('en-US')} more lines in the patch @@`)).toBe(
      true,
    );
  });

  it('tell how much of a very long line is not shown', () => {
    const [page = ''] = pagesOf(
      hunksOf({ body: `@@ -0,0 +1,2 @@\n+${'x'.repeat(100_000)}\n+end\n\\ No newline at end of file` }),
    );
    expect(page).toBe(
      `@@ -0,0 +1,2 @@\n+${'x'.repeat(600)} … 99,400 more characters\n+end\n\\ no line feed at the end of the file`,
    );
  });
});

describe('words for a change', () => {
  it('name the first files of each risk and count the others', () => {
    const blocks = riskBlocks([
      { kind: 'secret', paths: ['deploy.pem'], files: 1 },
      { kind: 'deletion', paths: ['a', 'b', 'c'], files: 1200 },
    ]);
    expect(
      blocks.map((block) => (block.type === 'text' ? block.spans.map((span) => ('text' in span ? span.text : '')).join('') : '')),
    ).toEqual(['risk: secrets in deploy.pem · deleted: a, b and 1,198 more']);
    expect(riskBlocks([])).toEqual([]);
    expect(riskBlocks(undefined)).toEqual([]);
  });

  it('tell what became of a file', () => {
    const words: [Partial<FileStat>, string][] = [
      [{}, ''],
      [{ status: 'added' }, 'new'],
      [{ status: 'added', kinds: { after: 'symlink' } }, 'new, a link'],
      [{ status: 'type_changed', kinds: { before: 'file', after: 'symlink' } }, 'now a link'],
      [{ status: 'type_changed' }, 'another kind of file'],
      [{ kinds: { before: 'executable', after: 'file' } }, 'now a file'],
      [{ kinds: { before: 'submodule', after: 'submodule' } }, 'a submodule'],
      [{ status: 'deleted', kinds: { before: 'submodule' } }, 'deleted'],
      [{ status: 'renamed' }, 'renamed'],
      [{ status: 'added', added: null, removed: null, bytes: { after: 5000 } }, 'new, binary 5.0 kB'],
      [{ bytes: { after: 2_000_000 } }, '2.0 MB'],
    ];
    for (const [stat, expected] of words)
      expect(fateWords({ path: 'x', added: 1, removed: 1, ...stat }), JSON.stringify(stat)).toBe(expected);
  });
});
