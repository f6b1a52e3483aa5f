import type { CheckResult } from '../contracts/run-event.ts';
import { type Block, bold, code, plain, type Span } from '../contracts/view.ts';
import { cleanText, oneLine, shorten } from './neutralise.ts';
import { addOutput, emptyTail, lastLines } from './output-tail.ts';
import { duration } from './units.ts';

const commandLength = 80;
const summaryLength = 200;
const linesShown = 15;
/** Most characters of output: one message must always be enough for the card. */
const lengthShown = 1000;

/** "tests: `npm test` ✔ 214 passed" */
export function checkSpans(check: CheckResult): Span[] {
  return [bold('tests: '), code(shorten(oneLine(check.command), commandLength)), plain(` ${checkWords(check)}`)];
}

/** The same, and below it the last lines of one that has not passed. */
export function checkBlocks(check: CheckResult | undefined): Block[] {
  if (check === undefined) return [];
  const lines = check.output === undefined ? [] : checkLines(check.output, linesShown, lengthShown);
  return [
    { type: 'text', spans: checkSpans(check) },
    ...(lines.length === 0 ? [] : [{ type: 'code' as const, text: cleanText(lines.join('\n')) }]),
  ];
}

/** There is something that an agent can mend. */
export function hasFailed(check: CheckResult | undefined): boolean {
  return check?.outcome === 'failed' || check?.outcome === 'timed_out';
}

/** "✔ 214 passed": its counts are what the test runner says. */
export function checkWords({ outcome, summary, exitCode, durationMs }: CheckResult): string {
  const said = summary === undefined ? undefined : shorten(oneLine(summary), summaryLength);
  switch (outcome) {
    case 'passed':
      return `✔ ${said ?? 'passed'}`;
    case 'failed':
      return `✖ ${said ?? (exitCode === undefined ? 'failed' : `failed with exit code ${exitCode}`)}`;
    case 'timed_out':
      return `✖ stopped after ${duration(durationMs)}, its time limit${said === undefined ? '' : `; ${said}`}`;
    case 'not_run':
      return `○ not run${said === undefined ? '' : `: ${said}`}`;
  }
}

/** The last lines as a terminal would show them. */
export function checkLines(output: string, most: number, length: number): string[] {
  return lastLines(addOutput(emptyTail, 'stdout', output), most, length).lines;
}
