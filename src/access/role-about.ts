import { anyOf, type Given, givenOf, permissionsOf, type Rights } from '../contracts/permissions.ts';
import type { Role } from '../contracts/roles.ts';
import type { Tx } from '../store/database.ts';
import { type GrantRow, grantRows } from '../store/grants.ts';
import { idsOf } from '../store/linked-people.ts';
import { type Member, membersIn, peopleById } from '../store/people.ts';
import { projectIds } from '../store/projects.ts';
import { cascade, type RoleAbout, roleOfAccount } from './cascade.ts';

/** What memberships and teams say, by the id of the project or the folder that it is about. */
export type Grants = ReadonlyMap<string, readonly GrantRow[]>;

/** Somebody as they are about one place: `role`, and the roles of linked accounts, are those that count there. */
export interface MemberAbout extends Member {
  reason: RoleAbout['reason'];
}

/** All that is said about these people, everywhere in the workspace. One statement, by indexes. */
export async function grantsOf(tx: Pick<Tx, 'db'>, workspace: string, people: readonly Member[]): Promise<Grants> {
  return byPlace(await grantRows(tx.db, workspace, { users: people.flatMap(idsOf) }));
}

/** A person about a place (a project or a folder). `channel`: what the channel of the act gives its members there. Pure. */
export function memberAbout(
  { role, extra, named, ...member }: Member,
  grants: Grants,
  place: string,
  channel?: Given,
): MemberAbout {
  const here = grants.get(place) ?? [];
  const rows = member.linked?.rows ?? [{ user: member.user, role, extra, named }];
  const sources = rows.map((row) => ({ workspace: givenOf(row), grants: here.filter((grant) => grant.user === row.user) }));
  const about = cascade(sources, channel);
  if (member.linked === undefined) return { ...member, ...about };
  const alone = rows.map(({ user }, at) => {
    const source = sources[at];
    return { user, ...givenOf((source === undefined ? undefined : roleOfAccount(source)) ?? {}) };
  });
  return { ...member, ...about, linked: { ...member.linked, rows: alone } };
}

/** All that the person may anywhere in the workspace: no act of theirs can need more. Pure. */
export function rightsAnywhere(member: Member, grants: Grants): Rights {
  // However many places they are something about, it is by few roles.
  const different = new Map<string, Rights>();
  for (const rights of [member, ...[...grants.keys()].map((place) => memberAbout(member, grants, place))]) {
    different.set(`${rights.role} ${rights.extra?.join() ?? ''}`, rights);
  }
  return anyOf([...different.values()]);
}

/** The built-in role that lies within that. */
export function strongestAnywhere(member: Member, grants: Grants): Role | undefined {
  return rightsAnywhere(member, grants).role;
}

/** People about one project or folder by their ids, whatever channel they are in; ids of other workspaces are left out. */
export async function rolesAbout(
  tx: Tx,
  { workspace, place, people }: { workspace: string; place: string; people: readonly string[] },
): Promise<MemberAbout[]> {
  const members = await peopleById(tx, workspace, people);
  const grants = byPlace(await grantRows(tx.db, workspace, { users: members.flatMap(idsOf), places: [place] }));
  return members.map((member) => memberAbout(member, grants, place));
}

/** All that a person may anywhere in the workspace, channels left aside. */
export async function rightsOfPerson(tx: Tx, workspace: string, user: string): Promise<Rights> {
  const [member] = await peopleById(tx, workspace, [user]);
  return member === undefined ? {} : rightsAnywhere(member, await grantsOf(tx, workspace, [member]));
}

/** The projects of the workspace about which a person is at least guest, channels left aside; undefined: all. */
export async function projectsSeenBy(tx: Tx, workspace: string, user: string): Promise<string[] | undefined> {
  const [member] = await peopleById(tx, workspace, [user]);
  if (member === undefined) return [];
  const grants = await grantsOf(tx, workspace, [member]);
  const isSeen = (project: string) => memberAbout(member, grants, project).role !== undefined;
  if (member.role === undefined) return [...grants.keys()].filter(isSeen);
  return [...grants.keys()].every(isSeen) ? undefined : (await projectIds(tx, workspace)).filter(isSeen);
}

/** What each of these people may about each of these places, channels left aside, by their ids as they were asked for. */
export async function rightsOfEach(
  tx: Tx,
  asked: readonly { workspace: string; user: string; place: string }[],
): Promise<(user: string, place: string) => Given> {
  const rights = new Map<string, Given>();
  for (const [workspace, those] of Map.groupBy(asked, (one) => one.workspace)) {
    const members = await peopleById(tx, workspace, [...new Set(those.map(({ user }) => user))]);
    const places = [...new Set(those.map(({ place }) => place))];
    const grants = byPlace(await grantRows(tx.db, workspace, { users: members.flatMap(idsOf), places }));
    for (const { user, place } of those) {
      const member = members.find((one) => idsOf(one).includes(user));
      if (member !== undefined) rights.set(`${user} ${place}`, memberAbout(member, grants, place));
    }
  }
  return (user, place) => rights.get(`${user} ${place}`) ?? {};
}

/** What a person may about a project or a folder. `channel`: what the channel of the act gives its members there. */
export async function rightsAbout(
  tx: Tx,
  { workspace, place, user, channel }: { workspace: string; place: string; user: string; channel?: Given | undefined },
): Promise<Given> {
  const [member] = await peopleById(tx, workspace, [user]);
  if (member === undefined) return {};
  const grants = byPlace(await grantRows(tx.db, workspace, { users: idsOf(member), places: [place] }));
  return memberAbout(member, grants, place, channel);
}

/** The built-in role that lies within that; undefined: the person is nothing there. */
export async function roleAbout(tx: Tx, about: Parameters<typeof rightsAbout>[1]): Promise<Role | undefined> {
  return (await rightsAbout(tx, about)).role;
}

/**
 * Everybody who is at least guest about a project or a folder by a role of their own, a membership or a team: who may most first, then by name.
 * Whoever only a channel gives something is not among them.
 */
export async function membersAbout(tx: Tx, workspace: string, place: string): Promise<(MemberAbout & { role: Role })[]> {
  const rows = await grantRows(tx.db, workspace, { places: [place] });
  const members = await membersIn(tx, workspace, [...new Set(rows.map(({ user }) => user))]);
  const grants = byPlace(rows);
  return members
    .flatMap((member) => {
      const { role, ...about } = memberAbout(member, grants, place);
      return role === undefined ? [] : [{ ...about, role }];
    })
    .sort((a, b) => permissionsOf(b).length - permissionsOf(a).length);
}

/** Rows by the place that they are about. */
export function byPlace(rows: readonly GrantRow[]): Grants {
  return Map.groupBy(rows, ({ place }) => place);
}
