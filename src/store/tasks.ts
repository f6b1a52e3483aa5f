import { z } from 'zod';
import { Prisma, type Task } from '../../prisma/client/client.ts';
import { type AgentSettings, agentSettingsSchema } from '../contracts/agent.ts';
import { type ComparisonState, comparisonStateSchema } from '../contracts/comparison.ts';
import { type Policy, policySchema } from '../contracts/policy.ts';
import { type TaskColumn, taskColumnSchema } from '../contracts/states.ts';
import { newId } from '../runtime/ids.ts';
import type { Tx } from './database.ts';
import { storableText } from './storable.ts';
import { copyStore } from './task-store.ts';

/** A task as the engine needs it. */
export interface TaskRecord {
  id: string;
  workspace: string;
  number: number;
  project: string;
  title: string;
  command: string;
  column: TaskColumn;
  branch: string;
  base: { branch: string; commit: string } | null;
  head: string | null;
  /** Pinned at creation; undefined when the row holds none that can be read: then everything asks. */
  policy: Policy | undefined;
  policyVersion: number;
  requester: string;
  /** Labels that a runner must have to take its runs, pinned at creation: contracts/labels.ts `labelList`. */
  runsOn: string;
  kind: 'command' | 'agent';
  /** What the next run of an agent begins with; null for a command. */
  agent: AgentSettings | null;
  session: AgentSession | null;
  /** US dollars; null: no limit. */
  budgetUsd: number | null;
  spentUsd: number;
  /** Issue of the code host that it came from, `acme/web#12`. */
  issue: string | null;
  /** How many attempts are made side by side, how they stand, and which was chosen; null: none are, or none is. */
  attempts: number | null;
  comparison: ComparisonState | null;
  chosen: string | null;
}

export const sessionSchema = z.object({ id: z.string(), artifact: z.string().nullable() });
/** What continues the conversation of an agent: its name for it, and the artifact with its files. */
export type AgentSession = z.infer<typeof sessionSchema>;

export interface NewTask {
  workspace: string;
  number: number;
  project: string;
  title: string;
  command: string;
  branch: string;
  policy: Policy;
  policyVersion: number;
  requester: string;
  runsOn: string;
  /** The channel where it is asked for. */
  origin: string;
  originKey: string;
  at: Date;
  /** Set for the task of an agent; `command` is its prompt then. */
  agent?: NewAgentTask | undefined;
}

export interface NewAgentTask {
  settings: AgentSettings;
  budgetUsd: number | null;
  /** How many attempts are made side by side; undefined: one. */
  attempts?: number | undefined;
  /** Where a fork begins: the task, its session, base and head. */
  from?: { task: string; session: AgentSession | null; base: TaskRecord['base']; head: string | null } | undefined;
}

/**
 * Holds the workspace's row until the end of the transaction and returns the number its next task gets. Two tasks made at once, also
 * two of the same origin, come one after the other from here on.
 */
export async function nextTaskNumber(tx: Tx, workspace: string): Promise<number | undefined> {
  const rows = await tx.db.$queryRaw<{ nextTaskNumber: number }[]>(Prisma.sql`
    SELECT "nextTaskNumber" FROM "Workspace" WHERE "id" = ${workspace} FOR NO KEY UPDATE`);
  return rows[0]?.nextTaskNumber;
}

/** The task that this inbound event has made already. */
export async function taskByOrigin(tx: Tx, workspace: string, originKey: string): Promise<TaskRecord | undefined> {
  const row = await tx.db.task.findUnique({ where: { workspaceId_originKey: { workspaceId: workspace, originKey } } });
  return row === null ? undefined : toRecord(row);
}

/**
 * Where a card stands in its column: behind all that came before. Half a millisecond makes it no whole number: Prisma keeps a plan of its own,
 * up to a thousand, for each whole number beyond 32 bits that it is to write as a floating one, and makes it anew every time.
 */
export function rankAt(at: Date): number {
  return at.getTime() + 0.5;
}

/** Makes a task in the backlog and uses up its number. Call `nextTaskNumber` before, in the same transaction. */
export async function createTask(tx: Tx, input: NewTask): Promise<TaskRecord> {
  await tx.db.workspace.update({ where: { id: input.workspace }, data: { nextTaskNumber: input.number + 1 } });
  const row = await tx.db.task.create({
    data: {
      id: newId('tsk'),
      workspaceId: input.workspace,
      number: input.number,
      projectId: input.project,
      title: input.title,
      kind: input.agent === undefined ? 'command' : 'agent',
      command: input.agent === undefined ? input.command : storableText(input.command),
      column: 'backlog',
      rank: rankAt(input.at),
      branch: input.branch,
      policy: input.policy,
      policyVersion: input.policyVersion,
      requesterId: input.requester,
      runsOn: input.runsOn,
      originId: await originOf(tx, input),
      originKey: input.originKey,
      createdAt: input.at,
      updatedAt: input.at,
      ...(input.agent === undefined ? {} : agentColumns(input.agent)),
    },
  });
  const from = input.agent?.from;
  if (from !== undefined) await copyStore(tx, row.id, from.task);
  return toRecord(row);
}

