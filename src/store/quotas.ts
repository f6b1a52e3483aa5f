import { Prisma } from '../../prisma/client/client.ts';
import {
  type Counted,
  measureSchema,
  type measuresAtOnce,
  perSchema,
  type Quota,
  quotaScopeSchema,
  type Standing,
} from '../contracts/quotas.ts';
import { newId } from '../runtime/ids.ts';
import type { Tx } from './database.ts';

/** The run that something counts for. */
export interface Counting {
  id: string;
  workspace: string;
  task: string;
  project: string;
  requestedBy: string;
}

interface Row {
  id: string;
  workspaceId: string;
  scope: string;
  subjectId: string;
  measure: string;
  per: string;
  limit: number;
}

type CountedRow = Row & { since: Date | null; value: number | null; extra: number | null };

function quotaOf({ id, workspaceId, scope, subjectId, measure, per, limit }: Row): Quota {
  return {
    id,
    workspace: workspaceId,
    scope: quotaScopeSchema.parse(scope),
    subject: subjectId,
    measure: measureSchema.parse(measure),
    per: perSchema.parse(per),
    limit,
  };
}

function standingOf(row: CountedRow): Standing {
  return { quota: quotaOf(row), used: row.value ?? 0, extra: row.extra ?? 0, since: row.since };
}

/** The id of the row that stands for the person of a row of "User". */
export const personOf = (user: Prisma.Sql) => Prisma.sql`(SELECT coalesce("linkedToId", "id") FROM "User" WHERE "id" = ${user})`;

/** A row `q` of "Quota" is about what this run is part of. Its channel is the one that its task began in. */
function aboutParts(part: Record<'workspace' | 'task' | 'project' | 'requestedBy', Prisma.Sql>): Prisma.Sql {
  const { workspace, task, project, requestedBy } = part;
  return Prisma.sql`(q."workspaceId" = ${workspace} AND CASE q."scope"
    WHEN 'workspace' THEN true
    WHEN 'project' THEN q."subjectId" = ${project}
    WHEN 'channel' THEN q."subjectId" = (SELECT "channelId" FROM "Thread" WHERE "taskId" = ${task} ORDER BY "createdAt", "id" LIMIT 1)
    ELSE ${personOf(Prisma.sql`q."subjectId"`)} = ${personOf(requestedBy)} END)`;
}

function isAbout({ workspace, task, project, requestedBy }: Omit<Counting, 'id'>): Prisma.Sql {
  return aboutParts({
    workspace: Prisma.sql`${workspace}`,
    task: Prisma.sql`${task}`,
    project: Prisma.sql`${project}`,
    requestedBy: Prisma.sql`${requestedBy}`,
  });
}

/** A row `q` of "Quota" is about a row of "Run". */
export const isAboutRun = aboutParts({
  workspace: Prisma.sql`"Run"."workspaceId"`,
  task: Prisma.sql`"Run"."taskId"`,
  project: Prisma.sql`"Run"."projectId"`,
  requestedBy: Prisma.sql`"Run"."requestedById"`,
});

/** Of a row `q` of "Quota": when its period began; null: it has none. As src/budgets/periods.ts says it. */
const sinceAt = (at: Date) =>
  Prisma.sql`CASE q."per" WHEN 'once' THEN NULL ELSE date_trunc(q."per", ${at}::timestamptz, 'UTC') END`;

/** `refused` is empty when it was counted. */
export interface Taken {
  refused: Standing[];
  counted: Standing[];
}

/**
 * Counts `amount` against every quota of the run that measures this, if each of them has so much left: all or nothing, exact however many do it
 * at once. The rows of the counters are held until the end of the transaction, in the order of the ids of the quotas. Returns those
 * that have not enough left, with what has counted against them: none when it was counted, and then `counted` says how those stand that it was
 * counted against. One statement where all goes well, or where there is no quota.
 */
export async function take(tx: Tx, run: Counting, measure: Counted, amount: number, at: Date): Promise<Taken> {
  const rows = await tx.db.$queryRaw<(CountedRow & { since: Date; taken: boolean })[]>(Prisma.sql`
    WITH due AS MATERIALIZED (
      SELECT q.*, ${sinceAt(at)} AS since FROM "Quota" q WHERE q."measure" = ${measure} AND ${isAbout(run)}
    ), taken AS (
      INSERT INTO "Consumption" ("quotaId", "since", "workspaceId", "value")
      SELECT due."id", due.since, due."workspaceId", ${amount}::float8
      FROM due LEFT JOIN "Consumption" c ON c."quotaId" = due."id" AND c."since" = due.since
      WHERE ${amount}::float8 <= due."limit" + coalesce(c."extra", 0)
      ORDER BY due."id"
      ON CONFLICT ("quotaId", "since") DO UPDATE SET "value" = "Consumption"."value" + excluded."value"
      WHERE "Consumption"."value" + excluded."value"
        <= (SELECT "limit" FROM "Quota" WHERE "Quota"."id" = excluded."quotaId") + "Consumption"."extra"
      RETURNING "quotaId", "value", "extra"
    )
    SELECT due.*, t."value", t."extra", t."quotaId" IS NOT NULL AS taken FROM due LEFT JOIN taken t ON t."quotaId" = due."id"`);
  const refused = rows.filter(({ taken }) => !taken);
  if (refused.length === 0) return { refused: [], counted: rows.map(standingOf) };
  for (const { id, since } of rows.filter(({ taken }) => taken)) await add(tx, id, since, -amount);
  return { refused: await standings(tx.db, refused), counted: [] };
}

