import type { Given } from '../contracts/permissions.ts';
import type { IdentityRef, Platform } from '../contracts/platform.ts';
import { recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import {
  advanceLink,
  createLink,
  type LinkRecord,
  type LinkSide,
  linkByHash,
  linkById,
  linksSince,
} from '../store/link-codes.ts';
import { idsOf, joinPeople, lockPeople, splitPerson } from '../store/linked-people.ts';
import { allAccountsOf, findPerson, type Member, personById } from '../store/people.ts';
import { endSessionsOf } from '../store/sessions.ts';
import { roleName } from './not-allowed.ts';
import { codeHash, newOneTimeCode } from './one-time-code.ts';
import { triesTooOften } from './wrong-codes.ts';

/** How long a code waits to be sent back, and then how long both sides have to agree. Milliseconds. */
export const linkLifeMs = 10 * 60_000;
const hourMs = 60 * 60_000;
/** Codes that an account gets in an hour. */
export const mostCodes = 5;

/** Who acts, from which account and where. */
export interface LinkActor extends LinkSide {
  workspace: string;
  user: string;
}

/** One side of a link as the other side is told of it. */
export interface SideFacts {
  side: LinkSide;
  person: Member;
  /** What the account calls itself. */
  name: string;
}

/** A link that both sides are known of. */
export interface LinkPair {
  id: string;
  asker: SideFacts;
  other: SideFacts;
}

export type Issued = { result: 'issued'; code: string } | { result: 'limited' };

/**
 * Makes a one-time code for an account. Only its hash is stored; an earlier code of the account is void. The code joins nothing by
 * itself: another account has to send it back and agree, then this one has to.
 */
export async function issueLinkCode(tx: Tx, actor: LinkActor, now: Date): Promise<Issued> {
  const { workspace, identity, conversation } = actor;
  await lockPeople(tx, workspace);
  if ((await linksSince(tx, workspace, identity, new Date(now.getTime() - hourMs))) >= mostCodes) return { result: 'limited' };
  const code = newOneTimeCode();
  const expiresAt = new Date(now.getTime() + linkLifeMs);
  const id = await createLink(tx, { workspace, hash: codeHash(code), asker: { identity, conversation }, at: now, expiresAt });
  await audit(tx, actor, 'link.code', id, { account: identityText(identity) });
  return { result: 'issued', code };
}

export type Offered =
  | { result: 'offered'; pair: LinkPair }
  /** No code of another account of this workspace that still waits. */
  | { result: 'wrong' }
  /** Too many wrong ones lately. */
  | { result: 'limited' }
  | { result: 'own' }
  | { result: 'joined_already' }
  /** The two people would have several accounts on this platform. */
  | { result: 'same_platform'; platform: Platform };

/** A code comes back from an account. Wrong ones are counted, so nothing of this may be rolled back. */
export async function offerLink(tx: Tx, actor: LinkActor, code: string, now: Date): Promise<Offered> {
  const { workspace, user, identity, conversation } = actor;
  await lockPeople(tx, workspace);
  if (await triesTooOften(tx, actor, 'link.wrong_code', now)) return { result: 'limited' };
  const link = await linkByHash(tx, workspace, codeHash(code));
  if (link === undefined || link.state !== 'open' || link.expiresAt <= now) {
    await audit(tx, actor, 'link.wrong_code', user, { account: identityText(identity) });
    return { result: 'wrong' };
  }
  if (sameAccount(link.asker.identity, identity)) return { result: 'own' };
  const pair = await pairOf(tx, { ...link, other: { identity, conversation } });
  if (pair === undefined) return { result: 'wrong' };
  const hindrance = await hindranceOf(tx, workspace, pair);
  if (hindrance !== undefined) return hindrance;
  const expiresAt = new Date(now.getTime() + linkLifeMs);
  if (!(await advanceLink(tx, link.id, ['open'], 'offered', { at: now, expiresAt, other: { identity, conversation } }))) {
    return { result: 'wrong' };
  }
  await audit(tx, actor, 'link.offered', link.id, accountsText(pair));
  return { result: 'offered', pair };
}

export type LinkStep =
  | { result: 'agreed'; pair: LinkPair }
  | { result: 'joined'; pair: LinkPair; is: Given }
  | { result: 'refused'; pair: LinkPair; by: 'asker' | 'other' }
  | { result: 'unknown' | 'not_yours' | 'over' }
  | { result: 'joined_already' }
  | { result: 'same_platform'; platform: Platform };

/** A button of the question. Each account may press only its own ones. */
export async function stepLink(
  tx: Tx,
  actor: LinkActor,
  id: string,
  verb: 'agree' | 'join' | 'refuse',
  now: Date,
): Promise<LinkStep> {
  await lockPeople(tx, actor.workspace);
  const link = await linkById(tx, actor.workspace, id);
  const pair = link === undefined ? undefined : await pairOf(tx, link);
  if (link === undefined || pair === undefined) return { result: 'unknown' };
  const by = sideOf(link, actor.identity);
  if (by === undefined || (verb === 'agree' && by !== 'other') || (verb === 'join' && by !== 'asker'))
    return { result: 'not_yours' };
  if (link.expiresAt <= now) return { result: 'over' };
  if (verb === 'refuse') {
    if (!(await advanceLink(tx, id, ['offered', 'agreed'], 'refused', { at: now }))) return { result: 'over' };
    await audit(tx, actor, 'link.refused', id, accountsText(pair));
    return { result: 'refused', pair, by };
  }
  const hindrance = await hindranceOf(tx, actor.workspace, pair);
  if (hindrance !== undefined) return hindrance;
  if (verb === 'agree') {
    const expiresAt = new Date(now.getTime() + linkLifeMs);
    if (!(await advanceLink(tx, id, ['offered'], 'agreed', { at: now, expiresAt }))) return { result: 'over' };
    await audit(tx, actor, 'link.agreed', id, accountsText(pair));
    return { result: 'agreed', pair };
  }
  if (!(await advanceLink(tx, id, ['agreed'], 'joined', { at: now }))) return { result: 'over' };
  return join(tx, actor, pair);
}

async function join(tx: Tx, actor: LinkActor, pair: LinkPair): Promise<LinkStep> {
  const { asker, other } = pair;
  const user = await joinPeople(tx, asker.person, other.person);
  const joined = await personById(tx, actor.workspace, user);
  await audit(tx, actor, 'link.joined', user, {
    ...accountsText(pair),
    link: pair.id,
    people: [asker.person.user, other.person.user],
    roles: { asker: roleName(asker.person), other: roleName(other.person), joined: roleName(joined ?? {}) },
    decidedBy: `both accounts; ${identityText(asker.side.identity)} last`,
  });
  return { result: 'joined', pair, is: joined ?? {} };
}

export type Unlinked =
  | { result: 'unlinked'; split: Member; rest: Member }
  /** No account there. */
  | { result: 'none' }
  | { result: 'only' };

/** The person's accounts on one platform become a person of their own again. */
export async function unlink(tx: Tx, actor: LinkActor, platform: Platform): Promise<Unlinked> {
  await lockPeople(tx, actor.workspace);
  const person = await findPerson(tx, actor.workspace, actor.identity);
  if (person === undefined) return { result: 'none' };
  const accounts = (await allAccountsOf(tx, actor.workspace, [person.user])).get(person.user) ?? [];
  if (!accounts.some((account) => account.platform === platform)) return { result: 'none' };
  const people = await splitPerson(tx, person, platform);
  if (people === undefined) return { result: 'only' };
  // A browser was signed in as both of them.
  await endSessionsOf(tx, actor.workspace, idsOf(person), 'accounts were unlinked');
  const [split, rest] = [await personById(tx, actor.workspace, people.split), await personById(tx, actor.workspace, people.rest)];
  if (split === undefined || rest === undefined) throw new Error('a person that was split is gone');
  await audit(tx, actor, 'link.unlinked', person.user, {
    platform,
    split: { user: split.user, role: roleName(split) },
    rest: { user: rest.user, role: roleName(rest) },
  });
  return { result: 'unlinked', split, rest };
}

/** What stands against joining these two, as they are now. */
async function hindranceOf(
  tx: Tx,
  workspace: string,
  { asker, other }: LinkPair,
): Promise<{ result: 'joined_already' } | { result: 'same_platform'; platform: Platform } | undefined> {
  if (asker.person.user === other.person.user) return { result: 'joined_already' };
  const accounts = await allAccountsOf(tx, workspace, [asker.person.user, other.person.user]);
  const platforms = ({ user }: Member) => (accounts.get(user) ?? []).map(({ platform }) => platform);
  const shared = platforms(asker.person).find((platform) => platforms(other.person).includes(platform));
  return shared === undefined ? undefined : { result: 'same_platform', platform: shared };
}

/** Both sides as they are now; undefined while the code has not come back. */
async function pairOf(tx: Tx, link: LinkRecord): Promise<LinkPair | undefined> {
  if (link.other === undefined) return undefined;
  const asker = await factsOf(tx, link.workspace, link.asker);
  const other = await factsOf(tx, link.workspace, link.other);
  return asker === undefined || other === undefined ? undefined : { id: link.id, asker, other };
}

async function factsOf(tx: Tx, workspace: string, side: LinkSide): Promise<SideFacts | undefined> {
  const person = await findPerson(tx, workspace, side.identity);
  if (person === undefined) return undefined;
  const accounts = (await allAccountsOf(tx, workspace, [person.user])).get(person.user) ?? [];
  const account = accounts.find((one) => sameAccount(one, side.identity));
  return { side, person, name: account?.name ?? person.name };
}

function sideOf({ asker, other }: LinkRecord, identity: IdentityRef): 'asker' | 'other' | undefined {
  if (sameAccount(asker.identity, identity)) return 'asker';
  return other !== undefined && sameAccount(other.identity, identity) ? 'other' : undefined;
}

function sameAccount(one: IdentityRef, other: IdentityRef): boolean {
  return one.platform === other.platform && one.tenant === other.tenant && one.user === other.user;
}

function identityText({ platform, tenant, user }: IdentityRef): string {
  return `${platform}:${tenant}/${user}`;
}

function accountsText({ asker, other }: LinkPair): { asker: string; other: string } {
  return { asker: identityText(asker.side.identity), other: identityText(other.side.identity) };
}

async function audit(
  tx: Tx,
  { workspace, user }: LinkActor,
  action: string,
  subject: string,
  data: Parameters<typeof recordAudit>[1]['data'],
): Promise<void> {
  await recordAudit(tx, { workspace, actor: user, action, subject, data });
}
