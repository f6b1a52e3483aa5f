import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { access, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { createExclusive } from '../runner/mirror-lock.ts';
import { type ArchiveWriter, BadArchive, createArchive, readArchive } from './backup/archive.ts';
import { asidePrefix, freeze, openContent, removeForgotten, walk } from './backup/collect-files.ts';
import { entryNames, type Manifest, type Seal } from './backup/manifest.ts';
import type { Config } from './config.ts';
import { AppError } from './contracts/errors.ts';
import { bytes as byteText } from './delivery/units.ts';
import { keysOf } from './key-ring.ts';
import { errorText } from './runtime/error-text.ts';
import { keyIds, keyText } from './runtime/secret-box.ts';
import { programVersion } from './runtime/version.ts';
import { hostIdOf } from './store/data-dir.ts';
import { noteBackup } from './store/database-standing.ts';
import { type Dump, openDump } from './store/dump.ts';
import { holdUnlessRunning, withEmbedded } from './store/idle-database.ts';
import { addressOfRunning } from './store/postgres-address.ts';

export interface BackupReport extends Seal {
  file: string;
  keyIncluded: boolean;
}

const rowsBytes = 4 * 1024 * 1024;

/**
 * Writes all state of an installation into one file, whether it runs or not: the database as at one moment, and after that moment the files
 * that its rows may name. The file appears when it is complete and was read again. `say` hears of each step. Throws DH-120, and what keeps the
 * database from being read.
 */
export async function makeBackup(config: Config, target: string, say: (line: string) => void): Promise<BackupReport> {
  const file = resolve(target);
  const problem = (detail: string, cause?: unknown) => new AppError('DH-120', { file, detail }, { cause });
  if (existsSync(file)) throw problem('there is a file of that name already');
  const draft = `${file}.${randomBytes(4).toString('hex')}.part`;
  const asOf = new Date();
  return await withDatabase(config, async (url) => {
    let archive: ArchiveWriter | undefined;
    try {
      await access(dirname(file));
      archive = createArchive(draft, config.backupPassphrase);
      const keyIncluded = await fill(archive, config, url, say);
      const written = await archive.finish();
      say('Reading it again');
      const read = await readArchive(draft, config.backupPassphrase, async () => undefined);
      if (read.sha256 !== written.sha256) throw new BadArchive('what was read is not what was written');
      await rename(draft, file);
      // Whoever looks at the installation sees when it was backed up last; the file is good without that.
      await noteBackup(url, asOf).catch((error: unknown) => say(`It could not be noted: ${errorText(error)}`));
      return { ...written, file, keyIncluded };
    } catch (error) {
      await archive?.abandon();
      await rm(draft, { force: true });
      throw isOfDisk(error) || error instanceof BadArchive ? problem(error.message, error) : error;
    }
  });
}

function isOfDisk(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error && 'code' in error && error.code !== 'ECONNREFUSED';
}

async function fill(archive: ArchiveWriter, config: Config, url: string, say: (line: string) => void): Promise<boolean> {
  const dump = await openDump(url);
  try {
    const keys = keysOf(config);
    if (keys === undefined) throw new Error(`there is no secret key in ${config.dataDir}`);
    const [id, ...older] = keyIds(keys);
    // Whoever has an unsealed file must not be able to read credentials with it.
    const included = config.backupPassphrase !== undefined;
    const manifest: Manifest = {
      format: 1,
      version: programVersion(),
      createdAt: new Date().toISOString(),
      hostId: hostIdOf(config.dataDir) ?? 'none',
      migrations: dump.migrations,
      key: { id, older, included },
    };
    await archive.add(entryNames.manifest, jsonOf(manifest));
    if (included) await archive.add(entryNames.key, Buffer.from(keyText(keys)));
    await addDatabase(archive, dump, say);
    await dump.close();
    await addFiles(archive, config, say);
    return included;
  } finally {
    await dump.close();
  }
}

async function addDatabase(archive: ArchiveWriter, dump: Dump, say: (line: string) => void): Promise<void> {
  await archive.add(entryNames.tables, jsonOf(dump.tables));
  await archive.add(entryNames.sequences, jsonOf(dump.sequences));
  let bytes = 0;
  for (const { name } of dump.tables) {
    let part = 0;
    let held: Uint8Array[] = [];
    let size = 0;
    const flush = async () => {
      if (size > 0) await archive.add(entryNames.rows(name, part++), Buffer.concat(held));
      bytes += size;
      [held, size] = [[], 0];
    };
    for await (const chunk of dump.rows(name)) {
      held.push(Buffer.from(chunk));
      size += chunk.length;
      if (size >= rowsBytes) await flush();
    }
    await flush();
  }
  say(`Database: ${dump.tables.length} tables, ${byteText(bytes)}`);
}

/** After the database: what its rows name was complete before they were written. */
async function addFiles(archive: ArchiveWriter, { dataDir }: Config, say: (line: string) => void): Promise<void> {
  const told = async (title: string, add: () => Promise<{ files: number; bytes: number }>) => {
    const { files, bytes } = await add();
    say(`${title}: ${files} files, ${byteText(bytes)}`);
  };
  await told('Files of runs', () => addFolder(archive, dataDir, 'artifacts', (path) => path));
  await told('Mirrors', () => addMirrors(archive, dataDir));
  if (existsSync(join(dataDir, 'lab'))) await told('Lab', () => addFolder(archive, dataDir, 'lab', (path) => path));
}

/** Mirrors are held for the moment of giving their files second names only, so that runs do not wait for a backup. */
async function addMirrors(archive: ArchiveWriter, dataDir: string): Promise<{ files: number; bytes: number }> {
  const folder = join(dataDir, 'mirrors');
  const exclusively = createExclusive();
  const total = { files: 0, bytes: 0 };
  await removeForgotten(folder);
  const aside = `${asidePrefix}backup-${randomBytes(4).toString('hex')}`;
  try {
    for (const name of existsSync(folder) ? await readdir(folder) : []) {
      if (!/^prj_[0-9a-z]+\.git$/.test(name)) continue;
      await exclusively(join(folder, `${name}.lock`), () => freeze(join(folder, name), join(folder, aside, name)));
      await archive.addDirectory(entryNames.file(`mirrors/${name}`), 0o700);
      const { files, bytes } = await addFolder(archive, dataDir, `mirrors/${aside}/${name}`, (inside) =>
        inside.replace(`mirrors/${aside}/`, 'mirrors/'),
      );
      total.files += files;
      total.bytes += bytes;
      await rm(join(folder, aside, name), { recursive: true, force: true });
    }
  } finally {
    await rm(join(folder, aside), { recursive: true, force: true });
  }
  return total;
}

async function addFolder(
  archive: ArchiveWriter,
  dataDir: string,
  folder: string,
  named: (path: string) => string,
): Promise<{ files: number; bytes: number }> {
  let [files, bytes] = [0, 0];
  for await (const { path, directory, mode } of walk(dataDir, folder)) {
    const name = entryNames.file(named(path));
    if (directory) {
      await archive.addDirectory(name, mode);
      continue;
    }
    const opened = await openContent(join(dataDir, path));
    if (opened === undefined) continue; // deleted meanwhile, because it was not kept any longer
    await archive.addFile(name, { size: opened.size, mode }, opened.content);
    files += 1;
    bytes += opened.size;
  }
  return { files, bytes };
}

/** The database of an installation that runs, or that is started for this. */
async function withDatabase<T>(config: Config, use: (url: string) => Promise<T>): Promise<T> {
  const { databaseUrl, dataDir } = config;
  if (databaseUrl !== undefined) return await use(databaseUrl);
  const address = existsSync(dataDir) ? await addressOfRunning(dataDir) : undefined;
  if (address === undefined)
    throw new AppError('DH-120', { file: dataDir, detail: 'there is nothing to keep: Deckhand was never started here' });
  const held = holdUnlessRunning(dataDir);
  if (held === undefined) return await use(address);
  try {
    return await withEmbedded(dataDir, use);
  } finally {
    held.release();
  }
}

function jsonOf(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value, undefined, 1)}\n`);
}
