import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { createJobQueue } from '../../src/queue/bullmq-queue.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { createEmbeddedPostgres } from '../../src/store/embedded-postgres.ts';
import { migrate } from '../../src/store/migrate.ts';
import { databaseUrl, templateDatabase } from './postgres.ts';
import { query } from './query.ts';
import { makeScratch } from './scratch.ts';

/** Compiled code of the programs that tests start, which are many times the same. Stays between runs. */
const compiled = fileURLToPath(new URL('../../node_modules/.cache/deckhand-compiled', import.meta.url));

/** One PostgreSQL for the whole run, with a template database that has all migrations. Gone, with its files, when the run ends. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const scratch = makeScratch();
  process.env.TMPDIR = scratch.path;
  const dataDir = await mkdtemp(join(scratch.path, 'postgres-'));
  const postgres = createEmbeddedPostgres({
    dataDir,
    logger: createLogger({ level: 'warn', readable: true }),
    // The data need not outlive the run, nor are there ever enough of it to be tidied up or to be asked about by compiled code.
    settings: [
      ...['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'wal_level=minimal', 'max_wal_senders=0'],
      ...['autovacuum=off', 'jit=off', 'max_connections=300', 'shared_buffers=64MB'],
    ],
  });
  process.env.NODE_COMPILE_CACHE = compiled;
  const end = async () => {
    await postgres.abort();
    scratch.remove();
  };
  try {
    await postgres.start();
    await query(postgres.url, `CREATE DATABASE ${templateDatabase}`);
    const template = databaseUrl(postgres.url, templateDatabase);
    await migrate({ url: template });
    // BullMQ makes its own tables where there are none, which takes longer than copying them.
    const queue = await createJobQueue({ url: template, onError: fail });
    await queue.close();
  } catch (error) {
    await end();
    throw error;
  }
  project.provide('postgresUrl', postgres.url);
  return end;
}

function fail(error: unknown): never {
  throw error;
}

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrl: string;
  }
}
