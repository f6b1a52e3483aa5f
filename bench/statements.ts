import type { Database } from '../src/store/database.ts';

/** Settings of a server that counts statements. */
export const countingSettings = ['shared_preload_libraries=pg_stat_statements', 'pg_stat_statements.max=2000'] as const;

/** What one kind of statement came to. Times are those of the server. */
export interface StatementUse {
  query: string;
  calls: number;
  ms: number;
  rows: number;
}

/** What a database was asked in some time. */
export interface DatabaseUse {
  /** Without the beginnings and ends of transactions. */
  statements: number;
  transactions: number;
  /** Most expensive first. */
  kinds: StatementUse[];
}

/** Counts what is asked from now on; `read` says what it was since. The server was started with `countingSettings`. */
export async function countStatements({ db }: Database): Promise<{ read(): Promise<DatabaseUse> }> {
  await db.$executeRawUnsafe('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
  await db.$executeRawUnsafe('SELECT pg_stat_statements_reset()');
  const before = await transactions(db);
  return {
    async read() {
      const kinds = await db.$queryRawUnsafe<{ query: string; calls: bigint; ms: number; rows: bigint }[]>(`
        SELECT query, sum(calls)::bigint AS calls, sum(total_exec_time) AS ms, sum(rows)::bigint AS rows
        FROM pg_stat_statements
        WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND query !~* '^(begin|commit|rollback|deallocate|set |listen|unlisten)' AND query NOT LIKE '%pg_stat_%'
        GROUP BY query ORDER BY sum(total_exec_time) DESC`);
      const shown = kinds.map(({ query, calls, ms, rows }) => ({ query, calls: Number(calls), ms, rows: Number(rows) }));
      return {
        statements: shown.reduce((sum, { calls }) => sum + calls, 0),
        transactions: (await transactions(db)) - before,
        kinds: shown,
      };
    },
  };
}

/** Transactions of the database so far, ended either way. */
export async function transactions(db: Database['db']): Promise<number> {
  const rows = await db.$queryRaw<{ count: bigint }[]>`
    SELECT xact_commit + xact_rollback AS count FROM pg_stat_database WHERE datname = current_database()`;
  return Number(rows[0]?.count ?? 0n);
}

/** One kind of statement in a line: how often for each of `per`, milliseconds in all, and its beginning. */
export function statementText({ query, calls, ms, rows }: StatementUse, per: number): string {
  const text = query.replace(/\s+/g, ' ').slice(0, 160);
  return `${(calls / per).toFixed(2).padStart(7)} × ${(ms / calls).toFixed(3).padStart(8)} ms = ${ms.toFixed(0).padStart(6)} ms, ${rows} rows: ${text}`;
}
