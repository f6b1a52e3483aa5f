import type { AccessToken } from '../../prisma/client/client.ts';
import { Prisma } from '../../prisma/client/client.ts';
import { type AccessScope, accessScopeSchema, type TokenKind, tokenKindSchema } from '../contracts/access-token.ts';
import { type AnyRole, readPermissions } from '../contracts/custom-roles.ts';
import { anyOf, type Given, type Permission, type Rights, rightsOf } from '../contracts/permissions.ts';
import { type Role, roleSchema } from '../contracts/roles.ts';
import { newId } from '../runtime/ids.ts';
import { besideCustom, customPermissions, customRolesById, givenByColumns, roleColumns } from './custom-roles.ts';
import type { Database, Tx } from './database.ts';
import { roleOf } from './linked-people.ts';

/** An access token as its owner sees it. */
export interface TokenRow {
  id: string;
  kind: TokenKind;
  /** Whose it is; of a service token who made it. */
  user: string;
  /** Of a service token: the only project it reaches; undefined: all. */
  project: string | undefined;
  name: string;
  end: string;
  scopes: AccessScope[];
  /** The most that it may, under the name of the role. */
  ceiling: Given;
  createdAt: Date;
  expiresAt: Date;
  lastUsedAt: Date | undefined;
  revokedAt: Date | undefined;
}

/** A token with whom it stands for as they are now. */
export interface TokenStanding {
  id: string;
  workspace: string;
  kind: TokenKind;
  /** Of linked accounts: who stands for all of them. Of a service token: who made it. */
  user: string;
  project: string | undefined;
  name: string;
  scopes: AccessScope[];
  /** The most that it may. */
  ceiling: Rights;
  /** Explicit role of the person at this moment. */
  personRole: Role | undefined;
  /** What custom roles give them beyond it. */
  personExtra?: readonly Permission[] | undefined;
  expiresAt: Date;
  lastUsedAt: Date | undefined;
  revokedAt: Date | undefined;
}

export interface NewToken {
  workspace: string;
  kind: TokenKind;
  project: string | undefined;
  user: string;
  name: string;
  hash: string;
  end: string;
  scopes: readonly AccessScope[];
  role: AnyRole;
  at: Date;
  expiresAt: Date;
}

export async function createTokenRow(tx: Tx, token: NewToken): Promise<string> {
  const id = newId('tok');
  const { workspace, kind, project, user, name, hash, end, scopes, role, at, expiresAt } = token;
  await tx.db.accessToken.create({
    data: {
      id,
      workspaceId: workspace,
      kind,
      projectId: project ?? null,
      userId: user,
      name,
      hash,
      end,
      scopes: [...scopes],
      ...roleColumns(role),
      createdAt: at,
      expiresAt,
    },
  });
  return id;
}

/** Tokens of the workspace that are good at `at`, oldest first: those of some people; of everybody and of services; of services. */
export async function goodTokens(
  tx: Tx,
  workspace: string,
  whose: readonly string[] | 'all' | 'services',
  at: Date,
): Promise<TokenRow[]> {
  const rows = await tx.db.accessToken.findMany({
    where: {
      workspaceId: workspace,
      ...(whose === 'all' ? {} : whose === 'services' ? { kind: 'service' } : { kind: 'personal', userId: { in: [...whose] } }),
      revokedAt: null,
      expiresAt: { gt: at },
    },
    orderBy: { id: 'asc' },
    take: 500,
  });
  const custom = await customRolesById(
    tx,
    workspace,
    rows.map((row) => row.customRoleId),
  );
  return rows.map((row) => ({ ...toToken(row), ceiling: givenByColumns(row, custom) }));
}

/** Ends a token of this workspace; false when it is none, or has been revoked before. */
export async function revokeTokenRow(tx: Tx, workspace: string, id: string, by: string, at: Date): Promise<boolean> {
  const { count } = await tx.db.accessToken.updateMany({
    where: { id, workspaceId: workspace, revokedAt: null },
    data: { revokedAt: at, revokedById: by },
  });
  return count === 1;
}

