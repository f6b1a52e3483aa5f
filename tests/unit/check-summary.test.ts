import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkSummary } from '../../src/changes/check-summary.ts';

describe('the summary of a check', () => {
  it.each([
    [
      'node --test',
      '✔ adds (1ms)\nℹ tests 5\nℹ suites 0\nℹ pass 3\nℹ fail 1\nℹ cancelled 0\nℹ skipped 1\nℹ todo 0\nℹ duration_ms 52.1\n',
      '3 passed, 1 failed, 1 skipped',
    ],
    [
      'node --test as TAP',
      'TAP version 13\n# Subtest: adds\nok 1 - adds\n1..1\n# tests 1\n# suites 0\n# pass 1\n# fail 0\n# cancelled 0\n# skipped 0\n# todo 0\n',
      '1 passed',
    ],
    [
      'vitest',
      '\n Test Files  1 failed | 20 passed (21)\n      Tests  1 failed | 214 passed | 2 skipped (217)\n   Start at  10:00:00\n',
      '214 passed, 1 failed, 2 skipped',
    ],
    [
      'vitest in colours',
      '\u001b[2m      Tests \u001b[22m \u001b[1m\u001b[32m214 passed\u001b[39m\u001b[22m\u001b[90m (214)\u001b[39m\r\n',
      '214 passed',
    ],
    ['two runs of vitest', '      Tests  3 passed (3)\n…\n      Tests  1 failed | 4 passed (5)\n', '7 passed, 1 failed'],
    [
      'jest',
      'Test Suites: 1 failed, 4 passed, 5 total\nTests:       1 failed, 2 skipped, 214 passed, 217 total\nSnapshots:   0 total\n',
      '214 passed, 1 failed, 2 skipped',
    ],
    [
      'pytest',
      'FAILED test_a.py::test_one - assert 1 == 2\n=========== 1 failed, 214 passed, 2 skipped, 1 warning in 3.21s ===========\n',
      '214 passed, 1 failed, 2 skipped',
    ],
    ['pytest that cannot read a file', '=== 2 passed, 1 error in 0.31s ===\n', '2 passed, 1 failed'],
    ['a long pytest', '===== 12 passed in 75.03s (0:01:15) =====\n', '12 passed'],
    ['a quiet pytest', '..                      [100%]\n2 passed in 0.01s\n', '2 passed'],
    [
      'go test',
      'ok  \tacme/web\t0.012s\nok  \tacme/web/api\t(cached)\n?   \tacme/web/cmd\t[no test files]\n--- FAIL: TestOne (0.00s)\nFAIL\nFAIL\tacme/web/db\t0.004s\nFAIL\n',
      '2 packages passed, 1 failed',
    ],
    [
      'go test of what does not compile',
      '# acme/web\n./a.go:1:1: expected\nFAIL\tacme/web [build failed]\nFAIL\n',
      '0 packages passed, 1 failed',
    ],
    [
      'go test -v',
      '=== RUN   TestOne\n--- PASS: TestOne (0.00s)\n=== RUN   TestTwo\n--- FAIL: TestTwo (0.10s)\n--- SKIP: TestThree (0.00s)\nFAIL\nFAIL\tacme/web\t0.2s\n',
      '1 passed, 1 failed, 1 skipped',
    ],
    [
      'cargo test',
      'test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\ntest result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n',
      '7 passed, 1 failed, 1 skipped',
    ],
  ])('is read from the output of %s', (_, output, summary) => {
    expect(checkSummary(output)).toBe(summary);
  });

  it.each([
    ['nothing', ''],
    ['a compiler', 'src/a.ts(1,2): error TS2304: Cannot find name x.\n'],
    ['words like those of a runner', 'The user passed 12 tests.\n3 failed attempts in 2 days\n3 failed in 2 days\npass 3\nok\n'],
    ['a runner without tests', ' Test Files  no tests\n      Tests  no tests\n'],
    ['a runner that found none', '# tests 0\n# pass 0\n# fail 0\n'],
  ])('is not made up from %s', (_, output) => {
    expect(checkSummary(output)).toBeUndefined();
  });

  it('is read from any text in one line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.nat(99), fc.nat(99), (noise, passed, failed) => {
        const summary = checkSummary(`${noise}\n      Tests  ${failed} failed | ${passed + 1} passed (200)\n`);
        expect(summary).not.toContain('\n');
        expect(summary).toMatch(/^\d+ passed(?:, \d+ failed)?(?:, \d+ skipped)?$/);
      }),
    );
  });
});
