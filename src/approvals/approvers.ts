import { rolesFrom } from '../access/not-allowed.ts';
import { membersAbout, rolesAbout } from '../access/role-about.ts';
import { mayByRights } from '../contracts/approvers.ts';
import type { Rights } from '../contracts/permissions.ts';
import { approvalsNeeded, type Policy } from '../contracts/policy.ts';
import { rightsGivenByChannels } from '../store/channel-roles.ts';
import type { Tx } from '../store/database.ts';
import { idsOf, isSamePerson, type Linked } from '../store/linked-people.ts';
import { isExternalPerson } from '../store/people.ts';
import { speakersOf } from '../store/run-mail.ts';
import { approversNow, namedWords, ownersNow, ownersText, placeText } from './approvers-now.ts';
import { conditions } from './several-words.ts';

type Approvers = Policy['approvers'];

/** Somebody who may or may not decide, with the rights that count at this moment. */
export interface Decider extends Rights {
  user: string;
  linked?: Linked | undefined;
}

/** What is to be decided, as far as it matters for who may. */
export interface Asked {
  workspace: string;
  project: string;
  task: string;
  action: { type: string };
  approvers: Approvers;
  requester: string;
  openedAt: Date;
}

/** Who may decide about this in a project? */
export interface WhoMay {
  workspace: string;
  project: string;
  approvers: Approvers;
  requester: string;
  /** All whose request it is (`askersOf`); default: the requester. */
  askers?: readonly string[] | undefined;
}

/**
 * May this person decide? All that is asked for must hold: the role, being named where people are named, not being one of those who asked
 * for it (`askersOf`). Linked accounts are one pair of eyes, also after they were split. Role and name must be those of one of the
 * accounts: together they may no more than one of them could alone.
 */
export function mayDecide(approvers: Approvers, askers: string | readonly string[], person: Decider): boolean {
  if (!mayByRights(approvers, person)) return false;
  const asked = typeof askers === 'string' ? [askers] : askers;
  if (approvers.notRequester && asked.some((asker) => isSamePerson(person, asker))) return false;
  // Who is in a team is known to `approversNow` alone: without it nobody is.
  if ((approvers.teams ?? approvers.among ?? []).length > 0) return false;
  return approvers.people.length === 0 || isOneOf(approvers.people, person, approvers);
}

/** Is one of the accounts named whose rights alone are enough? */
export function isOneOf(users: readonly string[], person: Decider, needed: Pick<Approvers, 'role' | 'permissions'>): boolean {
  return accountsOf(person).some((account) => users.includes(account.user) && mayByRights(needed, account));
}

/**
 * Whose request it is: the requester, and where that matters all whose words the agent worked on when it asked. Whoever asked for a turn
 * of the task, or said something to it, would approve their own request.
 */
export async function askersOf(
  db: Tx['db'],
  { task, action, approvers, requester, openedAt }: Omit<Asked, 'workspace' | 'project'>,
): Promise<string[]> {
  if (!approvers.notRequester || action.type === 'command') return [requester];
  return [...new Set([requester, ...(await speakersOf(db, task, openedAt))])];
}

/** May this person decide on this request? The one rule, for buttons, lists and the press alike. */
export async function mayDecideOn(tx: Tx, asked: Asked, person: Decider): Promise<boolean> {
  const { requester } = asked;
  const approvers = await approversNow(tx.db, asked, asked.approvers);
  if (!mayDecide(approvers, requester, person)) return false;
  return mayDecide(approvers, await askersOf(tx.db, asked), person);
}

/** The accounts, each with the role it has without the others; where none has one, what counts here is what the channel gives. */
function accountsOf({ user, role, extra, linked }: Decider): readonly (Rights & { user: string })[] {
  if (linked === undefined || linked.rows.length < 2) return [{ user, role, extra }];
  const given = linked.rows.every((row) => row.role === undefined) ? { role, extra } : {};
  return linked.rows.map((row) => (row.role === undefined ? { ...row, ...given } : row));
}

/**
 * Are there as many people as must say yes? People with a role about the project count, and the members of channels bound to it when
 * the role these give is enough: who they are is not known, so at least one besides the requester is assumed.
 */
export async function somebodyMayDecide(tx: Tx, question: WhoMay): Promise<boolean> {
  const { workspace, project, requester, askers = [requester] } = question;
  const approvers = await approversNow(tx.db, question, question.approvers);
  const needed = approvalsNeeded(approvers);
  const members = await membersAbout(tx, workspace, project);
  const able: Decider[] = members.filter((member) => mayDecide(approvers, askers, member));
  if (different(able).length >= needed) return true;
  const given = await rightsGivenByChannels(tx, project);
  if (!mayByRights(approvers, given)) return false;
  if (approvers.people.length === 0) return true;
  // A named person of whom nothing else is said may have it from the channel.
  const withRole = new Set(members.flatMap(idsOf));
  const others = approvers.people.filter((user) => !withRole.has(user));
  for (const known of await rolesAbout(tx, { workspace, place: project, people: others })) {
    // External people get nothing from a channel that decides.
    if (known.reason.from !== 'nothing' || (await isExternalPerson(tx, workspace, known.user))) continue;
    if (mayDecide(approvers, askers, { ...known, ...given })) able.push(known);
  }
  return different(able).length >= needed;
}

/** Each person once, whichever of their accounts stand there. */
function different<P extends Decider>(people: readonly P[]): P[] {
  return people.filter((person, at) => !people.slice(0, at).some(({ user }) => isSamePerson(person, user)));
}

/**
 * A person with the role they have about a project now, wherever they act; what channels of the project give counts too. That never lets
 * an external person decide.
 */
export async function deciderNow(tx: Tx, workspace: string, project: string, user: string): Promise<Decider | undefined> {
  const [person] = await rolesAbout(tx, { workspace, place: project, people: [user] });
  if (person === undefined || person.reason.from !== 'nothing') return person;
  if (await isExternalPerson(tx, workspace, person.user)) return person;
  return { ...person, ...(await rightsGivenByChannels(tx, project)) };
}

/** Who may decide, for people: "Maintainers and owners can decide: Ada, Ben. The requester cannot." */
export async function whoMayDecide(tx: Tx, question: WhoMay): Promise<string> {
  const { workspace, project, requester, askers = [requester] } = question;
  const approvers = await approversNow(tx.db, question, question.approvers);
  const able = (await membersAbout(tx, workspace, project)).filter((member) => mayDecide(approvers, askers, member));
  const names = able.slice(0, 5).map(({ name }) => name);
  const list = able.length > names.length ? [...names, `${able.length - names.length} more`] : names;
  const by = await namedWords(tx.db, workspace, question.approvers);
  const who = by === undefined ? byRights(approvers) : `Only ${by}`;
  const named = list.length === 0 ? '' : `: ${list.join(', ')}`;
  const owners = await ownersText(tx, workspace, await ownersNow(tx.db, workspace, approvers.owned ?? []));
  return `${who} can decide${named}.${conditions(approvers)}${owners}${await placeText(tx, workspace, approvers)}`;
}

/** "Maintainers and owners"; where it takes permissions, also who else has them: "Developers, maintainers and owners, and custom roles with `agent.run`,". */
function byRights({ role, permissions }: Approvers): string {
  if (permissions === undefined) return rolesFrom(role);
  return `${rolesFrom(role)}, and custom roles with ${permissions.map((one) => `\`${one}\``).join(' and ')},`;
}
