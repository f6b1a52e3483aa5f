import { Prisma } from '../../prisma/client/client.ts';
import { platformSchema } from '../contracts/platform.ts';
import { viewSecretContext } from '../delivery/view-secret.ts';
import { loginContext } from '../runtime/repository-login.ts';
import { keyContext } from './agent-accounts.ts';
import type { Tx } from './database.ts';

/** A row with sealed texts in it. `text`: of the column, whole. */
export interface SealedRow {
  id: string;
  text: string;
  /** What the texts in it may be sealed for: each opens in one of these. */
  contexts: string[];
}

interface Found {
  id: string;
  text: string;
  /** Account in an event or a form, where there is one. */
  account: string | null;
}

/** Where the database keeps sealed texts. */
export interface SealedPlace {
  name: string;
  /** Gone with what it waits for, within minutes; else it stays until somebody changes it. */
  brief: boolean;
  rows: Prisma.Sql;
  contexts(row: Found): string[];
  /** Puts the text in the place of the one that was found, unless somebody else has changed that. */
  put(id: string, was: string, text: string): Prisma.Sql;
}

/** A sealed text: nonce and tag take 38 characters at least. */
export const sealedPattern = /\bv1\.([0-9a-f]{8})\.[A-Za-z0-9_-]{38,}/g;
const sealedInSql = 'v1[.]([0-9a-f]{8})[.][A-Za-z0-9_-]{38,}';

/** What a handle of a platform is sealed for. */
export const handleContext = (platform: string) => `${platform} handle`;
/** What a typed secret is sealed for: whoever typed it. `account`: `<platform>:<tenant>:<user>`. */
export const typedContext = (account: string) => `typed by ${account}`;

const handles = platformSchema.options.map(handleContext);
const none = Prisma.sql`NULL::text`;
const typed = ({ account }: Found) => (account === null ? [] : [typedContext(account)]);

/**
 * Every column that keeps sealed texts for longer than a moment. What is not here is not sealed anew when the key changes, and is lost with the
 * old one: add a column here with the code that seals into it. The end of each chain of the audit is signed anew by audit/change-key.ts.
 */
export const sealedPlaces: readonly SealedPlace[] = [
  {
    name: 'keys of accounts of agents',
    brief: false,
    rows: Prisma.sql`SELECT "id", "sealed" AS text, ${none} AS account FROM "AgentAccount" WHERE "sealed" IS NOT NULL`,
    contexts: ({ id }) => [keyContext(id)],
    put: (id, was, text) => Prisma.sql`UPDATE "AgentAccount" SET "sealed" = ${text} WHERE "id" = ${id} AND "sealed" = ${was}`,
  },
  {
    name: 'logins of repositories',
    brief: false,
    rows: Prisma.sql`SELECT "id", "source" AS text, ${none} AS account FROM "Project" WHERE "source" LIKE '%://sealed:v1.%'`,
    contexts: ({ id }) => [loginContext(id)],
    put: (id, was, text) => Prisma.sql`UPDATE "Project" SET "source" = ${text} WHERE "id" = ${id} AND "source" = ${was}`,
  },
  {
    name: 'events that wait',
    brief: true,
    rows: Prisma.sql`
      SELECT "id"::text, "event"::text AS text,
             "platform" || ':' || ("event" #>> '{conversation,tenant}') || ':' || ("event" #>> '{actor,user}') AS account
      FROM "Inbox" WHERE "state" = 'pending'`,
    contexts: (row) => [...typed(row), ...handles],
    put: (id, was, text) =>
      Prisma.sql`UPDATE "Inbox" SET "event" = ${text}::jsonb WHERE "id" = ${BigInt(id)} AND "event"::text = ${was}`,
  },
  {
    name: 'forms that are filled in',
    brief: true,
    rows: Prisma.sql`
      SELECT "id", "values"::text AS text, "platform" || ':' || "tenant" || ':' || "account" AS account
      FROM "GuidedForm" WHERE "state" = 'open'`,
    contexts: typed,
    put: (id, was, text) =>
      Prisma.sql`UPDATE "GuidedForm" SET "values" = ${text}::jsonb WHERE "id" = ${id} AND "values"::text = ${was}`,
  },
  {
    name: 'messages that wait',
    brief: true,
    rows: Prisma.sql`SELECT "id", "payload"::text AS text, ${none} AS account FROM "Outbox" WHERE "state" = 'pending'`,
    contexts: () => [viewSecretContext, ...handles],
    put: (id, was, text) =>
      Prisma.sql`UPDATE "Outbox" SET "payload" = ${text}::jsonb WHERE "id" = ${id} AND "payload"::text = ${was}`,
  },
  {
    name: 'examinations that wait',
    brief: true,
    rows: Prisma.sql`SELECT "id", "asker"::text AS text, ${none} AS account FROM "Examination" WHERE "endedAt" IS NULL`,
    contexts: () => handles,
    put: (id, was, text) =>
      Prisma.sql`UPDATE "Examination" SET "asker" = ${text}::jsonb WHERE "id" = ${id} AND "asker"::text = ${was}`,
  },
];

/** The next rows of a place with a text that another key than this one has sealed, by their ids. */
export async function staleRows(
  tx: Pick<Tx, 'db'>,
  place: SealedPlace,
  { after, key, most }: { after: string; key: string; most: number },
): Promise<SealedRow[]> {
  const found = await tx.db.$queryRaw<Found[]>(Prisma.sql`
    SELECT p."id", p.text, p.account FROM (${place.rows}) p
    WHERE p."id" > ${after} AND EXISTS (SELECT FROM regexp_matches(p.text, ${sealedInSql}, 'g') m WHERE m[1] <> ${key})
    ORDER BY p."id" LIMIT ${most}`);
  return found.map((row) => ({ id: row.id, text: row.text, contexts: place.contexts(row) }));
}

/** False: somebody else has changed the row meanwhile. */
export async function putSealed(tx: Pick<Tx, 'db'>, place: SealedPlace, { id, text }: SealedRow, now: string): Promise<boolean> {
  return (await tx.db.$executeRaw(place.put(id, text, now))) === 1;
}

/** How many rows of each place are sealed with which key; ends of chains of the audit are a place as well. */
export async function sealedCounts(db: Tx['db']): Promise<{ place: string; brief: boolean; key: string; rows: number }[]> {
  const found: { place: string; brief: boolean; key: string; rows: number }[] = [];
  for (const { name, brief, rows } of sealedPlaces) {
    const counts = await db.$queryRaw<{ key: string; rows: number }[]>(Prisma.sql`
      SELECT m[1] AS key, count(DISTINCT p."id")::int AS rows
      FROM (${rows}) p, regexp_matches(p.text, ${sealedInSql}, 'g') m GROUP BY 1 ORDER BY 1`);
    found.push(...counts.map((count) => ({ place: name, brief, ...count })));
  }
  const ends = await db.$queryRaw<{ key: string; rows: number }[]>(Prisma.sql`
    SELECT split_part("signature", '.', 2) AS key, count(*)::int AS rows FROM "AuditChain"
    WHERE "signature" IS NOT NULL GROUP BY 1 ORDER BY 1`);
  return [...found, ...ends.map((count) => ({ place: 'ends of the audit', brief: false, ...count }))];
}
