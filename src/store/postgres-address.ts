import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Name of the embedded database, and of the user who owns it. */
export const embeddedDatabase = 'deckhand';
/** Only part of the name of the socket's file. */
export const embeddedPort = 5432;
/** Longest path of a unix socket that all systems take. */
const longestSocketPath = 100;

/** Where the embedded database of a data directory keeps what. */
export interface EmbeddedFiles {
  home: string;
  data: string;
  password: string;
  socketDir: string;
}

export function embeddedFiles(dataDir: string): EmbeddedFiles {
  const home = join(dataDir, 'postgres');
  const inside = join(home, 'run');
  const fits = Buffer.byteLength(join(inside, `.s.PGSQL.${embeddedPort}`)) <= longestSocketPath;
  const outside = join(tmpdir(), `deckhand-${createHash('sha256').update(home).digest('hex').slice(0, 16)}`);
  return { home, data: join(home, 'data'), password: join(home, 'password'), socketDir: fits ? inside : outside };
}

/** For any client that understands libpq's addresses: the `host` parameter names the directory of the socket. */
export function embeddedUrl(files: EmbeddedFiles, password: string, name = embeddedDatabase): string {
  const socket = encodeURIComponent(files.socketDir);
  return `postgresql://${embeddedDatabase}:${password}@localhost:${embeddedPort}/${name}?host=${socket}`;
}

/** The address of the embedded database of a data directory that another process runs; undefined when there is no database yet. */
export async function addressOfRunning(dataDir: string): Promise<string | undefined> {
  const files = embeddedFiles(dataDir);
  try {
    return embeddedUrl(files, (await readFile(files.password, 'utf8')).trim());
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
