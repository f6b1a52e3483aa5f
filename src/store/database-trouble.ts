import pg from 'pg';
import { Prisma } from '../../prisma/client/client.ts';

/**
 * Classes of SQLSTATE that say nothing about the statement (https://www.postgresql.org/docs/current/errcodes-appendix.html): connections (08), what the
 * server needs is used up, such as its disk (53), it is being stopped or started (57), the system around it (58), conflicts with others (40),
 * and damage after a crash (XX).
 */
const passing = /^(08|40|53|57|58|XX)/;
const withoutServer =
  /^(DatabaseNotReachable|ConnectionClosed|SocketTimeout|TlsConnectionError|TooManyConnections|TransactionWriteConflict)$/;

/**
 * Whether a statement failed because of the database, or on the way to it, and not for what it says: the same may succeed later, and
 * nobody knows whether it was done.
 */
export function isDatabaseTrouble(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return passing.test(error.code ?? '');
  if (error instanceof Prisma.PrismaClientInitializationError) return true;
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return false;
  // Not reachable, closed or too slow (P1…), no connection of the pool (P2024), a transaction that did not begin or ended (P2028), a conflict.
  if (/^(P1\d{3}|P2024|P2028|P2034|P2037)$/.test(error.code)) return true;
  const cause = causeOf(error.meta);
  return cause !== undefined && (withoutServer.test(String(cause.kind)) || passing.test(String(cause.originalCode ?? '')));
}

function causeOf(meta: Record<string, unknown> | undefined): Record<string, unknown> | undefined {
  const found = meta?.driverAdapterError;
  return isRecord(found) && isRecord(found.cause) ? found.cause : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
