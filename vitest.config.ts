import { defineConfig } from 'vitest/config';
import LongestFirst from './tests/support/longest-first.ts';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    globalSetup: ['tests/support/global-setup.ts'],
    pool: 'forks',
    // No module keeps state (but empty databases, tests/support/kept-database.ts), so files can share a process and what it has loaded.
    isolate: false,
    // More than the two cores of a small machine: many tests wait for containers, databases and platforms most of the time.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // Waits within tests have limits of their own and say what did not come; these are for what waits for nothing in particular.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A test that leaves a handle open shows up as an error, not as a hang.
    teardownTimeout: 15_000,
    reporters: ['default', './tests/support/closing-reporter.ts'],
  },
});
