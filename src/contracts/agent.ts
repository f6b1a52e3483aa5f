import { z } from 'zod';
import { givenFileSchema } from './given-file.ts';

/** What does the thinking inside a run of an agent task. `shell` runs need none of it: they are tasks of kind `command`. */
export const agentKinds = ['claude', 'claude-code', 'codex'] as const;
export const agentKindSchema = z.enum(agentKinds);
export type AgentKind = z.infer<typeof agentKindSchema>;

/**
 * How much an agent may do without asking. Every harness maps these to its own words; what it cannot do is not offered.
 *
 * - `ask`: reading runs, everything else asks
 * - `acceptEdits`: changes of files in the working copy run too, commands follow the project's policy
 * - `auto`: as `acceptEdits`, and whatever the project's policy lets a command do without asking
 * - `plan`: only reading; ends in a plan that people approve
 * - `bypass`: nothing asks, except what the policy denies. For maintainers, and only in an isolated sandbox
 */
export const agentModeSchema = z.enum(['auto', 'ask', 'acceptEdits', 'plan', 'bypass']);
export type AgentMode = z.infer<typeof agentModeSchema>;

export const effortSchema = z.enum(['low', 'medium', 'high', 'max']);
export type Effort = z.infer<typeof effortSchema>;

/** What an agent task works with. Null: whatever the account or the harness has as its default. */
export const agentSettingsSchema = z.object({
  agent: agentKindSchema,
  mode: agentModeSchema,
  model: z.string().max(100).nullable(),
  effort: effortSchema.nullable(),
  /** Name of a harness account; null: the one made of the configuration's variables. */
  account: z.string().nullable(),
});
export type AgentSettings = z.infer<typeof agentSettingsSchema>;

/** What agent tasks of a project begin with, where the request says nothing else. */
export const agentDefaultsSchema = agentSettingsSchema.extend({
  /** US dollars that a task may cost before people are asked; null: no limit. */
  budgetUsd: z.number().nonnegative().nullable(),
  /** Where programs in the sandboxes of its agents may fetch from: entries of `contracts/hosts.ts`. */
  hosts: z.array(z.string()).default([]),
});
export type AgentDefaults = z.infer<typeof agentDefaultsSchema>;
export const defaultAgentDefaults: AgentDefaults = {
  agent: 'claude',
  mode: 'auto',
  model: null,
  effort: null,
  account: null,
  budgetUsd: null,
  hosts: [],
};

/** An agent as a runner has it: whether it can work there, and what it can do. What it cannot is not offered to people. */
export const agentOfferSchema = z.object({
  agent: agentKindSchema,
  available: z.boolean(),
  /** Why it is not, and what to do: sentences for people. Null when it is. */
  why: z.string().nullable(),
  remedy: z.string().nullable(),
  /** Of its program; null: it has none of its own, or it is not known. */
  version: z.string().nullable(),
  /** Which model server, and by which variable it was named. Never a secret. */
  account: z.string().nullable(),
  /** What it needs to run is there, whether or not a model server is configured: an account can bring one. */
  installed: z.boolean().optional(),
  modes: z.array(agentModeSchema),
  efforts: z.array(effortSchema),
  /**
   * Models that it can be given; absent: not known. `server`: all that its server lists; `prices`: the ones with a known price, others are
   * possible. `usual`: what it takes when none is named; null: its own choice.
   */
  models: z.object({ names: z.array(z.string()), from: z.enum(['server', 'prices']), usual: z.string().nullable() }).optional(),
  /** What can change while it runs. */
  changes: z.object({ mode: z.boolean(), model: z.boolean(), effort: z.boolean() }),
  /** How it takes what people say while it works. */
  steering: z.object({ next: z.boolean(), now: z.boolean() }),
});
export type AgentOffer = z.infer<typeof agentOfferSchema>;

/** One question with its choices, as agents ask them. */
export const questionSchema = z.object({
  /** Unique among the questions of the ask. */
  id: z.string(),
  header: z.string(),
  text: z.string(),
  options: z.array(z.object({ label: z.string(), description: z.string().optional() })),
  /** Several options may be chosen. */
  multiple: z.boolean(),
  /** An answer in own words is possible. */
  free: z.boolean(),
});
export type Question = z.infer<typeof questionSchema>;

