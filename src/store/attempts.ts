import { Prisma } from '../../prisma/client/client.ts';
import type { AgentSettings } from '../contracts/agent.ts';
import type { ComparisonState } from '../contracts/comparison.ts';
import { type RunEventData, type RunResult, runEventDataSchema, runResultSchema } from '../contracts/run-event.ts';
import type { Tx } from './database.ts';
import { type RunRecord, toRecord, withoutLarge } from './runs.ts';
import { noteStore } from './task-store.ts';
import { type AgentSession, sessionSchema } from './tasks.ts';

/** The attempts at a task that were begun side by side, in their order. */
export async function attemptsOf(tx: Tx, task: string): Promise<RunRecord[]> {
  const where = { taskId: task, variant: { not: null } };
  const rows = await tx.db.run.findMany({ where, orderBy: { variant: 'asc' }, omit: withoutLarge });
  return rows.map(toRecord);
}

/** What an attempt has come to: its commit so far, and what continues its agent's conversation. */
export interface Kept {
  head: string | null;
  session: AgentSession | null;
}

export async function keptOf(tx: Tx, run: string): Promise<Kept> {
  const row = await tx.db.run.findUniqueOrThrow({ where: { id: run }, select: { head: true, session: true } });
  return { head: row.head, session: sessionSchema.nullable().parse(row.session) };
}

export async function keepHead(tx: Tx, run: string, head: string): Promise<void> {
  await tx.db.run.update({ where: { id: run }, data: { head } });
}

export async function keepSessionOf(tx: Tx, run: string, session: AgentSession | null): Promise<void> {
  await tx.db.run.update({ where: { id: run }, data: { session: session ?? Prisma.DbNull } });
}

/** An attempt that has ended. */
export interface EndedAttempt {
  run: string;
  variant: number;
  agent: Extract<RunEventData, { type: 'agent' }>;
  result: RunResult;
  costUsd: number;
}

/** All attempts at a task with how they have ended; throws when one has not. */
export async function endedAttempts(tx: Tx, task: string): Promise<EndedAttempt[]> {
  const rows = await tx.db.run.findMany({
    where: { taskId: task, variant: { not: null } },
    select: {
      id: true,
      variant: true,
      result: true,
      costUsd: true,
      events: { where: { type: 'agent' }, orderBy: { seq: 'asc' }, select: { data: true } },
    },
    orderBy: { variant: 'asc' },
  });
  return rows.map(({ id, variant, result, costUsd, events }) => {
    // What a newer version has logged is passed over, where this one does not know it.
    const agent = events.flatMap(({ data }) => runEventDataSchema.safeParse(data).data ?? []).reduce(asKnown, undefined);
    if (variant === null || agent === undefined) throw new Error(`run ${id} is no attempt of an agent`);
    return { run: id, variant, agent, result: runResultSchema.parse(result), costUsd };
  });
}

/** Whoever changes the mode need not know which model the program has chosen. */
function asKnown(known: EndedAttempt['agent'] | undefined, data: RunEventData): EndedAttempt['agent'] | undefined {
  return data.type === 'agent' ? { ...data, model: data.model ?? known?.model ?? null } : known;
}

/** Moves how the attempts of a task stand. The caller holds its lock; false: they did not stand as expected. */
export async function changeComparison(tx: Tx, task: string, from: ComparisonState, to: ComparisonState): Promise<boolean> {
  const { count } = await tx.db.task.updateMany({ where: { id: task, comparison: from }, data: { comparison: to } });
  return count === 1;
}

/** The task goes on from this attempt: its commit, its agent as it was set, its conversation. */
export async function adoptAttempt(
  tx: Tx,
  task: string,
  attempt: { run: string; head: string; session: AgentSession | null; agent: AgentSettings },
): Promise<void> {
  const { run, head, session, agent } = attempt;
  await tx.db.task.update({
    where: { id: task },
    data: { chosenRunId: run, head, session: session ?? Prisma.DbNull, agent },
  });
  await noteStore(tx, task, run);
}
