import type { Json } from '../slack/json.ts';
import type { OutgoingCall, Reply } from './conversation.ts';
import { pieces, type StreamEvent } from './pieces.ts';
import type { Tokens } from './usage.ts';

/** Output items as the Responses API gives them. */
function outputOf(id: string, reply: Reply): Json[] {
  const output: Json[] = [];
  if (reply.thinking !== undefined) {
    const summary = [{ type: 'summary_text', text: reply.thinking }];
    output.push({
      type: 'reasoning',
      id: `rs_${id}`,
      summary,
      encrypted_content: Buffer.from(`scripted ${id}`).toString('base64'),
    });
  }
  if (reply.text !== '') {
    const content = [{ type: 'output_text', text: reply.text, annotations: [], logprobs: [] }];
    output.push({ type: 'message', id: `msg_${id}`, role: 'assistant', status: 'completed', content });
  }
  return [...output, ...reply.calls.map(callItem)];
}

function callItem({ id, tool, input }: OutgoingCall): Json {
  const place = tool.namespace === undefined ? {} : { namespace: tool.namespace };
  const base = { call_id: `call_${id}`, name: tool.name, status: 'completed', ...place };
  if (tool.kind === 'custom') return { type: 'custom_tool_call', id: `ctc_${id}`, input, ...base };
  return { type: 'function_call', id: `fc_${id}`, arguments: input, ...base };
}

function usageOf(tokens: Tokens): Json {
  const input = tokens.input + tokens.cacheRead + tokens.cacheWrite;
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: tokens.cacheRead },
    output_tokens: tokens.output,
    output_tokens_details: { reasoning_tokens: tokens.thinking },
    total_tokens: input + tokens.output,
  };
}

/** A response without output yet. */
export function openResponse(id: string, model: string, at: number): Json {
  return {
    id: `resp_${id}`,
    object: 'response',
    created_at: Math.floor(at / 1000),
    status: 'in_progress',
    error: null,
    incomplete_details: null,
    model,
    output: [],
    parallel_tool_calls: true,
    store: false,
    usage: null,
  };
}

/** The whole answer, for a request without `stream`. */
export function openaiResponse(id: string, model: string, reply: Reply, tokens: Tokens, at: number): Json {
  return { ...openResponse(id, model, at), status: 'completed', output: outputOf(id, reply), usage: usageOf(tokens) };
}

/** The same as a stream of events. `spoil`: the arguments of the first tool call stay unfinished JSON. */
export function* openaiEvents(
  id: string,
  model: string,
  reply: Reply,
  tokens: Tokens,
  at: number,
  spoil: boolean,
): Generator<StreamEvent> {
  let number = 0;
  const event = (type: string, rest: Json): StreamEvent => {
    number += 1;
    return { type, data: { type, sequence_number: number - 1, ...rest } };
  };
  const open = openResponse(id, model, at);
  yield event('response.created', { response: open });
  yield event('response.in_progress', { response: open });
  const output = outputOf(id, reply).map((item) => (spoil ? spoiled(item) : item));
  for (const [index, item] of output.entries()) {
    yield event('response.output_item.added', { output_index: index, item: emptied(item) });
    for (const [type, rest] of partsOf(item)) yield event(type, { item_id: item.id, output_index: index, ...rest });
    yield event('response.output_item.done', { output_index: index, item });
  }
  yield event('response.completed', { response: { ...open, status: 'completed', output, usage: usageOf(tokens) } });
}

function spoiled(item: Json): Json {
  return item.type === 'function_call' ? { ...item, arguments: half(String(item.arguments)) } : item;
}

const half = (text: string) => text.slice(0, Math.max(1, Math.floor(text.length / 2)));

function emptied(item: Json): Json {
  if (item.type === 'message') return { ...item, status: 'in_progress', content: [] };
  if (item.type === 'reasoning') return { ...item, summary: [], encrypted_content: null };
  return item.type === 'function_call'
    ? { ...item, status: 'in_progress', arguments: '' }
    : { ...item, status: 'in_progress', input: '' };
}

function partsOf(item: Json): [string, Json][] {
  if (item.type === 'message') {
    const [part] = item.content as [{ type: string; text: string }];
    const at = { content_index: 0 };
    return [
      ['response.content_part.added', { ...at, part: { ...part, text: '' } }],
      ...pieces(part.text, 14).map((delta): [string, Json] => ['response.output_text.delta', { ...at, delta, logprobs: [] }]),
      ['response.output_text.done', { ...at, text: part.text, logprobs: [] }],
      ['response.content_part.done', { ...at, part }],
    ];
  }
  if (item.type === 'reasoning') {
    const [part] = item.summary as [{ type: string; text: string }];
    const at = { summary_index: 0 };
    return [
      ['response.reasoning_summary_part.added', { ...at, part: { ...part, text: '' } }],
      ...pieces(part.text, 24).map((delta): [string, Json] => ['response.reasoning_summary_text.delta', { ...at, delta }]),
      ['response.reasoning_summary_text.done', { ...at, text: part.text }],
      ['response.reasoning_summary_part.done', { ...at, part }],
    ];
  }
  const isFunction = item.type === 'function_call';
  const kind = isFunction ? 'function_call_arguments' : 'custom_tool_call_input';
  const text = String(isFunction ? item.arguments : item.input);
  return [
    ...pieces(text, 20).map((delta): [string, Json] => [`response.${kind}.delta`, { delta }]),
    [`response.${kind}.done`, isFunction ? { arguments: text, name: item.name } : { input: text }],
  ];
}
