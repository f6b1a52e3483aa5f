import { holdersOfRoles } from '../access/role-holders.ts';
import { type Approvers, isRoleId, nobody, type Owned } from '../contracts/approvers.ts';
import { channelNames } from '../store/channels.ts';
import { customRolesById } from '../store/custom-roles.ts';
import type { Tx } from '../store/database.ts';
import { membersOfTeams, peopleOfOwners } from '../store/named-people.ts';
import { namesOf } from '../store/people.ts';

/** Owned files with those who stand for their owners at this moment. */
export interface OwnedNow extends Owned {
  /** User ids. */
  users: string[];
  /** Names that nobody here is known by. */
  unknown: string[];
}

/** Where something is to be decided. */
export interface DecidedAt {
  workspace: string;
  project: string;
}

/**
 * The same with everybody by name who is in the teams, or has the custom roles about the project, now: what `mayDecide` looks at. Where lists have nobody in common, nobody may: no
 * name stands for everybody, so it is a name that nobody has.
 */
export async function approversNow(db: Tx['db'], at: DecidedAt, approvers: Approvers): Promise<Approvers> {
  const { people, teams = [], among = [], ...rest } = approvers;
  if (teams.length === 0 && among.length === 0) return approvers;
  const lists = [{ people, teams }, ...among].filter((list) => list.people.length > 0 || list.teams.length > 0);
  const ids = lists.flatMap((list) => list.teams);
  const members = new Map([
    ...(await membersOfTeams(
      db,
      at.workspace,
      ids.filter((id) => !isRoleId(id)),
    )),
    ...(await holdersOfRoles(db, at, ids.filter(isRoleId))),
  ]);
  const [first = [], ...others] = lists.map((list) => [...list.people, ...list.teams.flatMap((team) => members.get(team) ?? [])]);
  const named = [...new Set(first)].filter((user) => others.every((list) => list.includes(user)));
  return { ...rest, people: named.length === 0 ? [nobody] : named };
}

/**
 * Who may decide where people are named, to go before "can decide": "people named by the policy"; where only custom roles are named, "people with
 * the role release-manager". Undefined: nobody is named. The approvers are as they are stored, before `approversNow`.
 */
export async function namedWords(
  db: Tx['db'],
  workspace: string,
  { people, teams = [], among = [] }: Pick<Approvers, 'people' | 'teams' | 'among'>,
): Promise<string | undefined> {
  if (people.length === 0 && teams.length === 0) return undefined;
  if (people.length > 0 || among.length > 0 || !teams.every(isRoleId)) return 'people named by the policy';
  const roles = await customRolesById({ db }, workspace, teams);
  const names = teams.flatMap((id) => roles.get(id)?.name ?? []);
  return names.length === 0 ? 'people with a role that is gone' : `people with the role ${names.join(' or ')}`;
}

/** Who the owners are at this moment. */
export async function ownersNow(db: Tx['db'], workspace: string, owned: readonly Owned[]): Promise<OwnedNow[]> {
  if (owned.length === 0) return [];
  const known = await peopleOfOwners(
    db,
    workspace,
    owned.flatMap(({ owners }) => owners),
  );
  return owned.map((one) => ({
    ...one,
    users: [...new Set(one.owners.flatMap((owner) => known.get(owner) ?? []))],
    unknown: one.owners.filter((owner) => !known.has(owner)),
  }));
}

/** Groups of owners told of one by one. */
const mostTold = 5;

/** Which owners must say yes, to follow who can decide: " An owner of `infra/main.tf` must approve: Ada or Ben (@acme/infra)." */
export async function ownersText(tx: Pick<Tx, 'db'>, workspace: string, owned: readonly OwnedNow[]): Promise<string> {
  const names = await namesOf(
    tx,
    workspace,
    owned.flatMap(({ users }) => users),
  );
  const told = owned.slice(0, mostTold).map((one) => ` ${ownerText(one, names)}`);
  const more = owned.length - told.length;
  return `${told.join('')}${more > 0 ? ` The same for ${more} more groups of owners.` : ''}`;
}

function ownerText({ owners, paths: [path], files, users, unknown }: OwnedNow, names: ReadonlyMap<string, string>): string {
  if (owners.length === 0)
    return 'Who owns the files is not known, because CODEOWNERS could not be read, so nobody can approve: a further run of the task looks again.';
  const what = `\`${path ?? 'a file'}\`${files > 1 ? ` and ${files - 1} more` : ''}`;
  const said = owners.map((owner) => `\`${owner}\``).join(', ');
  if (users.length === 0) {
    return `An owner of ${what} must approve, ${said} by CODEOWNERS, and nobody here is known by that: an owner says who it is with \`codeowners set ${unknown[0] ?? ''} people=@ada\`.`;
  }
  const people = users.map((user) => names.get(user) ?? 'somebody who is gone').join(' or ');
  return `An owner of ${what} must approve: ${people} (${said}).`;
}

/** Where a decision counts, to follow who can: " It counts in #ops only." Empty: anywhere. */
export async function placeText(
  tx: Pick<Tx, 'db'>,
  workspace: string,
  { channels }: Pick<Approvers, 'channels'>,
): Promise<string> {
  if (channels === undefined) return '';
  const names = await channelNames(tx, workspace, channels);
  if (names.size === 0) return ' It counts in no channel that is left, so nobody can decide.';
  return ` It counts in ${[...names.values()].join(' and ')} only.`;
}

/** Does what is pressed in this channel count? */
export function countsAt({ channels }: Pick<Approvers, 'channels'>, channel: string | undefined): boolean {
  return channels === undefined || (channel !== undefined && channels.includes(channel));
}
