import type { Scene, Script } from './action.ts';
import { act, because, step } from './step.ts';

const source = 'src/basket.js';
const before = 'with the discount (0 to 1) taken off. */';
const after = 'with the discount (0 to 1) taken off. Rounded once, at the end. */';

/** What *Fix CI* asks for, in the demo project: the comment says how the sum is rounded, as the lab's failing lint wants it. */
export function* mendChecks(scene: Scene): Script {
  const [code] = yield* step(scene, {
    think: 'A check has failed. I look at the file that the lint of the demo project complains about.',
    say: `I look at \`${source}\`.`,
    actions: [{ do: 'read', path: source }],
  });
  if (code === undefined || code.failed) return `I could not read \`${source}\`, so I changed nothing.`;
  if (!code.text.includes(before))
    return `I see nothing in \`${source}\` that I could mend: a scripted model knows one lint only.`;
  const edit = yield* act(scene, {
    say: 'The comment does not say how the sum is rounded. I add it.',
    action: { do: 'edit', path: source, old: before, new: after },
  });
  if (edit.denied) return `The change was not allowed${because(edit.reason)}. I obey and leave \`${source}\` as it is.`;
  if (edit.failed) return `The change could not be made: ${edit.text.slice(0, 200)}`;
  const [tests] = yield* step(scene, {
    say: 'I run the tests.',
    actions: [{ do: 'run', command: 'npm test', why: 'See that the change breaks nothing' }],
  });
  const ran = tests?.failed === false && /^(?:[^\n]*\s)?(?:#|ℹ) fail 0\s*$/m.test(tests.text);
  return `The comment in \`${source}\` says now how the sum is rounded. ${ran ? 'All tests pass.' : 'Please look at the tests, which did not pass here.'}`;
}
