import type { ProcessInput } from '../../src/contracts/agent.ts';
import type { CodexState } from './codex-state.ts';

/** Lines for the stdin of `codex app-server`: JSON-RPC without its version field. */
export function notification(method: string): ProcessInput {
  return line({ method });
}

/** Numbers a request and remembers what it is for. */
export function request(
  state: CodexState,
  what: CodexState['asked'][string],
  method: string,
  params: object,
): { state: CodexState; input: ProcessInput } {
  const id = state.count + 1;
  const asked = { ...state.asked, [String(id)]: what };
  return { state: { ...state, count: id, asked }, input: line({ method, id, params }) };
}

export function answer(id: string | number, result: object): ProcessInput {
  return line({ id, result });
}

export function refusal(id: string | number, message: string): ProcessInput {
  return line({ id, error: { code: -32601, message } });
}

export function textInput(text: string): object[] {
  return [{ type: 'text', text, text_elements: [] }];
}

function line(body: object): ProcessInput {
  return { type: 'line', line: JSON.stringify(body) };
}
