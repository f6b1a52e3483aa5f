import { z } from 'zod';
import { Prisma, type Runner as RunnerRow } from '../../prisma/client/client.ts';
import { type AgentKind, type AgentOffer, agentKinds, agentOfferSchema } from '../contracts/agent.ts';
import { fits, labelList } from '../contracts/labels.ts';
import type { SandboxOffer } from '../contracts/run-control.ts';
import type { Tx } from './database.ts';

/** What the `sandboxes` column holds. */
const sandboxesSchema = z.object({
  kinds: z.array(z.string()),
  offer: z
    .object({
      cwd: z.string(),
      sandbox: z.enum(['docker', 'local']),
      image: z.string().nullable(),
      network: z.enum(['none', 'host']),
    })
    .nullable(),
  /** Absent until the runner has said. */
  agents: z.array(agentOfferSchema).optional(),
});

/** A runner that has not beaten for this long counts as dead. Milliseconds. */
export const deadAfterMs = 60_000;

export interface RunnerRecord {
  id: string;
  host: string;
  /** What it is: contracts/labels.ts `labelList`. */
  labels: string;
  /** Takes nothing new. */
  draining: boolean;
  /** Runs at once; 0 when it has left or was replaced. */
  capacity: number;
  startedAt: Date;
  beatAt: Date;
}

export function isAlive(runner: RunnerRecord, now: Date): boolean {
  return runner.capacity > 0 && now.getTime() - runner.beatAt.getTime() < deadAfterMs;
}

/** Stores the runner as alive and ends any other of its host: one data directory has one runner. */
export async function putRunner(
  tx: Tx,
  runner: {
    id: string;
    host: string;
    capacity: number;
    sandboxes: readonly string[];
    offer: SandboxOffer | undefined;
    labels: readonly string[];
    store: string;
  },
  now: Date,
): Promise<void> {
  await tx.db.runner.updateMany({ where: { hostId: runner.host, id: { not: runner.id } }, data: { capacity: 0 } });
  const drainAskedAt = await drainOf(tx, runner.host);
  const values = {
    hostId: runner.host,
    capacity: runner.capacity,
    labels: labelList([...runner.labels, ...(runner.offer === undefined ? [] : [runner.offer.sandbox])]),
    drainingAt: null,
    drainAskedAt,
    store: runner.store,
    sandboxes: { kinds: [...runner.sandboxes], offer: runner.offer ?? null },
    beatAt: now,
  };
  await tx.db.runner.upsert({
    where: { id: runner.id },
    create: { id: runner.id, startedAt: now, ...values },
    update: values,
  });
}

/** Since when the machine takes nothing new by request; null: it does. */
async function drainOf(tx: Tx, host: string): Promise<Date | null> {
  const rows = await tx.db.runner.findMany({
    where: { hostId: host, drainAskedAt: { not: null } },
    select: { drainAskedAt: true },
    orderBy: { startedAt: 'desc' },
    take: 1,
  });
  return rows[0]?.drainAskedAt ?? null;
}

/** Returns false when the runner has been replaced or is not known: its beats no longer count. */
export async function beatRunner(db: Prisma.TransactionClient, id: string, now: Date): Promise<boolean> {
  const { count } = await db.runner.updateMany({ where: { id, capacity: { gt: 0 } }, data: { beatAt: now } });
  return count === 1;
}

/** It takes nothing new from now on. Returns its host, unless it was so before, has left or was replaced. */
export async function drainRunner(tx: Tx, id: string, now: Date): Promise<string | undefined> {
  const where = { id, capacity: { gt: 0 }, drainingAt: null };
  const [row] = await tx.db.runner.updateManyAndReturn({ where, data: { drainingAt: now }, select: { hostId: true } });
  return row?.hostId;
}

/** The row stays, so that it is known when its host was seen last. Returns its host, unless it had left or was replaced. */
export async function retireRunner(tx: Tx, id: string, now: Date): Promise<string | undefined> {
  const where = { id, capacity: { gt: 0 } };
  const [row] = await tx.db.runner.updateManyAndReturn({ where, data: { capacity: 0, beatAt: now }, select: { hostId: true } });
  return row?.hostId;
}

export async function runnerById(tx: Tx, id: string): Promise<RunnerRecord | undefined> {
  const row = await tx.db.runner.findUnique({ where: { id } });
  return row === null ? undefined : toRunner(row);
}

