import { stripMessages } from './anthropic-request.ts';
import { stripResponses } from './openai-request.ts';
import { isRecord, PolicyRefusal, type Stripped } from './request-parts.ts';
import { type RequestSize, sizeOf } from './request-size.ts';

/**
 * What of a request to a model passes. Tools that run at the provider (search, fetching, code, MCP servers) reach the network from
 * there, past everything that keeps a sandbox apart, so they are taken out unless the policy lets them pass; so are links that the
 * provider would fetch, and what the account keeps there for everybody: files, conversations, containers. Pure.
 */
export interface ChangedRequest extends Stripped {
  model: string;
  body: string;
  /** What it may take at most. */
  size: RequestSize;
}

export type CheckedRequest = ChangedRequest | { refusal: string };

export interface RequestRules {
  models?: readonly string[] | undefined;
  /** Provider-side tools pass. What is kept at the provider, and costlier lanes, do not in any case. */
  providerTools: boolean;
}

/** For `POST /v1/messages` and its `count_tokens`. */
export function checkMessages(text: string, rules: RequestRules): CheckedRequest {
  return check(text, rules, stripMessages);
}

/** For `POST /v1/responses`. */
export function checkResponses(text: string, rules: RequestRules): CheckedRequest {
  return check(text, rules, stripResponses);
}

/**
 * Betas that pass. Not those of tools of the provider, of what is kept there (files, skills, environments), of other ways to log in,
 * and of lanes and models that cost more than what was asked for.
 */
export function betasThatPass(betas: string, providerTools: boolean): string {
  const always =
    /^(?:files-api|skills|user-profiles|managed-agents|environments|message-batches|oauth|oidc|ccr-|fast-mode|server-side-fallback|fallback-credit)/;
  const tools = /^(?:mcp-|code-execution|web-fetch|web-search|advisor)/;
  return betas
    .split(',')
    .map((beta) => beta.trim())
    .filter((beta) => beta !== '' && !always.test(beta) && (providerTools || !tools.test(beta)))
    .join(',');
}

type Strip = (body: Record<string, unknown>, providerTools: boolean) => Stripped;

function check(text: string, rules: RequestRules, strip: Strip): CheckedRequest {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { refusal: 'The request is no JSON.' };
  }
  if (!isRecord(body) || typeof body.model !== 'string') return { refusal: 'The request names no model.' };
  const { model } = body;
  if (rules.models !== undefined && !rules.models.includes(model)) {
    return { refusal: `The model ${model} is not allowed here; allowed: ${rules.models.join(', ')}.` };
  }
  try {
    const { removed } = strip(body, rules.providerTools);
    const size = sizeOf(body, text.length);
    return { model, removed, body: removed.length === 0 ? text : JSON.stringify(body), size };
  } catch (error) {
    if (error instanceof PolicyRefusal) return { refusal: error.message };
    // Nested deeper than anything a client sends.
    if (error instanceof RangeError) return { refusal: 'The request is nested too deeply.' };
    throw error;
  }
}
