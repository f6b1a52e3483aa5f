import { createHash, randomBytes } from 'node:crypto';
import { AppError } from '../contracts/errors.ts';
import type { Platform } from '../contracts/platform.ts';
import type { Role } from '../contracts/roles.ts';
import { recordAudit } from '../store/audit.ts';
import type { Database, Tx } from '../store/database.ts';
import { idsOf, type Linked } from '../store/linked-people.ts';
import { personById } from '../store/people.ts';
import {
  createSigninLinkRow,
  goodSigninLink,
  type SigninLinkRow,
  signinLinksSince,
  useSigninLinkRow,
  voidSigninLinks,
} from '../store/sessions.ts';
import { rightsOfPerson } from './role-about.ts';

/** How long a link works. */
export const signinLinkLifeMs = 5 * 60_000;
const hourMs = 60 * 60_000;
/** Links that a person gets in an hour. */
export const mostLinks = 20;

/**
 * Where people sign in, without a slash at its end; undefined where a cookie would travel in the clear. `address`: under which Deckhand is reached.
 */
export function signinAddress(address: string): string | undefined {
  const url = new URL(address);
  if (url.protocol === 'https:') return address.replace(/\/+$/, '');
  // All addresses of the machine: one of them is its own.
  if (url.hostname === '0.0.0.0' || url.hostname === '[::]') url.hostname = '127.0.0.1';
  return isLoopback(url.hostname) ? url.origin : undefined;
}

/** `localhost`, `127.0.0.1`, `[::1]`: what never leaves the machine. */
export function isLoopback(hostname: string): boolean {
  return /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/.test(hostname);
}

/** A new link's code. Earlier links of the person are void; of this one only the hash is stored. */
export async function issueSigninLink(
  tx: Tx,
  person: { workspace: string; user: string; linked?: Linked | undefined },
  platform: Platform,
  now: Date,
): Promise<string> {
  const { workspace, user } = person;
  const users = idsOf(person);
  if ((await signinLinksSince(tx, workspace, users, new Date(now.getTime() - hourMs))) >= mostLinks) {
    throw new AppError('DH-225', { what: `You have asked for ${mostLinks} links within an hour.`, seconds: hourMs / 1000 });
  }
  await voidSigninLinks(tx, workspace, users, now);
  const code = randomBytes(32).toString('base64url');
  const expiresAt = new Date(now.getTime() + signinLinkLifeMs);
  const subject = await createSigninLinkRow(tx, { workspace, user, hash: codeHash(code), platform, at: now, expiresAt });
  await recordAudit(tx, { workspace, actor: user, action: 'signin.link', subject, data: { platform } });
  return code;
}

/** Whom a link signs in. */
export interface LinkOwner extends SigninLinkRow {
  name: string;
  /** The strongest that they have anywhere. */
  role: Role;
}

/** Whom this code would sign in; undefined when it does not work. Uses nothing up: programs that look at links for previews may ask. */
export async function ownerOfLink(database: Database, code: string, now: Date): Promise<LinkOwner | undefined> {
  return await database.transaction((tx) => ownerIn(tx, code, now));
}

/** Uses the code up and says whom it signs in; undefined when it does not work, or has just been used. */
export async function useSigninLink(tx: Tx, code: string, now: Date): Promise<LinkOwner | undefined> {
  const owner = await ownerIn(tx, code, now);
  return owner !== undefined && (await useSigninLinkRow(tx, owner.id, now)) ? owner : undefined;
}

async function ownerIn(tx: Tx, code: string, now: Date): Promise<LinkOwner | undefined> {
  const link = await goodSigninLink(tx, codeHash(code), now);
  const person = link === undefined ? undefined : await personById(tx, link.workspace, link.user);
  const role = link === undefined ? undefined : (await rightsOfPerson(tx, link.workspace, link.user)).role;
  if (link === undefined || person === undefined || role === undefined) return undefined;
  return { ...link, user: person.user, name: person.name, role };
}

function codeHash(code: string): string {
  return createHash('sha256').update(`sign in ${code}`).digest('hex');
}
