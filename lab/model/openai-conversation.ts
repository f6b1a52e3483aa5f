import { isRecord, type Json, stringOf } from '../slack/json.ts';
import { keepsChecklist } from './code-mode.ts';
import type { Call, Conversation, Entry, OfferedTool } from './conversation.ts';
import { stableId } from './hash.ts';
import { saidByPeople, workingDirectory } from './said-text.ts';

/** Reads a request of the Responses API that keeps the rules. `input` may be a plain text. */
export function openaiConversation(body: Json): Conversation {
  const input = inputItems(body);
  const tools = new Map(
    [...recordsOf(body.tools), ...input.flatMap(({ tools }) => recordsOf(tools))].flatMap((tool) => toolsOf(tool)),
  );
  const lastAnswer = input.findLastIndex(isAnswer);
  const head = JSON.stringify(body.tools ?? '').length + (stringOf(body.instructions) ?? '').length;
  const before = JSON.stringify(input.slice(0, lastAnswer + 1)).length;
  return {
    agent: 'codex',
    model: stringOf(body.model) ?? '',
    cwd: workingDirectory(input.map(({ content }) => textOf(content)).join('\n')),
    tools,
    thinks: isRecord(body.reasoning),
    entries: readEntries(input),
    quoted: undefined,
    salt: stableId(16, stringOf(body.prompt_cache_key) ?? '', JSON.stringify(input[0] ?? ''), input.length),
    length: {
      before: lastAnswer < 0 ? 0 : head + before,
      after: (lastAnswer < 0 ? head : 0) + JSON.stringify(input.slice(lastAnswer + 1)).length,
      cacheable: true,
    },
  };
}

/** The items of a request; a plain text is what the person said. */
export function inputItems(body: Json): Json[] {
  return typeof body.input === 'string' ? [{ type: 'message', role: 'user', content: body.input }] : recordsOf(body.input);
}

function toolsOf(tool: Json, namespace?: string): [string, OfferedTool][] {
  const name = stringOf(tool.name);
  if (name === undefined) return [];
  if (tool.type === 'namespace') return recordsOf(tool.tools).flatMap((inner) => toolsOf(inner, name));
  if (tool.type !== 'function' && tool.type !== 'custom') return [];
  const about = stringOf(tool.description) ?? '';
  const limits = {
    ...(name === 'request_user_input' && !/\bDefault\b/.test(about) ? { planOnly: true } : {}),
    ...(tool.type === 'custom' && /\bupdate_plan\b/.test(about) ? { checklist: true } : {}),
  };
  const schema = isRecord(tool.parameters) ? tool.parameters : {};
  return [
    [
      name,
      {
        name,
        kind: tool.type,
        schema,
        ...limits,
        ...(namespace === undefined || namespace === 'functions' ? {} : { namespace }),
      },
    ],
  ];
}

const isCall = ({ type }: Json) => type === 'function_call' || type === 'custom_tool_call';
const isResult = ({ type }: Json) => type === 'function_call_output' || type === 'custom_tool_call_output';
const isAnswer = (item: Json) => isCall(item) || item.type === 'reasoning' || item.role === 'assistant';

function readEntries(input: readonly Json[]): Entry[] {
  const entries: Entry[] = [];
  let open: { text: string; calls: Call[] } | undefined;
  for (const item of input) {
    if (isAnswer(item)) {
      if (open === undefined) {
        open = { text: '', calls: [] };
        entries.push({ type: 'answer', ...open });
      }
      if (isCall(item)) open.calls.push(callOf(item));
      else if (item.role === 'assistant') open.text += textOf(item.content);
      entries.splice(-1, 1, { type: 'answer', text: open.text, calls: open.calls });
      continue;
    }
    open = undefined;
    if (isResult(item)) entries.push(resultOf(item));
    else entries.push(...messageEntries(item, entries));
  }
  return entries;
}

function callOf(item: Json): Call {
  const id = stringOf(item.call_id) ?? '';
  const tool = stringOf(item.name) ?? '';
  if (item.type === 'custom_tool_call') {
    const text = stringOf(item.input) ?? '';
    return { id, tool: keepsChecklist(text) ? 'update_plan' : tool, input: { text } };
  }
  const parsed: unknown = parseOr(stringOf(item.arguments) ?? '', {});
  return { id, tool, input: isRecord(parsed) ? parsed : {} };
}

function resultOf(item: Json): Entry {
  const text = typeof item.output === 'string' ? item.output : textOf(item.output);
  const exit = /(?:exit(?:ed with)? code|exit_code"?):? *(-?\d+)/i.exec(text)?.[1];
  const refused =
    /^(exec_command|apply_patch|write_stdin|[\w ]+) failed\b|rejected by user|^Script (error|failed)|^failed to parse/i.test(
      text,
    );
  return { type: 'result', call: stringOf(item.call_id) ?? '', text, failed: refused || (exit !== undefined && exit !== '0') };
}

function messageEntries(item: Json, entries: readonly Entry[]): Entry[] {
  const text = textOf(item.content);
  if (item.role === 'developer' || item.role === 'system') {
    if (/<turn_aborted>/.test(text)) return [{ type: 'interrupted' }];
    const mode = /<collaboration_mode>#?\s*(?:Collaboration Mode:\s*)?(\w+)/.exec(text)?.[1];
    return mode === undefined ? [] : [{ type: 'mode', plan: /^plan/i.test(mode) }];
  }
  if (item.type === 'agent_message') return agentMessage(item, entries);
  if (item.role !== 'user') return [];
  if (/<turn_aborted>/.test(text)) return [{ type: 'interrupted' }];
  const said = saidByPeople(text);
  if (said === '') return [];
  const previous = entries.findLast((entry) => entry.type === 'answer');
  return [{ type: 'said', text: said, late: previous?.type === 'answer' && previous.calls.length > 0 }];
}

/** What one agent of Codex tells another: the task, or what came of it. The payload is text here, encrypted for a real model. */
function agentMessage({ content }: Json, entries: readonly Entry[]): Entry[] {
  const parts = recordsOf(content).map(({ text, encrypted_content: payload }) => stringOf(payload) ?? stringOf(text) ?? '');
  const text = parts
    .join('')
    .replace(/^[\s\S]*?\bPayload:\n/, '')
    .trim();
  return text === '' ? [] : [{ type: 'said', text, late: entries.some(({ type }) => type === 'answer') }];
}

function parseOr(text: string, otherwise: unknown): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return otherwise;
  }
}

const recordsOf = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isRecord) : []);

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  return recordsOf(content)
    .map((part) => stringOf(part.text) ?? '')
    .filter((text) => text !== '')
    .join('\n');
}
