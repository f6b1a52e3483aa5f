import type { LoginProvider } from '../contracts/signin.ts';
import { loginProviderSchema } from '../contracts/signin.ts';
import { newId } from '../runtime/ids.ts';
import type { Tx } from './database.ts';

/** An account elsewhere with which a person signs in. */
export interface LoginRow {
  id: string;
  workspace: string;
  user: string;
  provider: LoginProvider;
  name: string;
  lastUsedAt: Date | undefined;
}

/** What names an account elsewhere, whatever it calls itself. */
export interface LoginKey {
  provider: LoginProvider;
  issuer: string;
  subject: string;
}

/** The person who signs in with this account; undefined: nobody does. */
export async function loginOf(tx: Tx, { provider, issuer, subject }: LoginKey): Promise<LoginRow | undefined> {
  const row = await tx.db.externalLogin.findUnique({ where: { provider_issuer_subject: { provider, issuer, subject } } });
  return row === null ? undefined : toLogin(row);
}

/** Lets a person sign in with an account; undefined when the account is somebody's already. */
export async function addLogin(
  tx: Tx,
  login: LoginKey & { workspace: string; user: string; name: string },
  at: Date,
): Promise<string | undefined> {
  const { workspace, user, provider, issuer, subject, name } = login;
  const id = newId('exl');
  const { count } = await tx.db.externalLogin.createMany({
    data: [{ id, workspaceId: workspace, userId: user, provider, issuer, subject, name, createdAt: at }],
    skipDuplicates: true,
  });
  return count === 1 ? id : undefined;
}

/** Accounts with which these people sign in, oldest first. */
export async function loginsOf(tx: Tx, workspace: string, users: readonly string[]): Promise<LoginRow[]> {
  const rows = await tx.db.externalLogin.findMany({
    where: { workspaceId: workspace, userId: { in: [...users] } },
    orderBy: { id: 'asc' },
  });
  return rows.map(toLogin);
}

/** Takes an account from one of these people; false when they have none with this id. */
export async function removeLogin(tx: Tx, workspace: string, users: readonly string[], id: string): Promise<boolean> {
  const { count } = await tx.db.externalLogin.deleteMany({ where: { id, workspaceId: workspace, userId: { in: [...users] } } });
  return count === 1;
}

/** Notes that somebody signed in with it, and what it is called now. */
export async function noteLoginUsed(tx: Tx, id: string, name: string, at: Date): Promise<void> {
  await tx.db.externalLogin.update({ where: { id }, data: { lastUsedAt: at, name } });
}

/** The workspace of an installation that has one; undefined when there are several: then nobody can say which one a stranger belongs to. */
export async function onlyWorkspace(tx: Tx): Promise<string | undefined> {
  const rows = await tx.db.workspace.findMany({ take: 2, select: { id: true } });
  return rows.length === 1 ? rows[0]?.id : undefined;
}

/** A person without an account in chat. */
export async function createGuest(tx: Tx, workspace: string, name: string, at: Date): Promise<string> {
  const id = newId('usr');
  await tx.db.user.create({ data: { id, workspaceId: workspace, name, role: 'guest', createdAt: at } });
  return id;
}

function toLogin(row: {
  id: string;
  workspaceId: string;
  userId: string;
  provider: string;
  name: string;
  lastUsedAt: Date | null;
}): LoginRow {
  const { id, workspaceId: workspace, userId: user, name } = row;
  return {
    id,
    workspace,
    user,
    provider: loginProviderSchema.parse(row.provider),
    name,
    lastUsedAt: row.lastUsedAt ?? undefined,
  };
}
