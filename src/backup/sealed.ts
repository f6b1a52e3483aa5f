import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';

/**
 * A file that only a passphrase opens. `deckhand-sealed-1` and a line end, 16 bytes of salt, then pieces: length of the text (4 bytes, big
 * endian), text under AES-256-GCM, tag. The nonce of a piece is its number, with the last byte telling whether it is the last one:
 * pieces can be neither exchanged nor left out, and an end that was cut off is noticed. The key is made from passphrase and salt by
 * scrypt, anew for each file.
 */
export const sealedMark = Buffer.from('deckhand-sealed-1\n');

const saltBytes = 16;
const tagBytes = 16;
const pieceBytes = 1024 * 1024;
/** 64 MB and about a fifth of a second for each guess. */
const cost = { N: 2 ** 16, r: 8, p: 1, maxmem: 128 * 1024 * 1024 };

/** Wrong passphrase, or the file was changed or cut off. */
export class NotOpened extends Error {
  override name = 'NotOpened';
}

export async function* seal(source: AsyncIterable<Uint8Array>, passphrase: string): AsyncGenerator<Buffer> {
  const salt = randomBytes(saltBytes);
  const key = await keyFrom(passphrase, salt);
  yield Buffer.concat([sealedMark, salt]);
  let number = 0;
  let held: Buffer | undefined;
  for await (const piece of pieces(source)) {
    // Known as the last one only when nothing follows.
    if (held !== undefined) yield sealPiece(key, number++, false, held);
    held = piece;
  }
  yield sealPiece(key, number, true, held ?? Buffer.alloc(0));
}

/** What was sealed; `source` begins after the mark. Throws NotOpened before it yields anything of a piece that is not genuine. */
export async function* open(source: AsyncIterable<Uint8Array>, passphrase: string): AsyncGenerator<Buffer> {
  const reader = createReader(source);
  const salt = await reader.take(saltBytes);
  if (salt === undefined) throw new NotOpened('it ends too early');
  const key = await keyFrom(passphrase, salt);
  for (let number = 0; ; number++) {
    const length = (await reader.take(4))?.readUInt32BE();
    if (length === undefined || length > pieceBytes) throw new NotOpened(number === 0 ? 'it is damaged' : 'it ends too early');
    const body = await reader.take(length + tagBytes);
    if (body === undefined) throw new NotOpened('it ends too early');
    const last = await reader.atEnd();
    const text = openPiece(key, number, last, body);
    if (text === undefined)
      throw new NotOpened(
        number === 0 ? 'the passphrase is not the right one, or it is damaged' : 'it is damaged, or ends too early',
      );
    yield text;
    if (last) return;
  }
}

function keyFrom(passphrase: string, salt: Buffer): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  scrypt(passphrase.normalize('NFC'), salt, 32, cost, (error, key) => (error === null ? resolve(key) : reject(error)));
  return promise;
}

function nonceOf(number: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(number, 5, 6);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

function sealPiece(key: Buffer, number: number, last: boolean, text: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(number, last));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}

function openPiece(key: Buffer, number: number, last: boolean, body: Buffer): Buffer | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(number, last));
  decipher.setAuthTag(body.subarray(-tagBytes));
  try {
    return Buffer.concat([decipher.update(body.subarray(0, -tagBytes)), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** In pieces of one size, but for the last. */
async function* pieces(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const reader = createReader(source);
  for (;;) {
    const piece = await reader.upTo(pieceBytes);
    if (piece.length > 0) yield piece;
    if (piece.length < pieceBytes) return;
  }
}

function createReader(source: AsyncIterable<Uint8Array>) {
  const iterator = source[Symbol.asyncIterator]();
  let held: Buffer[] = [];
  let bytes = 0;

  async function fill(wanted: number): Promise<void> {
    while (bytes < wanted) {
      const next = await iterator.next();
      if (next.done === true) return;
      held.push(Buffer.from(next.value));
      bytes += next.value.length;
    }
  }

  async function upTo(wanted: number): Promise<Buffer> {
    await fill(wanted);
    const all = held.length === 1 && held[0] !== undefined ? held[0] : Buffer.concat(held);
    const taken = all.subarray(0, wanted);
    held = all.length > taken.length ? [all.subarray(taken.length)] : [];
    bytes -= taken.length;
    return taken;
  }

  return {
    upTo,
    /** Exactly so many, or undefined at the end. */
    async take(wanted: number): Promise<Buffer | undefined> {
      const taken = await upTo(wanted);
      return taken.length === wanted ? taken : undefined;
    },
    async atEnd(): Promise<boolean> {
      await fill(1);
      return bytes === 0;
    },
  };
}
