import type { Scene, Script } from './action.ts';
import { act, because, converse } from './step.ts';

const options = [
  { label: 'CHANGELOG.md', description: 'A line in the list of changes' },
  { label: 'NOTES.md', description: 'A line in the notes' },
  { label: 'Nowhere', description: 'The change speaks for itself' },
] as const;

const header = 'Write down';
const question = 'Where shall I write down what I did?';

/** Asks one question with three options at the beginning; the answer is obeyed when the work is done. */
export function* askFirst(scene: Scene): Script {
  const answer = yield* ask(scene);
  const choice = chosen(answer);
  scene.later.push(function* obey() {
    if (choice === undefined)
      return `The answer was "${answer.slice(0, 200)}", which is none of the options: I wrote nothing down.`;
    if (choice === 'Nowhere') return 'As chosen, I wrote nothing down.';
    const outcome = yield* act(scene, {
      say: `The choice was ${choice}.`,
      action: { do: 'write', path: choice, content: `- Written by a scripted model, because ${choice} was chosen.\n` },
    });
    return outcome.failed
      ? `I could not write ${choice}${because(outcome.reason)}.`
      : `As chosen, I wrote it down in \`${choice}\`.`;
  });
  return '';
}

function* ask(scene: Scene) {
  if (scene.can('ask')) {
    const outcome = yield* act(scene, {
      think: 'One thing is not clear, so I ask before I begin.',
      say: 'One question first.',
      action: { do: 'ask', header, question, options },
    });
    return outcome.denied ? `no answer${because(outcome.reason)}` : outcome.text;
  }
  const list = options.map(({ label, description }, at) => `${at + 1}. ${label}: ${description}`).join('\n');
  return yield* converse(scene, `${question}\n\n${list}\n\nPlease answer with a number or a name.`);
}

/** The option an answer names last: agents may repeat the question and its options before the answer. */
function chosen(answer: string): string | undefined {
  const number = /^\W*([123])\W*$/.exec(answer)?.[1];
  if (number !== undefined) return options[Number(number) - 1]?.label;
  const places = options.map(({ label }) => ({ label, at: answer.toLowerCase().lastIndexOf(label.toLowerCase()) }));
  const last = places.filter(({ at }) => at >= 0).sort((a, b) => b.at - a.at)[0];
  return last?.label;
}
