import { type AgentTrouble, troubleCodes } from '../../src/contracts/agent-trouble.ts';

/** What an answer of a model server with this status means, as both protocols define it; undefined: no error, or none of these. */
export function troubleOfStatus(status: number): AgentTrouble | undefined {
  if (status === 401 || status === 403) return 'key_refused';
  if (status === 404) return 'no_model';
  if (status === 413) return 'context_overflow';
  if (status === 429) return 'rate_limited';
  if (status === 408 || status === 504) return 'unreachable';
  if (status >= 500) return 'overloaded';
  return status >= 400 ? 'malformed' : undefined;
}

/** What the gateway refuses by itself it ends with a code, because programs pass on nothing of an answer but its words. */
export function ownTrouble(message: string): { trouble: AgentTrouble | undefined; text: string } {
  const code = /\b(DH-3\d\d)\b/.exec(message);
  const trouble = codesOfGateway.find((one) => troubleCodes[one] === code?.[1]);
  if (trouble === undefined || code === null) return { trouble, text: message };
  return { trouble, text: `${message.slice(0, code.index).trimEnd()}${message.slice(code.index + code[0].length)}` };
}

const codesOfGateway = ['key_refused', 'budget', 'unpriced', 'quota'] as const satisfies AgentTrouble[];