/**
 * Takes back what `take` has counted at this moment, for what did not happen. `from`: ids of the quotas that it was counted against; left out:
 * all that the run counts for, which is right where each has counted it since it was made.
 */
export async function giveBack(
  tx: Tx,
  run: Counting,
  measure: Counted,
  amount: number,
  takenAt: Date,
  from?: readonly string[],
): Promise<void> {
  const which = from === undefined ? isAbout(run) : Prisma.sql`q."id" = ANY(${[...from]}::text[])`;
  await tx.db.$executeRaw(Prisma.sql`
    WITH due AS (
      SELECT c."quotaId", c."since" FROM "Quota" q JOIN "Consumption" c ON c."quotaId" = q."id" AND c."since" = ${sinceAt(takenAt)}
      WHERE q."measure" = ${measure} AND ${which} ORDER BY c."quotaId" FOR UPDATE OF c
    )
    UPDATE "Consumption" c SET "value" = greatest(0, c."value" - ${amount}) FROM due
    WHERE c."quotaId" = due."quotaId" AND c."since" = due."since"`);
}

/** Counts what has happened, whatever the limits are. Returns the quotas that it counted for, with what stands there now. One statement. */
export async function count(tx: Tx, run: Counting, amounts: Partial<Record<Counted, number>>, at: Date): Promise<Standing[]> {
  const some = Object.entries(amounts).filter(([, amount]) => amount > 0);
  if (some.length === 0) return [];
  const values = Prisma.join(some.map(([measure, amount]) => Prisma.sql`(${measure}, ${amount}::float8)`));
  const rows = await tx.db.$queryRaw<CountedRow[]>(Prisma.sql`
    WITH due AS MATERIALIZED (
      SELECT q.*, ${sinceAt(at)} AS since, amounts.amount
      FROM (VALUES ${values}) AS amounts (measure, amount) JOIN "Quota" q ON q."measure" = amounts.measure
      WHERE ${isAbout(run)}
    ), counted AS (
      INSERT INTO "Consumption" ("quotaId", "since", "workspaceId", "value")
      SELECT "id", since, "workspaceId", amount FROM due ORDER BY "id"
      ON CONFLICT ("quotaId", "since") DO UPDATE SET "value" = "Consumption"."value" + excluded."value"
      RETURNING "quotaId", "value", "extra"
    )
    SELECT due.*, counted."value", counted."extra" FROM due JOIN counted ON counted."quotaId" = due."id" ORDER BY due."id"`);
  return rows.map(standingOf);
}

/** How the quotas of a run of these measures of a period stand. */
export async function standingsOfRun(
  db: Prisma.TransactionClient,
  run: Counting,
  measures: readonly Counted[],
  at: Date,
): Promise<Standing[]> {
  return read(db, Prisma.sql`q."measure" = ANY(${[...measures]}::text[]) AND ${isAbout(run)}`, at);
}

/** The same for many runs at once, by the run; runs that no such quota is about are left out. */
export async function standingsOfRuns(
  db: Prisma.TransactionClient,
  runs: readonly string[],
  measures: readonly Counted[],
  at: Date,
): Promise<Map<string, Standing[]>> {
  if (runs.length === 0) return new Map();
  const rows = await db.$queryRaw<(CountedRow & { run: string })[]>(Prisma.sql`
    WITH due AS (
      SELECT "Run"."id" AS run, q.*, ${sinceAt(at)} AS since FROM "Run" JOIN "Quota" q ON ${isAboutRun}
      WHERE "Run"."id" = ANY(${[...runs]}::text[]) AND q."measure" = ANY(${[...measures]}::text[])
    )
    SELECT due.*, c."value", c."extra" FROM due LEFT JOIN "Consumption" c ON c."quotaId" = due."id" AND c."since" = due.since
    ORDER BY due."id"`);
  return new Map([...Map.groupBy(rows, ({ run }) => run)].map(([run, own]) => [run, own.map(standingOf)]));
}

/** The quotas of a run of what is there at a time; what is there is not counted in rows. */
export async function standingsAtOnce(
  db: Prisma.TransactionClient,
  run: Counting,
  measure: (typeof measuresAtOnce)[number],
  at: Date,
): Promise<Standing[]> {
  return read(db, Prisma.sql`q."measure" = ${measure} AND ${isAbout(run)}`, at);
}

/** How all quotas of a workspace of what happens in a period stand; those of what is there at a time with nothing used. */
export async function standingsOf(db: Prisma.TransactionClient, workspace: string, at: Date): Promise<Standing[]> {
  return read(db, Prisma.sql`q."workspaceId" = ${workspace}`, at);
}

