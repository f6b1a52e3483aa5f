import { z } from 'zod';

/** Columns of the board. `src/tasks/task-state.ts` says which moves are possible. */
export const taskColumnSchema = z.enum(['backlog', 'queued', 'running', 'blocked', 'review', 'done', 'cancelled']);
export type TaskColumn = z.infer<typeof taskColumnSchema>;

export const runStateSchema = z.enum([
  'queued',
  'preparing',
  'planning',
  'awaiting',
  'executing',
  'finishing',
  'succeeded',
  'failed',
  'cancelled',
  'timed_out',
  'interrupted',
]);
export type RunState = z.infer<typeof runStateSchema>;

export const runOutcomeSchema = z.enum(['succeeded', 'failed', 'cancelled', 'timed_out', 'interrupted']);
/** The five states a run ends in; it reaches exactly one, once. */
export type RunOutcome = z.infer<typeof runOutcomeSchema>;

export function isTerminal(state: RunState): state is RunOutcome {
  return runOutcomeSchema.safeParse(state).success;
}

export const interactionStateSchema = z.enum(['pending', 'approved', 'denied', 'answered', 'expired', 'superseded', 'cancelled']);
export type InteractionState = z.infer<typeof interactionStateSchema>;

/**
 * Which of several ways to say yes or no was taken. `once`, `task`: a call is approved, also in future for this task. `implement`,
 * `implement_ask`: a plan is to be carried out, as it is or asking before every step. `revise`: it is to be changed first. `no`.
 */
export const decisionChoiceSchema = z.enum(['once', 'task', 'implement', 'implement_ask', 'revise', 'answer', 'raise', 'no']);
export type DecisionChoice = z.infer<typeof decisionChoiceSchema>;

/**
 * Why a run ended other than well. A closed list: each has its own text and remedy on the card.
 *
 * - of an agent: `agent` (it, or the model, gave up)
 * - of the command: `exit_code`, `signal`, `timed_out`, `output_limit`, `memory_limit`, `disk_limit`
 * - of a person: `stopped`, `denied`, `expired`, `no_approver`
 * - of the project: `repository_unreachable`, `repository_invalid`, `base_missing`, `conflict`
 * - of the machine: `sandbox_unavailable`, `sandbox_lost`, `image_missing`, `runner_lost`, `result_invalid`, `internal`
 */
export const runCauseSchema = z.enum([
  'exit_code',
  'signal',
  'timed_out',
  'output_limit',
  'memory_limit',
  'disk_limit',
  'agent',
  'stopped',
  'denied',
  'expired',
  'no_approver',
  'repository_unreachable',
  'repository_invalid',
  'base_missing',
  'conflict',
  'sandbox_unavailable',
  'sandbox_lost',
  'image_missing',
  'runner_lost',
  'result_invalid',
  'internal',
]);
export type RunCause = z.infer<typeof runCauseSchema>;
