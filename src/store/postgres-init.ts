import { randomBytes } from 'node:crypto';
import { chown, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type EmbeddedFiles, embeddedDatabase } from './postgres-address.ts';
import { collectLines, exitOf, type PostgresLaunch } from './postgres-launch.ts';

const bundledVersion = '18';

/**
 * Makes the database files if there are none; refuses those of another major version of PostgreSQL.
 *
 * They are built beside their place and moved there when complete, so that an interrupted first start leaves nothing that looks like
 * a database.
 */
export async function initialise(files: EmbeddedFiles, launch: PostgresLaunch): Promise<void> {
  await removeDrafts(files.home);
  const version = await versionOf(files.data);
  if (version === bundledVersion) return;
  if (version !== undefined) {
    throw new Error(`the files were made by PostgreSQL ${version}, this version of Deckhand brings ${bundledVersion}`);
  }
  // A name of its own: the initdb of a killed predecessor may still be ending, and must not touch this one.
  const draft = `${files.home}.new-${randomBytes(4).toString('hex')}`;
  const [data, password] = [join(draft, 'data'), join(draft, 'password')];
  await mkdir(draft, { mode: 0o711 });
  await mkdir(data, { mode: 0o700 });
  await writeFile(password, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 });
  if (launch.owner !== undefined) {
    for (const path of [draft, data, password]) await chown(path, launch.owner.uid, launch.owner.gid);
  }
  const child = launch.run(
    launch.initdb,
    [
      `--pgdata=${data}`,
      `--username=${embeddedDatabase}`,
      `--pwfile=${password}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // The collation that PostgreSQL brings itself: the order of texts does not change with the system's C library.
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--wal-segsize=8',
      '--no-instructions',
      '--no-clean',
    ],
    ['ignore', 'pipe', 'pipe'],
  );
  const lines = collectLines(child, () => undefined);
  const code = await exitOf(child);
  if (code !== 0) throw new Error(`initdb ended with ${code}: ${lines.join(' ')}`);
  await rename(draft, files.home);
}

/** Removes what interrupted first starts have left. What is still being written to is left for the next time. */
async function removeDrafts(home: string): Promise<void> {
  const parent = dirname(home);
  const drafts = (await readdir(parent)).filter((name) => name.startsWith(`${basename(home)}.new-`));
  for (const name of drafts) await rm(join(parent, name), { recursive: true, force: true }).catch(() => undefined);
}

async function versionOf(data: string): Promise<string | undefined> {
  try {
    return (await readFile(join(data, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
