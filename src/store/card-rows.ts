import { z } from 'zod';
import type { Prisma } from '../../prisma/client/client.ts';
import type { Notify } from '../contracts/notify.ts';
import { type Conversation, type Platform, platformSchema } from '../contracts/platform.ts';
import { type Action, type Approval, actionSchema, approvalSchema, type Policy, policySchema } from '../contracts/policy.ts';
import { type RunPurpose, runPurposeSchema } from '../contracts/rebase.ts';
import { type Role, roleSchema } from '../contracts/roles.ts';
import { projectLimitsSchema, type Verbosity, verbositySchema } from '../contracts/settings.ts';
import { type DecisionChoice, decisionChoiceSchema, type InteractionState, interactionStateSchema } from '../contracts/states.ts';
import { externalMark } from './affiliations.ts';
import type { DirectAccount } from './direct-reach.ts';
import { notifyOf } from './notify.ts';
import { type ChangeStand, standsOf } from './task-changes.ts';

type Db = Prisma.TransactionClient;

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
  projectId: string;
  /** What all of its runs have cost, and may cost; null: no limit. US dollars. */
  spending: { usd: number; budgetUsd: number | null };
  /** Hosts whose addresses are links on its cards. */
  links: readonly string[];
  branch: string;
  base: { branch: string; commit: string } | undefined;
  /** Issue of the code host that the task came from, `acme/web#12`. */
  issue: string | undefined;
  /** `external`: words that mark somebody who is external to the platform's workspace. */
  requester: { user: string; name: string; external?: string | undefined };
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
          project: { select: { name: true, limits: true } },
          runs: { select: { id: true, attempt: true, variant: true, queuedAt: true }, orderBy: { attempt: 'asc' } },
        },
      },
    },
  });
  const accounts = { select: { affiliation: true, organisation: true } } as const;
  const people = await db.user.findMany({
    where: { id: { in: [...new Set(rows.map(({ requestedById }) => requestedById))] } },
    select: { id: true, name: true, identities: accounts, linkedTo: { select: { name: true, identities: accounts } } },
  });
  const askers = new Map(
    people.map(({ linkedTo, ...own }) => {
      const { name, identities } = linkedTo ?? own;
      return [own.id, { user: own.id, name, external: externalMark(identities) }];
    }),
  );
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
      projectId: task.projectId,
      spending: { usd: task.spentUsd, budgetUsd: task.budgetUsd },
      links: projectLimitsSchema.parse(task.project.limits).links ?? [],
      branch: task.branch,
      issue: task.issue ?? undefined,
      base:
        task.baseBranch === null || task.baseCommit === null ? undefined : { branch: task.baseBranch, commit: task.baseCommit },
      requester: askers.get(row.requestedById) ?? { user: row.requestedById, name: 'somebody' },
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
  expiresAt: Date | null;
  remindedAt: Date | undefined;
  /** When people with this role were asked besides. */
  escalated: { at: Date; to: Role } | undefined;
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
    escalated:
      row.escalatedAt === null || row.escalateTo === null
        ? undefined
        : { at: row.escalatedAt, to: roleSchema.parse(row.escalateTo) },
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
  /** Oldest first. */
  accounts: readonly DirectAccount[];
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