/** A file a tool call is about. Paths are relative to the working copy where they are in it, else absolute. */
export const touchedFileSchema = z.object({
  path: z.string(),
  change: z.enum(['read', 'create', 'edit', 'delete']),
  /** Unified diff, or the new content, as the agent announced it. Shown, never applied by us. */
  diff: z.string().optional(),
});

/** A call of a tool as the agent announced it, before it is made. */
export const toolCallSchema = z.object({
  /** Name in the harness: `Bash`, `Edit`, `apply_patch` … */
  tool: z.string(),
  /** One line for people: `Bash: npm test`, `Edit src/session.ts`. */
  title: z.string(),
  /** Exactly what the agent would do, as canonical JSON: what is approved is what runs. */
  input: z.string(),
  /** The command line, where the tool runs one through a shell: judged like any command. */
  command: z.string().optional(),
  files: z.array(touchedFileSchema).optional(),
  /** It only looks: reading in the working copy, searching, listing. Said by the harness from the tool's nature, never by the model. */
  readOnly: z.boolean(),
});
export type ToolCall = z.infer<typeof toolCallSchema>;

/**
 * Something a harness wants to know before it goes on. Every one is answered by exactly one mail `decision`, also when the policy
 * knows the answer at once; until then the agent waits.
 */
export const askSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('tool'), ask: z.string().max(200), call: toolCallSchema, because: z.string().optional() }),
  z.object({ type: z.literal('plan'), ask: z.string().max(200), text: z.string() }),
  z.object({ type: z.literal('question'), ask: z.string().max(200), questions: z.array(questionSchema).min(1) }),
]);
/** `ask` names it within its run, as the harness does: its request id. */
export type Ask = z.infer<typeof askSchema>;

/** What the engine or people send into a running turn. Numbered per run; a harness reads each once, in order. */
export const mailSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('decision'),
    ask: z.string(),
    verdict: z.enum(['allow', 'deny']),
    /** For the agent, as a sentence: why not, or by whom. */
    reason: z.string().optional(),
    /** A plan is to be carried out in this mode. */
    mode: agentModeSchema.optional(),
    /** Answers to questions by id; the labels chosen, or own words. */
    answers: z.record(z.string(), z.array(z.string())).optional(),
  }),
  /** A person says something. `next`: read at the next step; `now`: interrupts; `btw`: a side question that changes nothing. */
  z.object({
    type: z.literal('message'),
    message: z.string(),
    by: z.string(),
    text: z.string(),
    when: z.enum(['next', 'now', 'btw']),
    /** Files that came with it, or with one before it: they are put into the sandbox before it is read. */
    files: z.array(givenFileSchema).optional(),
  }),
  /** A message was edited or deleted. Means nothing once the agent has read it. */
  z.object({ type: z.literal('message_changed'), message: z.string(), text: z.string().nullable() }),
  z.object({
    type: z.literal('settings'),
    mode: agentModeSchema.optional(),
    model: z.string().optional(),
    effort: effortSchema.optional(),
  }),
]);
export type Mail = z.infer<typeof mailSchema>;
export interface NumberedMail {
  /** 1, 2, 3 … of its run. */
  seq: number;
  mail: Mail;
}

/** A line for the stdin of the main process, the end of it, or a signal. Numbered when it is stored. */
export const processInputSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('line'), line: z.string() }),
  z.object({ type: z.literal('end') }),
  z.object({ type: z.literal('signal'), signal: z.enum(['SIGINT', 'SIGTERM']) }),
]);
export type ProcessInput = z.infer<typeof processInputSchema>;
export interface NumberedInput {
  /** 1, 2, 3 … of its run. */
  seq: number;
  input: ProcessInput;
}

/** What one request to a model used. Tokens; `costUsd` null where the price of the model is not known. */
export const usageSchema = z.object({
  model: z.string(),
  input: z.number().int().nonnegative(),
  output: z.number().int().nonnegative(),
  cacheRead: z.number().int().nonnegative(),
  cacheWrite: z.number().int().nonnegative(),
  costUsd: z.number().nonnegative().nullable(),
  /** To the first byte of the answer. */
  firstByteMs: z.number().int().nonnegative().nullable(),
});
export type Usage = z.infer<typeof usageSchema>;
