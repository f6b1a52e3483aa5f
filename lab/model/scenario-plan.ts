import type { Scene, Script } from './action.ts';
import { act, converse, step } from './step.ts';

const MOST_REVISIONS = 20;

/** Looks around without changing anything and hands in a plan until it is approved. Returns nothing: the work follows. */
export function* plan(scene: Scene): Script {
  yield* step(scene, {
    think: 'A plan is wanted before the work. I only look.',
    say: 'I look around before I propose a plan.',
    actions: [
      { do: 'read', path: 'package.json' },
      { do: 'read', path: 'test/basket.test.js' },
    ],
  });
  if (!scene.planning() && scene.can('enter-plan')) {
    yield* act(scene, { say: 'I switch to plan mode.', action: { do: 'enter-plan' } });
  }
  let wish = '';
  for (let revision = 0; revision < MOST_REVISIONS; revision += 1) {
    const answer = yield* propose(scene, planText(scene.prompt, wish));
    if (answer === undefined) return '';
    wish = answer;
  }
  scene.halted = true;
  return 'The plan was sent back too often, so I stop.';
}

/** What is to be changed about the plan; undefined: it is approved. */
function* propose(scene: Scene, text: string) {
  if (scene.can('plan')) {
    const outcome = yield* act(scene, { say: 'This is my plan.', action: { do: 'plan', text } });
    return outcome.failed ? outcome.reason || outcome.text : undefined;
  }
  const isMarked = scene.agent === 'codex' && scene.planning();
  const answer = yield* converse(
    scene,
    isMarked ? `My plan:\n\n<proposed_plan>\n${text}\n</proposed_plan>` : `${text}\n\nShall I?`,
  );
  const isApproved = isMarked ? !scene.planning() : !/\b(no|not|revise|change|instead|but)\b/i.test(answer);
  return isApproved ? undefined : answer;
}

function planText(prompt: string, wish: string): string {
  const [first = ''] = prompt.split('\n');
  return [
    `# Scripted plan: ${first.slice(0, 80)}`,
    '',
    ...(wish === '' ? [] : [`Revised, because: ${wish.slice(0, 300)}`, '']),
    '1. Run `npm test` and see which test fails',
    '2. Correct the rounding in `src/basket.js`',
    '3. Run `npm test` again',
    '',
    'Nothing else is changed.',
  ].join('\n');
}