/** How one quota stands; undefined: there is none of this id in the workspace. */
export async function standingById(
  db: Prisma.TransactionClient,
  workspace: string,
  id: string,
  at: Date,
): Promise<Standing | undefined> {
  return (await read(db, Prisma.sql`q."workspaceId" = ${workspace} AND q."id" = ${id}`, at))[0];
}

async function read(db: Prisma.TransactionClient, which: Prisma.Sql, at: Date): Promise<Standing[]> {
  const rows = await db.$queryRaw<CountedRow[]>(Prisma.sql`
    WITH due AS (SELECT q.*, ${sinceAt(at)} AS since FROM "Quota" q WHERE ${which})
    SELECT due.*, c."value", c."extra" FROM due LEFT JOIN "Consumption" c ON c."quotaId" = due."id" AND c."since" = due.since
    ORDER BY due."id"`);
  return rows.map(standingOf);
}

/** The rows were looked at by a statement that began before others had counted: they are read again. */
async function standings(db: Prisma.TransactionClient, rows: readonly (Row & { since: Date })[]): Promise<Standing[]> {
  const counters = await db.consumption.findMany({ where: { OR: rows.map(({ id, since }) => ({ quotaId: id, since })) } });
  return rows.map((row) => {
    const counter = counters.find(({ quotaId }) => quotaId === row.id);
    return standingOf({ ...row, value: counter?.value ?? 0, extra: counter?.extra ?? 0 });
  });
}

async function add(tx: Tx, quota: string, since: Date, amount: number): Promise<void> {
  await tx.db.consumption.update({
    where: { quotaId_since: { quotaId: quota, since } },
    data: { value: { increment: amount } },
    select: { quotaId: true },
  });
}

/** Allows more in one period than the limit says. */
export async function allowExtra(tx: Tx, quota: Quota, since: Date, extra: number): Promise<void> {
  const key = { quotaId: quota.id, since };
  await tx.db.consumption.upsert({
    where: { quotaId_since: key },
    create: { ...key, workspaceId: quota.workspace, value: 0, extra },
    update: { extra: { increment: extra } },
  });
}

export interface NewQuota extends Omit<Quota, 'id'> {
  createdBy: string;
  at: Date;
}

/** Makes a quota, or gives one about the same another limit; `was`: the one it had. */
export async function putQuota(tx: Tx, input: NewQuota): Promise<{ quota: Quota; was: number | null }> {
  const { workspace, scope, subject, measure, per, limit, createdBy, at } = input;
  const key = { workspaceId: workspace, scope, subjectId: subject, measure, per };
  const known = await tx.db.quota.findUnique({ where: { workspaceId_scope_subjectId_measure_per: key } });
  const row =
    known === null
      ? await tx.db.quota.create({ data: { ...key, id: newId('qta'), limit, createdById: createdBy, createdAt: at } })
      : await tx.db.quota.update({ where: { id: known.id }, data: { limit } });
  return { quota: quotaOf(row), was: known?.limit ?? null };
}

/** Removes a quota and its counters. */
export async function removeQuota(tx: Tx, id: string): Promise<void> {
  await tx.db.quota.delete({ where: { id } });
  await tx.db.consumption.deleteMany({ where: { quotaId: id } });
}

/** Sets what has counted against a quota in a period, from what is known about that period. */
export async function setConsumed(tx: Tx, quota: Quota, since: Date, value: number): Promise<void> {
  const key = { quotaId: quota.id, since };
  await tx.db.consumption.upsert({
    where: { quotaId_since: key },
    create: { ...key, workspaceId: quota.workspace, value },
    update: { value },
  });
}

/** Notes that people are told that most of a quota is used; true once in a period. The caller has just counted against it. */
export async function noteWarned(tx: Tx, quota: string, since: Date, at: Date): Promise<boolean> {
  const { count: noted } = await tx.db.consumption.updateMany({
    where: { quotaId: quota, since, warnedAt: null },
    data: { warnedAt: at },
  });
  return noted === 1;
}

/** Quotas of a workspace of which people were told in a span of time that most of them is used, as they stand in that period. */
export async function warnedBetween(
  db: Prisma.TransactionClient,
  workspace: string,
  span: { start: Date; end: Date },
): Promise<Standing[]> {
  const rows = await db.$queryRaw<CountedRow[]>(Prisma.sql`
    SELECT q.*, c."since", c."value", c."extra" FROM "Consumption" c JOIN "Quota" q ON q."id" = c."quotaId"
    WHERE q."workspaceId" = ${workspace} AND c."warnedAt" >= ${span.start} AND c."warnedAt" < ${span.end} ORDER BY c."warnedAt", q."id"`);
  return rows.map(standingOf);
}

/** Forgets counters of periods that began before, at most so many. Returns how many. */
export async function forgetConsumption(db: Prisma.TransactionClient, before: Date, most: number): Promise<number> {
  return (await db.consumption.deleteMany({ where: { since: { lt: before } }, limit: most })).count;
}
