import type { Prisma, RunMail } from '../../prisma/client/client.ts';
import { type Mail, mailSchema, type NumberedMail } from '../contracts/agent.ts';
import type { Tx } from './database.ts';
import { storableJson } from './storable.ts';

/** What a message of a person is: not read by the agent yet, read, or taken back before that. */
export type MessageState = 'unread' | 'read' | 'dropped';

export interface NewMail {
  run: string;
  workspace: string;
  mail: Mail;
  at: Date;
  /** The platform's message it came from; the same message is one mail of a run. */
  origin?: string | undefined;
  /** Who sent it; undefined: Deckhand. */
  user?: string | undefined;
  /** The interaction that it answers: looked at once more just before the runner is given the answer. */
  interaction?: string | undefined;
}

/** Mail of a run as it is stored. */
export interface MailRow {
  run: string;
  seq: number;
  mail: Mail;
  state: MessageState | null;
  user: string | null;
  interaction: string | null;
  givenAt: Date | null;
}

/** Puts mail at the end and wakes whoever reads it. The caller holds the lock of the task. */
export async function addMail(tx: Tx, input: NewMail): Promise<number> {
  const { run, workspace, mail, at } = input;
  const { lastMail: seq } = await tx.db.run.update({
    where: { id: run },
    data: { lastMail: { increment: 1 } },
    select: { lastMail: true },
  });
  await tx.db.runMail.create({
    data: {
      runId: run,
      seq,
      workspaceId: workspace,
      data: stored(mail),
      origin: input.origin ?? null,
      state: mail.type === 'message' ? 'unread' : null,
      userId: input.user ?? null,
      interactionId: input.interaction ?? null,
      at,
    },
  });
  tx.notify('mail', run);
  return seq;
}

/** Number the next mail of a run gets; true under the lock of its task. */
export async function nextMail(tx: Tx, run: string): Promise<number> {
  const row = await tx.db.run.findUniqueOrThrow({ where: { id: run }, select: { lastMail: true } });
  return row.lastMail + 1;
}

/** Mail after a number, in order, at most 500. */
export async function mailAfter(db: Prisma.TransactionClient, run: string, after: number): Promise<MailRow[]> {
  const rows = await db.runMail.findMany({ where: { runId: run, seq: { gt: after } }, orderBy: { seq: 'asc' }, take: 500 });
  return rows.map(toRow);
}

export function numbered({ seq, mail }: MailRow): NumberedMail {
  return { seq, mail };
}

/** Notes that a runner is given this mail now, as it is from then on. */
export async function giveMail(tx: Tx, { run, seq }: MailRow, mail: Mail, at: Date): Promise<void> {
  await tx.db.runMail.updateMany({ where: { runId: run, seq, givenAt: null }, data: { givenAt: at, data: stored(mail) } });
}

/** The message of this origin in a run, or in any run of the workspace: the latest one. */
export async function messageByOrigin(tx: Tx, workspace: string, origin: string, run?: string): Promise<MailRow | undefined> {
  const row = await tx.db.runMail.findFirst({
    where: { workspaceId: workspace, origin, ...(run === undefined ? {} : { runId: run }) },
    orderBy: [{ at: 'desc' }, { runId: 'desc' }],
  });
  return row === null ? undefined : toRow(row);
}

/** The messages of this origin in the runs of a task. */
export async function messagesOfTask(tx: Tx, task: string, origin: string): Promise<MailRow[]> {
  const rows = await tx.db.runMail.findMany({ where: { run: { taskId: task }, origin }, orderBy: { runId: 'asc' } });
  return rows.map(toRow);
}

/** Where messages of a run came from, by their names: for receipts on them. */
export async function messageOrigins(
  db: Prisma.TransactionClient,
  runs: readonly string[],
): Promise<{ run: string; message: string; origin: string; state: MessageState }[]> {
  const rows = await db.runMail.findMany({
    where: { runId: { in: [...runs] }, origin: { not: null }, state: { not: null } },
    orderBy: [{ runId: 'asc' }, { seq: 'asc' }],
  });
  return rows.map(toRow).flatMap(({ run, mail, state }, at) => {
    const origin = rows[at]?.origin;
    return mail.type !== 'message' || state === null || origin === null || origin === undefined
      ? []
      : [{ run, message: mail.message, origin, state }];
  });
}

/** Settles an unread message. False: it was settled before. */
export async function settleMessage(tx: Tx, run: string, seq: number, to: 'read' | 'dropped'): Promise<boolean> {
  const { count } = await tx.db.runMail.updateMany({ where: { runId: run, seq, state: 'unread' }, data: { state: to } });
  return count === 1;
}

/** Messages of a run that its agent has not read. */
export async function unreadMessages(tx: Tx, run: string): Promise<MailRow[]> {
  return (await tx.db.runMail.findMany({ where: { runId: run, state: 'unread' }, orderBy: { seq: 'asc' } })).map(toRow);
}

/** Ids of all who until then asked for a turn of a task or said something to its agent that was not taken back unread. */
export async function speakersOf(db: Tx['db'], task: string, until: Date): Promise<string[]> {
  const runs = await db.run.findMany({ where: { taskId: task, queuedAt: { lte: until } }, select: { requestedById: true } });
  const mail = await db.runMail.findMany({
    where: { run: { taskId: task }, state: { in: ['unread', 'read'] }, userId: { not: null }, at: { lte: until } },
    select: { userId: true },
    distinct: ['userId'],
  });
  return [...new Set([...runs.map(({ requestedById }) => requestedById), ...mail.flatMap(({ userId }) => userId ?? [])])];
}

/** Name of a message within its run. */
export function messageName(seq: number): string {
  return `m${seq}`;
}

/** Number of the mail that a message is, or undefined when that is no name of one. */
export function seqOfMessage(message: string): number | undefined {
  return /^m[1-9]\d{0,8}$/.test(message) ? Number(message.slice(1)) : undefined;
}

function stored(mail: Mail): Prisma.InputJsonObject {
  return JSON.parse(storableJson(mail)) as Prisma.InputJsonObject;
}

function toRow(row: RunMail): MailRow {
  return {
    run: row.runId,
    seq: row.seq,
    mail: mailSchema.parse(row.data),
    state: row.state === 'unread' || row.state === 'read' || row.state === 'dropped' ? row.state : null,
    user: row.userId,
    interaction: row.interactionId,
    givenAt: row.givenAt,
  };
}
