import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { AppError } from '../contracts/errors.ts';
import type { Rights } from '../contracts/permissions.ts';
import type { Role } from '../contracts/roles.ts';
import type { SigninMethod } from '../contracts/signin.ts';
import { recordAudit, recordRefusal } from '../store/audit.ts';
import type { Database, Tx } from '../store/database.ts';
import {
  createSessionRow,
  endSessions,
  noteSessionSeen,
  type SessionStanding,
  type SessionsOf,
  seenToMs,
  sessionByHash,
  surplusSessions,
} from '../store/sessions.ts';
import { rightsOfPerson } from './role-about.ts';

const dayMs = 24 * 60 * 60_000;
/** A session that nobody uses for so long ends. */
export const sessionIdleMs = 7 * dayMs;
/** A session ends after this however much it is used. */
export const sessionLifeMs = 30 * dayMs;
/** Sessions that a person may have at a time; one more ends the oldest. */
export const mostSessions = 20;
const mostDevice = 120;

/** Who is signed in. */
export interface Signed extends Rights {
  session: string;
  workspace: string;
  user: string;
  name: string;
  role: Role;
  method: SigninMethod;
}

/** What is stored of the secret in a cookie. 256 random bits need no slower hash. */
export function sessionHash(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/**
 * The token that forms of a session carry. It follows from the secret of the cookie, which pages of other sites cannot read, and tells nothing
 * about it.
 */
export function formToken(secret: string): string {
  return createHmac('sha256', secret).update('deckhand forms').digest('base64url');
}

/** Whether a form was made for this session. Takes as long whatever was sent. */
export function isFormToken(secret: string, given: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(formToken(secret)), digest(given));
}

/** Whether a session is good at this moment; else why not, to complete "Sign in again: …". Pure. */
export function judgeSession(session: SessionStanding | undefined, now: Date): Signed | { ended: string } {
  if (session === undefined) return { ended: 'this browser is not signed in' };
  if (session.endedAt !== undefined) return { ended: 'you were signed out of this browser' };
  if (session.expiresAt <= now) return { ended: 'you signed in too long ago' };
  if (now.getTime() - session.lastSeenAt.getTime() >= sessionIdleMs) return { ended: 'this browser was not used for a week' };
  if (session.role === undefined) return { ended: 'you have no role any more' };
  const { id, workspace, user, name, role, extra, method } = session;
  return { session: id, workspace, user, name, role, ...(extra === undefined ? {} : { extra }), method };
}

/** What a browser says it is, in few words that cannot be anything else than text. */
export function deviceOf(userAgent: string | undefined): string {
  const text = (userAgent ?? '').replace(/[^\x20-\x7e]/g, '');
  const system = [
    [/iPhone|iPad/, 'iOS'],
    [/Android/, 'Android'],
    [/Windows/, 'Windows'],
    [/Macintosh|Mac OS X/, 'macOS'],
    [/CrOS/, 'ChromeOS'],
    [/Linux/, 'Linux'],
  ] as const;
  const browser = [
    [/Edg(?:e|A|iOS)?\//, 'Edge'],
    [/OPR\//, 'Opera'],
    [/Firefox\/|FxiOS\//, 'Firefox'],
    [/Chrome\/|CriOS\/|Chromium\//, 'Chrome'],
    [/Safari\//, 'Safari'],
  ] as const;
  const find = (list: readonly (readonly [RegExp, string])[]) => list.find(([pattern]) => pattern.test(text))?.[1];
  const known = [find(browser), find(system)].filter((part) => part !== undefined).join(' on ');
  return known !== '' ? known : text === '' ? 'a browser' : text.slice(0, mostDevice);
}

/** Signs a person in: the secret for the cookie, which is stored nowhere. */
export async function openSession(
  tx: Tx,
  who: { workspace: string; user: string; method: SigninMethod; device: string },
  now: Date,
): Promise<{ id: string; secret: string; expiresAt: Date }> {
  const secret = randomBytes(32).toString('base64url');
  const expiresAt = new Date(now.getTime() + sessionLifeMs);
  for (const session of await surplusSessions(tx, who.workspace, who.user, mostSessions - 1, now)) {
    await endAudited(tx, who.workspace, { session }, undefined, `more than ${mostSessions}`, now);
  }
  const id = await createSessionRow(tx, { ...who, hash: sessionHash(secret), at: now, expiresAt });
  await recordAudit(tx, {
    workspace: who.workspace,
    actor: who.user,
    action: 'session.start',
    subject: id,
    data: { method: who.method, device: who.device },
  });
  return { id, secret, expiresAt };
}

/** Ends sessions and writes who did it into the audit; returns how many. */
export async function endAudited(
  tx: Tx,
  workspace: string,
  of: SessionsOf,
  by: string | undefined,
  why: string,
  now: Date,
): Promise<number> {
  const ended = await endSessions(tx, workspace, of, by, now);
  for (const subject of ended) await recordAudit(tx, { workspace, actor: by, action: 'session.end', subject, data: { why } });
  return ended.length;
}

export interface Sessions {
  /** Who is signed in with this cookie. Throws DH-230. */
  admit(secret: string | undefined): Promise<Signed>;
  /** Writes down that something was refused that came with the cookie of a session; of no session: nothing. */
  noteRefused(secret: string | undefined, why: string): Promise<void>;
}

/** What is known is asked anew at each request, so that a role that was taken away or a session that was ended counts at once. */
export function createSessions(deps: { database: Pick<Database, 'db' | 'transaction'>; now(): Date }): Sessions {
  const { database, now } = deps;
  /** With all that the person may anywhere, where they have no role in the workspace. */
  async function standingOf(secret: string | undefined): Promise<SessionStanding | undefined> {
    const found = secret === undefined ? undefined : await sessionByHash(database, sessionHash(secret));
    if (found === undefined || found.role !== undefined) return found;
    const { workspace, user } = found;
    const { role, extra } = await database.transaction((tx) => rightsOfPerson(tx, workspace, user));
    return { ...found, role, extra };
  }
  const refused = (session: SessionStanding, why: string) =>
    database.transaction((tx) =>
      recordRefusal(tx, {
        workspace: session.workspace,
        actor: session.user,
        action: 'session.refused',
        subject: session.id,
        data: { why, device: session.device },
      }),
    );
  return {
    async noteRefused(secret, why) {
      const standing = await standingOf(secret);
      if (standing !== undefined) await refused(standing, why);
    },
    async admit(secret) {
      const at = now();
      const standing = await standingOf(secret);
      const judged = judgeSession(standing, at);
      if ('ended' in judged) {
        // Whoever gets a role again later signs in again.
        if (standing !== undefined && standing.endedAt === undefined && standing.role === undefined) {
          const { workspace, id } = standing;
          await database.transaction((tx) => endAudited(tx, workspace, { session: id }, undefined, 'no role', at));
        }
        if (standing !== undefined) await refused(standing, judged.ended);
        throw new AppError('DH-230', { why: judged.ended });
      }
      if (standing !== undefined && at.getTime() - standing.lastSeenAt.getTime() >= seenToMs) {
        await noteSessionSeen(database, standing.id, at);
      }
      return judged;
    },
  };
}
