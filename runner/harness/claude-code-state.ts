import { z } from 'zod';
import { agentModeSchema } from '../../src/contracts/agent.ts';
import { agentTroubleSchema } from '../../src/contracts/agent-trouble.ts';

const pendingSchema = z.object({
  /** Of the control request that waits for the answer. */
  request: z.string(),
  by: z.enum(['hook', 'permission']),
  tool: z.string(),
  input: z.record(z.string(), z.unknown()),
});

const messageSchema = z.object({ message: z.string(), by: z.string(), text: z.string() });

export const claudeStateSchema = z.object({
  session: z.string().nullable(),
  mode: agentModeSchema,
  /** The message of the model that is coming in, and the piece of it that is: what of it was not given yet. */
  part: z
    .object({ message: z.string(), index: z.number(), kind: z.enum(['assistant', 'thinking']), held: z.string() })
    .nullable(),
  /** Asks that wait, by the id of the tool call. */
  pending: z.record(z.string(), pendingSchema),
  /** Calls that were allowed; a plan asks a second time, as a permission. */
  allowed: z.record(z.string(), z.string().nullable()),
  /** Calls without a result yet: name of the tool. */
  calls: z.record(z.string(), z.string()),
  steps: z.array(z.object({ id: z.string(), call: z.string(), text: z.string(), state: z.enum(['open', 'active', 'done']) })),
  /** Messages of people that wait for the next step. */
  held: z.array(messageSchema),
  /** Messages that the program has and has not begun to read, by the id we gave them. */
  sent: z.record(z.string(), z.string()),
  /** An interruption is under way: the result that follows is not the end. */
  interrupted: z.boolean(),
  parking: z.boolean(),
  end: z
    .discriminatedUnion('end', [
      z.object({ end: z.literal('done') }),
      z.object({ end: z.literal('parked') }),
      z.object({ end: z.literal('failed'), why: z.string(), trouble: agentTroubleSchema.optional() }),
    ])
    .nullable(),
  /** How often the program gave up in the middle of an answer and was told to go on. */
  cutOff: z.number().default(0),
  /** Numbers the requests we make. */
  asked: z.number(),
  complaint: z.string(),
});
export type ClaudeState = z.infer<typeof claudeStateSchema>;

/** The record without one entry. */
export function omit<T>(record: Readonly<Record<string, T>>, key: string): Record<string, T> {
  const { [key]: _, ...rest } = record;
  return rest;
}
