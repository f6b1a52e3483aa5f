import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { launch } from '../../src/runtime/launcher.ts';

/** The archive breaks a rule of `readTar`, or is none. Nothing of it may be used. */
export class UnsafeTar extends Error {
  override name = 'UnsafeTar';
}

/** More bytes than allowed. */
export class TooLarge extends Error {
  override name = 'TooLarge';
}

/**
 * Archive of everything in a directory that no sandbox can write, for `Sandbox.copyIn`. Uses the system's `tar`, which keeps file
 * names as the bytes they are. Stopping early ends it.
 */
export async function* packDirectory(directory: string): AsyncGenerator<Uint8Array> {
  const args = ['-C', directory, '-cf', '-', '.'];
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', COPYFILE_DISABLE: '1' };
  // Quicker, but in one piece. What does not come of it is done, or told, below.
  const whole = await launch({ command: 'tar', args, env, maxOutputBytes: smallBytes, maxErrorBytes: 200 }).ended;
  if (whole.exitCode === 0 && !whole.tooLarge) {
    yield whole.stdout;
    return;
  }
  const tar = spawn('tar', args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  const closed = once(tar, 'close');
  // Awaited below; a failure to start must not surface before.
  closed.catch(() => undefined);
  let complaint = '';
  tar.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2000);
  });
  try {
    yield* tar.stdout;
    const [code] = await closed;
    if (code !== 0) throw new Error(`tar ended with ${code}: ${complaint.trim()}`);
  } finally {
    tar.kill('SIGKILL');
  }
}

/** Archives of directories up to here are made by the small process that starts programs for this one. */
const smallBytes = 4 * 1024 * 1024;

const block = 512;

/**
 * The same archive with every entry owned by `uid` and `gid`. Works on the header blocks, so names and contents pass unchanged.
 */
export async function* ownedBy(source: AsyncIterable<Uint8Array>, uid: number, gid: number): AsyncGenerator<Uint8Array> {
  const header = Buffer.alloc(block);
  let filled = 0;
  let body = 0;
  for await (const chunk of source) {
    let at = 0;
    while (at < chunk.length) {
      if (body > 0) {
        const part = chunk.subarray(at, at + body);
        at += part.length;
        body -= part.length;
        yield part;
        continue;
      }
      const part = chunk.subarray(at, at + block - filled);
      header.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < block) break;
      filled = 0;
      body = setOwner(header, uid, gid);
      yield Buffer.from(header);
    }
  }
  if (filled > 0 || body > 0) throw new UnsafeTar('The archive ends in the middle of an entry');
}

