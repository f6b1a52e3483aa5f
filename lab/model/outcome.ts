import type { Outcome } from './action.ts';
import type { AgentName } from './conversation.ts';

/** How an agent reports by itself what went wrong; any other error is what somebody answered to its request. */
const ownErrors: Readonly<Record<AgentName, RegExp>> = {
  claude:
    /\[(exit code -?\d+|stopped[^\]]*)\]\s*$|^(Exit code \d|The (input of|file is)|There is no tool|old_string|Deckhand was|Not done:|Stopped in|This call was)/,
  'claude-code': /^(Exit code \d|<tool_use_error>|Error\b|InputValidationError|Command timed out|API Error)/,
  codex: /^(?![\s\S]*\b(rejected|denied|declined|not allowed)\b)/i,
};

/** Reads the result of a call: a refusal by people is something else than a command that failed. */
export function outcomeOf(result: { text: string; failed: boolean }, agent: AgentName): Outcome {
  const denied = result.failed && !ownErrors[agent].test(result.text);
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
