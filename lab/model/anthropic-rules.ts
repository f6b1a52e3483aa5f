import type { IncomingHttpHeaders } from 'node:http';
import { isRecord, type Json, stringOf } from '../slack/json.ts';
import { checkMessages } from './anthropic-message-rules.ts';
import { invalid, ModelError } from './model-error.ts';

const OLD = '2023-06-01';
const VERSIONS = [OLD, '2026-10-21'];

/** Parameters that the newer version does not have any more. */
const removed = ['temperature', 'top_p', 'top_k'];

/** Fields of a request, and the beta that must be named for those that are not open to everybody. */
const fields: Readonly<Record<string, string | undefined>> = {
  model: undefined,
  messages: undefined,
  max_tokens: undefined,
  system: undefined,
  metadata: undefined,
  stop_sequences: undefined,
  stream: undefined,
  temperature: undefined,
  top_k: undefined,
  top_p: undefined,
  tools: undefined,
  tool_choice: undefined,
  thinking: undefined,
  service_tier: undefined,
  container: undefined,
  cache_control: undefined,
  output_config: undefined,
  inference_geo: undefined,
  speed: undefined,
  diagnostics: undefined,
  user_profile_id: undefined,
  workspace_id: undefined,
  context_management: 'context-management-',
  mcp_servers: 'mcp-client-',
  output_format: 'structured-outputs-',
};

export const betasOf = (headers: IncomingHttpHeaders): string[] =>
  [headers['anthropic-beta'] ?? []].flat().flatMap((line) => line.split(',').map((name) => name.trim()));

export function checkVersion(headers: IncomingHttpHeaders): void {
  const version = headers['anthropic-version'];
  if (version === undefined) throw invalid('anthropic-version: header is required');
  if (!VERSIONS.includes(String(version))) throw invalid(`anthropic-version: "${version}" is not a valid version`);
}

/** Throws what the real service answers to a request like this. `counting`: for count_tokens, where some fields do not exist. */
export function checkAnthropicRequest(body: unknown, headers: IncomingHttpHeaders, counting: boolean): asserts body is Json {
  checkVersion(headers);
  if (!isRecord(body)) throw invalid('The request body is not valid JSON: expected an object');
  const betas = betasOf(headers);
  for (const name of ['model', 'messages', ...(counting ? [] : ['max_tokens'])]) {
    if (body[name] === undefined) throw invalid(`${name}: Field required`);
  }
  for (const name of Object.keys(body)) {
    const beta = fields[name];
    const isKnown = name in fields && (beta === undefined || betas.some((given) => given.startsWith(beta)));
    const isUncounted = counting && ['max_tokens', 'stream', 'temperature', 'metadata', 'stop_sequences'].includes(name);
    const isGone = removed.includes(name) && headers['anthropic-version'] !== OLD;
    if (!isKnown || isUncounted || isGone) throw invalid(`${name}: Extra inputs are not permitted`);
  }
  checkModel(body.model);
  if (!counting) checkLimits(body);
  checkTools(body);
  checkCacheControl(body);
  const maySystem = headers['anthropic-version'] !== OLD || betas.some((name) => name.startsWith('mid-conversation-system-'));
  checkMessages(body, maySystem);
}

function checkModel(model: unknown): void {
  const name = stringOf(model);
  if (name === undefined) throw invalid('model: Input should be a valid string');
  if (!/^claude-[a-z0-9.-]+(\[1m\])?$/.test(name)) throw new ModelError(404, 'not_found_error', `model: ${name}`);
}

function checkLimits(body: Json): void {
  const { max_tokens: most, temperature, thinking, stream } = body;
  if (typeof most !== 'number' || !Number.isInteger(most)) throw invalid('max_tokens: Input should be a valid integer');
  if (most < 1) throw invalid('max_tokens: Input should be greater than or equal to 1');
  if (stream !== undefined && typeof stream !== 'boolean') throw invalid('stream: Input should be a valid boolean');
  if (temperature !== undefined && (typeof temperature !== 'number' || temperature < 0 || temperature > 1)) {
    throw invalid('temperature: range: 0..1');
  }
  if (thinking === undefined || thinking === null) return;
  if (!isRecord(thinking) || !['enabled', 'disabled', 'adaptive'].includes(String(thinking.type))) {
    throw invalid(
      "thinking: Input tag found using 'type' does not match any of the expected tags: 'adaptive', 'disabled', 'enabled'",
    );
  }
  if (thinking.type !== 'enabled') return;
  const budget = thinking.budget_tokens;
  if (typeof budget !== 'number') throw invalid('thinking.enabled.budget_tokens: Field required');
  if (budget < 1024) throw invalid('thinking.enabled.budget_tokens: Input should be greater than or equal to 1024');
  if (budget >= most) throw invalid('`max_tokens` must be greater than `thinking.budget_tokens`.');
}

function checkTools({ tools, tool_choice: choice }: Json): void {
  if (tools === undefined) {
    if (choice !== undefined) throw invalid('tool_choice: may only be specified while providing tools');
    return;
  }
  if (!Array.isArray(tools)) throw invalid('tools: Input should be a valid list');
  const seen = new Set<string>();
  for (const [at, tool] of tools.entries()) {
    if (!isRecord(tool)) throw invalid(`tools.${at}: Input should be a valid dictionary`);
    const name = stringOf(tool.name);
    if (name === undefined) throw invalid(`tools.${at}.custom.name: Field required`);
    if (!/^[a-zA-Z0-9_-]{1,128}$/.test(name)) {
      throw invalid(`tools.${at}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`);
    }
    if (seen.has(name)) throw invalid('tools: Tool names must be unique.');
    seen.add(name);
    const isOurs = tool.type === undefined || tool.type === 'custom';
    if (isOurs && !isRecord(tool.input_schema)) throw invalid(`tools.${at}.custom.input_schema: Field required`);
    if (isOurs && isRecord(tool.input_schema) && tool.input_schema.type !== 'object') {
      throw invalid(`tools.${at}.custom.input_schema.type: Input should be 'object'`);
    }
  }
}

function checkCacheControl(body: Json): void {
  const marks = JSON.stringify([body.system, body.tools, body.messages]).split('"cache_control":{').length - 1;
  if (marks > 4) throw invalid(`A maximum of 4 blocks with cache_control may be provided. Found ${marks}.`);
}
