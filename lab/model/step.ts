import type { Outcome, Scene, Seen, Turn } from './action.ts';
import { stillRunning } from './outcome.ts';

const MISREAD =
  /InputValidationError|(could not|failed to|cannot) (be )?pars|invalid (json|arguments|input)|missing field|input of \w+ is wrong|not valid JSON/i;

/**
 * Gives an answer and returns what came of its actions, checklists left out. Says that it has read what people said meanwhile, asks again
 * for commands that go on in the background, and repeats what did not arrive in one piece.
 */
export function* step(scene: Scene, turn: Turn): Generator<Turn, readonly Outcome[], Seen> {
  let seen = yield { ...turn, say: withAcknowledgement(scene, turn.say) };
  hear(scene, seen.said);
  if (seen.outcomes.some(({ failed, text }) => failed && MISREAD.test(text))) {
    seen = yield { ...turn, say: withAcknowledgement(scene, 'That call did not arrive as it should have; I make it again.') };
    hear(scene, seen.said);
  }
  const outcomes = [...seen.outcomes];
  for (let at = 0; at < outcomes.length; at += 1) {
    let outcome = outcomes[at];
    for (let rest = outcome && stillRunning(outcome.text); outcome && rest; rest = outcome && stillRunning(outcome.text)) {
      const more = yield { say: withAcknowledgement(scene, ''), actions: [{ do: 'wait', ...rest }] };
      hear(scene, more.said);
      outcome = more.outcomes[0];
      if (outcome) outcomes[at] = { ...outcome, text: `${outcomes[at]?.text ?? ''}\n${outcome.text}` };
      if (outcome && stillRunning(outcome.text) === undefined) break;
    }
  }
  return outcomes;
}

function hear(scene: Scene, said: readonly string[]): void {
  scene.heard.push(...said);
  scene.news.push(...said);
}

/** One action, and what came of it. */
export function* act(scene: Scene, turn: Omit<Turn, 'actions'> & { action: NonNullable<Turn['actions']>[number] }) {
  const [outcome] = yield* step(scene, { think: turn.think, say: turn.say, actions: [turn.action] });
  return outcome ?? { text: '', failed: true, denied: false, reason: '' };
}

/** Puts before `say` that the messages which came in between have been read. */
export function withAcknowledgement(scene: Scene, say: string): string {
  const read = scene.heard.splice(0).map((text) => `I have read the message "${text.slice(0, 200)}".`);
  return [...read, say].filter((part) => part !== '').join('\n\n');
}

/** Ends the agent's turn with `say` and returns what the person says next. */
export function* converse(scene: Scene, say: string): Generator<Turn, string, Seen> {
  const { said } = yield { say: withAcknowledgement(scene, say), waits: true };
  return said.join('\n');
}

/** ` (reason)` where there is one. */
export const because = (reason: string) => (reason === '' ? '' : ` (${reason})`);
