import { AppError } from '../contracts/errors.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { addLogin, createGuest, loginOf, noteLoginUsed, onlyWorkspace, removeLogin } from '../store/external-logins.ts';
import { personById } from '../store/people.ts';
import type { ExternalAccount } from './login-server.ts';
import { rightsOfPerson } from './role-about.ts';

/**
 * Whom an account elsewhere signs in: the person it was linked to before; or, where the owner of the installation allows the domain of its verified
 * address, a new guest. Throws DH-233 for everybody else.
 */
export async function personOfAccount(
  tx: Tx,
  account: ExternalAccount,
  allowedDomains: readonly string[],
  at: Date,
): Promise<{ workspace: string; user: string }> {
  const known = await loginOf(tx, account);
  if (known !== undefined) {
    const person = await personById(tx, known.workspace, known.user);
    if (person === undefined || (await rightsOfPerson(tx, known.workspace, known.user)).role === undefined)
      throw notLet('You have no role here any more.');
    await noteLoginUsed(tx, known.id, account.name, at);
    return { workspace: known.workspace, user: person.user };
  }
  const workspace = isAllowed(account.email, allowedDomains) ? await onlyWorkspace(tx) : undefined;
  if (workspace === undefined) throw notLet(`The account ${account.name} belongs to nobody here.`);
  const user = await createGuest(tx, workspace, account.name, at);
  const login = await addLogin(tx, { ...account, workspace, user }, at);
  // Somebody else was quicker with the very same account: the next try finds what they made.
  if (login === undefined) throw notLet('The account signs in at another place at this moment.');
  const data = { role: 'guest', by: 'OIDC_ALLOWED_DOMAINS', email: account.email ?? '', account: account.subject };
  await recordAudit(tx, { workspace, actor: user, action: 'member.role', subject: user, data });
  return { workspace, user };
}

/** Links an account to a person who is signed in. Throws DH-233 when it is somebody's already. */
export async function linkAccount(
  tx: Tx,
  { workspace, user }: { workspace: string; user: string },
  account: ExternalAccount,
  at: Date,
): Promise<void> {
  const id = await addLogin(tx, { ...account, workspace, user }, at);
  if (id === undefined) {
    throw new AppError('DH-233', {
      why: `Somebody signs in with the account ${account.name} already.`,
      what: 'Use another account, or remove it there first.',
    });
  }
  const { provider, subject, name } = account;
  await recordAudit(tx, {
    workspace,
    actor: user,
    action: 'login.link',
    subject: id,
    data: { provider, account: subject, name },
  });
}

/** Ends that a person signs in with an account. */
export async function unlinkAccount(
  tx: Tx,
  { workspace, user, users }: { workspace: string; user: string; users: readonly string[] },
  id: string,
): Promise<void> {
  if (await removeLogin(tx, workspace, users, id)) {
    await recordAudit(tx, { workspace, actor: user, action: 'login.unlink', subject: id, data: {} });
  }
}

/** Only addresses that the server has verified, and only the very domain: not those below it. */
export function isAllowed(email: string | undefined, domains: readonly string[]): boolean {
  const at = email?.lastIndexOf('@') ?? -1;
  return email !== undefined && at > 0 && domains.includes(email.slice(at + 1).toLowerCase());
}

function notLet(why: string): AppError {
  return new AppError('DH-233', {
    why,
    what: 'Sign in with a link from chat (`signin`), and link the account on the page of your account. People without a role ask an owner for one.',
  });
}
