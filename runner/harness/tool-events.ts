import type { ToolCall } from '../../src/contracts/agent.ts';
import type { RunEventData } from '../../src/contracts/run-event.ts';

/** What people may read of a call and of its outcome at most. Characters. */
export const longestDetail = 16 * 1024;
const longestSummary = 200;

/** A tool is called. `parent`: the call of the sub-agent that does it. */
export function toolBegun(id: string, { tool, title, command, files }: ToolCall, parent?: string | null): RunEventData {
  const detail = (command ?? files?.map(({ diff }) => diff ?? '').join('\n') ?? '').slice(0, longestDetail);
  return { type: 'tool', id, tool, title, ...(detail === '' ? {} : { detail }), ...(parent ? { parent } : {}) };
}

/** The call is over. `text`: all that came out. */
export function toolEnded(id: string, ok: boolean, text: string): RunEventData {
  return { type: 'tool_ended', id, ok, summary: firstLine(text), detail: text.slice(0, longestDetail) };
}

/** One line of what came out, for people. */
export function firstLine(text: string): string {
  return (text.trim().split('\n')[0] ?? '').slice(0, longestSummary);
}
