import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Encrypts small texts (tokens, keys) for storage: AES-256-GCM, one random nonce a text, the key named in the result. */
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
   * A token for one purpose (for example the gateway of one run), 43 characters: the same whenever it is asked for with the same key,
   * so that it need not be stored; it tells nothing about the key or about other tokens.
   */
  tokenFor(purpose: string): string;
  /** `v1.<key id>.<HMAC-SHA-256 as base64url>` with a key derived from the secret one: only who has that can make it. */
  sign(text: string): string;
  /** Whether `signature` was made over this very text. `unknown_key`: by a key that is not among the given ones, if by any. */
  check(signature: string, text: string): 'good' | 'bad' | 'unknown_key';
}

const nonceBytes = 12;
const tagBytes = 16;

/** The first key seals; all of them open. To rotate, put the new key first and keep the old one until nothing is stale. */
export function createSecretBox(keys: readonly [Buffer, ...Buffer[]]): SecretBox {
  const byId = new Map(
    keys.map((key) => {
      if (key.length !== 32) throw new Error(`a secret key has 32 bytes, not ${key.length}`);
      return [keyId(key), key];
    }),
  );
  const current = keyId(keys[0]);

  return {
    seal(text, context) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', keys[0], nonce);
      cipher.setAAD(Buffer.from(context));
      const body = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return `v1.${current}.${body.toString('base64url')}`;
    },
    open(sealed, context) {
      const [version, id = '', encoded = ''] = sealed.split('.');
      if (version !== 'v1') throw new Error('not a sealed text');
      const key = byId.get(id);
      if (key === undefined) throw new Error(`sealed with key ${id}, which is not configured`);
      const body = Buffer.from(encoded, 'base64url');
      if (body.length < nonceBytes + tagBytes) throw new Error('sealed text is cut short');
      const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, nonceBytes));
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(body.subarray(-tagBytes));
      return Buffer.concat([decipher.update(body.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString('utf8');
    },
    isStale: (sealed) => sealed.split('.')[1] !== current,
    tokenFor: (purpose) => createHmac('sha256', keys[0]).update(`deckhand token ${purpose}`).digest('base64url'),
    sign: (text) => `v1.${current}.${mac(keys[0], text).toString('base64url')}`,
    check(signature, text) {
      const [version, id = '', encoded = ''] = signature.split('.');
      const key = byId.get(id);
      if (version !== 'v1' || key === undefined) return 'unknown_key';
      const given = Buffer.from(encoded, 'base64url');
      const right = mac(key, text);
      return given.length === right.length && timingSafeEqual(given, right) ? 'good' : 'bad';
    },
  };
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
