import type { Platform } from '../contracts/platform.ts';
import { type Approval, approvalsNeeded } from '../contracts/policy.ts';
import type { RunEventData } from '../contracts/run-event.ts';
import type { DecisionChoice } from '../contracts/states.ts';
import type { Tx } from '../store/database.ts';
import { type InteractionRecord, noteApprovals } from '../store/interactions.ts';
import { isSamePerson } from '../store/linked-people.ts';
import type { Person } from '../tasks/task-engine.ts';
import { type Decider, deciderNow, mayDecideOn } from './approvers.ts';

/**
 * What a "yes" does. `complete`: nobody else is needed; `choice` is what all of them have agreed to. `more`: it counts, and others must
 * follow. `again`: this person has said yes before, under whichever account.
 */
export type Given =
  | { outcome: 'complete'; choice: DecisionChoice }
  | { outcome: 'more'; missing: number; event: RunEventData }
  | { outcome: 'again'; missing: number };

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
  const needed = approvalsNeeded(interaction.approvers);
  if (needed === 1) return { outcome: 'complete', choice };
  const before = interaction.approvals ?? [];
  const users = await standing(
    tx,
    project,
    interaction,
    before.map(({ user }) => user),
  );
  if (users.some((user) => isSamePerson(by, user))) return { outcome: 'again', missing: needed - users.length };
  const approvals: Approval[] = [
    ...before.filter(({ user }) => users.includes(user)),
    { user: by.user, on, at: at.toISOString(), choice },
  ];
  await noteApprovals(tx, interaction.id, approvals);
  const given = approvals.length;
  if (given >= needed) return { outcome: 'complete', choice: agreed(approvals.map((one) => one.choice)) };
  return {
    outcome: 'more',
    missing: needed - given,
    event: { type: 'interaction_approved', interaction: interaction.id, given, needed },
  };
}

/** Do as many people as were needed stand behind the decision, with the right to it at this moment? */
export async function isStillDecided(tx: Tx, project: string, interaction: InteractionRecord): Promise<boolean> {
  const { approvals, approvers, decidedBy } = interaction;
  const users = approvals?.map(({ user }) => user) ?? (decidedBy === null ? [] : [decidedBy]);
  return (await standing(tx, project, interaction, users)).length >= approvalsNeeded(approvers);
}

/** Those of them who may decide now, each person once. */
async function standing(tx: Tx, project: string, interaction: InteractionRecord, users: readonly string[]): Promise<string[]> {
  const people: Decider[] = [];
  const found: string[] = [];
  for (const user of users) {
    const person = await deciderNow(tx, interaction.workspace, project, user);
    if (person === undefined || people.some((other) => isSamePerson(person, other.user))) continue;
    if (!(await mayDecideOn(tx, interaction, person))) continue;
    people.push(person);
    found.push(user);
  }
  return found;
}

/** What all of them have said yes to: the narrower where they have chosen differently. */
function agreed(choices: readonly DecisionChoice[]): DecisionChoice {
  return choices.find((choice) => choice === 'once' || choice === 'implement_ask') ?? choices[0] ?? 'once';
}
