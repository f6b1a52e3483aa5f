import type { Outcome } from './action.ts';
import type { AgentName } from './conversation.ts';

const REFUSAL = /\b(denied|declined|rejected|refused|not allowed|disallowed|said no|does not allow|doesn't want|blocked by)\b/i;
/** How the Claude Code CLI reports what went wrong by itself; any other error is what somebody answered to its request. */
const OWN_ERROR = /^(Exit code \d|<tool_use_error>|Error\b|InputValidationError|Command timed out|API Error)/;

/** Reads the result of a call: a refusal by people is something else than a command that failed. */
export function outcomeOf(result: { text: string; failed: boolean }, agent: AgentName): Outcome {
  const refused = agent === 'claude-code' ? !OWN_ERROR.test(result.text) : REFUSAL.test(result.text);
  const denied = result.failed && refused;
  return { ...result, denied, reason: denied ? reasonOf(result.text) : '' };
}

function reasonOf(text: string): string {
  const quoted = /Rejected\(\\*"(.+?)\\*"\)/.exec(text)?.[1];
  if (quoted !== undefined) return quoted;
  const [first = ''] = text
    .replace(/^(?:[\w ]+ failed(?: for [^:]*)?:|Error:)\s*/i, '')
    .trim()
    .split('\n');
  return first.slice(0, 300);
}

/** A command that goes on in the background: how to ask for the rest. Codex lets go of a command after some seconds. */
export function stillRunning(text: string): { tool: string; input: Record<string, unknown> } | undefined {
  const session = /Process running with session ID (\d+)/.exec(text)?.[1];
  if (session !== undefined)
    return { tool: 'write_stdin', input: { session_id: Number(session), chars: '', yield_time_ms: 10_000 } };
  const cell = /Script running with cell ID (\S+)/.exec(text)?.[1];
  return cell === undefined ? undefined : { tool: 'wait', input: { cell_id: cell, yield_time_ms: 10_000 } };
}
