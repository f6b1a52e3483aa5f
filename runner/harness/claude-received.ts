import type { NumberedMail } from '../../src/contracts/agent.ts';
import type { RunEventData } from '../../src/contracts/run-event.ts';
import type { ClaudeLoopState } from './claude-state.ts';
import { picturesIn } from './pictures.ts';

/** A message that is not read yet, with the pictures that came with it. */
function heldOf({
  message,
  by,
  text,
  files = [],
}: Extract<NumberedMail['mail'], { type: 'message' }>): ClaudeLoopState['held'][number] {
  const pictures = picturesIn(files).map(({ artifact }) => artifact);
  return { message, by, text, ...(pictures.length === 0 ? {} : { pictures }) };
}

/** What a mail changes; what people are to be told of it is added to `events`. Pure besides. */
export function received(state: ClaudeLoopState, { mail }: NumberedMail, events: RunEventData[]): ClaudeLoopState {
  switch (mail.type) {
    case 'decision': {
      if (state.calls[mail.ask]?.is !== 'asked') return state;
      const { verdict, reason, answers } = mail;
      const call = { is: 'decided' as const, allowed: verdict === 'allow', reason, answers };
      return { ...state, calls: { ...state.calls, [mail.ask]: call }, mode: mail.mode ?? state.mode };
    }
    case 'message':
      return { ...state, held: [...state.held, heldOf(mail)] };
    case 'message_changed': {
      if (!state.held.some(({ message }) => message === mail.message)) return state;
      if (mail.text === null) {
        events.push({ type: 'message_settled', message: mail.message, how: 'dropped' });
        return { ...state, held: state.held.filter(({ message }) => message !== mail.message) };
      }
      const words = mail.text;
      return { ...state, held: state.held.map((one) => (one.message === mail.message ? { ...one, text: words } : one)) };
    }
    case 'settings':
      return { ...state, mode: mail.mode ?? state.mode, model: mail.model ?? state.model, effort: mail.effort ?? state.effort };
  }
}
