import { z } from 'zod';
import { agentModeSchema, effortSchema } from '../../src/contracts/agent.ts';
import { agentTroubleSchema } from '../../src/contracts/agent-trouble.ts';

/** A call, question or plan that waits for people. */
const pendingSchema = z.object({
  kind: z.enum(['command', 'change', 'question', 'plan']),
  /** Of the program's request; null: it asks by ending its turn, as with plans. */
  request: z.union([z.string(), z.number()]).nullable(),
  thread: z.string(),
  turn: z.string(),
  /** For people and for the agent: what it is about, as the beginning of a sentence. */
  about: z.string(),
  /** The same for the same call, whatever the program names it. */
  same: z.string(),
});
export type Pending = z.infer<typeof pendingSchema>;

const verdictSchema = z.object({
  verdict: z.enum(['allow', 'deny']),
  reason: z.string().optional(),
  mode: agentModeSchema.optional(),
  answers: z.record(z.string(), z.array(z.string())).optional(),
});
export type Verdict = z.infer<typeof verdictSchema>;

/** What is to be said to the agent: by a person, or (`message` null) about a decision. */
const saidSchema = z.object({ message: z.string().nullable(), text: z.string() });
export type Said = z.infer<typeof saidSchema>;

export const codexStateSchema = z.object({
  /** The program's name for the conversation. */
  thread: z.string().nullable(),
  version: z.string().nullable(),
  model: z.string().nullable(),
  effort: effortSchema.nullable(),
  mode: agentModeSchema,
  /** The first turn was begun; before, the thread is opened, and decisions are waited for. */
  begun: z.boolean(),
  /** The turn of the program that is under way. */
  turn: z.string().nullable(),
  /** It was asked to begin one, and has not yet. */
  starting: z.boolean(),
  /** What our requests without an answer are for, by their number. */
  asked: z.record(
    z.string(),
    z.discriminatedUnion('what', [
      z.object({ what: z.enum(['thread', 'resume', 'turn', 'other']) }),
      /** The reason of a refusal is on its way to the agent; the refusal itself follows. */
      z.object({ what: z.literal('reason'), pending: pendingSchema }),
    ]),
  ),
  count: z.number(),
  pending: z.record(z.string(), pendingSchema),
  /** Asks of a process that has ended, to be told when all of them are decided. */
  parked: z.array(pendingSchema.extend({ ask: z.string(), decided: verdictSchema.nullable(), early: z.boolean() })),
  parking: z.boolean(),
  /** Changes of files as they were announced, by item. */
  changes: z.record(
    z.string(),
    z.array(z.object({ path: z.string(), kind: z.string(), to: z.string().nullable(), diff: z.string() })),
  ),
  /** Calls without an end yet. */
  calls: z.array(z.string()),
  /** Threads of sub-agents: the call that began them. */
  parents: z.record(z.string(), z.string()),
  /** Pieces of text that are coming in: what of them was not given yet. */
  parts: z.record(z.string(), z.string()),
  /** The plan of the turn. */
  plan: z.string().nullable(),
  /** What waits for the next step. */
  held: z.array(saidSchema),
  /** What the program has and has not begun to read, by the name we gave it. */
  sent: z.record(z.string(), z.array(saidSchema)),
  /** An interruption is under way: the end of the program's turn is not ours. */
  interrupted: z.boolean(),
  end: z
    .discriminatedUnion('end', [
      z.object({ end: z.literal('done') }),
      z.object({ end: z.literal('parked') }),
      z.object({ end: z.literal('failed'), why: z.string(), trouble: agentTroubleSchema.optional() }),
    ])
    .nullable(),
  complaint: z.string(),
});
export type CodexState = z.infer<typeof codexStateSchema>;
