import { z } from 'zod';
import { Prisma } from '../../prisma/client/client.ts';
import type { Notify } from '../contracts/notify.ts';
import { type Conversation, type IdentityRef, type Platform, platformSchema } from '../contracts/platform.ts';
import { type Action, type Approval, actionSchema, approvalSchema, type Policy, policySchema } from '../contracts/policy.ts';
import { type RunPurpose, runPurposeSchema } from '../contracts/rebase.ts';
import { actorSchema, type RunEvent, runEventDataSchema } from '../contracts/run-event.ts';
import { type Verbosity, verbositySchema } from '../contracts/settings.ts';
import { type DecisionChoice, decisionChoiceSchema, type InteractionState, interactionStateSchema } from '../contracts/states.ts';
import type { Database, Tx } from './database.ts';
import { notifyOf } from './notify.ts';
import { liveStates } from './runs.ts';
import { type ChangeStand, standsOf } from './task-changes.ts';

type Db = Prisma.TransactionClient;

/** Runs with events that no card shows yet: live ones and `known` ones, or (`all`) any. */
export async function runsBehind(db: Db, which: { known: readonly string[] } | 'all'): Promise<string[]> {
  const filter =
    which === 'all'
      ? Prisma.empty
      : Prisma.sql`AND ("state" IN (${Prisma.join([...liveStates])}) OR "id" = ANY(${[...which.known]}::text[]))`;
  const rows = await db.$queryRaw<{ id: string }[]>(Prisma.sql`
    SELECT "id" FROM "Run" WHERE "lastSeq" > "projectedSeq" ${filter} ORDER BY "id"`);
  return rows.map(({ id }) => id);
}

/** Events of many runs, each after its own number, in order; at most `limit` of each run. */
export async function eventsAfter(
  db: Db,
  wanted: readonly { run: string; after: number }[],
  limit: number,
): Promise<Map<string, RunEvent[]>> {
  const events = new Map<string, RunEvent[]>();
  if (wanted.length === 0) return events;
  const rows = await db.$queryRaw<EventRow[]>(Prisma.sql`
    SELECT e."runId", e."seq", e."at", e."actor", e."data", r."eventsRemovedAt" IS NOT NULL AS gaps
    FROM unnest(${wanted.map(({ run }) => run)}::text[], ${wanted.map(({ after }) => after)}::int[]) AS w("run", "after")
    CROSS JOIN LATERAL (
      SELECT * FROM "RunEvent" WHERE "runId" = w."run" AND "seq" > w."after" ORDER BY "seq" LIMIT ${limit}
    ) AS e
    JOIN "Run" r ON r."id" = e."runId"
    ORDER BY e."runId", e."seq"`);
  for (const { runId, seq, at, actor, data, gaps } of rows) {
    const event: RunEvent = {
      run: runId,
      seq,
      at,
      actor: actorSchema.parse(actor),
      data: runEventDataSchema.parse(data),
      ...(gaps ? { gaps } : {}),
    };
    const known = events.get(runId);
    if (known === undefined) events.set(runId, [event]);
    else known.push(event);
  }
  return events;
}

interface EventRow {
  runId: string;
  seq: number;
  at: Date;
  actor: unknown;
  data: unknown;
  gaps: boolean;
}

/** A run with its task, as cards need it. */
export interface ProjectedRun {
  run: string;
  workspace: string;
  projectedSeq: number;
  attempt: number;
  newest: number;
  /** That one, and when it was asked for. */
  newestRun: { id: string; since: Date };
  /** The run before it, when there is one. */
  previous: string | undefined;
  /** It is one of several attempts that are made side by side. */
  among: { variant: number; of: number } | undefined;
  stopRequested: boolean;
  task: string;
  number: number;
  title: string;
  command: string;
  /** What the agent was asked in this run; undefined: a run of a command. */
  prompt: string | undefined;
  /** An agent works on the task. */
  agent: boolean;
  rebase: RunPurpose | undefined;
  project: string;
  branch: string;
  base: { branch: string; commit: string } | undefined;
  /** Issue of the code host that the task came from, `acme/web#12`. */
  issue: string | undefined;
  requester: { user: string; name: string };
  /** The step of a trace that asked for it; null: none is recorded. */
  traceparent: string | null;
  /** What the task has changed, as it stands. */
  change: ChangeStand | undefined;
}

