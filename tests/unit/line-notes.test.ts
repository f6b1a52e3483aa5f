import { expect, test } from 'vitest';
import { hasLineNotes, quoteLines } from '../../src/changes/line-notes.ts';
import { readPatch } from '../../src/changes/read-patch.ts';

const patch = readPatch(
  Buffer.from(`diff --git a/src/session.ts b/src/session.ts
index 1111111..2222222 100644
--- a/src/session.ts
+++ b/src/session.ts
@@ -10,4 +10,5 @@ export function login() {
 const before = 1;
-const old = 2;
+const fresh = 2;
+const more = 3;
 const after = 4;
 }
diff --git a/test/session.ts b/test/session.ts
new file mode 100644
index 0000000..3333333
--- /dev/null
+++ b/test/session.ts
@@ -0,0 +1 @@
+test('works');
`),
);

test('a note on a line brings along the code of the new version that it is about', () => {
  expect(quoteLines('Nearly there.\nsrc/session.ts:11 use a Map here\nThanks!', patch)).toBe(
    'Nearly there.\nsrc/session.ts, line 11, which is\n    const fresh = 2;\n  use a Map here\nThanks!',
  );
});

test('a note may be about several lines, stand in a list and in quotes', () => {
  expect(quoteLines('- `src/session.ts:11-12`: join these', patch)).toBe(
    'src/session.ts, lines 11 to 12, which are\n    const fresh = 2;\n    const more = 3;\n  join these',
  );
});

test('a file is known by the end of its path when only one of the change ends so', () => {
  const one = patch.slice(0, 1);
  expect(quoteLines('session.ts:10 why?', one)).toContain('src/session.ts, line 10, which is\n    const before = 1;');
  expect(quoteLines('session.ts:10 why?', patch)).toBe('session.ts:10 why?');
});

test('a line that the patch does not show is named without its code', () => {
  expect(quoteLines('src/session.ts:400 too long', patch)).toBe('src/session.ts, line 400: too long');
});

test.each([
  'see https://example.com:8080 for it',
  'at 10:30 we meet',
  'README.md:3 is wrong',
  'src/session.ts:0 x',
  'src/session.ts: x',
  '',
])('%j is left as it is', (said) => {
  expect(quoteLines(said, patch)).toBe(said);
});

test('tells whether there is a note at all', () => {
  expect(hasLineNotes('well done')).toBe(false);
  expect(hasLineNotes('well done\nsrc/session.ts:11 but')).toBe(true);
});