/** Whether a runner of this host is alive. */
export async function hasRunner(db: Prisma.TransactionClient, host: string, now: Date): Promise<boolean> {
  const alive = new Date(now.getTime() - deadAfterMs);
  const row = await db.runner.findFirst({
    where: { hostId: host, capacity: { gt: 0 }, beatAt: { gt: alive } },
    select: { id: true },
  });
  return row !== null;
}

/**
 * What commands that need these labels would be run in now: the offer of the runner that was heard last among those that fit. Undefined when
 * none has said.
 */
export async function currentOffer(tx: Tx, needs: string): Promise<SandboxOffer | undefined> {
  const known = await tx.db.runner.findMany({ orderBy: [{ beatAt: 'desc' }, { id: 'desc' }], take: 100 });
  const rows = known.filter(({ labels }) => fits(needs, labels));
  const alive = rows.filter(({ capacity }) => capacity > 0);
  for (const row of [...alive, ...rows]) {
    const offer = sandboxesSchema.safeParse(row.sandboxes).data?.offer;
    if (offer !== undefined && offer !== null) return offer;
  }
  return undefined;
}

/** What a runner runs things in; undefined when it has not said. */
export async function offerOf(tx: Tx, runner: string): Promise<SandboxOffer | undefined> {
  const row = await tx.db.runner.findUnique({ where: { id: runner }, select: { sandboxes: true } });
  return sandboxesSchema.safeParse(row?.sandboxes).data?.offer ?? undefined;
}

/** Stores which agents can work on a runner. */
export async function putAgentOffers(tx: Tx, runner: string, agents: readonly AgentOffer[]): Promise<void> {
  const row = await tx.db.runner.findUnique({ where: { id: runner }, select: { sandboxes: true } });
  const known = sandboxesSchema.safeParse(row?.sandboxes).data;
  if (known === undefined) return;
  await tx.db.runner.update({ where: { id: runner }, data: { sandboxes: { ...known, agents: [...agents] } } });
}

/**
 * Which agents can work now, over all living runners, or over those that may take a task that needs `runsOn`: one that can on any of them
 * counts as available. Undefined when none of them has said: work waits in the queue then.
 */
export async function agentOffers(
  tx: Tx,
  now: Date,
  task?: { runsOn: string },
): Promise<ReadonlyMap<AgentKind, AgentOffer> | undefined> {
  const alive = new Date(now.getTime() - deadAfterMs);
  const rows = await tx.db.runner.findMany({
    where: {
      beatAt: { gt: alive },
      capacity: { gt: 0 },
      ...(task === undefined ? {} : { drainingAt: null, drainAskedAt: null }),
    },
    orderBy: [{ beatAt: 'desc' }, { id: 'desc' }],
    take: 100,
  });
  const fitting = task === undefined ? rows : rows.filter(({ labels }) => fits(task.runsOn, labels));
  const said = fitting.flatMap(({ sandboxes }) => sandboxesSchema.safeParse(sandboxes).data?.agents ?? []);
  if (said.length === 0) return undefined;
  const best = (kind: AgentKind) => {
    const offers = said.filter(({ agent }) => agent === kind);
    return offers.find(({ available }) => available) ?? offers[0];
  };
  return new Map(
    agentKinds.flatMap((kind) => {
      const offer = best(kind);
      return offer === undefined ? [] : [[kind, offer] as const];
    }),
  );
}

/** Forgets runners that left long ago and hold no run. */
export async function forgetRunners(tx: Tx, before: Date): Promise<void> {
  await tx.db.$executeRaw(Prisma.sql`
    DELETE FROM "Runner" WHERE "beatAt" < ${before} AND NOT EXISTS (
      SELECT FROM "Run" WHERE "Run"."hostId" = "Runner"."hostId"
        AND (
          "Run"."state" IN ('preparing', 'planning', 'executing', 'finishing')
          OR ("Run"."state" = 'awaiting' AND "Run"."runnerId" IS NOT NULL)
        )
    )`);
}

export function toRunner(row: RunnerRow): RunnerRecord {
  const { id, hostId: host, labels, drainingAt, drainAskedAt, capacity, startedAt, beatAt } = row;
  return { id, host, labels, draining: (drainingAt ?? drainAskedAt) !== null, capacity, startedAt, beatAt };
}