export async function projectedRuns(db: Db, runs: readonly string[]): Promise<ProjectedRun[]> {
  const rows = await db.run.findMany({
    where: { id: { in: [...runs] } },
    include: {
      task: {
        include: {
          project: { select: { name: true } },
          runs: { select: { id: true, attempt: true, variant: true, queuedAt: true }, orderBy: { attempt: 'asc' } },
        },
      },
    },
  });
  const people = await db.user.findMany({
    where: { id: { in: [...new Set(rows.map(({ requestedById }) => requestedById))] } },
    select: { id: true, name: true, linkedTo: { select: { name: true } } },
  });
  const names = new Map(people.map(({ id, name, linkedTo }) => [id, linkedTo?.name ?? name]));
  const changes = await standsOf(db, [...new Set(rows.map(({ taskId }) => taskId))]);
  return rows.map((row) => {
    const { task } = row;
    return {
      run: row.id,
      workspace: row.workspaceId,
      projectedSeq: row.projectedSeq,
      attempt: row.attempt,
      ...placeAmong(row, task),
      stopRequested: row.stopRequestedAt !== null,
      task: task.id,
      number: task.number,
      title: task.title,
      command: task.command,
      prompt: row.prompt ?? undefined,
      agent: task.kind === 'agent',
      rebase: row.rebase === null ? undefined : runPurposeSchema.parse(row.rebase),
      project: task.project.name,
      branch: task.branch,
      issue: task.issue ?? undefined,
      base:
        task.baseBranch === null || task.baseCommit === null ? undefined : { branch: task.baseBranch, commit: task.baseCommit },
      requester: { user: row.requestedById, name: names.get(row.requestedById) ?? 'somebody' },
      traceparent: row.traceparent,
      change: changes.get(row.taskId),
    };
  });
}

/** Attempts that are made side by side are no later runs of one another; what follows them follows the one that was chosen. */
function placeAmong(
  { id, attempt, variant, queuedAt }: { id: string; attempt: number; variant: number | null; queuedAt: Date },
  task: {
    runs: readonly { id: string; attempt: number; variant: number | null; queuedAt: Date }[];
    attempts: number | null;
    chosenRunId: string | null;
  },
): Pick<ProjectedRun, 'newest' | 'newestRun' | 'previous' | 'among'> {
  const last = task.runs.at(-1);
  const latest = last === undefined || (variant !== null && last.variant !== null) ? { id, attempt, queuedAt } : last;
  const newest = latest.attempt;
  const newestRun = { id: latest.id, since: latest.queuedAt };
  if (variant !== null) return { newest, newestRun, previous: undefined, among: { variant, of: task.attempts ?? variant } };
  const before = task.runs.find((one) => one.attempt === attempt - 1);
  const lead = task.runs.find((one) => one.variant === 1)?.id;
  const previous = before?.variant === null ? before.id : (task.chosenRunId ?? lead ?? before?.id);
  return { newest, newestRun, previous, among: undefined };
}

export interface TaskThread {
  task: string;
  thread: string;
  platform: Platform;
  tenant: string;
  kind: Conversation['kind'];
  verbosity: Verbosity;
  /** Set for a thread that was made when the task existed already: since when, and the keys of what was put for it. */
  mirror: { since: Date; keys: ReadonlySet<string> } | undefined;
}

export async function threadsOfTasks(db: Db, tasks: readonly string[]): Promise<TaskThread[]> {
  const rows = await db.thread.findMany({
    where: { taskId: { in: [...tasks] } },
    include: { channel: { select: { platform: true, tenant: true, kind: true, verbosity: true } } },
    orderBy: { id: 'asc' },
  });
  const origins = new Map(rows.toReversed().map(({ id, taskId }) => [taskId, id]));
  const mirrors = rows.filter(({ id, taskId }) => origins.get(taskId) !== id).map(({ id }) => id);
  const keys = await keysOfThreads(db, mirrors);
  return rows.map(({ id, taskId, createdAt, channel }) => ({
    task: taskId,
    thread: id,
    platform: platformSchema.parse(channel.platform),
    tenant: channel.tenant,
    kind: channel.kind === 'direct' ? 'direct' : 'channel',
    verbosity: verbositySchema.parse(channel.verbosity),
    mirror: origins.get(taskId) === id ? undefined : { since: createdAt, keys: keys.get(id) ?? new Set() },
  }));
}

/** Read after the threads: a thread and its first messages are made together. */
async function keysOfThreads(db: Db, threads: readonly string[]): Promise<Map<string, Set<string>>> {
  const found = new Map<string, Set<string>>();
  if (threads.length === 0) return found;
  const rows = await db.outbox.findMany({ where: { threadId: { in: [...threads] } }, select: { threadId: true, key: true } });
  for (const { threadId, key } of rows) {
    if (threadId === null) continue;
    const known = found.get(threadId);
    if (known === undefined) found.set(threadId, new Set([key]));
    else known.add(key);
  }
  return found;
}

/** A request for a decision, as its card needs it. */
export interface ProjectedDecision {
  id: string;
  run: string;
  secret: string;
  state: InteractionState;
  action: Action;
  because: string;
  risks: string[];
  approvers: Policy['approvers'];
  requester: string;
  openedAt: Date;
  expiresAt: Date;
  remindedAt: Date | undefined;
  decidedAt: Date | undefined;
  decidedBy: string | undefined;
  decidedOn: Platform | undefined;
  reason: string | undefined;
  choice: DecisionChoice | undefined;
  /** Who has said yes where several must. */
  approvals: readonly Approval[];
  answers: Readonly<Record<string, readonly string[]>> | undefined;
}

const answersSchema = z.record(z.string(), z.array(z.string()));

