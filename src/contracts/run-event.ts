import { z } from 'zod';
import { agentKindSchema, agentModeSchema, effortSchema, usageSchema } from './agent.ts';
import { agentTroubleSchema } from './agent-trouble.ts';
import { ownershipSchema } from './approvers.ts';
import { baseStateSchema } from './base-look.ts';
import { pullFactsSchema } from './code-host.ts';
import { decisionEvents } from './decision-events.ts';
import { estimateSchema } from './estimate.ts';
import { publicationStateSchema, publishWhatSchema } from './publication.ts';
import { pullNewsSchema } from './pull-news.ts';
import { runCauseSchema, runOutcomeSchema, runStateSchema } from './states.ts';

/**
 * The facts of a run. Append-only, numbered from 1 without gaps per run, redacted before they are stored. Cards, console, SSE
 * and tests are all readers of this log by offset.
 */
export const streamSchema = z.enum(['stdout', 'stderr']);
export type OutputStream = z.infer<typeof streamSchema>;

/** Position in the raw (unredacted) output of the sandbox, in bytes per stream. */
export const outputCursorSchema = z.object({ stdout: z.number().int().nonnegative(), stderr: z.number().int().nonnegative() });
export type OutputCursor = z.infer<typeof outputCursorSchema>;

/** What a path can be in git, besides a plain file that cannot be executed. */
const fileKindSchema = z.enum(['file', 'executable', 'symlink', 'submodule']);
export type FileKind = z.infer<typeof fileKindSchema>;

const natural = z.number().int().nonnegative();

export const fileStatSchema = z.object({
  path: z.string(),
  /** Lines; null for a binary file. */
  added: z.number().int().nonnegative().nullable(),
  removed: z.number().int().nonnegative().nullable(),
  /** Absent: its content was changed. */
  status: z.enum(['added', 'deleted', 'renamed', 'copied', 'type_changed']).optional(),
  /** Of a renamed or copied file: what it is made from. */
  from: z.string().optional(),
  /** Absent for a plain file that was or stays one; `before` is absent where there was none, `after` where there is none. */
  kinds: z.object({ before: fileKindSchema.optional(), after: fileKindSchema.optional() }).optional(),
  /** Sizes of a binary file, and of others from a megabyte on. */
  bytes: z.object({ before: natural.optional(), after: natural.optional() }).optional(),
});
export type FileStat = z.infer<typeof fileStatSchema>;

/**
 * What is to be looked at twice in a change, the most worrying first. `history`: secrets in commits on the way to it. `link`: a link out of the repository. `automation`: what runs by itself where the code is checked
 * out (hooks, editors), or tells agents what to do. `executable`: a file became one.
 */
export const riskKinds = [
  'secret',
  'history',
  'link',
  'automation',
  'ci',
  'submodule',
  'executable',
  'migration',
  'lockfile',
  'container',
  'deletion',
  'large',
  'binary',
] as const;
const riskKindSchema = z.enum(riskKinds);
export type RiskKind = z.infer<typeof riskKindSchema>;

/** `paths`: the first of them; `files`: how many there are. */
export const riskSchema = z.object({
  kind: riskKindSchema,
  paths: z.array(z.string()).min(1),
  files: z.number().int().positive(),
});
export type Risk = z.infer<typeof riskSchema>;

export const artifactRefSchema = z.object({
  id: z.string(),
  name: z.string(),
  /** `given`: what people gave the agent; `file`: something the agent made for people; `picture`: of the patch; `check`: output of the project's check; `session`: what continues the agent's session, never shown. */
  kind: z.enum(['log', 'patch', 'picture', 'check', 'file', 'given', 'session']),
  bytes: z.number().int().nonnegative(),
});
export type ArtifactRef = z.infer<typeof artifactRefSchema>;

/**
 * How the project's check command went over the change of a run. `not_run`: it could not be run or was stopped; `summary` says why. Else
 * `summary` is what its test runner counts, `214 passed, 1 failed`; absent: it is not known. `output`: the last of what it wrote, where it has
 * not passed.
 */
export const checkResultSchema = z.object({
  command: z.string(),
  outcome: z.enum(['passed', 'failed', 'timed_out', 'not_run']),
  exitCode: z.number().int().optional(),
  durationMs: z.number().int().nonnegative(),
  summary: z.string().optional(),
  output: z.string().optional(),
  log: artifactRefSchema.optional(),
});
export type CheckResult = z.infer<typeof checkResultSchema>;

/** How much was changed; lines of text files. */
const totalsSchema = z.object({ files: natural, added: natural, removed: natural });

