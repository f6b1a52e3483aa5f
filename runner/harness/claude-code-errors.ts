import type { AgentTrouble } from '../../src/contracts/agent-trouble.ts';
import type { ClaudeLine } from './claude-code-lines.ts';
import { ownTrouble, troubleOfStatus } from './model-trouble.ts';

type Result = Extract<ClaudeLine, { type: 'result' }>;

/** Why the program gave up, in its words, and which kind of trouble that is by what it says of the answer of the model server. */
export function failureOf(read: Result): { why: string; trouble: AgentTrouble | undefined } {
  const said = read.result?.trim() ?? '';
  const { text, trouble } = ownTrouble(said.slice(0, 1000));
  const known = trouble ?? kindOf(read);
  if (text !== '') return { why: text, trouble: known };
  if (known === 'budget') return { why: 'The budget of the task is used up.', trouble: known };
  return { why: `Claude Code gave up (${read.terminal_reason ?? read.subtype}).`, trouble: known };
}

/**
 * The connection broke off when a part of an answer was there already, as when the runner is killed and back. From then on the program does
 * not ask again, as it does before, but ends its turn with these words (Claude Code 2.1).
 */
export function wasCutOff({ is_error, result }: Result): boolean {
  return is_error && /^API Error: Connection closed mid-response/.test(result?.trim() ?? '');
}

function kindOf({ subtype, result, api_error_status: status }: Result): AgentTrouble | undefined {
  if (subtype === 'error_max_budget_usd') return 'budget';
  // The program's own words for a conversation that it could not shorten, whatever the server has answered.
  if (result?.startsWith('Prompt is too long') === true) return 'context_overflow';
  return status == null ? undefined : troubleOfStatus(status);
}
