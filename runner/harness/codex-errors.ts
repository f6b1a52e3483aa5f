import { z } from 'zod';
import type { AgentTrouble } from '../../src/contracts/agent-trouble.ts';
import type { CodexTurnError } from './codex-lines.ts';
import { ownTrouble, troubleOfStatus } from './model-trouble.ts';

const bodySchema = z.looseObject({ error: z.looseObject({ message: z.string() }) });

/** What the program says about an error, as a sentence: of an answer of the model server only its message. */
export function whyFailed(message: string): string {
  const from = message.indexOf('{');
  const body = from < 0 ? undefined : message.slice(from, message.lastIndexOf('}') + 1);
  const told = body === undefined ? undefined : messageIn(body);
  const { text: own } = ownTrouble(told ?? message);
  const text = own
    .trim()
    .replaceAll(/,? url: \S+/g, '')
    .replaceAll(/,? request id: \S+/g, '');
  const short = text.slice(0, 1000);
  return /[.!?]$/.test(short) ? short : `${short}.`;
}

function messageIn(body: string): string | undefined {
  try {
    return bodySchema.safeParse(JSON.parse(body)).data?.error.message;
  } catch {
    return undefined;
  }
}

/** Words of `CodexErrorInfo` in the protocol of Codex 0.169. */
const words: Readonly<Record<string, AgentTrouble>> = {
  contextWindowExceeded: 'context_overflow',
  sessionBudgetExceeded: 'budget',
  usageLimitExceeded: 'rate_limited',
  rateLimitExceeded: 'rate_limited',
  flexUnavailable: 'overloaded',
  serverOverloaded: 'overloaded',
  policyCapacityUnavailable: 'overloaded',
  internalServerError: 'overloaded',
  modelNotFound: 'no_model',
  unauthorized: 'key_refused',
  badRequest: 'malformed',
  httpConnectionFailed: 'unreachable',
  responseStreamConnectionFailed: 'unreachable',
  responseStreamDisconnected: 'unreachable',
  responseTooManyFailedAttempts: 'unreachable',
};

/** Why a turn of the program failed, as a sentence, and which kind of trouble that is as the program names it. */
export function failureOf(error: CodexTurnError): { why: string; trouble: AgentTrouble | undefined } {
  const { trouble } = ownTrouble(error.message);
  return { why: whyFailed(error.message), trouble: trouble ?? kindOf(error.codexErrorInfo) };
}

function kindOf(info: CodexTurnError['codexErrorInfo']): AgentTrouble | undefined {
  const [name, more] = typeof info === 'string' ? [info, undefined] : (Object.entries(info ?? {})[0] ?? []);
  const status = more?.httpStatusCode;
  const told = status == null ? undefined : troubleOfStatus(status);
  return told ?? (name !== undefined && Object.hasOwn(words, name) ? words[name] : undefined);
}
