import { type Affiliation, isExternal } from '../contracts/affiliation.ts';
import { type CustomRole, givenWith, nameOf } from '../contracts/custom-roles.ts';
import { type Given, isWithin, may } from '../contracts/permissions.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { createInviteRow, goodInvites, type InviteRow, inviteByHash, useInvite } from '../store/invites.ts';
import { isSamePerson, lockPeople } from '../store/linked-people.ts';
import { type Member, personById, setRole } from '../store/people.ts';
import { mayGive } from './cascade.ts';
import { roleName } from './not-allowed.ts';
import { codeHash, newOneTimeCode } from './one-time-code.ts';
import { triesTooOften } from './wrong-codes.ts';

/** Invitations that a person may have open at a time. */
export const mostInvites = 20;

/** Built-in roles that can be invited to. Ownership is handed to somebody by name. */
export const inviteRoles = ['guest', 'developer', 'maintainer'] as const;
export type InviteRole = (typeof inviteRoles)[number] | CustomRole;

export type NewInvite = { result: 'made'; id: string; code: string } | { result: 'not_allowed' } | { result: 'too_many' };

/** Makes an invitation to a role that `by` may give. The code is nowhere else than in what this returns. */
export async function makeInvite(
  tx: Tx,
  input: { workspace: string; by: Member; role: InviteRole; label: string | undefined; expiresAt: Date },
  now: Date,
): Promise<NewInvite> {
  const { workspace, by, role, label, expiresAt } = input;
  await lockPeople(tx, workspace);
  if (!mayGive(by, givenWith(role))) return { result: 'not_allowed' };
  if ((await goodInvites(tx, workspace, [by.user], now)).length >= mostInvites) return { result: 'too_many' };
  const code = newOneTimeCode();
  const id = await createInviteRow(tx, { workspace, role, label, by: by.user, expiresAt, hash: codeHash(code), at: now });
  const data = { role: nameOf(role), label: label ?? null, expiresAt: expiresAt.toISOString() };
  await recordAudit(tx, { workspace, actor: by.user, action: 'invite.created', subject: id, data });
  return { result: 'made', id, code };
}

export type Joined =
  | { result: 'joined'; invite: InviteRow; by: Member }
  /** No code that can be used here: never was, used, taken back or over. */
  | { result: 'wrong' }
  | { result: 'limited' }
  /** Who made the invitation may not give the role any more, or not to this person. It stays as it is. */
  | { result: 'void' }
  | { result: 'own' }
  | { result: 'has_it'; is: Given }
  /** They have a custom role that gives what the role of the invitation does not. */
  | { result: 'would_lose'; is: Given };

/**
 * Somebody sends a code. What they get is never more than who invited them may give at this moment, and never less than they have. External
 * people get more than looking from owners alone. Wrong codes are counted, so nothing of this may be rolled back.
 */
export async function redeemInvite(
  tx: Tx,
  actor: { workspace: string; user: string; affiliation?: Affiliation | undefined },
  code: string,
  now: Date,
): Promise<Joined> {
  const { workspace, user, affiliation } = actor;
  await lockPeople(tx, workspace);
  if (await triesTooOften(tx, actor, 'invite.wrong_code', now)) return { result: 'limited' };
  const invite = await inviteByHash(tx, workspace, codeHash(code), now);
  const person = await personById(tx, workspace, user);
  if (invite === undefined || person === undefined) {
    await recordAudit(tx, { workspace, actor: user, action: 'invite.wrong_code', subject: user, data: {} });
    return { result: 'wrong' };
  }
  const by = await personById(tx, workspace, invite.by);
  if (by !== undefined && isSamePerson(by, user)) return { result: 'own' };
  const given = givenWith(invite.role);
  if (isWithin(given, person)) return { result: 'has_it', is: person };
  if (!isWithin(person, given)) return { result: 'would_lose', is: person };
  const tooMuch = isExternal(affiliation) && !isWithin(given, { role: 'guest' }) && !may(by ?? {}, 'workspace.own');
  if (by === undefined || tooMuch || !mayGive(by, given) || !mayGive(by, person)) {
    await recordAudit(tx, {
      workspace,
      actor: user,
      action: 'invite.void',
      subject: invite.id,
      data: { role: nameOf(invite.role), by: invite.by },
    });
    return { result: 'void' };
  }
  if (!(await useInvite(tx, invite.id, user, now))) return { result: 'wrong' };
  await setRole(tx, workspace, person.user, invite.role);
  const data = { invite: invite.id, by: by.user, from: roleName(person), to: nameOf(invite.role) };
  await recordAudit(tx, { workspace, actor: user, action: 'invite.used', subject: person.user, data });
  return { result: 'joined', invite, by };
}
