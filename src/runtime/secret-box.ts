import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Keys of one installation, each 32 bytes: the first one seals and signs, all of them open and check. */
export type KeyRing = readonly [Buffer, ...Buffer[]];

/**
 * Encrypts small texts (tokens, keys) for storage: AES-256-GCM, one random nonce a text, the key named in the result.
 *
 * What is kept in the database for longer than a moment is listed in store/sealed-places.ts: only that is sealed anew when the key changes.
 */
export interface SecretBox {
  /**
   * `v1.<key id>.<base64url of nonce, ciphertext, tag>`. The `context` (for example table and row id) is not stored but must be the
   * same to open, so that a sealed text copied to another row does not open there.
   */
  seal(text: string, context: string): string;
  /** Throws when the text was altered, belongs to another context, or its key is not among the given ones. */
  open(sealed: string, context: string): string;
  /** True when `sealed` was made with an older key and should be sealed again. */
  isStale(sealed: string): boolean;
  /**
   * Tokens for one purpose (for example the gateway of one run), 43 characters each: the same whenever they are asked for with the same keys,
   * so that they need not be stored; they tell nothing about the keys or about other tokens. The first one is to be given; those that older keys
   * gave hold as well.
   */
  tokensFor(purpose: string): [string, ...string[]];
  /** `v1.<key id>.<HMAC-SHA-256 as base64url>` with a key derived from the secret one: only who has that can make it. */
  sign(text: string): string;
  /** Whether `signature` was made over this very text. `unknown_key`: by a key that is not among the given ones, if by any. */
  check(signature: string, text: string): 'good' | 'bad' | 'unknown_key';
  /** Names of the keys that it has now, that which seals first. */
  keyIds(): [string, ...string[]];
}

const nonceBytes = 12;
const tagBytes = 16;

/**
 * With the keys as they are at the moment of each use: a function may give others after a rotation. Throws when there is one of another length
 * than 32 bytes.
 */
export function createSecretBox(keys: KeyRing | (() => KeyRing)): SecretBox {
  let known: Named | undefined;
  const ring = (): Named => {
    const now = typeof keys === 'function' ? keys() : keys;
    if (known?.keys !== now) known = named(now);
    return known;
  };
  ring();

  return {
    seal(text, context) {
      const { key, id } = ring();
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      cipher.setAAD(Buffer.from(context));
      const body = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `v1.${id}.${body.toString('base64url')}`;
    },
    open(sealed, context) {
      const [version, id = '', encoded = ''] = sealed.split('.');
      if (version !== 'v1') throw new Error('not a sealed text');
      const key = ring().byId.get(id);
      if (key === undefined) throw new Error(`sealed with key ${id}, which is not configured`);
      const body = Buffer.from(encoded, 'base64url');
      if (body.length < nonceBytes + tagBytes) throw new Error('sealed text is cut short');
      const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, nonceBytes));
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(body.subarray(-tagBytes));
      return Buffer.concat([decipher.update(body.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString('utf8');
    },
    isStale: (sealed) => sealed.split('.')[1] !== ring().id,
    tokensFor(purpose) {
      const token = (key: Buffer) => createHmac('sha256', key).update(`deckhand token ${purpose}`).digest('base64url');
      const [first, ...older] = ring().keys;
      return [token(first), ...older.map(token)];
    },
    sign(text) {
      const { key, id } = ring();
      return `v1.${id}.${mac(key, text).toString('base64url')}`;
    },
    check(signature, text) {
      const [version, id = '', encoded = ''] = signature.split('.');
      const key = ring().byId.get(id);
      if (version !== 'v1' || key === undefined) return 'unknown_key';
      const given = Buffer.from(encoded, 'base64url');
      const right = mac(key, text);
      return given.length === right.length && timingSafeEqual(given, right) ? 'good' : 'bad';
    },
    keyIds: () => keyIds(ring().keys),
  };
}

/** A ring with what is needed at each use. */
interface Named {
  keys: KeyRing;
  key: Buffer;
  id: string;
  byId: ReadonlyMap<string, Buffer>;
}

function named(keys: KeyRing): Named {
  const wrong = keys.find(({ length }) => length !== 32);
  if (wrong !== undefined) throw new Error(`a secret key has 32 bytes, not ${wrong.length}`);
  return { keys, key: keys[0], id: keyId(keys[0]), byId: new Map(keys.map((key) => [keyId(key), key])) };
}

/** With a key of its own, so that no signature is a token or the other way round. */
function mac(key: Buffer, text: string): Buffer {
  const signing = createHmac('sha256', key).update('deckhand signatures').digest();
  return createHmac('sha256', signing).update(text).digest();
}

/** Eight hexadecimal digits that name a key without telling anything about it. */
export function keyId(key: Buffer): string {
  return createHash('sha256').update('deckhand key id').update(key).digest('hex').slice(0, 8);
}

/** Name of the key that a text was sealed, or signed, with. */
export function keyIdOf(sealed: string): string {
  return sealed.split('.')[1] ?? '';
}

/** Names of all keys, in their order. */
export function keyIds([first, ...older]: KeyRing): [string, ...string[]] {
  return [keyId(first), ...older.map(keyId)];
}

/** Keys as files have them: base64, one a line, that which seals first. */
export function keyText(keys: KeyRing): string {
  return `${keys.map((key) => key.toString('base64')).join('\n')}\n`;
}

/** Undefined: the text is none that `keyText` gives. */
export function keysIn(text: string): KeyRing | undefined {
  const lines = text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [Buffer.from(line.trim(), 'base64')]));
  const [first, ...older] = lines;
  return first === undefined || lines.some(({ length }) => length !== 32) ? undefined : [first, ...older];
}
