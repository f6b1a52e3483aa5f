import type { Scene, Script } from './action.ts';
import { act, because } from './step.ts';

const prompt = 'Please look around in the project and say how many files there are.';

/** Gives a part of the work to a sub-agent and reports what it found. */
export function* delegate(scene: Scene): Script {
  if (!scene.can('delegate')) return 'This agent has no sub-agents, so I have nobody to give the work to.';
  const outcome = yield* act(scene, {
    say: 'I give a part of the work to a sub-agent.',
    action: { do: 'delegate', title: 'Look around', prompt },
  });
  if (outcome.failed) return `The sub-agent could not be started${because(outcome.reason)}.`;
  const id = /"(?:agent_id|task_name)"\s*:\s*"([^"]+)"/.exec(outcome.text)?.[1];
  const found =
    id === undefined ? outcome : yield* act(scene, { say: 'I wait for it.', action: { do: 'wait-agent', agent: id } });
  // With some models Codex hands over the report as a message instead of a result.
  const report = [found.text, ...scene.heard.splice(0)].join('\n');
  return `The sub-agent says: ${/\[scripted\] ([^"\n]+)/.exec(report)?.[1] ?? report.slice(0, 400)}`;
}
