import type { Scene, Script } from './action.ts';
import { act, because, step } from './step.ts';

/** What *Ask the agent to resolve* asks for: merges the newest base, and where both sides have changed the same lines keeps those of both. */
export function* resolveConflict(scene: Scene): Script {
  const base = /"(origin\/[\w./-]+)"/.exec(scene.prompt)?.[1] ?? 'origin/main';
  const merge = `git -c merge.default=union merge --no-edit ${base}`;
  const merged = yield* act(scene, {
    think: 'Both sides have changed the same lines. A script cannot weigh them against each other, so the lines of both stay.',
    say: `I merge \`${base}\`. Where both have changed the same lines I keep those of both.`,
    action: { do: 'run', command: merge, why: 'Bring the change to the newest base' },
  });
  if (merged.denied) return `Merging was not allowed${because(merged.reason)}. I obey and leave the branch as it is.`;
  if (merged.failed) return `\`${base}\` could not be merged: ${merged.text.trim().slice(-300)}`;
  const [tests] = yield* step(scene, {
    say: 'I run the tests.',
    actions: [{ do: 'run', command: 'npm test', why: 'See that both sides work together' }],
  });
  const ran = tests?.failed === false && /^(?:[^\n]*\s)?(?:#|ℹ) fail 0\s*$/m.test(tests.text);
  return `\`${base}\` is merged, with the lines of both sides. ${ran ? 'All tests pass.' : 'Please look at the tests, which did not pass here.'}`;
}
