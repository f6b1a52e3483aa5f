import { isRecord, type Json, stringOf } from '../slack/json.ts';
import { invalid, ModelError } from './model-error.ts';

const fields = new Set(
  `background client_metadata context_management conversation include input instructions max_output_tokens max_tool_calls metadata model
  moderation parallel_tool_calls previous_response_id prompt prompt_cache_key prompt_cache_retention prompt_cache_options reasoning
  safety_identifier service_tier store stream stream_options temperature text tool_choice tools top_logprobs top_p truncation user`.split(
    /\s+/,
  ),
);

const outputs: Readonly<Record<string, string>> = {
  function_call: 'function call',
  custom_tool_call: 'custom tool call',
};

/** Throws what the real service answers to a request like this. */
export function checkOpenaiRequest(body: unknown): asserts body is Json {
  if (!isRecord(body)) throw invalid('We could not parse the JSON body of your request.');
  const model = stringOf(body.model);
  if (model === undefined) throw missing('model');
  if (body.input === undefined) throw missing('input');
  for (const name of Object.keys(body)) {
    if (!fields.has(name)) throw invalid(`Unknown parameter: '${name}'.`, { param: name, code: 'unknown_parameter' });
  }
  if (!/^(gpt-|o\d|codex-)/.test(model)) {
    const message = `The model \`${model}\` does not exist or you do not have access to it.`;
    throw new ModelError(404, 'invalid_request_error', message, { code: 'model_not_found' });
  }
  if (body.stream !== undefined && typeof body.stream !== 'boolean') throw wrongType('stream', 'a boolean', body.stream);
  checkTools(body.tools);
  if (typeof body.input === 'string') return;
  if (!Array.isArray(body.input)) throw wrongType('input', 'one of a string or array of input items', body.input);
  const items = body.input.map((item: unknown, at) => {
    if (!isRecord(item)) throw wrongType(`input[${at}]`, 'an object', item);
    return item;
  });
  items.forEach(checkItem);
  checkPairs(items);
}

const missing = (name: string) =>
  invalid(`Missing required parameter: '${name}'.`, { param: name, code: 'missing_required_parameter' });

const wrongType = (param: string, expected: string, got: unknown) =>
  invalid(`Invalid type for '${param}': expected ${expected}, but got ${Array.isArray(got) ? 'an array' : typeof got} instead.`, {
    param,
    code: 'invalid_type',
  });

function checkTools(tools: unknown): void {
  if (tools === undefined || tools === null) return;
  if (!Array.isArray(tools)) throw wrongType('tools', 'an array of objects', tools);
  for (const [at, tool] of tools.entries()) {
    if (!isRecord(tool)) throw wrongType(`tools[${at}]`, 'an object', tool);
    if (typeof tool.type !== 'string') throw missing(`tools[${at}].type`);
    const isNamed = tool.type === 'function' || tool.type === 'custom' || tool.type === 'namespace';
    if (isNamed && typeof tool.name !== 'string') throw missing(`tools[${at}].name`);
  }
}

function checkItem(item: Json, at: number): void {
  const { type = 'message', role, content } = item;
  if (type === 'message') {
    if (!['user', 'assistant', 'system', 'developer'].includes(String(role))) {
      const message = `Invalid value: '${role}'. Supported values are: 'assistant', 'system', 'developer', and 'user'.`;
      throw invalid(message, { param: `input[${at}].role`, code: 'invalid_value' });
    }
    if (content === undefined) throw missing(`input[${at}].content`);
  }
  const kind = String(type).replace(/_output$/, '');
  if (kind in outputs && stringOf(item.call_id) === undefined) throw missing(`input[${at}].call_id`);
  if (type === 'function_call' && typeof item.arguments !== 'string') throw missing(`input[${at}].arguments`);
  if (kind in outputs && kind !== type && item.output === undefined) throw missing(`input[${at}].output`);
}

/** Every call has its output, every output its call. */
function checkPairs(items: readonly Json[]): void {
  for (const [type, words] of Object.entries(outputs)) {
    const idsOf = (wanted: string) => items.flatMap((item) => (item.type === wanted ? [String(item.call_id)] : []));
    const calls = idsOf(type);
    const answered = idsOf(`${type}_output`);
    const open = calls.find((id) => !answered.includes(id));
    if (open !== undefined) throw invalid(`No tool output found for ${words} ${open}.`, { param: 'input' });
    const stray = answered.find((id) => !calls.includes(id));
    if (stray !== undefined) throw invalid(`No tool call found for ${words} output with call_id ${stray}.`, { param: 'input' });
  }
}
