import type { Scenario, Scene, Script } from './action.ts';
import { withAcknowledgement } from './step.ts';

/** Plays every scenario the prompt chooses, in the order of the list. */
export function* perform(scene: Scene, scenarios: readonly Scenario[]): Script {
  const chosen = scenarios.filter(({ matches }) => matches(scene.prompt));
  const ends: string[] = [];
  for (const scenario of chosen) {
    const played = scenario.play(scene);
    ends.push(typeof played === 'string' ? played : yield* played);
  }
  return withAcknowledgement(scene, chosen.length === 0 ? otherwise(scenarios, scene.prompt) : ends.filter(Boolean).join('\n\n'));
}

/** For a prompt that chooses nothing. */
export function otherwise(scenarios: readonly Scenario[], prompt: string): string {
  const examples = scenarios.map(({ example }) => `- ${example}`).join('\n');
  const asked = prompt === '' ? '' : ` to "${prompt.slice(0, 200)}"`;
  return `This is the scripted model: no real model is configured, so there is no real answer${asked}. Try one of these:\n\n${examples}`;
}
