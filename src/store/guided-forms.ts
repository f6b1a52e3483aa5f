import { z } from 'zod';
import { Prisma, type GuidedForm as Row } from '../../prisma/client/client.ts';
import { type Conversation, platformSchema } from '../contracts/platform.ts';
import { type Form, formSchema } from '../contracts/view.ts';
import { newId } from '../runtime/ids.ts';
import type { Tx } from './database.ts';
import { storableJson } from './storable.ts';

/** A form that is asked field by field. */
export interface GuidedForm {
  id: string;
  workspace: string;
  conversation: Conversation;
  /** Account of the person who is asked, on the platform of the conversation. */
  account: string;
  form: Form;
  /** Answers so far, by field id. */
  values: Record<string, string[]>;
  /** Index of the field that is asked. */
  field: number;
  /** How often something was asked; the question that stands is the last one. */
  asked: number;
  open: boolean;
  expiresAt: Date;
}

export type GuidedEnd = 'submitted' | 'cancelled' | 'expired' | 'superseded';

export interface NewGuidedForm {
  workspace: string;
  conversation: Conversation;
  account: string;
  /** What asked for the form: the same origin starts it once. */
  origin: string;
  form: Form;
  expiresAt: Date;
}

/** Makes a form with its first field asked; undefined when this origin has made one before. */
export async function createGuidedForm(tx: Tx, input: NewGuidedForm): Promise<GuidedForm | undefined> {
  const { platform, tenant, channel, thread, kind } = input.conversation;
  const id = newId('frm');
  const { count } = await tx.db.guidedForm.createMany({
    data: [
      {
        id,
        workspaceId: input.workspace,
        platform,
        tenant,
        channel,
        thread: thread ?? null,
        channelKind: kind,
        account: input.account,
        origin: input.origin,
        form: input.form,
        expiresAt: input.expiresAt,
      },
    ],
    skipDuplicates: true,
  });
  return count === 0 ? undefined : toForm(await tx.db.guidedForm.findUniqueOrThrow({ where: { id } }));
}

/** What the person is asked in this conversation, oldest first; locked until the end of the transaction. */
export async function openGuidedForms(
  tx: Tx,
  workspace: string,
  at: { platform: string; tenant: string; channel: string; account: string },
): Promise<GuidedForm[]> {
  const rows = await tx.db.$queryRaw<{ id: string }[]>(Prisma.sql`
    SELECT "id" FROM "GuidedForm" WHERE "platform" = ${at.platform} AND "tenant" = ${at.tenant} AND "channel" = ${at.channel}
      AND "account" = ${at.account} AND "state" = 'open' AND "workspaceId" = ${workspace} ORDER BY "id" FOR UPDATE`);
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  return (await tx.db.guidedForm.findMany({ where: { id: { in: ids } }, orderBy: { id: 'asc' } })).map(toForm);
}

/** The form with this id, whatever has become of it; locked until the end of the transaction. */
export async function lockGuidedForm(tx: Tx, workspace: string, id: string): Promise<GuidedForm | undefined> {
  await tx.db.$queryRaw(Prisma.sql`SELECT "id" FROM "GuidedForm" WHERE "id" = ${id} FOR UPDATE`);
  const row = await tx.db.guidedForm.findFirst({ where: { id, workspaceId: workspace } });
  return row === null ? undefined : toForm(row);
}

/** Whether the person was ever asked a form here: what most messages can be told from at once. */
export async function hasGuidedForms(
  tx: Tx,
  at: { platform: string; tenant: string; channel: string; account: string },
): Promise<boolean> {
  return (await tx.db.guidedForm.findFirst({ where: at, select: { id: true } })) !== null;
}

/** Whether the question that the person is asked here now is for a secret. */
export async function isAskedForSecret(
  db: Tx['db'],
  at: { platform: string; tenant: string; channel: string; account: string },
): Promise<boolean> {
  const rows = await db.guidedForm.findMany({ where: { ...at, state: 'open' }, select: { form: true, field: true } });
  return rows.some(({ form, field }) => {
    const asked = formSchema.parse(form).fields[field];
    return asked?.type === 'text' && asked.secret === true;
  });
}

/** True when this act has answered a form before. */
export async function hasAnswered(
  tx: Tx,
  at: { platform: string; tenant: string; channel: string; account: string; key: string },
): Promise<boolean> {
  const { key, ...where } = at;
  return (await tx.db.guidedForm.findFirst({ where: { ...where, answers: { has: key } }, select: { id: true } })) !== null;
}

/** Writes down what was answered by the act `key`, and what is asked now. */
export async function advanceGuidedForm(
  tx: Tx,
  id: string,
  key: string,
  to: { values: Record<string, string[]>; field: number; asked: number; expiresAt: Date },
): Promise<void> {
  const values = z.record(z.string(), z.array(z.string())).parse(JSON.parse(storableJson(to.values)));
  await tx.db.guidedForm.update({ where: { id }, data: { ...to, values, answers: { push: key } } });
}

/** Ends an open form and forgets what was answered; false when it is over already. `key`: the act that ends it. */
export async function endGuidedForm(tx: Tx, id: string, state: GuidedEnd, at: Date, key?: string): Promise<boolean> {
  const { count } = await tx.db.guidedForm.updateMany({
    where: { id, state: 'open' },
    data: { state, endedAt: at, values: {}, ...(key === undefined ? {} : { answers: { push: key } }) },
  });
  return count === 1;
}

/** Open forms whose time is over. */
export async function overdueGuidedForms(
  tx: Pick<Tx, 'db'>,
  now: Date,
  limit: number,
): Promise<{ id: string; workspace: string }[]> {
  const rows = await tx.db.guidedForm.findMany({
    where: { state: 'open', expiresAt: { lte: now } },
    select: { id: true, workspaceId: true },
    orderBy: { expiresAt: 'asc' },
    take: limit,
  });
  return rows.map(({ id, workspaceId }) => ({ id, workspace: workspaceId }));
}

function toForm(row: Row): GuidedForm {
  return {
    id: row.id,
    workspace: row.workspaceId,
    conversation: {
      platform: platformSchema.parse(row.platform),
      tenant: row.tenant,
      channel: row.channel,
      kind: row.channelKind === 'direct' ? 'direct' : 'channel',
      ...(row.thread === null ? {} : { thread: row.thread }),
    },
    account: row.account,
    form: formSchema.parse(row.form),
    values: z.record(z.string(), z.array(z.string())).parse(row.values),
    field: row.field,
    asked: row.asked,
    open: row.state === 'open',
    expiresAt: row.expiresAt,
  };
}
