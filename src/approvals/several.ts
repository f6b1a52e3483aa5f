import type { Approvers } from '../contracts/approvers.ts';
import type { Platform } from '../contracts/platform.ts';
import { type Approval, approvalsNeeded } from '../contracts/policy.ts';
import type { RunEventData } from '../contracts/run-event.ts';
import type { DecisionChoice } from '../contracts/states.ts';
import type { Tx } from '../store/database.ts';
import { type InteractionRecord, noteApprovals } from '../store/interactions.ts';
import { isSamePerson } from '../store/linked-people.ts';
import type { Person } from '../tasks/task-engine.ts';
import { type Decider, deciderNow, isOneOf, mayDecideOn } from './approvers.ts';
import { type OwnedNow, ownersNow, ownersText } from './approvers-now.ts';

/**
 * What a "yes" does. `complete`: nobody else is needed; `choice` is what all of them have agreed to. `more`: it counts, and others must
 * follow. `again`: this person has said yes before, under whichever account.
 */
export type Given =
  | { outcome: 'complete'; choice: DecisionChoice }
  | { outcome: 'more'; missing: number; owners: string; event: RunEventData }
  | { outcome: 'again'; missing: number; owners: string };

/**
 * Counts the "yes" of somebody who may decide. Earlier ones of people who may not decide any more are dropped, and accounts that were
 * linked since count as one. The caller holds the lock of the task, has checked the right of `by`, and settles what is complete.
 */
export async function giveApproval(
  tx: Tx,
  interaction: InteractionRecord,
  yes: { project: string; by: Person; on: Platform; choice: DecisionChoice; at: Date },
): Promise<Given> {
  const { project, by, on, choice, at } = yes;
  const { approvers, workspace } = interaction;
  const needed = approvalsNeeded(approvers);
  const owned = await ownersNow(tx.db, workspace, approvers.owned ?? []);
  if (needed === 1 && owned.length === 0) return { outcome: 'complete', choice };
  const before = interaction.approvals ?? [];
  const people = await standing(
    tx,
    project,
    interaction,
    before.map(({ user }) => user),
  );
  const users = people.map(({ as }) => as);
  const left = (all: readonly Decider[]) => ownersText(tx, workspace, withoutOwner(owned, all, approvers));
  if (users.some((user) => isSamePerson(by, user))) {
    // Who owns the files, or how many are needed of those who are left, may be met since: then the earlier "yes" is enough.
    if (users.length >= needed && withoutOwner(owned, people, approvers).length === 0) {
      return { outcome: 'complete', choice: agreed(before.filter(({ user }) => users.includes(user)).map((one) => one.choice)) };
    }
    return { outcome: 'again', missing: Math.max(0, needed - users.length), owners: await left(people) };
  }
  const approvals: Approval[] = [
    ...before.filter(({ user }) => users.includes(user)),
    { user: by.user, on, at: at.toISOString(), choice },
  ];
  await noteApprovals(tx, interaction.id, approvals);
  const given = approvals.length;
  const all = [...people, by];
  if (given >= needed && withoutOwner(owned, all, approvers).length === 0) {
    return { outcome: 'complete', choice: agreed(approvals.map((one) => one.choice)) };
  }
  return {
    outcome: 'more',
    missing: Math.max(0, needed - given),
    owners: await left(all),
    event: { type: 'interaction_approved', interaction: interaction.id, given, needed },
  };
}

/** Do as many people as were needed stand behind the decision, with the right to it at this moment? */
export async function isStillDecided(tx: Tx, project: string, interaction: InteractionRecord): Promise<boolean> {
  const { approvals, approvers, decidedBy } = interaction;
  const users = approvals?.map(({ user }) => user) ?? (decidedBy === null ? [] : [decidedBy]);
  const people = await standing(tx, project, interaction, users);
  const owned = await ownersNow(tx.db, interaction.workspace, approvers.owned ?? []);
  return people.length >= approvalsNeeded(approvers) && withoutOwner(owned, people, approvers).length === 0;
}

/** The groups of files of which none of these people is an owner who may decide. */
export function withoutOwner(owned: readonly OwnedNow[], people: readonly Decider[], approvers: Approvers): OwnedNow[] {
  return owned.filter(({ users }) => !people.some((person) => isOneOf(users, person, approvers)));
}

/** Those of them who may decide now, each person once, with the id that their "yes" is written under. */
async function standing(
  tx: Tx,
  project: string,
  interaction: InteractionRecord,
  users: readonly string[],
): Promise<(Decider & { as: string })[]> {
  const people: (Decider & { as: string })[] = [];
  for (const user of users) {
    const person = await deciderNow(tx, interaction.workspace, project, user);
    if (person === undefined || people.some((other) => isSamePerson(person, other.user))) continue;
    if (!(await mayDecideOn(tx, { ...interaction, project }, person))) continue;
    people.push({ ...person, as: user });
  }
  return people;
}

/** What all of them have said yes to: the narrower where they have chosen differently. */
function agreed(choices: readonly DecisionChoice[]): DecisionChoice {
  return choices.find((choice) => choice === 'once' || choice === 'implement_ask') ?? choices[0] ?? 'once';
}