const standing = Prisma.sql`
  SELECT t."id", t."workspaceId" AS workspace, u."id" AS "user", t."kind", t."projectId" AS project, t."name", t."scopes", t."role" AS ceiling, cap."permissions" AS "ceilingPermissions",
    u."role" AS "personRole",
    ${customPermissions(Prisma.sql`u`)} AS "personPermissions",
    t."expiresAt", t."lastUsedAt", t."revokedAt"
  FROM "AccessToken" t JOIN "User" own ON own."id" = t."userId" JOIN "User" u ON u."id" = COALESCE(own."linkedToId", own."id")
  LEFT JOIN "CustomRole" cap ON cap."id" = t."customRoleId" AND cap."workspaceId" = t."workspaceId" AND t."role" = ${besideCustom}`;

/** The token with this hash, in one statement; undefined: there is none. */
export async function tokenByHash({ db }: Pick<Database, 'db'>, hash: string): Promise<TokenStanding | undefined> {
  const [row] = await db.$queryRaw<StandingRow[]>(Prisma.sql`${standing} WHERE t."hash" = ${hash}`);
  return row === undefined ? undefined : toStanding(row);
}

/** How these tokens stand now; those that are gone are missing. */
export async function tokensStanding({ db }: Pick<Database, 'db'>, ids: readonly string[]): Promise<TokenStanding[]> {
  return (await db.$queryRaw<StandingRow[]>(Prisma.sql`${standing} WHERE t."id" = ANY(${[...ids]}::text[])`)).map(toStanding);
}

/** Ends the token with this hash, which nobody was ever shown; its id, unless it has ended already. */
export async function revokeByHash(
  tx: Tx,
  hash: string,
  at: Date,
): Promise<{ id: string; workspace: string; name: string } | undefined> {
  const [row] = await tx.db.accessToken.updateManyAndReturn({
    where: { hash, revokedAt: null },
    data: { revokedAt: at },
    select: { id: true, workspaceId: true, name: true },
  });
  return row === undefined ? undefined : { id: row.id, workspace: row.workspaceId, name: row.name };
}

/** Notes that these tokens are in use, unless that was noted within the last minute. */
export async function noteTokensUsed({ db }: Pick<Database, 'db'>, ids: readonly string[], at: Date): Promise<void> {
  const before = new Date(at.getTime() - usedToMs);
  await db.accessToken.updateMany({
    where: { id: { in: [...ids] }, OR: [{ lastUsedAt: null }, { lastUsedAt: { lte: before } }] },
    data: { lastUsedAt: at },
  });
}

/** How exactly the last use is known. */
export const usedToMs = 60_000;

interface StandingRow {
  id: string;
  workspace: string;
  kind: string;
  user: string;
  project: string | null;
  name: string;
  scopes: unknown;
  ceiling: string;
  ceilingPermissions: string[] | null;
  personRole: string | null;
  personPermissions: string[] | null;
  expiresAt: Date;
  lastUsedAt: Date | null;
  revokedAt: Date | null;
}

function toStanding({ personPermissions, ceilingPermissions, ...row }: StandingRow): TokenStanding {
  const person = anyOf([{ role: roleOf(row.personRole) }, rightsOf(readPermissions(personPermissions ?? []))]);
  return {
    ...row,
    kind: tokenKindSchema.parse(row.kind),
    project: row.project ?? undefined,
    scopes: scopesOf(row.scopes),
    ceiling:
      ceilingPermissions === null ? { role: roleSchema.parse(row.ceiling) } : rightsOf(readPermissions(ceilingPermissions)),
    personRole: person.role,
    personExtra: person.extra,
    lastUsedAt: row.lastUsedAt ?? undefined,
    revokedAt: row.revokedAt ?? undefined,
  };
}

function toToken(row: AccessToken): Omit<TokenRow, 'ceiling'> {
  return {
    id: row.id,
    kind: tokenKindSchema.parse(row.kind),
    user: row.userId,
    project: row.projectId ?? undefined,
    name: row.name,
    end: row.end,
    scopes: scopesOf(row.scopes),
    createdAt: row.createdAt,
    expiresAt: row.expiresAt,
    lastUsedAt: row.lastUsedAt ?? undefined,
    revokedAt: row.revokedAt ?? undefined,
  };
}

/** What is no scope (of a later version) counts as none. */
function scopesOf(stored: unknown): AccessScope[] {
  return Array.isArray(stored) ? stored.flatMap((scope) => accessScopeSchema.safeParse(scope).data ?? []) : [];
}