/** What a private task has said is in each of its forks too. */
async function originOf(tx: Tx, { origin, agent }: NewTask): Promise<string> {
  if (agent?.from === undefined) return origin;
  const parent = await tx.db.task.findUnique({ where: { id: agent.from.task }, select: { origin: true } });
  return parent?.origin?.isPrivate === true ? parent.origin.id : origin;
}

function agentColumns({ settings, budgetUsd, attempts, from }: NewAgentTask) {
  const compared = attempts === undefined ? {} : { attempts, comparison: 'running' satisfies ComparisonState };
  const forked =
    from === undefined
      ? {}
      : {
          forkedFromId: from.task,
          session: from.session ?? Prisma.DbNull,
          baseBranch: from.base?.branch ?? null,
          baseCommit: from.base?.commit ?? null,
          head: from.head,
        };
  return { agent: settings, budgetUsd, ...compared, ...forked };
}

export async function taskById(tx: Tx, id: string): Promise<TaskRecord | undefined> {
  const row = await tx.db.task.findUnique({ where: { id } });
  return row === null ? undefined : toRecord(row);
}

/**
 * The task, locked until the end of the transaction. Everything that moves a task, its runs and its interactions takes this lock
 * first, so these moves come one after the other. Appending events does not need it.
 */
export async function lockTask(tx: Tx, id: string): Promise<TaskRecord | undefined> {
  await tx.db.$queryRaw(Prisma.sql`SELECT "id" FROM "Task" WHERE "id" = ${id} FOR NO KEY UPDATE`);
  return taskById(tx, id);
}

/** Puts the card at the end of another column. Returns false when it was not in the expected one. */
export async function changeColumn(
  tx: Tx,
  change: { task: string; from: TaskColumn; to: TaskColumn; reason: string | null; at: Date },
): Promise<boolean> {
  const { count } = await tx.db.task.updateMany({
    where: { id: change.task, column: change.from },
    data: {
      column: change.to,
      reason: change.reason === null ? null : storableText(change.reason),
      rank: rankAt(change.at),
      updatedAt: change.at,
    },
  });
  return count === 1;
}

/** Pins the base commit; the first pin wins. */
export async function pinTaskBase(tx: Tx, task: string, base: { branch: string; commit: string }): Promise<void> {
  await tx.db.task.updateMany({
    where: { id: task, baseCommit: null },
    data: { baseBranch: base.branch, baseCommit: base.commit },
  });
}

/** The change of the task begins at another commit from now on. */
export async function setBase(tx: Tx, task: string, base: { branch: string; commit: string }): Promise<void> {
  await tx.db.task.update({ where: { id: task }, data: { baseBranch: base.branch, baseCommit: base.commit } });
}

export async function setHead(tx: Tx, task: string, head: string): Promise<void> {
  await tx.db.task.update({ where: { id: task }, data: { head } });
}

export async function setAgent(tx: Tx, task: string, settings: AgentSettings): Promise<void> {
  await tx.db.task.update({ where: { id: task }, data: { agent: settings } });
}

export async function setSession(tx: Tx, task: string, session: AgentSession | null): Promise<void> {
  await tx.db.task.update({ where: { id: task }, data: { session: session ?? Prisma.DbNull } });
}

export async function setBudget(tx: Tx, task: string, budgetUsd: number | null): Promise<void> {
  await tx.db.task.update({ where: { id: task }, data: { budgetUsd } });
}

function toRecord(row: Task): TaskRecord {
  return {
    id: row.id,
    workspace: row.workspaceId,
    number: row.number,
    project: row.projectId,
    title: row.title,
    command: row.command,
    column: taskColumnSchema.parse(row.column),
    branch: row.branch,
    base: row.baseBranch === null || row.baseCommit === null ? null : { branch: row.baseBranch, commit: row.baseCommit },
    head: row.head,
    policy: policySchema.safeParse(row.policy).data,
    policyVersion: row.policyVersion,
    requester: row.requesterId,
    runsOn: row.runsOn,
    kind: row.kind === 'agent' ? 'agent' : 'command',
    agent: row.agent === null ? null : agentSettingsSchema.parse(row.agent),
    session: sessionSchema.nullable().parse(row.session),
    budgetUsd: row.budgetUsd,
    spentUsd: row.spentUsd,
    issue: row.issue,
    attempts: row.attempts,
    comparison: row.comparison === null ? null : comparisonStateSchema.parse(row.comparison),
    chosen: row.chosenRunId,
  };
}
