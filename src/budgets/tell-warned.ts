import { membersAbout } from '../access/role-about.ts';
import { defaultNotify, type Notify } from '../contracts/notify.ts';
import { type OutboxPut, priorities } from '../contracts/outbox.ts';
import { may } from '../contracts/permissions.ts';
import { type Conversation, chatPlatforms } from '../contracts/platform.ts';
import type { Quota, Standing } from '../contracts/quotas.ts';
import type { View } from '../contracts/view.ts';
import { directPut, reachedAccountOf } from '../delivery/direct-put.ts';
import { textView } from '../delivery/list-view.ts';
import { isQuiet } from '../delivery/quiet-hours.ts';
import { alertChannels } from '../store/alerts.ts';
import { chatPlaces } from '../store/channels.ts';
import type { Tx } from '../store/database.ts';
import { directAccountsOf } from '../store/direct-reach.ts';
import { notifyOfPeople } from '../store/notify.ts';
import { putOutboxRows } from '../store/outbox.ts';
import { membersOf } from '../store/people.ts';
import { subjectNames } from '../store/quota-facts.ts';
import { type Counting, noteWarned } from '../store/quotas.ts';
import { reachesLine } from './standing.ts';
import { raisersOf, warnedText, whoCanRaise } from './words.ts';

/**
 * Counting `amount` for a run has brought quotas to the line from which on people are warned: each is told once in a period. One of a channel
 * in that channel, one of a project in the channels that are bound to it, one of the whole workspace where alerts are told. Whoever can
 * raise it and wants direct messages gets one, outside of their quiet hours (these are told at their end); owners do for the workspace
 * where alerts are told nowhere. One of a person shows on the cards of what they ask for, and nowhere else.
 */
export async function tellWarned(tx: Tx, run: Counting, standings: readonly Standing[], amount: number, at: Date): Promise<void> {
  for (const standing of standings) {
    const { quota, since } = standing;
    if (quota.scope === 'person' || since === null || !reachesLine(standing, amount)) continue;
    if (!(await noteWarned(tx, quota.id, since, at))) continue;
    await tell(tx, run.workspace, standing, at);
  }
}

async function tell(tx: Tx, workspace: string, standing: Standing, at: Date): Promise<void> {
  const { quota, since } = standing;
  const names = await subjectNames(tx.db, [quota]);
  const view = textView(`${warnedText(standing, names, at)} \`quota\` shows it. ${await whoCanRaise(tx, quota)}`);
  const key = `quota-warned/${quota.id}/${since?.toISOString()}`;
  const places = await placesOf(tx, quota);
  const puts = places.map(({ id, conversation }) => put(workspace, `${key}/${id}`, conversation, view));
  const told = (await toldDirectly(tx, quota)).filter(({ notify }) => !isQuiet(notify.quiet, at));
  const accounts = await directAccountsOf(
    tx,
    workspace,
    told.map(({ user }) => user),
  );
  for (const { user, notify } of told) {
    const account = reachedAccountOf(accounts.get(user) ?? [], { chosen: notify.on });
    if (account !== undefined)
      puts.push(directPut(account, { workspace, key: `${key}/${user}`, view, priority: priorities.final }));
  }
  await putOutboxRows(tx, puts);
}

/** Whether somebody is told in a direct message when most of this quota is used. */
export async function isToldDirectly(tx: Tx, quota: Quota, user: string): Promise<boolean> {
  return quota.scope !== 'person' && (await toldDirectly(tx, quota, user)).length > 0;
}

async function placesOf(tx: Tx, { workspace, scope, subject }: Quota): Promise<{ id: string; conversation: Conversation }[]> {
  if (scope === 'workspace') return await alertChannels(tx, workspace);
  return await chatPlaces(tx, workspace, scope === 'channel' ? { channel: subject } : { project: subject }, chatPlatforms);
}

/**
 * Those who can raise it, as far as they want direct messages, or nobody else would be told; `only`: of these this one. A private channel is
 * named to nobody outside.
 */
async function toldDirectly(tx: Tx, quota: Quota, only?: string): Promise<{ user: string; notify: Notify }[]> {
  if (quota.scope === 'channel') return [];
  const { permission, project } = await raisersOf(tx, quota);
  const members = project === undefined ? await membersOf(tx, quota.workspace) : await membersAbout(tx, quota.workspace, project);
  const everybody = (await placesOf(tx, quota)).length === 0;
  const able = members.filter((one) => (only === undefined || one.user === only) && may(one, permission));
  const notifies = await notifyOfPeople(
    tx,
    able.map(({ user }) => user),
  );
  return able.flatMap(({ user }) => {
    const notify = notifies.get(user) ?? defaultNotify;
    return everybody || notify.by === 'direct' ? [{ user, notify }] : [];
  });
}

function put(workspace: string, key: string, conversation: Conversation, view: View): OutboxPut {
  return {
    workspace,
    key,
    target: { type: 'conversation', conversation },
    payload: { type: 'message', view },
    priority: priorities.final,
  };
}
