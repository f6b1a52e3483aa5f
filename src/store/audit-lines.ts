import { z } from 'zod';
import type { Audit, Prisma } from '../../prisma/client/client.ts';
import type { Via } from './audit.ts';
import type { Tx } from './database.ts';
import { namesOf } from './people.ts';

/** A line of the audit as people are shown it. */
export interface AuditRow {
  id: string;
  /** Place in the chain; undefined: it waits for it. */
  seq: number | undefined;
  at: Date;
  /** User id; undefined: Deckhand itself. */
  actor: string | undefined;
  action: string;
  subject: string;
  data: Readonly<Record<string, unknown>>;
  via: Via | undefined;
}

/** Which lines; what is left out does not narrow. */
export interface AuditFilter {
  workspace: string;
  /** User ids, any of them. */
  actors?: readonly string[] | undefined;
  /** Id of the task they are about. */
  task?: string | undefined;
  /** First words of actions: `approval` stands for `approval.opened` and the others. */
  kinds?: readonly string[] | undefined;
  since?: Date | undefined;
}

const viaSchema = z.object({
  platform: z.string(),
  tenant: z.string(),
  account: z.string(),
  channel: z.string(),
  act: z.string(),
});
const dataSchema = z.record(z.string(), z.unknown());

/** A page of lines, newest first in the order of the chain, and whether older ones follow. */
export async function newestLines(
  db: Tx['db'],
  filter: AuditFilter,
  page: { size: number; number: number },
): Promise<{ lines: AuditRow[]; more: boolean }> {
  const rows = await db.audit.findMany({
    where: whereOf(filter),
    orderBy: [{ seq: { sort: 'desc', nulls: 'first' } }, { id: 'desc' }],
    skip: (page.number - 1) * page.size,
    take: page.size + 1,
  });
  return { lines: rows.slice(0, page.size).map(toRow), more: rows.length > page.size };
}

/** Lines with these actions that are about a task, oldest first. `since`: none of them is older; it keeps the look short. */
export async function linesOfTask(
  db: Tx['db'],
  of: { workspace: string; task: string; actions: readonly string[]; since: Date },
): Promise<AuditRow[]> {
  const { workspace, task, actions, since } = of;
  const rows = await db.audit.findMany({
    where: { ...whereOf({ workspace, task, since }), action: { in: [...actions] } },
    orderBy: [{ at: 'asc' }, { id: 'asc' }],
    take: 500,
  });
  return rows.map(toRow);
}

function whereOf({ workspace, actors, task, kinds, since }: AuditFilter): Prisma.AuditWhereInput {
  return {
    workspaceId: workspace,
    AND: [
      ...(actors === undefined ? [] : [{ actorId: { in: [...actors] } }]),
      ...(task === undefined ? [] : [{ OR: [{ subject: task }, { data: { path: ['task'], equals: task } }] }]),
      ...(kinds === undefined
        ? []
        : [{ OR: kinds.flatMap((kind) => [{ action: kind }, { action: { startsWith: `${kind}.` } }]) }]),
      ...(since === undefined ? [] : [{ at: { gte: since } }]),
    ],
  };
}

function toRow(row: Audit): AuditRow {
  return {
    id: row.id,
    seq: row.seq === null ? undefined : Number(row.seq),
    at: row.at,
    actor: row.actorId ?? undefined,
    action: row.action,
    subject: row.subject,
    data: dataSchema.safeParse(row.data).data ?? {},
    via: viaSchema.safeParse(row.via).data,
  };
}

/** What ids in lines stand for. Things of other workspaces have no name (promise 12). */
export interface AuditNames {
  people: ReadonlyMap<string, string>;
  /** Numbers of tasks. */
  tasks: ReadonlyMap<string, number>;
  projects: ReadonlyMap<string, string>;
  /** Channels, by `channelKey` and by our own id. */
  channels: ReadonlyMap<string, AuditChannel>;
}

export interface AuditChannel {
  kind: string;
  name: string | undefined;
  project: string | undefined;
}

/** Names a channel of a platform. */
export function channelKey({ platform, tenant, channel }: Pick<Via, 'platform' | 'tenant' | 'channel'>): string {
  return `${platform}:${tenant}:${channel}`;
}

export async function auditNames(tx: Tx, workspace: string, lines: readonly AuditRow[]): Promise<AuditNames> {
  const named = [...new Set(lines.flatMap(({ actor, subject, data }) => [actor, subject, ...Object.values(data)]))];
  const ids = named.flatMap((id) => (typeof id === 'string' && /^[a-z]{3}_/.test(id) ? [id] : []));
  const of = (prefix: string) => ids.filter((id) => id.startsWith(`${prefix}_`));
  const externals = lines.flatMap(({ via }) => (via === undefined ? [] : [via.channel]));
  const people = await namesOf(tx, workspace, of('usr'));
  const tasks = await tx.db.task.findMany({
    where: { workspaceId: workspace, id: { in: of('tsk') } },
    select: { id: true, number: true },
  });
  const projects = await tx.db.project.findMany({
    where: { workspaceId: workspace, id: { in: of('prj') } },
    select: { id: true, name: true },
  });
  const channels = await tx.db.channel.findMany({
    where: { workspaceId: workspace, OR: [{ id: { in: of('chn') } }, { externalId: { in: [...new Set(externals)] } }] },
  });
  return {
    people,
    tasks: new Map(tasks.map(({ id, number }) => [id, number])),
    projects: new Map(projects.map(({ id, name }) => [id, name])),
    channels: new Map(
      channels.flatMap(({ id, platform, tenant, externalId, kind, name, projectId }) => {
        const channel = { kind, name: name ?? undefined, project: projectId ?? undefined };
        return [[id, channel] as const, [channelKey({ platform, tenant, channel: externalId }), channel] as const];
      }),
    ),
  };
}
