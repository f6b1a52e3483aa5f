import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AppError } from '../contracts/errors.ts';
import { errorText } from '../runtime/error-text.ts';
import { type KeyRing, keysIn, keyText } from '../runtime/secret-box.ts';

const keyFile = 'secret-key';

/** The roles that may each use a data directory once. */
export type DataDirRole = 'gateway' | 'runner';

/** The directory of everything that one installation keeps on a machine, held by this process until `release`. */
export interface DataDir {
  path: string;
  /** Identity of the directory, made with it and kept: runs on it can be re-attached only by a runner that has the same directory. */
  hostId: string;
  /** Identity of the disk with its mirrors: the same for all data directories that share `mirrors`. Made when it is asked for first. */
  store(): string;
  /**
   * The secret keys of an installation that was not given any, as they are now: the first one is made when they are asked for first. Kept with
   * mode 600, one a line, that which seals first.
   */
  secretKeys(): KeyRing;
  release(): void;
}

/**
 * Makes the directory if needed and takes it for the roles.
 *
 * The lock is one of the kernel's (a SQLite file under BEGIN EXCLUSIVE), so it ends with the process, however that ends: a killed
 * predecessor leaves nothing to clean up, and no process id can be mistaken for another. `<role>.json` beside it only tells who
 * holds it. Throws DH-101 when another process does, DH-107 when the directory cannot be used.
 */
export function openDataDir(path: string, roles: readonly DataDirRole[]): DataDir {
  const locks: DatabaseSync[] = [];
  const release = () => {
    for (let lock = locks.pop(); lock !== undefined; lock = locks.pop()) lock.close();
  };
  try {
    makeDir(path);
    for (const role of roles) locks.push(takeLock(path, role));
    const hostId = onceFile(join(path, 'host-id'), newHostId);
    const secretKeys = createKeyFile(path, () => {
      onceFile(join(path, keyFile), () => randomBytes(32).toString('base64'));
    });
    const store = () => {
      const mirrors = join(path, 'mirrors');
      mkdirSync(mirrors, { recursive: true, mode: 0o700 });
      return onceFile(join(mirrors, 'store-id'), () => `store_${randomBytes(10).toString('hex')}`);
    };
    return { path, hostId, store, secretKeys, release };
  } catch (error) {
    release();
    if (error instanceof AppError) throw error;
    throw new AppError('DH-107', { dir: path, detail: errorText(error) }, { cause: error });
  }
}

/** Identity of a data directory that this process does not hold; undefined when nobody has used it yet. */
export function hostIdOf(path: string): string | undefined {
  const file = join(path, 'host-id');
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}

/** Which roles have used a data directory so far. */
export function usedBy(path: string): DataDirRole[] {
  return (['gateway', 'runner'] as const).filter((role) => existsSync(join(path, `${role}.lock`)));
}

/** The secret keys of a data directory that this process does not hold; undefined when none was made. Throws DH-107. */
export function storedSecretKeys(path: string): KeyRing | undefined {
  return existsSync(join(path, keyFile)) ? readKeys(path) : undefined;
}

/** Replaces the secret keys of a data directory, all at once. Whoever has it open has the new ones at the next use. */
export function writeSecretKeys(path: string, keys: KeyRing): void {
  replaceFile(join(path, keyFile), keyText(keys).trimEnd());
}

/** Reads the file again when it is another one: asking the disk for that costs some microseconds. */
function createKeyFile(dir: string, make: () => void): () => KeyRing {
  let known: { mark: string; keys: KeyRing } | undefined;
  return () => {
    let found = statSync(join(dir, keyFile), { bigint: true, throwIfNoEntry: false });
    if (found === undefined) {
      make();
      found = statSync(join(dir, keyFile), { bigint: true });
    }
    const mark = `${found.ino} ${found.mtimeNs} ${found.size}`;
    if (known?.mark !== mark) known = { mark, keys: readKeys(dir) };
    return known.keys;
  };
}

function readKeys(dir: string): KeyRing {
  const keys = keysIn(readFileSync(join(dir, keyFile), 'utf8'));
  if (keys === undefined)
    throw new AppError('DH-107', { dir, detail: `${keyFile} does not have keys of 32 bytes in base64, one a line` });
  return keys;
}

/** Gives a held data directory another identity, and other secret keys unless they are undefined. */
export function renewIdentity(path: string, { hostId, keys }: { hostId: string; keys: KeyRing | undefined }): void {
  replaceFile(join(path, 'host-id'), hostId);
  if (keys !== undefined) writeSecretKeys(path, keys);
}

/** A name for a data directory, as none ever had. */
export function newHostId(): string {
  return `host_${randomBytes(10).toString('hex')}`;
}

function replaceFile(path: string, content: string): void {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${content}\n`, { mode: 0o600, flush: true });
  renameSync(draft, path);
}

function makeDir(path: string): void {
  if (existsSync(path)) return;
  mkdirSync(path, { recursive: true });
  // Run by root, the database server is another user and must be able to pass through; every file inside guards itself.
  chmodSync(path, process.geteuid?.() === 0 ? 0o711 : 0o700);
}

function takeLock(dir: string, role: DataDirRole): DatabaseSync {
  const holderFile = join(dir, `${role}.json`);
  const lock = new DatabaseSync(join(dir, `${role}.lock`), { timeout: 0 });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    const busy = 5; // SQLITE_BUSY
    if (!(error instanceof Error && 'errcode' in error && error.errcode === busy)) throw error;
    throw new AppError('DH-101', { pid: readHolder(holderFile), dir }, { cause: error });
  }
  writeFileSync(holderFile, `${JSON.stringify({ pid: process.pid, since: new Date().toISOString() })}\n`, { mode: 0o600 });
  return lock;
}

function readHolder(file: string): string {
  try {
    const holder: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof holder === 'object' && holder !== null && 'pid' in holder && 'since' in holder)
      return `${holder.pid}, since ${holder.since}`;
  } catch {
    // The holder has taken the lock and is about to write its name.
  }
  return 'starting just now';
}

/** Content of a file that is written once, whole or not at all, and readable only by its owner. */
function onceFile(path: string, make: () => string): string {
  if (!existsSync(path)) {
    // Processes of two machines may have the same number.
    const draft = `${path}.${randomBytes(6).toString('hex')}`;
    rmSync(draft, { force: true });
    writeFileSync(draft, `${make()}\n`, { mode: 0o600, flush: true });
    try {
      linkSync(draft, path);
    } catch (error) {
      if (!existsSync(path)) throw error; // else the other role was first, and its content counts
    } finally {
      rmSync(draft, { force: true });
    }
  }
  return readFileSync(path, 'utf8').trim();
}
