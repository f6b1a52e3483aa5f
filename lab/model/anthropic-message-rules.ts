import { isRecord, type Json, stringOf } from '../slack/json.ts';
import { signatureOf } from './anthropic-answer.ts';
import { invalid } from './model-error.ts';

type Message = { role: string; blocks: readonly Json[]; at: number };

/** The rules of a conversation: roles, non-empty content, and every tool_use answered by exactly one tool_result in the next message. */
export function checkMessages(body: Json, maySystem: boolean): void {
  if (!Array.isArray(body.messages)) throw invalid('messages: Input should be a valid list');
  if (body.messages.length === 0) throw invalid('messages: at least one message is required');
  const messages = body.messages.map((message: unknown, at) => messageOf(message, at, maySystem));
  if (messages[0]?.role !== 'user') throw invalid('messages: first message must use the "user" role');
  for (const message of messages) checkContent(message, message.at === messages.length - 1);
  checkPairs(messages.filter(({ role }) => role !== 'system'));
  const last = messages.findLast(({ role }) => role !== 'system');
  if (last?.role === 'assistant') {
    throw invalid('This model does not support assistant message prefill. The conversation must end with a user message.');
  }
}

function messageOf(message: unknown, at: number, maySystem: boolean): Message {
  if (!isRecord(message)) throw invalid(`messages.${at}: Input should be a valid dictionary`);
  const { role, content } = message;
  if (content === undefined) throw invalid(`messages.${at}.content: Field required`);
  if (role !== 'user' && role !== 'assistant' && !(role === 'system' && maySystem)) {
    throw invalid(`messages.${at}.role: Input should be 'user' or 'assistant'`);
  }
  if (typeof content === 'string') return { role, blocks: [{ type: 'text', text: content }], at };
  if (!Array.isArray(content)) throw invalid(`messages.${at}.content: Input should be a valid list`);
  return { role, blocks: content.map((block: unknown, index) => blockOf(block, `messages.${at}.content.${index}`)), at };
}

function blockOf(block: unknown, where: string): Json {
  if (!isRecord(block)) throw invalid(`${where}: Input should be a valid dictionary`);
  if (block.type === undefined) throw invalid(`${where}.type: Field required`);
  return block;
}

function checkContent({ role, blocks, at }: Message, isLast: boolean): void {
  if (blocks.length === 0 && !(isLast && role === 'assistant'))
    throw invalid(`messages.${at}: ${role} messages must have non-empty content`);
  for (const [index, block] of blocks.entries()) {
    const where = `messages.${at}.content.${index}`;
    if (block.type === 'text') {
      if (typeof block.text !== 'string') throw invalid(`${where}.text.text: Field required`);
      if (block.text === '') throw invalid('messages: text content blocks must be non-empty');
      if (block.text.trim() === '') throw invalid('messages: text content blocks must contain non-whitespace text');
    }
    if (block.type === 'tool_use') checkToolUse(block, role, where);
    if (block.type === 'tool_result' && role !== 'user')
      throw invalid(`messages.${at}: \`tool_result\` blocks can only be in \`user\` messages`);
    if (block.type === 'thinking' && block.signature !== signatureOf(String(block.thinking))) {
      throw invalid(`${where}: Invalid \`signature\` in \`thinking\` block`);
    }
  }
}

function checkToolUse(block: Json, role: string, where: string): void {
  if (role !== 'assistant') throw invalid(`${where}: \`tool_use\` blocks can only be in \`assistant\` messages`);
  if (!/^[a-zA-Z0-9_-]+$/.test(stringOf(block.id) ?? '')) {
    throw invalid(`${where}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`);
  }
  if (stringOf(block.name) === undefined) throw invalid(`${where}.tool_use.name: Field required`);
  if (!isRecord(block.input)) throw invalid(`${where}.tool_use.input: Input should be a valid dictionary`);
}

/** Messages of one role in a row count as one. */
function merged(messages: readonly Message[]): Message[] {
  const rows: Message[] = [];
  for (const message of messages) {
    const last = rows.at(-1);
    if (last?.role === message.role) rows.splice(-1, 1, { ...last, blocks: [...last.blocks, ...message.blocks] });
    else rows.push(message);
  }
  return rows;
}

function checkPairs(messages: readonly Message[]): void {
  const rows = merged(messages);
  const used = new Set<string>();
  for (const [index, { role, blocks, at }] of rows.entries()) {
    const ids = role === 'assistant' ? idsOf(blocks, 'tool_use', 'id') : [];
    for (const id of ids) {
      if (used.has(id)) throw invalid('messages: `tool_use` ids must be unique');
      used.add(id);
    }
    const results = leadingResults(rows[index + 1]?.blocks ?? []);
    const open = ids.filter((id) => !results.includes(id));
    if (open.length > 0 && index + 1 < rows.length) {
      throw invalid(
        `messages.${at}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open.join(', ')}. ` +
          'Each `tool_use` block must have a corresponding `tool_result` block in the next message.',
      );
    }
    checkResults(rows[index], index > 0 ? rows[index - 1] : undefined);
  }
}

function checkResults(row: Message | undefined, previous: Message | undefined): void {
  if (row === undefined || row.role !== 'user') return;
  const asked = idsOf(previous?.blocks ?? [], 'tool_use', 'id');
  const answered = new Set<string>();
  for (const [index, block] of row.blocks.entries()) {
    if (block.type !== 'tool_result') continue;
    const id = stringOf(block.tool_use_id);
    const where = `messages.${row.at}.content.${index}`;
    if (id === undefined) throw invalid(`${where}.tool_result.tool_use_id: Field required`);
    if (!asked.includes(id)) {
      throw invalid(
        `${where}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${id}. ` +
          'Each `tool_result` block must have a corresponding `tool_use` block in the previous message.',
      );
    }
    if (answered.has(id)) {
      throw invalid(`${where}: each tool_use must have a single result. Found multiple \`tool_result\` blocks with id: ${id}`);
    }
    answered.add(id);
  }
}

const idsOf = (blocks: readonly Json[], type: string, key: string): string[] =>
  blocks.flatMap((block) => (block.type === type ? [stringOf(block[key]) ?? ''] : []));

/** Results count only where they come first. */
function leadingResults(blocks: readonly Json[]): string[] {
  const end = blocks.findIndex(({ type }) => type !== 'tool_result');
  return idsOf(end < 0 ? blocks : blocks.slice(0, end), 'tool_result', 'tool_use_id');
}
