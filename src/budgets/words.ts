import { whoCan } from '../access/not-allowed.ts';
import { type Approvers, holdersOf } from '../contracts/approvers.ts';
import { type Permission, permissions } from '../contracts/permissions.ts';
import type { Quota, QuotaScope, Standing } from '../contracts/quotas.ts';
import { about } from '../delivery/units.ts';
import { channelById } from '../store/channels.ts';
import type { Tx } from '../store/database.ts';
import { subjectNames } from '../store/quota-facts.ts';
import { amountText, limitText, usedText } from './amounts.ts';
import { allowed, freeAt, isUsedUp, part } from './standing.ts';

export type QuotaPermission = Extract<Permission, 'quota.manage' | 'quota.workspace'>;

/** What it takes to make, raise and remove quotas of a scope: about the project, or the project of the channel, or in the workspace. */
export function quotaPermission(scope: QuotaScope): QuotaPermission {
  return scope === 'project' || scope === 'channel' ? 'quota.manage' : 'quota.workspace';
}

/**
 * Who decides whether more than a quota of this scope is spent, as approvers of a request: those who could raise it. What somebody may about the
 * project of a request says nothing about the workspace, so there it takes the role.
 */
export function quotaApprovers(scope: QuotaScope): Pick<Approvers, 'role' | 'permissions'> {
  const needed = quotaPermission(scope);
  return needed === 'quota.manage' ? holdersOf([needed]) : { role: permissions[needed].role };
}

/** "in project web", "in #demo", "for Ben". */
export function whereText(quota: Pick<Quota, 'scope' | 'subject'>, names: ReadonlyMap<string, string>): string {
  const name = names.get(quota.subject);
  switch (quota.scope) {
    case 'workspace':
      return 'in the whole workspace';
    case 'project':
      return `in project ${name ?? 'that is gone'}`;
    case 'channel':
      return name === undefined ? 'in a channel' : `in #${name}`;
    case 'person':
      return `for ${name ?? 'somebody'}`;
  }
}

/** "50 runs a day in project web". */
export function quotaText(quota: Quota, names: ReadonlyMap<string, string>): string {
  return `${limitText(quota)} ${whereText(quota, names)}`;
}

/** "26 of 50 runs a day in project web". */
export function standingText({ quota, used, extra }: Standing, names: ReadonlyMap<string, string>): string {
  return `${usedText(quota, used, extra)} ${whereText(quota, names)}`;
}

/** "free again in about 3 h, at 00:00 UTC". */
export function freeText(standing: Standing, now: Date): string {
  const free = freeAt(standing);
  if (free === null) return '';
  const [day = '', time = ''] = free.toISOString().slice(0, 16).split('T');
  const near = free.getTime() - now.getTime() < 24 * 60 * 60_000;
  return `free again ${near ? `in ${about(free.getTime() - now.getTime())}` : `on ${day}`}, at ${time} UTC`;
}

/** "82 % of a quota is used: …. 9 are left, free again …". Of one that is used up: "All of a quota is used: …". */
export function warnedText(standing: Standing, names: ReadonlyMap<string, string>, now: Date): string {
  const free = freeText(standing, now);
  const what = standingText(standing, names);
  if (isUsedUp(standing)) return `All of a quota is used: ${what}; ${free}.`;
  const left = amountText(standing.quota.measure, allowed(standing) - standing.used);
  return `${Math.floor(part(standing) * 100)} % of a quota is used: ${what}. ${left} is left, ${free}.`;
}

/** What it takes to raise a quota, and the project that it is asked about; undefined: the workspace. */
export async function raisersOf(tx: Tx, quota: Quota): Promise<{ permission: QuotaPermission; project: string | undefined }> {
  const permission = quotaPermission(quota.scope);
  if (quota.scope === 'project') return { permission, project: quota.subject };
  if (quota.scope !== 'channel') return { permission, project: undefined };
  return { permission, project: (await channelById(tx, quota.workspace, quota.subject))?.project };
}

/** "Maintainers and owners can raise it: Ada, Mia.": those about the project, where it is about one. */
export async function whoCanRaise(tx: Tx, quota: Quota): Promise<string> {
  const { permission, project } = await raisersOf(tx, quota);
  return await whoCan(tx, quota.workspace, permission, project, 'raise it');
}

/** What a quota that is used up says, and who can do something about it. `full`: without when it is free again. */
export async function usedUpWords(
  tx: Tx,
  standing: Standing,
  now: Date,
): Promise<{ full: string; what: string; whoCan: string }> {
  const { quota } = standing;
  const names = await subjectNames(tx.db, [quota]);
  const free = freeText(standing, now);
  const stands = standingText(standing, names);
  const [is, done] = [allowed(standing) === 1 ? 'is' : 'are', quota.measure === 'cost' ? 'spent' : 'used'];
  return {
    full: `Used up: ${stands}.`,
    what: `${stands} ${is} ${done}${free === '' ? '.' : `; ${free}.`}`,
    whoCan: `\`quota\` shows it. ${await whoCanRaise(tx, quota)}`,
  };
}
