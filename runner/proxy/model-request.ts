/**
 * What of a request to a model passes. Tools that run at the provider (search, fetching, code, MCP servers) reach the network from
 * there, past everything that keeps a sandbox apart, so they are taken out unless the policy lets them pass. Pure.
 */
export interface ChangedRequest {
  model: string;
  body: string;
  /** Names of tools that were taken out. */
  removed: string[];
}

export type CheckedRequest = ChangedRequest | { refusal: string };

export interface RequestRules {
  models?: readonly string[] | undefined;
  providerTools: boolean;
}

/** Tools of the Messages API with a `type` that the client carries out itself. */
const clientTools = /^(?:custom|bash|text_editor|computer|memory)(?:_|$)/;
/** The same of the Responses API. */
const ownTools: ReadonlySet<unknown> = new Set(['function', 'custom', 'local_shell', 'apply_patch', 'namespace', 'tool_search']);

export function checkMessages(text: string, rules: RequestRules): CheckedRequest {
  return check(text, rules, (body, removed) => {
    body.tools = without(body.tools, (tool) => tool.type !== undefined && !clientTools.test(String(tool.type)), removed);
    if (body.mcp_servers !== undefined) removed.push('mcp_servers');
    delete body.mcp_servers;
    delete body.container;
  });
}

export function checkResponses(text: string, rules: RequestRules): CheckedRequest {
  return check(text, rules, (body, removed) => {
    body.tools = without(body.tools, (tool) => !ownTools.has(tool.type), removed);
    // Runs on at the provider when nobody listens any more.
    if (body.background === true) removed.push('background');
    delete body.background;
  });
}

/** Betas that stand for tools of the provider. */
export function betasThatPass(betas: string, providerTools: boolean): string {
  if (providerTools) return betas;
  return betas
    .split(',')
    .map((beta) => beta.trim())
    .filter((beta) => beta !== '' && !/^(?:mcp-client|code-execution|web-fetch|web-search|files-api|skills)/.test(beta))
    .join(',');
}

type Body = Record<string, unknown>;

function check(text: string, rules: RequestRules, strip: (body: Body, removed: string[]) => void): CheckedRequest {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { refusal: 'The request is no JSON.' };
  }
  if (!isBody(body) || typeof body.model !== 'string') return { refusal: 'The request names no model.' };
  const { model } = body;
  if (rules.models !== undefined && !rules.models.includes(model)) {
    return { refusal: `The model ${model} is not allowed here; allowed: ${rules.models.join(', ')}.` };
  }
  if (rules.providerTools) return { model, body: text, removed: [] };
  const removed: string[] = [];
  strip(body, removed);
  if (removed.length === 0) return { model, body: text, removed };
  const choice = body.tool_choice;
  if (isBody(choice) && removed.includes(String(choice.name ?? choice.type))) delete body.tool_choice;
  return { model, body: JSON.stringify(body), removed };
}

function without(tools: unknown, isRemoved: (tool: Body) => boolean, removed: string[]): unknown {
  if (!Array.isArray(tools)) return tools;
  const kept = tools.filter((tool) => isBody(tool) && !isRemoved(tool));
  for (const tool of tools) if (!kept.includes(tool)) removed.push(isBody(tool) ? String(tool.name ?? tool.type) : 'unknown');
  return kept.length === 0 ? undefined : kept;
}

function isBody(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
