import { goodTokens, type TokenRow } from './access-tokens.ts';
import type { Tx } from './database.ts';
import { type LoginRow, loginsOf } from './external-logins.ts';
import { idsOf } from './linked-people.ts';
import { passwordOf } from './passwords.ts';
import { allAccountsOf, type Member, personById } from './people.ts';
import { openSessions, type SessionRow } from './sessions.ts';

/** What a person is shown about themselves. */
export interface AccountFacts {
  person: Member;
  workspace: string;
  accounts: { platform: string; name: string }[];
  sessions: SessionRow[];
  tokens: TokenRow[];
  logins: LoginRow[];
  /** The name that goes with the password; undefined: there is none. */
  passwordLogin: string | undefined;
}

/** What there is about a person of this workspace; undefined: there is no such person. */
export async function accountFacts(
  tx: Tx,
  workspace: string,
  user: string,
  when: { at: Date; seenAfter: Date },
): Promise<AccountFacts | undefined> {
  const person = await personById(tx, workspace, user);
  if (person === undefined) return undefined;
  const users = idsOf(person);
  const named = await tx.db.workspace.findUniqueOrThrow({ where: { id: workspace }, select: { name: true } });
  return {
    person,
    workspace: named.name,
    accounts: (await allAccountsOf(tx, workspace, [person.user])).get(person.user) ?? [],
    sessions: await openSessions(tx, workspace, users, when),
    tokens: await goodTokens(tx, workspace, users, when.at),
    logins: await loginsOf(tx, workspace, users),
    passwordLogin: (await passwordOf(tx, { user: person.user }))?.login,
  };
}
