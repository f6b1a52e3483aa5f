import { isRecord, type Json, stringOf } from '../slack/json.ts';
import type { AgentName, Call, Conversation, Entry, OfferedTool } from './conversation.ts';
import { stableId } from './hash.ts';
import { firstRequest, saidByPeople, workingDirectory } from './said-text.ts';

const PLAN_TOOL = /^(exit_?plan_?mode|(present|propose|submit)_?plan|plan)$/i;
const INTERRUPTED = /^\[Request interrupted by user[^\]]*\]$/;
/** What the built-in loop says of a call that people interrupted. */
const CUT_OFF = /: a person interrupted\./;
/** How Claude Code hands over what a person says while it works. */
const LATE =
  /(?:user|person)[^:\n]{0,60} sent[^:\n]{0,60} message[^:\n]{0,60}:\s*\n?([\s\S]*?)(?=\n\n(?:IMPORTANT|Please)\b|<\/system-reminder>|$)/i;

/** Reads a request of the Messages API that keeps the rules. */
export function anthropicConversation(body: Json): Conversation {
  const tools = new Map(recordsOf(body.tools).flatMap(toolOf));
  const messages = recordsOf(body.messages);
  const system = textOf(body.system);
  const agent: AgentName = tools.has('Bash') || tools.has('Read') ? 'claude-code' : 'claude';
  const entries = readEntries(messages, agent, tools);
  const lastAnswer = messages.findLastIndex(({ role }) => role === 'assistant');
  const head = JSON.stringify(body.tools ?? '').length + system.length;
  const before = JSON.stringify(messages.slice(0, lastAnswer + 1)).length;
  return {
    agent,
    model: stringOf(body.model) ?? '',
    cwd: workingDirectory(`${system}\n${JSON.stringify(messages.slice(0, 2))}`.replaceAll('\\n', '\n')),
    tools,
    thinks: isRecord(body.thinking) && body.thinking.type !== 'disabled',
    entries,
    quoted: firstRequest(textOf(messages.at(-1)?.content)),
    salt: stableId(16, JSON.stringify(body.metadata ?? ''), JSON.stringify(messages[0] ?? ''), messages.length),
    length: {
      before: lastAnswer < 0 ? 0 : head + before,
      after: (lastAnswer < 0 ? head : 0) + JSON.stringify(messages.slice(lastAnswer + 1)).length,
      cacheable: JSON.stringify(body).includes('"cache_control"'),
    },
  };
}

function toolOf(tool: Json): [string, OfferedTool][] {
  const name = stringOf(tool.name);
  if (name === undefined || !isRecord(tool.input_schema)) return [];
  return [[name, { name, kind: 'function', schema: tool.input_schema }]];
}

function readEntries(messages: readonly Json[], agent: AgentName, tools: ReadonlyMap<string, OfferedTool>): Entry[] {
  const entries: Entry[] = [];
  const calls = new Map<string, Call>();
  if (agent === 'claude' && plansOnly(messages, tools)) entries.push({ type: 'mode', plan: true });
  for (const { role, content } of messages) {
    if (role === 'assistant') {
      const answer = answerOf(content);
      for (const call of answer.calls) calls.set(call.id, call);
      const last = entries.at(-1);
      if (last?.type === 'answer')
        entries.splice(-1, 1, { ...last, text: last.text + answer.text, calls: [...last.calls, ...answer.calls] });
      else entries.push(answer);
    } else {
      const previous = entries.findLast((entry) => entry.type === 'answer');
      const late = previous?.type === 'answer' && previous.calls.length > 0;
      for (const block of blocksOf(content)) entries.push(...userEntries(block, late, calls, role === 'system'));
    }
  }
  return entries;
}

/** The built-in loop offers the tool that hands in a plan in plan mode only. */
function plansOnly(messages: readonly Json[], tools: ReadonlyMap<string, OfferedTool>): boolean {
  const offered = [...tools.keys()].some((name) => PLAN_TOOL.test(name));
  const called = messages.some(({ content }) =>
    recordsOf(content).some((block) => block.type === 'tool_use' && isPlan(block.name)),
  );
  return offered || called;
}

const isPlan = (name: unknown) => typeof name === 'string' && PLAN_TOOL.test(name);

function answerOf(content: unknown): Extract<Entry, { type: 'answer' }> {
  const blocks = blocksOf(content);
  return {
    type: 'answer',
    text: blocks.map((block) => (block.type === 'text' ? (stringOf(block.text) ?? '') : '')).join(''),
    calls: blocks.flatMap((block) =>
      block.type === 'tool_use'
        ? [{ id: stringOf(block.id) ?? '', tool: stringOf(block.name) ?? '', input: isRecord(block.input) ? block.input : {} }]
        : [],
    ),
  };
}

function userEntries(block: Json, late: boolean, calls: ReadonlyMap<string, Call>, isSystem: boolean): Entry[] {
  if (block.type === 'tool_result') {
    const id = stringOf(block.tool_use_id) ?? '';
    const failed = block.is_error === true;
    const text = textOf(block.content);
    const result: Entry = { type: 'result', call: id, text, failed };
    if (failed && CUT_OFF.test(text)) return [result, { type: 'interrupted' }];
    const tool = calls.get(id)?.tool;
    if (failed || tool === undefined) return [result];
    if (isPlan(tool)) return [result, { type: 'mode', plan: false }];
    return tool === 'EnterPlanMode' ? [result, { type: 'mode', plan: true }] : [result];
  }
  const text = stringOf(block.text);
  if (block.type !== 'text' || text === undefined) return [];
  if (INTERRUPTED.test(text.trim())) return [{ type: 'interrupted' }];
  const found: Entry[] = [];
  if (/plan mode (is|still)( still)? active/i.test(text)) found.push({ type: 'mode', plan: true });
  if (/exited plan mode/i.test(text)) found.push({ type: 'mode', plan: false });
  const handedOver = late ? LATE.exec(text)?.[1]?.trim() : undefined;
  const said = isSystem && handedOver === undefined ? '' : saidByPeople(handedOver ?? text);
  if (said !== '') found.push({ type: 'said', text: said, late });
  return found;
}

const recordsOf = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isRecord) : []);

function blocksOf(content: unknown): Json[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : recordsOf(content);
}

/** The text of a string or of text blocks. */
function textOf(content: unknown): string {
  return blocksOf(content)
    .map((block) => stringOf(block.text) ?? '')
    .filter((text) => text !== '')
    .join('\n');
}