/** Changes the header in place and returns the bytes until the next one. */
function setOwner(header: Buffer, uid: number, gid: number): number {
  if (header.every((byte) => byte === 0)) return 0;
  if (octal(header, 148, 8) !== checksum(header)) throw new UnsafeTar('Not a tar archive');
  const size = octal(header, 124, 12);
  if (size === undefined) throw new UnsafeTar('A file of the tar archive is larger than 8 GiB');
  header.write(`${uid.toString(8).padStart(7, '0')}\0`, 108, 'latin1');
  header.write(`${gid.toString(8).padStart(7, '0')}\0`, 116, 'latin1');
  header.fill(0, 265, 329);
  header.write(`${checksum(header).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  // Directories, links and devices have no body, whatever their size field says.
  return '123456'.includes(String.fromCharCode(header[156] ?? 0)) ? 0 : Math.ceil(size / block) * block;
}

/** Undefined for other ways to write a number. */
function octal(header: Buffer, start: number, length: number): number | undefined {
  const text = header.toString('latin1', start, start + length).replace(/^[ \0]+|[ \0].*$/gs, '');
  if (!/^[0-7]*$/.test(text)) return undefined;
  return text === '' ? 0 : Number.parseInt(text, 8);
}

function checksum(header: Buffer): number {
  let sum = 8 * 32;
  for (let i = 0; i < block; i++) if (i < 148 || i >= 156) sum += header[i] ?? 0;
  return sum;
}

export interface TarLimits {
  /** Entries of any kind. */
  entries: number;
  fileBytes: number;
  /** All files together. */
  totalBytes: number;
}

export interface TarEntry {
  /** Relative, parts separated by `/`, never with `.` or `..` among them. */
  path: string;
  type: 'file' | 'directory' | 'symlink';
  executable: boolean;
  /** Of a file; others are empty. */
  bytes: Buffer;
  /** Of a symlink: relative and within the archive. */
  target?: string | undefined;
}

/**
 * Reads an archive that came out of a sandbox, entry by entry, and accepts only what is harmless wherever it is put: files,
 * directories and symlinks with plain relative names, no name twice, nothing below a symlink, no link that points outside, within
 * `limits`. Anything else throws UnsafeTar or TooLarge.
 */
export async function* readTar(source: AsyncIterable<Uint8Array>, limits: TarLimits): AsyncGenerator<TarEntry> {
  const unpack = extract();
  const feed = Readable.from(source);
  const closed = once(feed, 'close');
  closed.catch(() => undefined);
  feed.once('error', (error) => unpack.destroy(error));
  feed.pipe(unpack);
  const seen = new Map<string, TarEntry['type']>();
  let total = 0;
  try {
    for await (const entry of unpack) {
      const { name, type, mode = 0, linkname } = entry.header;
      const path = checkedPath(name);
      if (type !== 'file' && type !== 'directory' && type !== 'symlink')
        throw new UnsafeTar(`${show(path)} is a ${type ?? 'thing unknown'}`);
      if (path === '' && type !== 'directory') throw new UnsafeTar(`The root of the archive is a ${type}`);
      const before = seen.get(path);
      if (before !== undefined && !(before === 'directory' && type === 'directory'))
        throw new UnsafeTar(`${show(path)} comes twice`);
      for (let cut = path.lastIndexOf('/'); cut > 0; cut = path.lastIndexOf('/', cut - 1)) {
        const above = seen.get(path.slice(0, cut)) ?? 'directory';
        if (above !== 'directory') throw new UnsafeTar(`${show(path)} lies below a ${above}`);
        seen.set(path.slice(0, cut), above);
      }
      seen.set(path, type);
      if (seen.size > limits.entries) throw new TooLarge(`The archive has more than ${limits.entries} entries`);
      const target = type === 'symlink' ? checkedTarget(path, linkname ?? '') : undefined;
      const bytes = await readAll(Readable.from(entry), Math.min(limits.fileBytes, limits.totalBytes - total));
      total += bytes.length;
      if (path !== '') yield { path, type, executable: (mode & 0o100) !== 0, bytes, ...(target === undefined ? {} : { target }) };
    }
  } catch (error) {
    throw asTarError(error);
  } finally {
    unpack.destroy();
    feed.destroy();
    // The source has ended its work, a helper is gone.
    await closed.catch(() => undefined);
  }
}

/** Errors of the source pass; those of the parser say in their own words what is wrong with the archive. */
function asTarError(error: unknown): unknown {
  if (error instanceof Error && error.constructor === Error && /tar|header|end of data/i.test(error.message)) {
    return new UnsafeTar(error.message, { cause: error });
  }
  return error;
}

/** The name without `./` and a trailing `/`; empty for the root itself. */
function checkedPath(name: string): string {
  const path = name.replace(/^(\.\/+)+/, '').replace(/\/+$/, '');
  if (path === '' || path === '.') return '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (name.startsWith('/') || /[\x00-\x1f\x7f\\\ufffd]/.test(path))
    throw new UnsafeTar(`${show(name)} is not a plain relative name`);
  if (path.split('/').some((part) => part === '' || part === '.' || part === '..'))
    throw new UnsafeTar(`${show(name)} leaves its place`);
  return path;
}

/**
 * `..` only at the front: there it leads up through real directories. Further on it could follow another link first, and where that
 * leads cannot be seen here.
 */
function checkedTarget(path: string, target: string): string {
  const parts = target.split('/').filter((part) => part !== '' && part !== '.');
  const down = parts.findIndex((part) => part !== '..');
  const up = down === -1 ? parts.length : down;
  const leaves = up > path.split('/').length - 1 || parts.slice(up).includes('..');
  if (target === '' || target.startsWith('/') || target.includes('\\') || leaves) {
    throw new UnsafeTar(`${show(path)} links to ${show(target)}, outside of the archive`);
  }
  return target;
}

function show(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}

/** All bytes of a stream, or TooLarge as soon as there are more than `maxBytes`. */
export async function readAll(source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of source) {
    total += chunk.length;
    if (total > maxBytes) throw new TooLarge(`More than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, total);
}