export const runResultSchema = z.object({
  outcome: runOutcomeSchema,
  cause: runCauseSchema.optional(),
  /** Of cause `agent`: which kind of trouble; absent: none that is known. */
  trouble: agentTroubleSchema.optional(),
  /** One sentence for people: what happened. */
  message: z.string(),
  exitCode: z.number().int().optional(),
  signal: z.string().optional(),
  durationMs: z.number().int().nonnegative(),
  peakMemoryBytes: z.number().int().nonnegative().optional(),
  /** What the command changed could not be taken over, whatever became of the command. */
  uncollected: z.literal(true).optional(),
  /** Set when the command changed files: the commit on the task's branch in the clean mirror, and its tree. */
  commit: z.string().optional(),
  tree: z.string().optional(),
  /** Name of the repository at the code host, `acme/web`: pull requests can be opened there. */
  repository: z.string().optional(),
  /** Where the change begins from now on: of a run that has put it on a newer commit of its base branch. */
  base: z.object({ branch: z.string(), commit: z.string() }).optional(),
  /** The branch that the change belongs to from now on: of a run that undoes a merge. */
  branch: z.string().optional(),
  /** Of cause `conflict`: the files that conflict with the base branch, the first of them. */
  conflicts: z.array(z.string()).optional(),
  files: z.array(fileStatSchema),
  /** Of all changed files, where `files` lists only the first of them. Lines of text files. */
  totals: totalsSchema.optional(),
  /** Gravest first; absent when there are none. */
  risks: z.array(riskSchema).optional(),
  /** What CODEOWNERS of the commit that the change begins at says about its files; absent: nobody has looked. */
  ownership: ownershipSchema.optional(),
  /** Absent: the project has no check, or there was nothing to check. */
  check: checkResultSchema.optional(),
  artifacts: z.array(artifactRefSchema),
});
export type RunResult = z.infer<typeof runResultSchema>;

/** How much a run has changed in all. */
export function totalsOf({ files, totals }: Pick<RunResult, 'files' | 'totals'>): NonNullable<RunResult['totals']> {
  if (totals !== undefined) return totals;
  const sum = (pick: (file: FileStat) => number | null) => files.reduce((total, file) => total + (pick(file) ?? 0), 0);
  return { files: files.length, added: sum(({ added }) => added), removed: sum(({ removed }) => removed) };
}

/** One of several attempts, as people compare them. */
export const comparedAttemptSchema = z.object({
  run: z.string(),
  /** Its number among them. */
  variant: z.number().int().positive(),
  agent: agentKindSchema,
  model: z.string().nullable(),
  outcome: runOutcomeSchema,
  durationMs: z.number().int().nonnegative(),
  costUsd: z.number().nonnegative(),
  /** Absent: it has changed nothing. */
  totals: totalsSchema.optional(),
  check: checkResultSchema.pick({ outcome: true, summary: true }).optional(),
  risks: z.array(riskKindSchema).optional(),
});
export type ComparedAttempt = z.infer<typeof comparedAttemptSchema>;

