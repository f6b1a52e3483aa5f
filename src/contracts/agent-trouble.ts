import { z } from 'zod';
import type { ErrorCode } from './errors.ts';

/**
 * What kind of trouble ended the turn of an agent, as its harness knows it from the protocols it speaks: never guessed from words.
 *
 * - `key_refused`: the server of the model does not accept the key, or there is none
 * - `rate_limited`, `overloaded`, `unreachable`: it allows no more for now, has no room, or does not answer
 * - `context_overflow`: the conversation does not fit the model
 * - `malformed`: it does not understand the request, or gave an answer that makes no sense
 * - `no_model`: it has no such model
 * - `budget`, `unpriced`: the task may cost no more, or what its model costs cannot be counted against its budget
 * - `quota`: a quota of its workspace, channel, project or person is used up
 */
export const agentTroubleSchema = z.enum([
  'key_refused',
  'rate_limited',
  'overloaded',
  'unreachable',
  'context_overflow',
  'malformed',
  'no_model',
  'budget',
  'unpriced',
  'quota',
]);
export type AgentTrouble = z.infer<typeof agentTroubleSchema>;

/** What people are told to do about it. What is not known has the code of an agent that gave up. */
export const troubleCodes: Readonly<Record<AgentTrouble, ErrorCode>> = {
  key_refused: 'DH-309',
  rate_limited: 'DH-310',
  overloaded: 'DH-310',
  unreachable: 'DH-310',
  context_overflow: 'DH-311',
  malformed: 'DH-308',
  no_model: 'DH-314',
  budget: 'DH-312',
  unpriced: 'DH-313',
  quota: 'DH-317',
};
