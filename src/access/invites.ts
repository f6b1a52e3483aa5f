import { type Affiliation, isExternal } from '../contracts/affiliation.ts';
import { type CustomRole, givenWith, nameOf } from '../contracts/custom-roles.ts';
import { type Given, isWithin, may, type Rights } from '../contracts/permissions.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { placesIn } from '../store/folders.ts';
import { createInviteRow, goodInvites, type InviteRow, inviteByHash, inviteFor, useInvite } from '../store/invites.ts';
import { idsOf, isSamePerson, lockPeople } from '../store/linked-people.ts';
import type { Place } from '../store/memberships.ts';
import { type Member, personById, setRole } from '../store/people.ts';
import { mayGive } from './cascade.ts';
import { changingRoles, setMembership } from './change-roles.ts';
import { roleName } from './not-allowed.ts';
import { codeHash, newOneTimeCode } from './one-time-code.ts';
import { rolesAbout } from './role-about.ts';
import { triesTooOften } from './wrong-codes.ts';

/** Invitations that a person may have open at a time. */
export const mostInvites = 20;

/** Built-in roles that can be invited to. Ownership is handed to somebody by name. */
export const inviteRoles = ['guest', 'developer', 'maintainer'] as const;
export type InviteRole = (typeof inviteRoles)[number] | CustomRole;

export type NewInvite = { result: 'made'; id: string; code: string } | { result: 'not_allowed' } | { result: 'too_many' };

export interface InviteInput {
  workspace: string;
  by: Member;
  /** What they may there, from where they are. */
  own: Rights;
  role: InviteRole;
  /** What the role is about; undefined: the workspace. */
  place: Place | undefined;
  /** Who alone can use it; undefined: whoever has the code. */
  person: Member | undefined;
  label: string | undefined;
  expiresAt: Date;
}

/** Makes an invitation to a role that `own` lets give there. The code is nowhere else than in what this returns. */
export async function makeInvite(tx: Tx, input: InviteInput, now: Date): Promise<NewInvite> {
  const { workspace, by, own, role, place, person, label, expiresAt } = input;
  await lockPeople(tx, workspace);
  if (!mayGive(own, givenWith(role))) return { result: 'not_allowed' };
  if ((await goodInvites(tx, workspace, [by.user], now)).length >= mostInvites) return { result: 'too_many' };
  const code = newOneTimeCode();
  const row = { workspace, role, place, person: person?.user, label, by: by.user, expiresAt };
  const id = await createInviteRow(tx, { ...row, hash: codeHash(code), at: now });
  const data = {
    role: nameOf(role),
    label: label ?? null,
    expiresAt: expiresAt.toISOString(),
    ...inPlace(place),
    ...(person === undefined ? {} : { for: person.user }),
  };
  await recordAudit(tx, { workspace, actor: by.user, action: 'invite.created', subject: id, data });
  return { result: 'made', id, code };
}

/** Somebody as they are about a place; undefined: in the workspace. */
async function aboutPlace(tx: Tx, person: Member, workspace: string, place: Place | undefined): Promise<Given> {
  if (place === undefined) return person;
  const [about] = await rolesAbout(tx, { workspace, place: place.id, people: [person.user] });
  return about ?? { role: undefined };
}

function inPlace(place: Place | undefined): Record<string, string> {
  return place === undefined ? {} : { in: place.name, [place.kind]: place.id };
}

export type Joined =
  | { result: 'joined'; invite: InviteRow; by: Member }
  /** No code that can be used here: never was, used, taken back or over. */
  | { result: 'wrong' }
  | { result: 'limited' }
  /** Who made the invitation may not give the role any more, or not to this person. It stays as it is. */
  | { result: 'void' }
  | { result: 'own' }
  | { result: 'has_it'; is: Given; place: Place | undefined }
  /** They have a custom role that gives what the role of the invitation does not. */
  | { result: 'would_lose'; is: Given; place: Place | undefined };

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
  const person = await personById(tx, workspace, user);
  const invite = person === undefined ? undefined : await inviteOf(tx, workspace, person, code, now);
  if (invite === undefined || person === undefined) {
    await recordAudit(tx, { workspace, actor: user, action: 'invite.wrong_code', subject: user, data: {} });
    return { result: 'wrong' };
  }
  const by = await personById(tx, workspace, invite.by);
  if (by !== undefined && isSamePerson(by, user)) return { result: 'own' };
  const { place } = invite;
  const given = givenWith(invite.role);
  const is = await aboutPlace(tx, person, workspace, place);
  if (isWithin(given, is)) return { result: 'has_it', is, place };
  if (!isWithin(is, given)) return { result: 'would_lose', is, place };
  const giver = by === undefined ? {} : await aboutPlace(tx, by, workspace, place);
  const tooMuch = isExternal(affiliation) && !isWithin(given, { role: 'guest' }) && !may(giver, 'workspace.own');
  if (by === undefined || tooMuch || !mayGive(giver, given) || !mayGive(giver, is)) {
    await recordAudit(tx, {
      workspace,
      actor: user,
      action: 'invite.void',
      subject: invite.id,
      data: { role: nameOf(invite.role), by: invite.by, ...inPlace(place) },
    });
    return { result: 'void' };
  }
  if (!(await useInvite(tx, invite.id, user, now))) return { result: 'wrong' };
  if (place === undefined) await setRole(tx, workspace, person.user, invite.role);
  else await become(tx, by, place, person, invite.role);
  const data = { invite: invite.id, by: by.user, from: roleName(is), to: nameOf(invite.role), ...inPlace(place) };
  await recordAudit(tx, { workspace, actor: user, action: 'invite.used', subject: person.user, data });
  return { result: 'joined', invite, by };
}

/** Whoever has the code, or the button, may use it, where it is for nobody else. Else it is as one that is not there. */
async function inviteOf(tx: Tx, workspace: string, person: Member, code: string, now: Date): Promise<InviteRow | undefined> {
  const people = idsOf(person);
  const addressed = await inviteFor(tx, workspace, code.trim(), people, now);
  const invite = addressed ?? (await inviteByHash(tx, workspace, codeHash(code), now));
  return invite?.person === undefined || people.includes(invite.person) ? invite : undefined;
}

/** As if who invited them had given it by name at this moment. Throws what that throws. */
async function become(tx: Tx, by: Member, place: Place, person: Member, role: InviteRow['role']): Promise<void> {
  const { workspace } = place;
  const places = place.kind === 'folder' ? await placesIn(tx, place) : [place];
  await changingRoles(tx, { workspace, user: by.user, name: by.name }, places, () => setMembership(tx, place, person, role));
}
