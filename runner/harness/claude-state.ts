import { z } from 'zod';
import { agentModeSchema, effortSchema } from '../../src/contracts/agent.ts';
import { agentTroubleSchema } from '../../src/contracts/agent-trouble.ts';

/** What the built-in loop stores besides its conversation. */
export const claudeLoopStateSchema = z.object({
  mode: agentModeSchema,
  model: z.string(),
  effort: effortSchema.nullable(),
  /** Calls of the last message of the model that are decided: what to do with them, or what came of them. */
  calls: z.record(
    z.string(),
    z.discriminatedUnion('is', [
      z.object({ is: z.literal('asked') }),
      z.object({
        is: z.literal('decided'),
        allowed: z.boolean(),
        reason: z.string().optional(),
        answers: z.record(z.string(), z.array(z.string())).optional(),
      }),
      /** About to be carried out: after a crash nobody knows how far it came. */
      z.object({ is: z.literal('begun') }),
      z.object({ is: z.literal('over'), ok: z.boolean(), text: z.string() }),
    ]),
  ),
  /** What people have said and the model has not read. */
  held: z.array(z.object({ message: z.string(), by: z.string(), text: z.string(), pictures: z.array(z.string()).optional() })),
  end: z
    .discriminatedUnion('end', [
      z.object({ end: z.literal('done') }),
      z.object({ end: z.literal('failed'), why: z.string(), trouble: agentTroubleSchema.optional() }),
    ])
    .nullable(),
});
export type ClaudeLoopState = z.infer<typeof claudeLoopStateSchema>;
