import { createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { extract, type Header, pack } from 'tar-stream';
import { entryNames, type Seal, sealSchema } from './manifest.ts';
import { NotOpened, open, seal, sealedMark } from './sealed.ts';

/** A backup in the making: a tar archive, packed by gzip and, with a passphrase, sealed. */
export interface ArchiveWriter {
  add(name: string, bytes: Buffer): Promise<void>;
  addDirectory(name: string, mode: number): Promise<void>;
  /** Exactly `size` bytes. */
  addFile(name: string, file: { size: number; mode: number }, content: AsyncIterable<Uint8Array>): Promise<void>;
  /** Writes what tells that it is whole, and all of it to the disk. */
  finish(): Promise<Seal>;
  /** Ends in the middle. Idempotent, and does nothing after `finish`. */
  abandon(): Promise<void>;
}

/** Makes the file, which must not be there, readable by its owner only. Errors of writing surface in whatever is called next. */
export function createArchive(file: string, passphrase: string | undefined): ArchiveWriter {
  const tar = pack();
  const target = createWriteStream(file, { flags: 'wx', mode: 0o600, flush: true });
  // The packs of git and pictures do not become smaller; rows and logs become a tenth, and more effort gains little.
  const packing = createGzip({ level: 1 });
  const written =
    passphrase === undefined
      ? pipeline(Readable.from(tar), packing, target)
      : pipeline(Readable.from(tar), packing, (packed) => seal(packed, passphrase), target);
  // Nobody may be waiting at the moment at which it fails.
  written.catch(() => undefined);
  const failed = written.then(() => new Promise<never>(() => undefined));
  failed.catch(() => undefined);
  const sum = createHash('sha256');
  let entries = 0;
  let bytes = 0;

  async function entry(header: Partial<Header> & { name: string }, content: AsyncIterable<Uint8Array>): Promise<void> {
    const done = Promise.withResolvers<void>();
    const digest = createHash('sha256');
    const sink = tar.entry(header, (error) => (error ? done.reject(error) : done.resolve()));
    sink.on('error', () => undefined); // told by the callback
    for await (const chunk of content) {
      digest.update(chunk);
      bytes += chunk.length;
      if (!sink.write(Buffer.from(chunk))) await Promise.race([once(sink, 'drain'), failed]);
    }
    sink.end(undefined);
    await Promise.race([done.promise, failed]);
    entries += 1;
    count(sum, header.name, header.size ?? 0, digest);
  }

  return {
    add: (name, content) => entry({ name, size: content.length, mode: 0o600, type: 'file' }, oneChunk(content)),
    addFile: (name, { size, mode }, content) => entry({ name, size, mode, type: 'file' }, content),
    async addDirectory(name, mode) {
      await entry({ name, mode, type: 'directory' }, oneChunk(Buffer.alloc(0)));
    },
    async finish() {
      const whole: Seal = { entries, bytes, sha256: sum.copy().digest('hex') };
      const text = Buffer.from(JSON.stringify(whole));
      await entry({ name: entryNames.seal, size: text.length, mode: 0o600, type: 'file' }, oneChunk(text));
      tar.finalize();
      await written;
      return whole;
    },
    async abandon() {
      tar.destroy();
      target.destroy();
      await written.catch(() => undefined);
    },
  };
}

export interface ArchiveEntry {
  name: string;
  type: 'file' | 'directory';
  size: number;
  mode: number;
  /** Must be read before the next entry is asked for. */
  content: AsyncIterable<Uint8Array>;
}

/** The file is no backup, or not a whole one: the message says in which way. */
export class BadArchive extends Error {
  override name = 'BadArchive';
}

/**
 * Hands over the entries in their order, without the last, and looks whether they are what was written. Throws BadArchive, at the latest at
 * the end: what was read counts only when this has resolved.
 */
export async function readArchive(
  file: string,
  passphrase: string | undefined,
  onEntry: (entry: ArchiveEntry) => Promise<void>,
): Promise<Seal> {
  try {
    return await read(await contentOf(file, passphrase), onEntry);
  } catch (error) {
    if (error instanceof NotOpened) throw new BadArchive(error.message, { cause: error });
    throw error;
  }
}

async function contentOf(file: string, passphrase: string | undefined): Promise<AsyncIterable<Uint8Array>> {
  const start = await beginning(file);
  if (start.subarray(0, 2).equals(Buffer.from([0x1f, 0x8b]))) return createReadStream(file);
  if (!start.equals(sealedMark)) throw new BadArchive('it is not a backup of Deckhand');
  if (passphrase === undefined)
    throw new BadArchive('it is sealed: DECKHAND_BACKUP_PASSPHRASE must be the passphrase it was made with');
  return open(createReadStream(file, { start: sealedMark.length }), passphrase);
}

async function beginning(file: string): Promise<Buffer> {
  const handle = await openFile(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(sealedMark.length));
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function read(content: AsyncIterable<Uint8Array>, onEntry: (entry: ArchiveEntry) => Promise<void>): Promise<Seal> {
  const sum = createHash('sha256');
  const tar = extract();
  const unpacked = createGunzip();
  const fed = pipeline(Readable.from(content), unpacked);
  // What is wrong with the file ends the reading of entries below, with the same error.
  fed.catch((error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))));
  unpacked.pipe(tar);

  let found: Seal | undefined;
  let entries = 0;
  let bytes = 0;
  try {
    for await (const source of tar) {
      const { name, type, size, mode } = source.header;
      const stream: AsyncIterable<Uint8Array> = Readable.from(source);
      if (found !== undefined || (type !== 'file' && type !== 'directory'))
        throw new BadArchive('it is not a backup of Deckhand');
      if (name === entryNames.seal) {
        found = sealSchema.parse(JSON.parse((await all(stream)).toString()));
        continue;
      }
      const digest = createHash('sha256');
      const counted = through(stream, (chunk) => {
        digest.update(chunk);
        bytes += chunk.length;
      });
      await onEntry({ name, type, size, mode, content: counted });
      for await (const _ of counted);
      entries += 1;
      count(sum, name, size, digest);
    }
    await fed;
  } catch (error) {
    unpacked.destroy();
    throw isOfFile(error) ? new BadArchive('it is damaged, or ends too early', { cause: error }) : error;
  }
  if (found === undefined) throw new BadArchive('it ends too early');
  if (found.entries !== entries || found.bytes !== bytes || found.sha256 !== sum.digest('hex'))
    throw new BadArchive('its contents are not what was written: wrong checksum');
  return found;
}

/** Of gzip and tar, not of whoever uses the entries. */
function isOfFile(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return code.startsWith('Z_') || /^(Invalid tar header|Unexpected end of data)/.test(error.message);
}

async function all(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** One iterator for all who ask: what somebody has left is read by the next. */
function through(stream: AsyncIterable<Uint8Array>, see: (chunk: Uint8Array) => void): AsyncIterable<Uint8Array> {
  const iterator = stream[Symbol.asyncIterator]();
  let over = false;
  const next = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
    const result = over ? undefined : await iterator.next();
    over = result === undefined || result.done === true;
    if (result === undefined || result.done === true) return { done: true, value: undefined };
    see(result.value);
    return { done: false, value: result.value };
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

async function* oneChunk(bytes: Buffer): AsyncGenerator<Buffer> {
  if (bytes.length > 0) yield bytes;
}

function count(sum: Hash, name: string, size: number, digest: Hash): void {
  sum.update(`${JSON.stringify(name)} ${size} ${digest.digest('hex')}\n`);
}
