import { z } from 'zod';
import { agentKindSchema, questionSchema, toolCallSchema } from './agent.ts';
import { type Approvers, approversSchema } from './approvers.ts';
import { demandSchema, maxDemands } from './demands.ts';
import { platformSchema } from './platform.ts';
import { publishWhatSchema } from './publication.ts';
import { measureSchema } from './quotas.ts';
import { roleSchema } from './roles.ts';
import { decisionChoiceSchema } from './states.ts';

/**
 * What of a project may run without asking. `safe`: read-only commands run, the rest asks. `ask`: everything asks. `custom`:
 * patterns decide, what none matches asks. `yolo`: everything runs.
 *
 * A pattern matches one simple command as a shell would see it, word by word: `npm test`, `git status *` (`*` alone as the last
 * word: any further words; inside a word: any characters of that word). Deny wins over allow. A command line runs without
 * asking only when each simple command in it is allowed and nothing in it escapes the analysis.
 */
export const policySchema = z.object({
  mode: z.enum(['safe', 'ask', 'custom', 'yolo']),
  allow: z.array(z.string()),
  deny: z.array(z.string()),
  approvers: approversSchema,
  /** How long a request for approval waits before it counts as "no". */
  expiresMs: z.number().int().min(1000),
  /** It waits on however long that takes, and `expiresMs` counts for nothing, except where a demand says it. Waiting is never a "yes". */
  waits: z.literal(true).optional(),
  /** When approvers are reminded, counted from the request; none when not below `expiresMs`. */
  remindMs: z.number().int().min(1000),
  /**
   * When nobody has decided for so long, people with at least the role `to` are asked besides and may decide too, also where others are named;
   * absent: never, and never when not below `expiresMs`.
   */
  escalate: z.object({ afterMs: z.number().int().min(1000), to: roleSchema }).optional(),
  /**
   * What runs over every change before people look at it; absent: nothing. Without asking: those who may change the policy have named it. It
   * never gets more time than a command of the project.
   */
  check: z.object({ command: z.string().min(1), timeoutMs: z.number().int().min(1000) }).optional(),
  /** What some actions need besides; absent: nothing. */
  demands: z.array(demandSchema).max(maxDemands).optional(),
});
export type Policy = z.infer<typeof policySchema>;

/** How many different people must say yes. */
export function approvalsNeeded({ count = 1 }: Pick<Approvers, 'count'>): number {
  return count;
}

/** One of several "yes" to a request. */
export const approvalSchema = z.object({
  user: z.string(),
  on: platformSchema,
  at: z.iso.datetime(),
  choice: decisionChoiceSchema,
});
export type Approval = z.infer<typeof approvalSchema>;

export const defaultCheckMs = 10 * 60 * 1000;

/** A project without a stated policy asks for everything (promise 7). */
export const defaultPolicy: Policy = {
  mode: 'ask',
  allow: [],
  deny: [],
  approvers: { role: 'maintainer', people: [], notRequester: false },
  expiresMs: 60 * 60 * 1000,
  remindMs: 10 * 60 * 1000,
};

/**
 * The exact thing a person approves. The hash over its canonical JSON binds the decision to it; every field that changes what
 * happens is in it.
 */
export const commandActionSchema = z.object({
  type: z.literal('command'),
  command: z.string(),
  /** `/workspace` stands for the working copy of the task, wherever the sandbox really keeps it. */
  cwd: z.string(),
  project: z.string(),
  /** Sandbox kind, image and network reach the command will have. */
  sandbox: z.enum(['docker', 'local']),
  image: z.string().nullable(),
  network: z.literal('none').or(z.literal('host')),
  timeoutMs: z.number().int().positive(),
});
export type CommandAction = z.infer<typeof commandActionSchema>;

/** Where an agent works: part of what is approved, as for commands. */
const agentPlace = {
  agent: agentKindSchema,
  project: z.string(),
  cwd: z.string(),
  sandbox: z.enum(['docker', 'local']),
  image: z.string().nullable(),
  network: z.literal('none').or(z.literal('host')),
  /** Hosts that its programs may fetch from all the same, as the project's settings name them; absent: none. */
  hosts: z.array(z.string()).optional(),
};

/**
 * One call of a tool by an agent. `ask` is the agent's own name for the call: an approval is good for this one call. `because`: why it
 * wants to, in its own words: nothing that anybody has checked, and no part of what the call does.
 */
export const toolActionSchema = z.object({
  type: z.literal('tool'),
  ask: z.string(),
  ...agentPlace,
  call: toolCallSchema,
  because: z.string().optional(),
});
export type ToolAction = z.infer<typeof toolActionSchema>;

/** A plan to carry out. */
export const planActionSchema = z.object({ type: z.literal('plan'), ask: z.string(), ...agentPlace, text: z.string() });
export type PlanAction = z.infer<typeof planActionSchema>;

/** Questions of an agent. Answering grants nothing. */
export const questionActionSchema = z.object({
  type: z.literal('question'),
  ask: z.string(),
  ...agentPlace,
  questions: z.array(questionSchema).min(1),
});
export type QuestionAction = z.infer<typeof questionActionSchema>;

/**
 * The task has used up its budget: go on to a higher one? US dollars. With `unpriced`, the name of a model: it has no known price, so it
 * cannot be counted against the budget. Go on with it without a limit?
 */
export const spendActionSchema = z.object({
  type: z.literal('spend'),
  ask: z.string(),
  project: z.string(),
  spentUsd: z.number(),
  budgetUsd: z.number(),
  raisedUsd: z.number(),
  unpriced: z.string().optional(),
});
export type SpendAction = z.infer<typeof spendActionSchema>;

/**
 * A quota that the run counts for is used up: allow more of it until its period is over? `name`: as people read it; `since`: when the period
 * began; `used`, `limit` and `raised` in the unit of the measure; `upTo`: `raised` as
 * people read it; `freeAt`: when the next period begins.
 */
export const quotaActionSchema = z.object({
  type: z.literal('quota'),
  ask: z.string(),
  project: z.string(),
  quota: z.string(),
  name: z.string(),
  measure: measureSchema,
  since: z.iso.datetime(),
  used: z.number(),
  limit: z.number(),
  raised: z.number(),
  upTo: z.string(),
  freeAt: z.iso.datetime(),
});
export type QuotaAction = z.infer<typeof quotaActionSchema>;

/**
 * A change to bring out: exactly this commit, whose tree is this one, to this branch of this repository, and nothing else. `remote`: address
 * without a login, or path of a directory. `base`: the commit that the task began at; `baseBranch`: where a pull request is to be merged.
 */
export const publishActionSchema = z.object({
  type: z.literal('publish'),
  project: z.string(),
  remote: z.string(),
  branch: z.string(),
  baseBranch: z.string(),
  base: z.string(),
  commit: z.string(),
  tree: z.string(),
  what: publishWhatSchema,
});
export type PublishAction = z.infer<typeof publishActionSchema>;

export const actionSchema = z.discriminatedUnion('type', [
  commandActionSchema,
  toolActionSchema,
  planActionSchema,
  questionActionSchema,
  spendActionSchema,
  quotaActionSchema,
  publishActionSchema,
]);
export type Action = z.infer<typeof actionSchema>;
/** What an agent asks for. */
export type AgentAction = ToolAction | PlanAction | QuestionAction;

/** What a policy says about an action. */
export type Verdict =
  | { verdict: 'run'; because: string }
  | { verdict: 'ask'; because: string; risks: string[] }
  | { verdict: 'deny'; because: string };