export const runEventDataSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('lifecycle'), from: runStateSchema.nullable(), to: runStateSchema, reason: z.string().optional() }),
  /** A step a person would name: "fetching the repository". */
  z.object({
    type: z.literal('stage'),
    stage: z.enum(['repository', 'workspace', 'sandbox', 'command', 'agent', 'results', 'checks']),
    detail: z.string(),
  }),
  /** Output of the command. `from`/`to` are raw byte positions; `text` is decoded (invalid bytes as U+FFFD) and redacted. */
  z.object({
    type: z.literal('output'),
    stream: streamSchema,
    from: z.number().int().nonnegative(),
    to: z.number().int().nonnegative(),
    text: z.string(),
  }),
  ...decisionEvents,
  z.object({
    type: z.literal('sandbox'),
    kind: z.enum(['docker', 'local']),
    isolated: z.boolean(),
    ref: z.string(),
    image: z.string().optional(),
  }),
  z.object({ type: z.literal('git'), branch: z.string(), baseBranch: z.string(), baseCommit: z.string() }),
  /** Which agent works, and how; again whenever that changes. */
  z.object({
    type: z.literal('agent'),
    agent: agentKindSchema,
    version: z.string().optional(),
    model: z.string().nullable(),
    mode: agentModeSchema,
    effort: effortSchema.nullable(),
    /** Name of its account; absent: what the runner is configured with, or said before. */
    account: z.string().optional(),
    /** What the task will probably use; absent: nobody knows, or said before. */
    estimate: estimateSchema.optional(),
  }),
  /**
   * What of the thread the agent is given besides the request; again whenever that changes. Of the messages: how many are of guests, of
   * people from outside, of bots. `coming`: files that are being fetched; `missing`: those that could not be.
   */
  z.object({
    type: z.literal('context'),
    messages: z.number().int().nonnegative(),
    files: z.number().int().nonnegative(),
    guests: z.number().int().nonnegative().optional(),
    externals: z.number().int().nonnegative().optional(),
    bots: z.number().int().nonnegative().optional(),
    coming: z.number().int().nonnegative().optional(),
    missing: z.number().int().nonnegative().optional(),
  }),
  /**
   * A piece of what the agent says (`thinking`: to itself). Pieces of one `part` follow on from one another; `final` ends the part.
   * `parent`: the tool call of the sub-agent that says it.
   */
  z.object({
    type: z.enum(['assistant', 'thinking']),
    part: z.string(),
    text: z.string(),
    final: z.boolean(),
    parent: z.string().optional(),
  }),
  /** A tool is called. `title` is one line for people, `detail` what they may want to read: the command, the diff. */
  z.object({
    type: z.literal('tool'),
    id: z.string(),
    tool: z.string(),
    title: z.string(),
    detail: z.string().optional(),
    parent: z.string().optional(),
  }),
  /** The call is over. `summary`: one line; `detail`: what came out, at most 16 KiB of it. */
  z.object({
    type: z.literal('tool_ended'),
    id: z.string(),
    ok: z.boolean(),
    summary: z.string(),
    detail: z.string().optional(),
  }),
  /** The agent's list of steps, whole. */
  z.object({
    type: z.literal('checklist'),
    items: z.array(z.object({ state: z.enum(['done', 'active', 'open', 'failed', 'skipped']), text: z.string() })),
  }),
  /** A request to a model has been answered. `request` names it, so that it is counted once. */
  usageSchema.extend({ type: z.literal('usage'), request: z.string().optional() }),
  /** A person said something to the running agent; later the agent has read it, or it was dropped before. */
  z.object({
    type: z.literal('message'),
    message: z.string(),
    by: z.string(),
    text: z.string(),
    when: z.enum(['next', 'now', 'btw']),
  }),
  z.object({ type: z.literal('message_settled'), message: z.string(), how: z.enum(['read', 'dropped']) }),
  /** The answer to a side question. */
  z.object({ type: z.literal('aside'), message: z.string(), text: z.string() }),
  /**
   * An entry of the conversation with a model, as the loop that runs outside of the sandbox needs it to go on: JSON of its own making, as text. Not
   * for people.
   */
  z.object({ type: z.literal('conversation'), entry: z.string() }),
  /** The agent's own name for the conversation it can continue. */
  z.object({ type: z.literal('session'), session: z.string() }),
  z.object({ type: z.literal('note'), level: z.enum(['info', 'warning']), text: z.string() }),
  z.object({ type: z.literal('terminal'), result: runResultSchema }),
  // What becomes of the change once the run is over: these come after `terminal`.
  /**
   * How far a change has been brought out. `problem`: why not, or, with `retryAt`, why not yet, as sentences for people with the code of the
   * error at the end. `url`: where people see the branch.
   */
  z.object({
    type: z.literal('publication'),
    publication: z.string(),
    what: publishWhatSchema,
    state: publicationStateSchema,
    branch: z.string(),
    commit: z.string(),
    url: z.string().optional(),
    problem: z.string().optional(),
    retryAt: z.iso.datetime().optional(),
  }),
  /** A pull request of the task, as it is now. `repository`: `acme/web`. `news`: what the thread is told; absent: nothing. */
  z.object({
    type: z.literal('pull_request'),
    repository: z.string(),
    pull: pullFactsSchema,
    news: z.array(pullNewsSchema).optional(),
    /** Its branch has gone on to the change of a later run, which is told of it from here on. */
    moved: z.literal(true).optional(),
    /** It is over, and Deckhand has deleted its branch, or found it gone. */
    branchDeleted: z.literal(true).optional(),
  }),
  /** How the change stands to the newest commit of its base branch, when that is news. `files`: those that conflict. */
  z.object({
    type: z.literal('base'),
    branch: z.string(),
    commit: z.string(),
    state: baseStateSchema,
    files: z.array(z.string()).optional(),
  }),
  /** Somebody does not want the change, or any of the attempts that are compared. It is kept for a while all the same. */
  z.object({ type: z.literal('discarded') }),
  /** In the log of the first of several attempts: all have ended, and this is what people choose from. */
  z.object({ type: z.literal('compared'), attempts: z.array(comparedAttemptSchema) }),
  /** In the log of each of them: somebody has chosen one. */
  z.object({ type: z.literal('chosen'), run: z.string(), variant: z.number().int().positive() }),
]);
export type RunEventData = z.infer<typeof runEventDataSchema>;
export type RunEventType = RunEventData['type'];

/** Who caused an event. */
export const actorSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('user'), user: z.string(), name: z.string() }),
  z.object({ type: z.literal('system'), part: z.enum(['gateway', 'runner', 'watchdog']) }),
]);
export type Actor = z.infer<typeof actorSchema>;

export interface RunEvent {
  run: string;
  /** 1, 2, 3 …; without gaps while the log is kept whole. */
  seq: number;
  at: Date;
  actor: Actor;
  data: RunEventData;
  /** Of an old run: events before this one may not be kept any more. */
  gaps?: true | undefined;
}

/**
 * The log of runs. Implementations pass tests/contracts/event-log-contract.ts.
 *
 * - `read`: events with `seq > after`, in order, at most `limit` (default 1,000).
 * - `tail`: the same, then waits for more; ends after the `terminal` event or when the signal aborts. Wake-ups may be lost:
 *   it polls too, so a lost one costs latency, never data.
 */
export interface EventLog {
  read(run: string, after: number, limit?: number): Promise<RunEvent[]>;
  tail(run: string, after: number, signal: AbortSignal): AsyncIterable<RunEvent>;
}
