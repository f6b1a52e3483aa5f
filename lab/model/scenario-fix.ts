import type { Action, Scene, Script, Seen, Todo, Turn } from './action.ts';
import { act, because, step } from './step.ts';

const source = 'src/basket.js';
const test = 'test/basket.test.js';

const wrong = '    sum += Math.round(cents * count * (1 - discount));\n  }\n  return sum;';
const right = '    sum += cents * count;\n  }\n  return Math.round(sum * (1 - discount));';

const steps = ['Read the failing test', 'Run the tests', 'Correct the rounding', 'Run the tests again'];

/** The checklist with `done` steps done and the next one under way. */
function checklist(done: number): Action {
  const state = (at: number): Todo['state'] => (at < done ? 'completed' : at === done ? 'in_progress' : 'pending');
  return { do: 'todo', items: steps.map((text, at) => ({ text, state: state(at) })) };
}

const runTests: Action = { do: 'run', command: 'npm test', why: 'Run the tests' };

/** Makes the failing test of the demo project pass: reads it, runs it, corrects the sum, runs it again. */
export function* fix(scene: Scene): Script {
  const [seenTest] = yield* step(scene, {
    think: 'A test fails. I read it first, then I run it, so that I know what is wrong before I change anything.',
    say: 'I read the test, then I run it.',
    actions: [checklist(0), { do: 'read', path: test }],
  });
  if (seenTest === undefined || seenTest.failed) {
    return `I could not read \`${test}\`. The scripted model can repair one thing only: the basket of the demo project.`;
  }
  const before = yield* runOnce(scene, 'I run the tests.', 1);
  if (before === 'pass') return 'All tests pass already, so there is nothing to fix.';
  const [code] = yield* step(scene, {
    think: 'The discount is taken off each line and rounded there, so the error adds up. Rounding belongs at the end.',
    say: `The test of the discount fails. I look at \`${source}\`.`,
    actions: [checklist(2), { do: 'read', path: source }],
  });
  if (code === undefined || code.failed) return `I could not read \`${source}\`, so I changed nothing.`;
  if (code.text.includes('Math.round(sum')) return 'The rounding is right already, and I changed nothing.';
  const edit = yield* act(scene, {
    say: 'Each line is rounded by itself. I round the sum instead.',
    action: { do: 'edit', path: source, old: wrong, new: right },
  });
  if (edit.denied) return `The change was not allowed${because(edit.reason)}. I obey and leave \`${source}\` as it is.`;
  if (edit.failed) return `The change could not be made: ${edit.text.slice(0, 200)}`;
  const after = yield* runOnce(scene, 'I run the tests again.', 3);
  yield* step(scene, { say: 'The work is done.', actions: [checklist(4)] });
  return summary(before, after);
}

type Result = 'pass' | 'fail' | 'denied';

function* runOnce(scene: Scene, say: string, done: number): Generator<Turn, Result, Seen> {
  const [result] = yield* step(scene, { say, actions: [checklist(done), runTests] });
  if (result === undefined) return 'fail';
  if (result.denied) return 'denied';
  return /^(?:[^\n]*\s)?(?:#|ℹ) fail 0\s*$/m.test(result.text) ? 'pass' : 'fail';
}

function summary(before: Result, after: Result): string {
  const tests = {
    pass: 'All tests pass now.',
    fail: 'The tests still do not pass: please look at the log.',
    denied: 'Running the tests was not allowed, so I did not run them.',
  }[after];
  return [
    `The discount was rounded line by line; \`${source}\` rounds the sum now. ${tests}`,
    '',
    '| | before | after |',
    '|---|---|---|',
    `| \`npm test\` | ${before} | ${after} |`,
  ].join('\n');
}
