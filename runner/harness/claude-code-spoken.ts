import { z } from 'zod';
import type { RunEventData } from '../../src/contracts/run-event.ts';
import type { ClaudeLine, ContentBlock } from './claude-code-lines.ts';
import { type ClaudeState, omit } from './claude-code-state.ts';
import { isStepTool, nameStep, takeStep } from './claude-code-steps.ts';
import { toolCallOf } from './claude-code-tools.ts';
import type { Step } from './cli-protocol.ts';
import type { Turn } from './port.ts';
import { toolBegun, toolEnded } from './tool-events.ts';

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
      if (!isStepTool(block.name)) events.push(toolBegun(block.id, toolCallOf(block.name, input, turn.cwd), parent));
    } else if (parent && block.type === 'text' && block.text !== undefined) {
      events.push({ type: 'assistant', part: `${message.id ?? ''}:${parent}:${at}`, text: block.text, final: true, parent });
    }
  }
  return { state: { ...state, calls, steps }, events };
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
    events.push(toolEnded(id, block.is_error !== true, resultText(block.content)));
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
