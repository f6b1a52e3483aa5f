import type { AccessScope } from '../contracts/access-token.ts';
import { AppError } from '../contracts/errors.ts';
import { bothOf, may, type Permission, type Rights } from '../contracts/permissions.ts';
import { noteTokensUsed, type TokenStanding, tokenByHash, tokensStanding, usedToMs } from '../store/access-tokens.ts';
import { recordAudit } from '../store/audit.ts';
import type { Database } from '../store/database.ts';
import { accessTokenHash, isAccessToken } from './access-token.ts';
import { rightsOfEach, rightsOfPerson } from './role-about.ts';

/** What a route asks of its caller. */
export interface TokenNeed {
  scope: AccessScope;
  permission: Permission;
  /** Completes "may not …". */
  action: string;
}

/** Who calls: a person through a token of theirs, or a service. */
export interface Caller {
  token: string;
  kind: TokenStanding['kind'];
  workspace: string;
  /** Of a service: who made its token. */
  user: string;
  /** The only project it reaches; undefined: all. */
  project: string | undefined;
  /** What both the person and the token may. */
  rights: Rights;
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
  const { ceiling } = token;
  const rights: Rights =
    token.kind === 'service' ? ceiling : bothOf(ceiling, { role: token.personRole, extra: token.personExtra });
  if (!may(rights, need.permission)) {
    const { role, extra = [] } = rights;
    const why =
      role === undefined
        ? 'the person it belongs to has no role any more'
        : `that takes the permission ${need.permission}, and it has no more than ${[role, ...extra].join(', ')}`;
    return new AppError('DH-223', { action: need.action, why });
  }
  return { token: token.id, kind: token.kind, workspace: token.workspace, user: token.user, project: token.project, rights };
}

/** What a token is in use for. */
export interface TokenUse {
  token: string;
  project: string;
}

export interface TokenAccess {
  /** The caller with this token. Throws DH-222 or DH-223. */
  admit(token: string, need: TokenNeed): Promise<Caller>;
  /** Why no token may do this, good or not: the error to be told. Of one that is known it is written down. */
  refuse(token: string, action: string, why: string): Promise<AppError>;
  /** A caller asked for something by its id that is nowhere in their reach, which may be somewhere else: that is written down. */
  missed(caller: Pick<Caller, 'token'>, action: string): Promise<void>;
  /**
   * For each of these whether the token may not do it any more about the project, with the reason, in their order; notes that the others are
   * in use. A fixed number of statements, however many there are.
   */
  lapsed(uses: readonly TokenUse[], need: TokenNeed): Promise<(AppError | undefined)[]>;
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

  async function noteRefusal(token: TokenStanding, { action }: Pick<TokenNeed, 'action'>, error: AppError): Promise<void> {
    const at = now().getTime();
    const why = String(error.params.why);
    const key = `${token.id} ${action} ${why}`;
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
        data: { name: token.name, kind: token.kind, to: action, why },
      }),
    );
  }

  /** With all that the person may anywhere, where what they may in the workspace is not enough: what it is used on is asked for itself. */
  async function withReach(token: TokenStanding, need: TokenNeed): Promise<TokenStanding> {
    if (token.kind === 'service' || may({ role: token.personRole }, need.permission)) return token;
    const { workspace, user } = token;
    const { role, extra } = await database.transaction((tx) => rightsOfPerson(tx, workspace, user));
    return { ...token, personRole: role, personExtra: extra };
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

  const find = async (token: string) => (isAccessToken(token) ? await tokenByHash(database, accessTokenHash(token)) : undefined);

  return {
    async refuse(token, action, why) {
      const error = new AppError('DH-223', { action, why });
      const known = await find(token);
      if (known !== undefined) await noteRefusal(known, { action }, error);
      return error;
    },
    async missed({ token }, action) {
      const [standing] = await tokensStanding(database, [token]);
      const why = 'there is none in its reach';
      if (standing !== undefined) await noteRefusal(standing, { action }, new AppError('DH-223', { action, why }));
    },
    async admit(token, need) {
      const found = await find(token);
      const standing = found === undefined ? undefined : await withReach(found, need);
      const judged = judgeToken(standing, need, now());
      if (judged instanceof AppError) {
        if (standing !== undefined) await noteRefusal(standing, need, judged);
        throw judged;
      }
      if (standing !== undefined) await noteUse([standing]);
      return judged;
    },
    async lapsed(uses, need) {
      const known = await tokensStanding(database, [...new Set(uses.map(({ token }) => token))]);
      const standing = new Map(known.map((one) => [one.id, one]));
      const rights = await database.transaction((tx) =>
        rightsOfEach(
          tx,
          uses.flatMap(({ token, project }) => {
            const one = standing.get(token);
            return one === undefined ? [] : [{ workspace: one.workspace, user: one.user, place: project }];
          }),
        ),
      );
      const good = new Set<TokenStanding>();
      const lapsed = uses.map(({ token, project }) => {
        const one = standing.get(token);
        const { role, extra } = one === undefined ? {} : rights(one.user, project);
        const about = one === undefined ? undefined : { ...one, personRole: role, personExtra: extra };
        const judged = judgeToken(about, need, now());
        if (judged instanceof AppError) return judged;
        if (one !== undefined) good.add(one);
        return undefined;
      });
      await noteUse([...good]);
      return lapsed;
    },
  };
}
