import type { Json } from '../slack/json.ts';
import type { Reply } from './conversation.ts';
import { stableId } from './hash.ts';
import { pieces, type StreamEvent } from './pieces.ts';
import type { Tokens } from './usage.ts';

/** Content blocks as the Messages API gives them. */
function contentOf(reply: Reply): Json[] {
  const content: Json[] = [];
  if (reply.thinking !== undefined) {
    content.push({ type: 'thinking', thinking: reply.thinking, signature: signatureOf(reply.thinking) });
  }
  if (reply.text !== '') content.push({ type: 'text', text: reply.text });
  for (const { id, tool, input } of reply.calls) {
    content.push({ type: 'tool_use', id: `toolu_${id}`, name: tool.name, input: JSON.parse(input) });
  }
  return content;
}

/** Says that the thinking is ours: a block that comes back with another one is refused, as the real service does. */
export const signatureOf = (thinking: string) => Buffer.from(stableId(60, 'thinking', thinking)).toString('base64');

function usageOf(tokens: Tokens, output: number): Json {
  return {
    input_tokens: tokens.input,
    cache_creation_input_tokens: tokens.cacheWrite,
    cache_read_input_tokens: tokens.cacheRead,
    cache_creation: { ephemeral_5m_input_tokens: tokens.cacheWrite, ephemeral_1h_input_tokens: 0 },
    output_tokens: output,
    service_tier: 'standard',
  };
}

const stopReason = ({ calls }: Reply) => (calls.length > 0 ? 'tool_use' : 'end_turn');

/** The whole answer, for a request without `stream`. */
export function anthropicMessage(id: string, model: string, reply: Reply, tokens: Tokens): Json {
  return {
    id: `msg_${id}`,
    type: 'message',
    role: 'assistant',
    model,
    content: contentOf(reply),
    stop_reason: stopReason(reply),
    stop_sequence: null,
    usage: usageOf(tokens, tokens.output),
  };
}

/** The same as a stream of events. `spoil`: the input of the first tool call stays unfinished JSON. */
export function* anthropicEvents(
  id: string,
  model: string,
  reply: Reply,
  tokens: Tokens,
  spoil: boolean,
): Generator<StreamEvent> {
  const event = (type: string, rest: Json): StreamEvent => ({ type, data: { type, ...rest } });
  const whole = anthropicMessage(id, model, reply, tokens);
  yield event('message_start', { message: { ...whole, content: [], stop_reason: null, usage: usageOf(tokens, 1) } });
  yield event('ping', {});
  let index = 0;
  for (const block of contentOf(reply)) {
    yield event('content_block_start', { index, content_block: emptied(block) });
    for (const delta of deltasOf(block, spoil)) yield event('content_block_delta', { index, delta });
    yield event('content_block_stop', { index });
    index += 1;
  }
  yield event('message_delta', {
    delta: { stop_reason: stopReason(reply), stop_sequence: null },
    usage: usageOf(tokens, tokens.output),
  });
  yield event('message_stop', {});
}

function emptied(block: Json): Json {
  if (block.type === 'text') return { ...block, text: '' };
  if (block.type === 'thinking') return { ...block, thinking: '', signature: '' };
  return { ...block, input: {} };
}

function deltasOf(block: Json, spoil: boolean): Json[] {
  if (block.type === 'text') return pieces(String(block.text), 14).map((text) => ({ type: 'text_delta', text }));
  if (block.type === 'thinking') {
    const thoughts = pieces(String(block.thinking), 24).map((thinking) => ({ type: 'thinking_delta', thinking }));
    return [...thoughts, { type: 'signature_delta', signature: block.signature }];
  }
  const input = JSON.stringify(block.input);
  const sent = spoil ? input.slice(0, Math.max(1, Math.floor(input.length / 2))) : input;
  return ['', ...pieces(sent, 20)].map((part) => ({ type: 'input_json_delta', partial_json: part }));
}
