import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Caller } from '../access/token-access.ts';
import { AppError } from '../contracts/errors.ts';
import type { Database } from '../store/database.ts';
import { onlyWorkspace } from '../store/external-logins.ts';
import { isFromThisMachine } from './access.ts';

/** Stands for the token of this launch where callers are told apart. */
export const localCaller = 'this machine';

/**
 * Who calls with the token of this launch: the user who runs Deckhand, who could read the database as well. Undefined for every other token, and
 * for requests that were not made on this machine.
 */
export async function callerOnThisMachine(
  request: FastifyRequest,
  given: string,
  { database, localToken }: { database: Pick<Database, 'transaction'>; localToken: string | undefined },
): Promise<Caller | undefined> {
  if (localToken === undefined || !same(given, localToken) || !isFromThisMachine(request.raw)) return undefined;
  const workspace = await database.transaction((tx) => onlyWorkspace(tx));
  if (workspace === undefined) throw new AppError('DH-222', { why: 'There are several workspaces, or none yet' });
  // Like a service it is nobody in particular, and reaches every project.
  return { token: localCaller, kind: 'service', workspace, user: localCaller, project: undefined, rights: { role: 'owner' } };
}

function same(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
