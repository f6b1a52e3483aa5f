import type { ProcessInput } from '../../src/contracts/agent.ts';
import type { ClaudeState } from './claude-code-state.ts';
import { line, said } from './claude-code-wire.ts';
import type { Step } from './cli-protocol.ts';

/** Hands over what people have said. */
export function send(state: ClaudeState): Step<ClaudeState> {
  if (state.held.length === 0) return { state };
  let { asked, sent } = state;
  const inputs: ProcessInput[] = [];
  for (const { message, by, text } of state.held) {
    const uuid = uuidOf(message);
    sent = { ...sent, [uuid]: message };
    inputs.push(line(said(`${by} says in the thread: ${text}`, uuid)));
    asked += 1;
  }
  return { state: { ...state, held: [], sent, asked }, inputs };
}

/** The program names a message by a UUID that we choose; the same message gets the same. */
export function uuidOf(message: string): string {
  const hex = Buffer.from(message.padEnd(16, '\0')).toString('hex').slice(-32).padStart(32, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}
