import type { ProcessInput } from '../../src/contracts/agent.ts';

/** Lines for the stdin of Claude Code. */
export function line(body: object): ProcessInput {
  return { type: 'line', line: JSON.stringify(body) };
}

export function control(id: string, request: object): object {
  return { type: 'control_request', request_id: id, request };
}

export function said(text: string, uuid: string): object {
  return { type: 'user', message: { role: 'user', content: text }, parent_tool_use_id: null, session_id: '', uuid };
}

export function answer(id: string, response: object): object {
  return { type: 'control_response', response: { subtype: 'success', request_id: id, response } };
}

export function failure(id: string, error: string): object {
  return { type: 'control_response', response: { subtype: 'error', request_id: id, error } };
}

export function hookAnswer(id: string, decision: object): object {
  return answer(id, { hookSpecificOutput: { hookEventName: 'PreToolUse', ...decision } });
}

export function allow(input: object): object {
  return { permissionDecision: 'allow', updatedInput: input };
}

export function deny(reason: string): object {
  return { permissionDecision: 'deny', permissionDecisionReason: reason };
}
