import { createHash, randomInt } from 'node:crypto';

/** Without characters that are mixed up when read aloud or typed from a screen. 31 to the power of 12 is 59 bits. */
const alphabet = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789';
const codeLength = 12;

/** A new code such as `ABCD-EFGH-JKMN`. Only its hash is to be stored. */
export function newOneTimeCode(): string {
  const letters = Array.from({ length: codeLength }, () => alphabet.charAt(randomInt(alphabet.length)));
  return letters.join('').replace(/(.{4})(?=.)/g, '$1-');
}

/** Case, dashes and spaces do not matter: people type the code from a screen on a phone. */
export function codeHash(code: string): string {
  return createHash('sha256')
    .update(code.toUpperCase().replace(/[^A-Z0-9]/g, ''))
    .digest('hex');
}
