import { rolesFrom } from '../access/not-allowed.ts';
import type { Policy } from '../contracts/policy.ts';
import { type Role, roleAtLeast } from '../contracts/roles.ts';
import { roleGivenByChannels } from '../store/channel-roles.ts';
import type { Tx } from '../store/database.ts';
import { membersOf, namesOf, personById } from '../store/people.ts';

type Approvers = Policy['approvers'];

/** May this person decide? All that is asked for must hold: the role, being named where people are named, not being the requester. */
export function mayDecide(approvers: Approvers, requester: string, person: { user: string; role: Role | undefined }): boolean {
  if (!roleAtLeast(person.role, approvers.role)) return false;
  if (approvers.people.length > 0 && !approvers.people.includes(person.user)) return false;
  return !(approvers.notRequester && person.user === requester);
}

/**
 * Is there anybody who could decide? People with a role of their own count, and the members of channels bound to the project when
 * the role these give is enough: who they are is not known, so at least one besides the requester is assumed.
 */
export async function somebodyMayDecide(
  tx: Tx,
  question: { workspace: string; project: string; approvers: Approvers; requester: string },
): Promise<boolean> {
  const { workspace, project, approvers, requester } = question;
  const members = await membersOf(tx, workspace);
  if (members.some((member) => mayDecide(approvers, requester, member))) return true;
  const given = await roleGivenByChannels(tx, project);
  if (!roleAtLeast(given, approvers.role)) return false;
  if (approvers.people.length === 0) return true;
  // A named person without a role of their own may have it from the channel.
  const withRole = new Set(members.map(({ user }) => user));
  const known = await namesOf(tx, workspace, approvers.people);
  return [...known.keys()].some((user) => !withRole.has(user) && mayDecide(approvers, requester, { user, role: given }));
}

/** The role that a person has about a project now, wherever they act: their own, else what channels of the project give. */
export async function roleNow(tx: Tx, workspace: string, project: string, user: string): Promise<Role | undefined> {
  const person = await personById(tx, workspace, user);
  return person === undefined ? undefined : (person.role ?? (await roleGivenByChannels(tx, project)));
}

/** Who may decide, for people: "Maintainers and owners can decide: Ada, Ben. The requester cannot." */
export async function whoMayDecide(
  tx: Tx,
  question: { workspace: string; approvers: Approvers; requester: string },
): Promise<string> {
  const { workspace, approvers, requester } = question;
  const able = (await membersOf(tx, workspace)).filter((member) => mayDecide(approvers, requester, member));
  const names = able.slice(0, 5).map(({ name }) => name);
  const list = able.length > names.length ? [...names, `${able.length - names.length} more`] : names;
  const who = approvers.people.length > 0 ? 'Only people named by the policy' : rolesFrom(approvers.role);
  const named = list.length === 0 ? '' : `: ${list.join(', ')}`;
  return `${who} can decide${named}.${approvers.notRequester ? ' The requester cannot.' : ''}`;
}
