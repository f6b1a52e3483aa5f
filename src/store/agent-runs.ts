import { Prisma } from '../../prisma/client/client.ts';
import { type AgentSettings, type NumberedInput, type ProcessInput, processInputSchema, type Usage } from '../contracts/agent.ts';
import type { GivenFile } from '../contracts/given-file.ts';
import { type Actor, type OutputCursor, type RunEventData, runEventDataSchema } from '../contracts/run-event.ts';
import type { Tx } from './database.ts';
import { whileCounting } from './quota-lock.ts';
import { insertNumbered } from './run-events.ts';
import { storableJson, storableText } from './storable.ts';

export interface StoredStep {
  run: string;
  state: unknown;
  /** Names the step, so that its repetition is known; null: it has no name. */
  digest: string | null;
  events: readonly RunEventData[];
  inputs: readonly ProcessInput[];
  cursor: OutputCursor | undefined;
  mail: number | undefined;
  actor: Actor;
  at: Date;
}

/** Digest of the step that a run stored last. */
export async function lastStep(tx: Tx, run: string): Promise<string | null> {
  const row = await tx.db.run.findUnique({ where: { id: run }, select: { lastStep: true } });
  return row?.lastStep ?? null;
}

/** Stores what a harness has come to. The caller holds the lock of the task and knows that the run is its runner's. */
export async function storeStep(tx: Tx, step: StoredStep): Promise<void> {
  const { run, state, digest, events, inputs, cursor, mail, actor, at } = step;
  const row = await tx.db.run.update({
    where: { id: run },
    data: {
      harnessState: jsonOf(state),
      lastStep: digest,
      lastSeq: { increment: events.length },
      lastInput: { increment: inputs.length },
      ...(events.length === 0 ? {} : { lastEventAt: at }),
      ...(cursor === undefined ? {} : { stdoutBytes: cursor.stdout, stderrBytes: cursor.stderr }),
      ...(mail === undefined ? {} : { mailSeq: mail }),
    },
    select: { lastSeq: true, lastInput: true },
  });
  if (events.length > 0) await insertNumbered(tx, { run, actor, events, at }, row.lastSeq);
  if (inputs.length === 0) return;
  const first = row.lastInput - inputs.length + 1;
  await tx.db.runInput.createMany({
    data: inputs.map((input, place) => ({ runId: run, seq: first + place, data: jsonObject(input) })),
  });
  tx.notify('mail', run);
}

/** Inputs after a number, in order, at most 500. */
export async function inputsAfter(db: Prisma.TransactionClient, run: string, after: number): Promise<NumberedInput[]> {
  const rows = await db.runInput.findMany({ where: { runId: run, seq: { gt: after } }, orderBy: { seq: 'asc' }, take: 500 });
  return rows.map(({ seq, data }) => ({ seq, input: processInputSchema.parse(data) }));
}

/** Forgets the inputs of a process that is gone. */
export async function forgetInputs(tx: Tx, run: string): Promise<void> {
  await tx.db.runInput.deleteMany({ where: { runId: run } });
}

/** What only the claim of an agent's run needs. */
export async function turnOf(tx: Tx, run: string): Promise<{ context: string | null; state: unknown }> {
  const row = await tx.db.run.findUniqueOrThrow({ where: { id: run }, select: { context: true, harnessState: true } });
  return { context: row.context, state: row.harnessState };
}

/** What of the thread the agent of a task was given last; undefined: nothing. */
export async function latestContext(tx: Tx, task: string): Promise<string | undefined> {
  const row = await tx.db.run.findFirst({
    where: { taskId: task, context: { not: null } },
    orderBy: { attempt: 'desc' },
    select: { context: true },
  });
  return row?.context ?? undefined;
}

export async function setRunAgent(tx: Tx, run: string, settings: AgentSettings): Promise<void> {
  await tx.db.run.update({ where: { id: run }, data: { agent: settings } });
}

/** What of the thread the run was given last, as its log tells; undefined also where a newer version tells it in a way that this one does not know. */
export async function latestReceipt(tx: Tx, run: string): Promise<Extract<RunEventData, { type: 'context' }> | undefined> {
  const row = await tx.db.runEvent.findFirst({ where: { runId: run, type: 'context' }, orderBy: { seq: 'desc' } });
  const data = row === null ? undefined : runEventDataSchema.safeParse(row.data).data;
  return data?.type === 'context' ? data : undefined;
}

/** The agent of a run is not given what was said before. */
export async function forgetContext(tx: Tx, run: string): Promise<void> {
  await tx.db.run.update({ where: { id: run }, data: { context: null } });
}