export async function decisionsOfRuns(db: Db, runs: readonly string[]): Promise<ProjectedDecision[]> {
  const rows = await db.interaction.findMany({ where: { runId: { in: [...runs] } }, orderBy: { id: 'asc' } });
  return rows.map((row) => ({
    id: row.id,
    run: row.runId,
    secret: row.secret,
    state: interactionStateSchema.parse(row.state),
    action: actionSchema.parse(row.action),
    because: row.because,
    risks: Array.isArray(row.risks) ? row.risks.map(String) : [],
    approvers: policySchema.shape.approvers.parse(row.approvers),
    requester: row.requesterId,
    openedAt: row.openedAt,
    expiresAt: row.expiresAt,
    remindedAt: row.remindedAt ?? undefined,
    decidedAt: row.decidedAt ?? undefined,
    decidedBy: row.decidedById ?? undefined,
    decidedOn: row.decidedOn === null ? undefined : platformSchema.parse(row.decidedOn),
    reason: row.reason ?? undefined,
    choice: row.choice === null ? undefined : decisionChoiceSchema.parse(row.choice),
    approvals: row.approvals === null ? [] : z.array(approvalSchema).parse(row.approvals),
    answers: row.answers === null ? undefined : answersSchema.parse(row.answers),
  }));
}

/** A person who appears on cards. */
export interface CardPerson {
  /** The id that stands for the person; another one than was asked for when accounts are linked. */
  user: string;
  name: string;
  notify: Notify;
  /** Oldest first. `refused`: direct messages do not reach it. */
  accounts: readonly (IdentityRef & { refused: boolean })[];
}

/** Those who appear on cards, by the ids they are stored under. */
export async function peopleOnCards(db: Db, users: readonly string[]): Promise<Map<string, CardPerson>> {
  const include = { identities: { orderBy: { id: 'asc' } } } as const;
  const rows = await db.user.findMany({
    where: { id: { in: [...users] } },
    include: { ...include, linkedTo: { include } },
  });
  return new Map(
    rows.map((row) => {
      const { id: user, name, notify, identities } = row.linkedTo ?? row;
      const accounts = identities.map(({ platform, tenant, externalId, directRefusedAt }) => ({
        platform: platformSchema.parse(platform),
        tenant,
        user: externalId,
        refused: directRefusedAt !== null,
      }));
      return [row.id, { user, name, notify: notifyOf(notify), accounts }];
    }),
  );
}

/**
 * Takes the step from one event number to another, for the runs that still stand at `from`, in the transaction that puts their cards:
 * of two projectors one wins. Runs that somebody writes to just now are left out, as are those that stand elsewhere; returns the others.
 */
export async function advanceProjection(
  tx: Tx,
  steps: readonly { run: string; from: number; to: number }[],
): Promise<Set<string>> {
  const rows = await tx.db.$queryRaw<{ id: string }[]>(Prisma.sql`
    WITH step AS (
      SELECT * FROM unnest(${steps.map(({ run }) => run)}::text[], ${steps.map(({ from }) => from)}::int[],
        ${steps.map(({ to }) => to)}::int[]) AS s("run", "from", "to")
    ), locked AS (
      SELECT r."id" FROM "Run" r JOIN step ON step."run" = r."id" AND r."projectedSeq" = step."from"
      ORDER BY r."id" FOR UPDATE OF r SKIP LOCKED
    )
    UPDATE "Run" r SET "projectedSeq" = step."to" FROM step JOIN locked ON locked."id" = step."run"
    WHERE r."id" = step."run" RETURNING r."id"`);
  return new Set(rows.map(({ id }) => id));
}

/** Up to which event cards show each run, and its last event. */
export async function projectedSeqs(db: Db, runs: readonly string[]): Promise<Map<string, { projected: number; last: number }>> {
  const rows = await db.run.findMany({
    where: { id: { in: [...runs] } },
    select: { id: true, projectedSeq: true, lastSeq: true },
  });
  return new Map(rows.map(({ id, projectedSeq, lastSeq }) => [id, { projected: projectedSeq, last: lastSeq }]));
}

/** Live runs whose cards change by themselves: those that run (a clock) and those that wait in the queue (a place). */
export async function changingRuns(
  database: Database,
): Promise<{ executing: { run: string; startedAt: Date }[]; queued: { run: string; project: string; workspace: string }[] }> {
  const rows = await database.db.run.findMany({
    where: { state: { in: ['executing', 'planning', 'queued'] } },
    select: { id: true, state: true, startedAt: true, queuedAt: true, dispatchedAt: true, projectId: true, workspaceId: true },
    orderBy: [{ queuedAt: 'asc' }, { id: 'asc' }],
  });
  return {
    executing: rows.flatMap(({ id, state, startedAt, queuedAt }) =>
      state === 'executing' || state === 'planning' ? [{ run: id, startedAt: startedAt ?? queuedAt }] : [],
    ),
    queued: rows.flatMap(({ id, state, dispatchedAt, projectId, workspaceId }) =>
      state === 'queued' && dispatchedAt === null ? [{ run: id, project: projectId, workspace: workspaceId }] : [],
    ),
  };
}
