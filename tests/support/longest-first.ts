import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that last longest, by the beginning of their path, the longest first. */
const longest = [
  'tests/integration/runner-crash',
  'tests/integration/agent-crash',
  'tests/contracts/harness',
  'tests/e2e/',
  'tests/conformance/',
  'tests/contracts/sandbox-',
  'tests/integration/run-job',
  'tests/integration/agent-turn',
  'tests/integration/sandbox-',
  'tests/architecture/check',
  'tests/unit/shell-analysis-real',
  'tests/integration/outbox-failures',
  'tests/integration/',
];

/**
 * Starts the longest files first, so that no core waits for one of them at the end. Vitest orders by itself only what it has run
 * before, by size otherwise: a fresh clone would begin with long sources and end with slow tests.
 */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const path = relative(this.ctx.config.root, moduleId);
      const found = longest.findIndex((start) => path.startsWith(start));
      return found === -1 ? longest.length : found;
    };
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
  }
}
