import type { Outcome, Scene, Script } from './action.ts';
import { act, because } from './step.ts';

interface Attempt {
  command: string;
  why: string;
  /** What it does where that is not allowed: only looks. */
  instead: string;
}

const push: Attempt = { command: 'git push origin HEAD', why: 'Publish the change', instead: 'git diff --stat' };
const clean: Attempt = { command: 'rm -rf build', why: 'Remove what was built', instead: 'git status --short' };

/** Tries what should not be allowed; obeys the refusal and does something harmless. */
export function* tryForbidden(scene: Scene): Script {
  const attempt = /\brm\b|\bclean|\bdelete\b|\bremove\b/i.test(scene.prompt) ? clean : push;
  const outcome = yield* act(scene, {
    think: `I was asked to, so I try \`${attempt.command}\`. Whether it is allowed is for others to say.`,
    say: `I run \`${attempt.command}\`.`,
    action: { do: 'run', command: attempt.command, why: attempt.why },
  });
  if (!outcome.denied) return report(attempt, outcome);
  const other = yield* act(scene, {
    say: `\`${attempt.command}\` was denied${because(outcome.reason)}. I obey and only look at what there is.`,
    action: { do: 'run', command: attempt.instead, why: 'Look at the changes' },
  });
  const rest = other.denied ? 'Looking was not allowed either' : `\`${attempt.instead}\` shows what there is`;
  return `\`${attempt.command}\` was denied${because(outcome.reason)}, so I did not do it another way. ${rest}.`;
}

function report({ command }: Attempt, { failed, text }: Outcome): string {
  const [line = ''] = text.trim().split('\n').slice(-1);
  return failed ? `\`${command}\` failed: ${line.slice(0, 200)}` : `\`${command}\` was allowed and worked.`;
}