/** Replaces what files the agent is given. */
export async function setRunFiles(tx: Tx, run: string, files: readonly GivenFile[]): Promise<void> {
  await tx.db.run.update({ where: { id: run }, data: { files: [...files] } });
}

/** Longer names of models are cut in the sums of days. */
const longestModel = 100;

/**
 * Counts a request to a model on the run, its task and its day, and takes back what was set aside for it: it is
 * settled. The caller holds the lock of the
 * task.
 */
export async function addUsage(
  tx: Tx,
  run: { id: string; task: string },
  usage: Usage,
  { request, at }: { request: string | undefined; at: Date },
): Promise<void> {
  const cost = usage.costUsd ?? 0;
  const model = storableText(usage.model.slice(0, longestModel));
  const unpriced = usage.costUsd === null ? 1 : 0;
  await tx.db.run.update({
    where: { id: run.id },
    data: {
      costUsd: { increment: cost },
      inputTokens: { increment: usage.input },
      outputTokens: { increment: usage.output },
      cacheReadTokens: { increment: usage.cacheRead },
      cacheWriteTokens: { increment: usage.cacheWrite },
    },
    select: { id: true },
  });
  await tx.db.$executeRaw(Prisma.sql`
    WITH settled AS (
      DELETE FROM "Reservation" WHERE "runId" = ${run.id} AND "request" = ${request ?? null}
    ), answered AS (
      DELETE FROM "CountedRequest" WHERE "runId" = ${run.id} AND "request" = ${request ?? null}
    ), summed AS (
      INSERT INTO "UsageDay" AS d ("workspaceId", "day", "projectId", "userId", "channelId", "agent", "model",
        "requests", "unpriced", "input", "output", "cacheRead", "cacheWrite", "costUsd")
      SELECT r."workspaceId", (${at}::timestamptz AT TIME ZONE 'UTC')::date, r."projectId", r."requestedById",
        coalesce((SELECT t."channelId" FROM "Thread" t WHERE t."taskId" = r."taskId" ORDER BY t."createdAt", t."id" LIMIT 1), ''),
        coalesce(r."agent"->>'agent', ''), ${model},
        1, ${unpriced}, ${usage.input}, ${usage.output}, ${usage.cacheRead}, ${usage.cacheWrite}, ${cost}
      FROM "Run" r WHERE r."id" = ${run.id}
      ON CONFLICT ("workspaceId", "day", "projectId", "userId", "channelId", "agent", "model") DO UPDATE SET
        "requests" = d."requests" + excluded."requests", "unpriced" = d."unpriced" + excluded."unpriced",
        "input" = d."input" + excluded."input", "output" = d."output" + excluded."output",
        "cacheRead" = d."cacheRead" + excluded."cacheRead", "cacheWrite" = d."cacheWrite" + excluded."cacheWrite",
        "costUsd" = d."costUsd" + excluded."costUsd"
    )
    UPDATE "Task" SET "spentUsd" = "spentUsd" + ${cost} WHERE "id" = ${run.task}`);
}

/** Was this request to a model counted before? Repetitions follow soon: the last thousand events tell. From here on no quota is made (quota-lock.ts). */
export async function wasCounted(tx: Tx, run: { id: string; workspace: string }, request: string | undefined): Promise<boolean> {
  const rows = await tx.db.$queryRaw<{ counted: boolean }[]>(Prisma.sql`
    SELECT EXISTS (SELECT FROM "RunEvent" JOIN "Run" ON "Run"."id" = "RunEvent"."runId"
      WHERE "RunEvent"."runId" = ${run.id} AND "RunEvent"."seq" > "Run"."lastSeq" - 1000 AND "RunEvent"."type" = 'usage'
        AND "RunEvent"."data"->>'request' = ${request ?? null}) AS counted
    FROM ${whileCounting(run.workspace)} AS counting`);
  return rows[0]?.counted === true;
}

/** The run that this message has asked for already. */
export async function runByOrigin(tx: Tx, task: string, originKey: string): Promise<string | undefined> {
  const row = await tx.db.run.findUnique({ where: { taskId_originKey: { taskId: task, originKey } }, select: { id: true } });
  return row?.id;
}

function jsonOf(value: unknown): Prisma.InputJsonValue | typeof Prisma.DbNull {
  if (value === null || value === undefined) return Prisma.DbNull;
  return JSON.parse(storableJson(value)) as Prisma.InputJsonValue;
}

function jsonObject(value: unknown): Prisma.InputJsonObject {
  return JSON.parse(storableJson(value)) as Prisma.InputJsonObject;
}
