import type { Scene, Script } from './action.ts';
import { act, because, step } from './step.ts';

const source = 'src/basket.js';
const before = 'export function describe(lines) {';
const after = `/** For people: \`2 x tea, 1 x cup\`. */\n${before}`;

/**
 * What *Address review* and notes on lines ask for, in the demo project. Whatever they say, it is the same small change: a script cannot
 * judge code, and says so.
 */
export function* mindReview(scene: Scene): Script {
  const [code] = yield* step(scene, {
    say: `I have read what was said about the change, and look at \`${source}\`.`,
    actions: [{ do: 'read', path: source }],
  });
  if (code === undefined || code.failed) return `I could not read \`${source}\`, so I changed nothing.`;
  if (code.text.includes('/** For people'))
    return `\`${source}\` has the one comment that a scripted model can add; I changed nothing.`;
  const edit = yield* act(scene, {
    say: 'A scripted model cannot judge code. I add the one comment that I can: what `describe` is for.',
    action: { do: 'edit', path: source, old: before, new: after },
  });
  if (edit.denied) return `The change was not allowed${because(edit.reason)}. I obey and leave \`${source}\` as it is.`;
  if (edit.failed) return `The change could not be made: ${edit.text.slice(0, 200)}`;
  return `\`describe\` in \`${source}\` says now what it is for. Whatever reviewers ask of a scripted model, it is this that they get.`;
}
