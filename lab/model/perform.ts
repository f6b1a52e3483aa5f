import type { Scenario, Scene, Script } from './action.ts';
import { withAcknowledgement } from './step.ts';

/** Plays every scenario the prompt chooses, in the order of the list, and in the end what was put off until then. */
export function* perform(scene: Scene, scenarios: readonly Scenario[]): Script {
  const chosen = choose(scene, scenarios);
  const ends: string[] = [];
  for (const { play } of chosen) {
    if (scene.halted) break;
    const played = play(scene);
    ends.push(typeof played === 'string' ? played : yield* played);
  }
  for (const play of scene.halted ? [] : scene.later) ends.push(yield* play());
  return withAcknowledgement(scene, chosen.length === 0 ? otherwise(scenarios, scene.prompt) : ends.filter(Boolean).join('\n\n'));
}

/** In plan mode nothing is done before a plan; a plan with nothing to do is one to fix the test. */
function choose(scene: Scene, scenarios: readonly Scenario[]): Scenario[] {
  const matching = scenarios.filter(({ matches }) => matches(scene.prompt));
  const isPlanned = matching.some(({ name }) => name === 'plan');
  const works = matching.some(({ name }) => !['plan', 'question', 'idle', 'long'].includes(name));
  if (isPlanned || (scene.planning() && works)) {
    const names = new Set(['plan', ...matching.map(({ name }) => name), ...(works ? [] : ['fix'])]);
    return scenarios.filter(({ name }) => names.has(name));
  }
  return matching;
}

/** For a prompt that chooses nothing. */
export function otherwise(scenarios: readonly Scenario[], prompt: string): string {
  const examples = scenarios.map(({ example }) => `- ${example}`).join('\n');
  const asked = prompt === '' ? '' : ` to "${prompt.slice(0, 200)}"`;
  return `This is the scripted model: no real model is configured, so there is no real answer${asked}. Try one of these:\n\n${examples}`;
}
