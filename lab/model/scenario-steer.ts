import type { Scene, Script } from './action.ts';
import { act, because } from './step.ts';

const MOST_STEPS = 60;

/** Counts slowly, so that there is time to say something; follows what is said and gives up the counting. */
export function* countSlowly(scene: Scene): Script {
  const count = Math.min(MOST_STEPS, numberBefore(/(\d+) steps?\b/i, scene.prompt) ?? 6);
  const seconds = Math.min(8, numberBefore(/(\d+(?:\.\d+)?) s(?:ec\w*)?\b/i, scene.prompt) ?? 2);
  const before = scene.news.length;
  for (let at = 1; at <= count; at += 1) {
    const outcome = yield* act(scene, {
      say: `Step ${at} of ${count}.`,
      action: { do: 'run', command: waitCommand(seconds, `step ${at} of ${count}`), why: `Step ${at} of ${count}` },
    });
    const message = scene.news.slice(before).at(-1);
    if (message !== undefined) return yield* follow(scene, message, at);
    if (outcome.denied) return `Step ${at} was not allowed${because(outcome.reason)}, so I stop counting.`;
  }
  return `I counted to ${count}; nobody said anything.`;
}

/** A program of its own: agents refuse to run a bare sleep. */
const waitCommand = (seconds: number, text: string) =>
  `node -e "setTimeout(() => console.log('${text}'), ${Math.round(seconds * 1000)})"`;

function* follow(scene: Scene, message: string, at: number): Script {
  if (/^\W*(stop|halt|enough)\b/i.test(message)) return `I stop at step ${at}, as you said.`;
  const outcome = yield* act(scene, {
    say: `I stop counting at step ${at} and follow it.`,
    action: { do: 'write', path: 'STEERING.md', content: `${message}\n` },
  });
  if (outcome.failed) return `I stopped at step ${at}, but could not write the message down${because(outcome.reason)}.`;
  return `I stopped at step ${at} and followed the message: it is in \`STEERING.md\`.`;
}

function numberBefore(pattern: RegExp, text: string): number | undefined {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}
