import { z } from 'zod';
import { roleSchema } from './roles.ts';

/** What a run tells of requests for a decision: part of the union in run-event.ts. */
export const decisionEvents = [
  z.object({
    type: z.literal('interaction_opened'),
    interaction: z.string(),
    kind: z.enum(['approval', 'plan', 'question', 'spend', 'publish']),
  }),
  /** The approvers have been reminded; the reminder is a message of its own. */
  z.object({ type: z.literal('interaction_reminded'), interaction: z.string() }),
  /** Nobody has decided for so long that people with this role are asked besides, in a message of its own. */
  z.object({ type: z.literal('interaction_escalated'), interaction: z.string(), to: roleSchema }),
  /** The actor has said yes, and more people must: `given` of `needed`. */
  z.object({
    type: z.literal('interaction_approved'),
    interaction: z.string(),
    given: z.number().int().min(1),
    needed: z.number().int().min(2),
  }),
  z.object({
    type: z.literal('interaction_decided'),
    interaction: z.string(),
    state: z.enum(['approved', 'denied', 'answered', 'expired', 'superseded', 'cancelled']),
    reason: z.string().optional(),
  }),
] as const;
