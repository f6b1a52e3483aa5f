import { z } from 'zod';
import type { RunEventData } from '../../src/contracts/run-event.ts';
import type { ClaudeLine, ContentBlock } from './claude-code-lines.ts';
import { type ClaudeState, omit } from './claude-code-state.ts';
import { isStepTool, nameStep, takeStep } from './claude-code-steps.ts';
import { titleOf, toolCallOf } from './claude-code-tools.ts';
import type { Step } from './cli-protocol.ts';
import type { Turn } from './port.ts';

const longestDetail = 16 * 1024;

type Spoken = Extract<ClaudeLine, { type: 'assistant' | 'user' }>;

/** Whole messages: calls of tools, and what sub-agents say, which is not streamed. */
export function onAssistant(state: ClaudeState, { message, parent_tool_use_id: parent }: Spoken, turn: Turn): Step<ClaudeState> {
  const events: RunEventData[] = [];
  let { calls, steps } = state;
  for (const [at, block] of blocksOf(message.content).entries()) {
    if (block.type === 'tool_use' && block.id !== undefined && block.name !== undefined) {
      const input = block.input ?? {};
      calls = { ...calls, [block.id]: block.name };
      const taken = takeStep(steps, block.id, block.name, input);
      if (taken !== steps) {
        steps = taken;
        events.push({ type: 'checklist', items: steps.map(({ text, state: how }) => ({ text, state: how })) });
      }
      if (!isStepTool(block.name)) events.push(toolEvent(block.id, block.name, input, parent, turn));
    } else if (parent && block.type === 'text' && block.text !== undefined) {
      events.push({ type: 'assistant', part: `${message.id ?? ''}:${parent}:${at}`, text: block.text, final: true, parent });
    }
  }
  return { state: { ...state, calls, steps }, events };
}

function toolEvent(
  id: string,
  tool: string,
  input: Record<string, unknown>,
  parent: string | null | undefined,
  turn: Turn,
): RunEventData {
  const call = toolCallOf(tool, input, turn.cwd);
  const detail = (call.command ?? call.files?.map(({ diff }) => diff ?? '').join('\n') ?? '').slice(0, longestDetail);
  return {
    type: 'tool',
    id,
    tool,
    title: titleOf(tool, input, turn.cwd),
    ...(detail === '' ? {} : { detail }),
    ...(parent ? { parent } : {}),
  };
}

/** Results of tools, and our own messages as the program begins to read them. */
export function onUser(state: ClaudeState, { message, uuid, isReplay, tool_use_result: result }: Spoken): Step<ClaudeState> {
  if (isReplay === true) {
    const read = uuid === undefined ? undefined : state.sent[uuid];
    if (uuid === undefined || read === undefined) return { state };
    const { [uuid]: _, ...sent } = state.sent;
    return { state: { ...state, sent }, events: [{ type: 'message_settled', message: read, how: 'read' }] };
  }
  const events: RunEventData[] = [];
  let { calls, allowed, steps } = state;
  for (const block of blocksOf(message.content)) {
    const id = block.tool_use_id;
    if (block.type !== 'tool_result' || id === undefined) continue;
    const tool = calls[id];
    calls = omit(calls, id);
    allowed = omit(allowed, id);
    steps = nameStep(steps, id, result);
    if (tool === undefined || isStepTool(tool)) continue;
    const text = resultText(block.content);
    const ok = block.is_error !== true;
    events.push({ type: 'tool_ended', id, ok, summary: firstLine(text), detail: text.slice(0, longestDetail) });
  }
  return { state: { ...state, calls, allowed, steps }, events };
}

function blocksOf(content: Spoken['message']['content']): ContentBlock[] {
  return typeof content === 'string' ? [] : content;
}

function resultText(content: unknown): string {
  if (typeof content === 'string') return content;
  const parts = z.array(z.looseObject({ type: z.string(), text: z.string().optional() })).safeParse(content).data ?? [];
  return parts.map(({ type, text }) => text ?? `[${type}]`).join('\n');
}

function firstLine(text: string): string {
  return (text.trim().split('\n')[0] ?? '').slice(0, 200);
}
