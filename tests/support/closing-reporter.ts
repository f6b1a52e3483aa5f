import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** Closes a run with the slowest files and one plain line, `812 passed, 0 failed`. Where CI=true, a skipped test is a failure. */
export default class ClosingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const count = { passed: 0, failed: unhandled.length, skipped: 0 };
    const skipped: string[] = [];
    for (const module of modules) {
      // A file that does not load has errors of its own and no tests.
      count.failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'pending') continue;
        count[state] += 1;
        if (state === 'skipped') skipped.push(`${module.relativeModuleId} > ${test.fullName}`);
      }
    }
    const slowest = [...modules].sort((a, b) => b.diagnostic().duration - a.diagnostic().duration).slice(0, 8);
    if (modules.length > 1) {
      print('Slowest files:');
      for (const module of slowest)
        print(`  ${(module.diagnostic().duration / 1000).toFixed(1).padStart(6)} s  ${module.relativeModuleId}`);
    }
    if (process.env.CI === 'true' && skipped.length > 0) {
      print(`Skipped, which counts as failed where CI=true:\n${skipped.map((name) => `  ${name}`).join('\n')}`);
      count.failed += skipped.length;
      process.exitCode = 1;
    }
    print(`${count.passed} passed, ${count.failed} failed${count.skipped > 0 ? `, ${count.skipped} skipped` : ''}`);
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
