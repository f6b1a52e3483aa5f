import { Prisma } from '../../prisma/client/client.ts';
import { defaultNotify, type Notify, notifySchema } from '../contracts/notify.ts';
import type { Tx } from './database.ts';

type Db = Tx['db'];

/** How a person wants to hear of things; what cannot be read counts as the default. */
export function notifyOf(stored: unknown): Notify {
  return notifySchema.safeParse(stored).data ?? defaultNotify;
}

export async function readNotify(tx: Tx, user: string): Promise<Notify> {
  return notifyOf((await tx.db.user.findUnique({ where: { id: user }, select: { notify: true } }))?.notify);
}

/** The same of many people, by their ids. */
export async function notifyOfPeople(tx: Tx, users: readonly string[]): Promise<Map<string, Notify>> {
  if (users.length === 0) return new Map();
  const rows = await tx.db.user.findMany({ where: { id: { in: [...users] } }, select: { id: true, notify: true } });
  return new Map(rows.map(({ id, notify }) => [id, notifyOf(notify)]));
}

/** Sets it. Quiet hours that are over by now are not told about any more. */
export async function writeNotify(tx: Tx, user: string, notify: Notify, now: Date): Promise<void> {
  await tx.db.user.update({ where: { id: user }, data: { notify: notifySchema.parse(notify), quietToldAt: now } });
}

/** People who want direct messages, by workspace. */
export async function directPeople(db: Db, workspaces: readonly string[]): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  if (workspaces.length === 0) return found;
  const rows = await db.user.findMany({
    where: { workspaceId: { in: [...workspaces] }, linkedToId: null, notify: { path: ['by'], equals: 'direct' } },
    select: { id: true, workspaceId: true },
    orderBy: { id: 'asc' },
  });
  for (const { id, workspaceId } of rows) found.set(workspaceId, [...(found.get(workspaceId) ?? []), id]);
  return found;
}

/** Which of these outbox keys of a workspace there are. */
export async function putKeys(db: Db, workspaces: readonly string[], keys: readonly string[]): Promise<Set<string>> {
  if (keys.length === 0) return new Set();
  const rows = await db.outbox.findMany({
    where: { workspaceId: { in: [...workspaces] }, key: { in: [...keys] } },
    select: { key: true },
  });
  return new Set(rows.map(({ key }) => key));
}

/** Somebody with quiet hours, and up to when was told what they held back. */
export interface QuietPerson {
  user: string;
  workspace: string;
  notify: Notify;
  toldAt: Date | undefined;
}

export async function quietPeople(db: Db): Promise<QuietPerson[]> {
  const rows = await db.user.findMany({
    where: { linkedToId: null, notify: { path: ['quiet', 'from'], not: Prisma.AnyNull } },
    select: { id: true, workspaceId: true, notify: true, quietToldAt: true },
    orderBy: { id: 'asc' },
  });
  return rows.map(({ id, workspaceId, notify, quietToldAt }) => ({
    user: id,
    workspace: workspaceId,
    notify: notifyOf(notify),
    toldAt: quietToldAt ?? undefined,
  }));
}

/** Notes that was told what quiet hours up to `end` held back; true for the one who is first. */
export async function noteQuietTold(tx: Tx, user: string, end: Date): Promise<boolean> {
  const { count } = await tx.db.user.updateMany({
    where: { id: user, OR: [{ quietToldAt: null }, { quietToldAt: { lt: end } }] },
    data: { quietToldAt: end },
  });
  return count === 1;
}

/** Tasks of a person that ended in a span of time, oldest first. */
export async function endedBetween(
  tx: Tx,
  users: readonly string[],
  span: { start: Date; end: Date },
  limit: number,
): Promise<{ number: number; title: string; state: string }[]> {
  const rows = await tx.db.run.findMany({
    where: { requestedById: { in: [...users] }, endedAt: { gte: span.start, lt: span.end } },
    select: { state: true, task: { select: { number: true, title: true } } },
    orderBy: { endedAt: 'asc' },
    take: limit,
  });
  return rows.map(({ state, task }) => ({ ...task, state }));
}
