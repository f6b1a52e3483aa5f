import type { AccessScope } from '../contracts/access-token.ts';
import { AppError } from '../contracts/errors.ts';
import { type Role, roleAtLeast, weakerRole } from '../contracts/roles.ts';
import { noteTokensUsed, type TokenStanding, tokenByHash, tokensStanding, usedToMs } from '../store/access-tokens.ts';
import { recordAudit } from '../store/audit.ts';
import type { Database } from '../store/database.ts';
import { accessTokenHash, isAccessToken } from './access-token.ts';

/** What a route asks of its caller. */
export interface TokenNeed {
  scope: AccessScope;
  role: Role;
  /** Completes "may not …". */
  action: string;
}

/** Who calls: a person through a token of theirs, or a service. */
export interface Caller {
  token: string;
  workspace: string;
  /** Of a service: who made its token. */
  user: string;
  /** The only project it reaches; undefined: all. */
  project: string | undefined;
  /** The weaker of the person's role and the token's. */
  role: Role;
}

/**
 * Whether a token may do something at this moment: the caller, or why not, as an error that is told. 401 belongs to DH-222, 403 to DH-223.
 * Pure: what is known is asked anew for each decision, so that a role that was taken away or a token that was revoked counts at once.
 */
export function judgeToken(token: TokenStanding | undefined, need: TokenNeed, now: Date): Caller | AppError {
  if (token === undefined) return new AppError('DH-222', { why: 'It is not known here' });
  if (token.revokedAt !== undefined) return new AppError('DH-222', { why: 'It was revoked' });
  if (token.expiresAt <= now)
    return new AppError('DH-222', { why: `It expired on ${token.expiresAt.toISOString().slice(0, 10)}` });
  if (!token.scopes.includes(need.scope)) {
    return new AppError('DH-223', { action: need.action, why: `it lacks the scope ${need.scope}` });
  }
  const role = token.kind === 'service' ? token.ceiling : weakerRole(token.ceiling, token.personRole);
  if (role === undefined || !roleAtLeast(role, need.role)) {
    const why =
      role === undefined
        ? 'the person it belongs to has no role any more'
        : `that takes the role ${need.role}, and it has no more than ${role}`;
    return new AppError('DH-223', { action: need.action, why });
  }
  return { token: token.id, workspace: token.workspace, user: token.user, project: token.project, role };
}

export interface TokenAccess {
  /** The caller with this token. Throws DH-222 or DH-223. */
  admit(token: string, need: TokenNeed): Promise<Caller>;
  /** Of these tokens those that may not do it any more, with the reason; notes that the others are in use. */
  lapsed(tokens: readonly string[], need: TokenNeed): Promise<Map<string, AppError>>;
}

/** Each token's refusals are recorded at most so often for one reason. */
const refusalEveryMs = 60_000;
const mostRefusals = 1000;

export function createTokenAccess(deps: {
  database: Pick<Database, 'db' | 'transaction'>;
  now(): Date;
  log: { warn(context: object, message: string): void };
}): TokenAccess {
  const { database, now, log } = deps;
  const refusedAt = new Map<string, number>();

  async function noteRefusal(token: TokenStanding, need: TokenNeed, error: AppError): Promise<void> {
    const at = now().getTime();
    const why = String(error.params.why);
    const key = `${token.id} ${need.action} ${why}`;
    if (at - (refusedAt.get(key) ?? Number.NEGATIVE_INFINITY) < refusalEveryMs) return;
    if (refusedAt.size >= mostRefusals) refusedAt.clear();
    refusedAt.set(key, at);
    await database.transaction((tx) =>
      recordAudit(tx, {
        workspace: token.workspace,
        // What a service does is not done by the person who made its token.
        actor: token.kind === 'service' ? undefined : token.user,
        action: 'token.refused',
        subject: token.id,
        data: { name: token.name, kind: token.kind, to: need.action, why },
      }),
    );
  }

  /** That a token is in use is worth no failure of what it is used for. */
  async function noteUse(tokens: readonly TokenStanding[]): Promise<void> {
    const at = now();
    const stale = tokens.filter(({ lastUsedAt }) => lastUsedAt === undefined || at.getTime() - lastUsedAt.getTime() >= usedToMs);
    if (stale.length === 0) return;
    const ids = stale.map(({ id }) => id);
    await noteTokensUsed(database, ids, at).catch((error: unknown) => {
      log.warn({ err: error }, 'the use of an access token could not be noted');
    });
  }

  return {
    async admit(token, need) {
      const standing = isAccessToken(token) ? await tokenByHash(database, accessTokenHash(token)) : undefined;
      const judged = judgeToken(standing, need, now());
      if (judged instanceof AppError) {
        if (standing !== undefined) await noteRefusal(standing, need, judged);
        throw judged;
      }
      if (standing !== undefined) await noteUse([standing]);
      return judged;
    },
    async lapsed(tokens, need) {
      const standing = new Map((await tokensStanding(database, tokens)).map((one) => [one.id, one]));
      const lapsed = new Map<string, AppError>();
      const good: TokenStanding[] = [];
      for (const id of tokens) {
        const one = standing.get(id);
        const judged = judgeToken(one, need, now());
        if (judged instanceof AppError) lapsed.set(id, judged);
        else if (one !== undefined) good.push(one);
      }
      await noteUse(good);
      return lapsed;
    },
  };
}
