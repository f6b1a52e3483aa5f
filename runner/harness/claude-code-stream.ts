import type { RunEventData } from '../../src/contracts/run-event.ts';
import type { ClaudeLine } from './claude-code-lines.ts';
import type { ClaudeState } from './claude-code-state.ts';
import type { Step } from './cli-protocol.ts';
import { takeText } from './text-parts.ts';

type StreamEvent = Extract<ClaudeLine, { type: 'stream_event' }>['event'];

/** Text and thinking come in pieces; words are not split between two of them. */
export function onStream(state: ClaudeState, event: StreamEvent): Step<ClaudeState> {
  const { part } = state;
  switch (event.type) {
    case 'message_start':
      return { state: { ...state, part: { message: event.message?.id ?? '', index: 0, kind: 'assistant', held: '' } } };
    case 'content_block_start': {
      const type = event.content_block?.type;
      if (part === null || (type !== 'text' && type !== 'thinking')) return { state };
      const kind = type === 'text' ? 'assistant' : 'thinking';
      return { state: { ...state, part: { ...part, index: (event.index ?? 0) + 1, kind, held: '' } } };
    }
    case 'content_block_delta': {
      const delta = event.delta?.text ?? event.delta?.thinking;
      if (part === null || delta === undefined) return { state };
      const { text, held } = takeText(part.held, delta);
      const next = { ...state, part: { ...part, held } };
      return text === '' ? { state: next } : { state: next, events: [piece(part, text, false)] };
    }
    case 'content_block_stop': {
      if (part === null || part.index !== (event.index ?? 0) + 1) return { state };
      return { state: { ...state, part: { ...part, held: '' } }, events: [piece(part, part.held, true)] };
    }
    case 'message_stop':
      return { state: { ...state, part: null } };
    default:
      return { state };
  }
}

function piece(part: NonNullable<ClaudeState['part']>, text: string, final: boolean): RunEventData {
  return { type: part.kind, part: `${part.message}:${part.index}`, text, final };
}
