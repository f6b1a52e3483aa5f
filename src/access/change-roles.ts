import type { PlaceLimit } from '../contracts/access-bundle.ts';
import { type AnyPlaceRole, givenWith, nameOf } from '../contracts/custom-roles.ts';
import { AppError } from '../contracts/errors.ts';
import { bothOf, type Given, isSame, isWithin, type Rights } from '../contracts/permissions.ts';
import type { Tx } from '../store/database.ts';
import { grantRows } from '../store/grants.ts';
import { idsOf, lockPeople } from '../store/linked-people.ts';
import { membershipsAt, type Place, writeMemberships } from '../store/memberships.ts';
import { type Member, membersIn, personById } from '../store/people.ts';
import { mayChangeRole, roleOfAccount } from './cascade.ts';
import { isWords } from './not-allowed.ts';
import { refuseExternal } from './refuse-external.ts';
import { byPlace, memberAbout, rolesAbout } from './role-about.ts';

/** Who changes something. */
export interface Changer {
  workspace: string;
  user: string;
  name: string;
  /** What the place of the act leaves of their rights. */
  limit?: Pick<PlaceLimit, 'ceiling'> | undefined;
}

/** A project or a folder by its id, with what people are told it is. */
export interface Touched {
  id: string;
  name: string;
}

/**
 * Does something that changes what people are about these places, and looks at what came of it: each role that is another one afterwards must
 * be the changer's to change there, as they were before. Else it throws DH-202, and whoever calls rolls all of it back. So nobody gives by a
 * detour, such as moving a project or joining a team, what they may not give by name. One change at a time in a workspace.
 */
export async function changingRoles<T>(tx: Tx, by: Changer, places: readonly Touched[], change: () => Promise<T>): Promise<T> {
  const { workspace } = by;
  await lockPeople(tx, workspace);
  const ids = places.map(({ id }) => id);
  const own = new Map<string, Rights>();
  for (const place of ids) {
    const rights = (await rolesAbout(tx, { workspace, place, people: [by.user] }))[0] ?? {};
    own.set(place, by.limit === undefined ? rights : bothOf(rights, by.limit.ceiling));
  }
  const rowsBefore = await grantRows(tx.db, workspace, { places: ids });
  const result = await change();
  const rowsAfter = await grantRows(tx.db, workspace, { places: ids });
  const spoken = new Set([...rowsBefore, ...rowsAfter].map(({ user }) => user));
  const people = (await membersIn(tx, workspace, [...spoken])).filter((member) => idsOf(member).some((id) => spoken.has(id)));
  const [before, after] = [byPlace(rowsBefore), byPlace(rowsAfter)];
  for (const place of places) {
    for (const person of people) {
      const from = memberAbout(person, before, place.id);
      const to = memberAbout(person, after, place.id);
      if (isSame(from, to)) continue;
      const rights = own.get(place.id) ?? {};
      if (!mayChangeRole(rights, from, to)) throw refusal(by, person, { from, to }, place);
      if (!isWithin(to, from)) await refuseExternal(tx, { workspace, rights }, person, to);
    }
  }
  return result;
}

/**
 * What a person is to be at a place by name; undefined: whatever they are without that. Of linked accounts the first gets it, and no other
 * keeps more: taken away, it is taken from all; given, it is not there twice once they are split. Returns false when it was so already.
 */
export async function setMembership(tx: Tx, place: Place, named: Member, role: AnyPlaceRole | undefined): Promise<boolean> {
  const member = await personById(tx, place.workspace, named.user);
  if (member === undefined) return false;
  const rows = await grantRows(tx.db, place.workspace, { users: idsOf(member), places: [place.id] });
  const own = rows.filter(({ from }) => from === place.kind);
  if (role === undefined) {
    await writeMemberships(tx, place, idsOf(member), undefined);
    return own.length > 0;
  }
  const given = givenWith(role);
  const stronger = (member.linked?.rows ?? []).filter((row) => {
    if (row.user === member.user) return false;
    const found = roleOfAccount({ workspace: row, grants: rows.filter(({ user }) => user === row.user) });
    return found?.role !== undefined && !isWithin(found, given);
  });
  const stored = (await membershipsAt(tx, place)).get(member.user);
  const same = stronger.length === 0 && stored !== undefined && nameOf(stored) === nameOf(role);
  if (same) return false;
  await writeMemberships(tx, place, [member.user, ...stronger.map(({ user }) => user)], role);
  return true;
}

function refusal({ name, user }: Changer, person: Member, { from, to }: { from: Given; to: Given }, place: Touched): AppError {
  const whom = idsOf(person).includes(user) ? 'themselves' : person.name;
  const made = isWords(to) ?? 'nothing';
  const was = from.role === undefined ? '' : `, who is ${isWords(from)} there,`;
  return new AppError('DH-202', {
    who: name,
    action: `make ${whom}${was} into ${made} about ${place.name}`,
    whoCan:
      'Owners can. Maintainers about it change who is less than a maintainer, into less than one; nobody gives or takes what they do not have.',
  });
}
