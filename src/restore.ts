import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type ArchiveEntry, BadArchive, readArchive } from './backup/archive.ts';
import { entryNames, type Manifest, manifestSchema, sequencesSchema, type Table, tablesSchema } from './backup/manifest.ts';
import { createPlacing, type FilePlacing, occupied } from './backup/place-files.ts';
import type { Config } from './config.ts';
import { AppError } from './contracts/errors.ts';
import { bytes as byteText } from './delivery/units.ts';
import { keysOf, ringOf } from './key-ring.ts';
import { type KeyRing, keyId, keyIds, keysIn } from './runtime/secret-box.ts';
import { newHostId, openDataDir, renewIdentity, storedSecretKeys } from './store/data-dir.ts';
import { withEmbedded } from './store/idle-database.ts';
import { type Load, openLoad } from './store/load.ts';

export interface RestoreOptions {
  /** What is there goes. */
  replace: boolean;
  /** Go on although nobody has the key of the stored credentials. */
  withoutKey: boolean;
  /** The installation of the backup was stopped when it was made, and has not run since: what waited goes on. */
  idle: boolean;
}

export interface RestoreReport {
  manifest: Manifest;
  /** A key came with the backup and lies in the data directory. */
  keyWritten: boolean;
  files: number;
  /** Identities of the hosts that may have left sandboxes on their engines. */
  formerHosts: string[];
}

/** Looks whether a backup is whole and what it is, without using it. Throws DH-121. */
export async function checkBackup(file: string, passphrase: string | undefined): Promise<{ manifest: Manifest; bytes: number }> {
  let manifest: Manifest | undefined;
  const { bytes } = await reading(file, passphrase, async (entry) => {
    if (entry.name === entryNames.manifest) manifest = manifestSchema.parse(await jsonIn(entry));
  });
  if (manifest === undefined) throw new AppError('DH-121', { file, problem: 'it does not say what it is' });
  return { manifest, bytes };
}

/**
 * Puts the state of a backup into the data directory and the database of the configuration, which nobody uses meanwhile: all of it, or nothing. It
 * is read twice: first only to know that it is whole. Throws DH-101, DH-103, DH-121 to DH-124.
 */
export async function restoreBackup(
  config: Config,
  file: string,
  options: RestoreOptions,
  say: (line: string) => void,
): Promise<RestoreReport> {
  const { dataDir, backupPassphrase } = config;
  const { manifest, bytes } = await checkBackup(resolve(file), backupPassphrase);
  say(`The backup is whole: ${byteText(bytes)}, made ${manifest.createdAt} by Deckhand ${manifest.version}`);
  requireKey(config, manifest, options);
  const held = openDataDir(dataDir, ['gateway', 'runner']);
  try {
    const there = await occupied(dataDir);
    if (there.length > 0 && !options.replace)
      throw new AppError('DH-122', { what: `The data directory ${dataDir} has ${there.join(', ')}` });
    const into = (url: string) => fill({ config, url, file: resolve(file), manifest, options, say });
    return config.databaseUrl === undefined ? await withEmbedded(dataDir, into) : await into(config.databaseUrl);
  } finally {
    held.release();
  }
}

interface Filling {
  config: Config;
  url: string;
  file: string;
  manifest: Manifest;
  options: RestoreOptions;
  say(line: string): void;
}

async function fill({ config, url, file, manifest, options, say }: Filling): Promise<RestoreReport> {
  const { dataDir, backupPassphrase } = config;
  const load = await openLoad({ url, file, migrations: manifest.migrations, replace: options.replace });
  const placing = createPlacing(dataDir, randomBytes(4).toString('hex'));
  try {
    const taken = await takeEntries({ file, passphrase: backupPassphrase, load, placing });
    say('The database is filled, and the files are beside their places');
    const hostId = newHostId();
    const formerHosts = await load.complete(taken.sequences, { former: manifest.hostId, host: hostId, idle: options.idle });
    await placing.place();
    await load.commit();
    renewIdentity(dataDir, { hostId, keys: taken.keys && keysAfter(storedSecretKeys(dataDir), taken.keys) });
    await placing.settle();
    return { manifest, keyWritten: taken.keys !== undefined, files: taken.files, formerHosts };
  } catch (error) {
    await load.abandon();
    await placing.undo();
    throw error;
  }
}

async function takeEntries(p: { file: string; passphrase: string | undefined; load: Load; placing: FilePlacing }) {
  let tables: readonly Table[] = [];
  const taken = { files: 0, keys: undefined as KeyRing | undefined, sequences: sequencesSchema.parse([]) };
  await reading(p.file, p.passphrase, async (entry) => {
    const { name } = entry;
    const table = entryNames.rowsPattern.exec(name)?.[1];
    const path = entryNames.filePattern.exec(name)?.[1];
    if (name === entryNames.tables) tables = tablesSchema.parse(await jsonIn(entry));
    else if (name === entryNames.sequences) taken.sequences = sequencesSchema.parse(await jsonIn(entry));
    else if (name === entryNames.key) {
      taken.keys = keysIn(await textIn(entry));
      if (taken.keys === undefined) throw new BadArchive('its keys are none');
    } else if (table !== undefined) {
      const known = tables.find((one) => one.name === table);
      if (known === undefined) throw new BadArchive(`it does not say what the rows of ${table} are`);
      for await (const chunk of entry.content) await p.load.rows(known, chunk);
    } else if (path !== undefined) {
      await p.placing.take(path, entry);
      if (entry.type === 'file') taken.files += 1;
    }
  });
  return taken;
}

/**
 * Where the installation of the backup has changed its key since, here, the newest one goes on to seal: a key that was given up does not come back by
 * a restore. Else the keys are those of the backup.
 */
function keysAfter(here: KeyRing | undefined, taken: KeyRing): KeyRing {
  return here !== undefined && keyIds(here).includes(keyId(taken[0])) ? ringOf(here, taken) : taken;
}

/** Credentials in the database open with their keys only. Throws DH-124 when one is not at hand. */
function requireKey(config: Config, { key }: Manifest, { withoutKey }: RestoreOptions): void {
  if (config.secretKey === undefined && key.included) return;
  const here = keysOf(config);
  const have: string[] = here === undefined ? [] : keyIds(here);
  if ([key.id, ...key.older].every((id) => have.includes(id))) return;
  if (withoutKey && !key.included) return;
  throw new AppError('DH-124', {
    problem:
      here === undefined
        ? 'The backup is not sealed, so it does not have the key that stored credentials are encrypted with, and there is none here.'
        : `The stored credentials of the backup are encrypted with ${key.older.length === 0 ? 'key' : 'keys'} ${[key.id, ...key.older].join(', ')}; here ${have.length === 1 ? 'is key' : 'are keys'} ${have.join(', ')}.`,
  });
}

async function reading(file: string, passphrase: string | undefined, onEntry: (entry: ArchiveEntry) => Promise<void>) {
  if (!existsSync(file)) throw new AppError('DH-121', { file, problem: 'there is no such file' });
  try {
    return await readArchive(file, passphrase, onEntry);
  } catch (error) {
    if (error instanceof BadArchive) throw new AppError('DH-121', { file, problem: error.message }, { cause: error });
    throw error;
  }
}

async function textIn({ content }: ArchiveEntry): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function jsonIn(entry: ArchiveEntry): Promise<unknown> {
  return JSON.parse(await textIn(entry));
}
