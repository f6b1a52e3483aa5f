import { createPublicKey, type KeyObject, verify } from 'node:crypto';

/** What stands in front of a raw Ed25519 key in its DER form. */
const derPrefix = '302a300506032b6570032100';
/** Signatures are taken for this long in either direction. Discord names no time; a repetition has no effect anyway. */
const maxSkewSeconds = 300;

/** The public key as the developer portal shows it: 64 hexadecimal digits. Throws a plain Error for anything else. */
export function publicKeyOf(hex: string): KeyObject {
  if (!/^[0-9a-f]{64}$/i.test(hex)) throw new Error('DISCORD_PUBLIC_KEY must be 64 hexadecimal digits');
  return createPublicKey({ key: Buffer.from(derPrefix + hex, 'hex'), format: 'der', type: 'spki' });
}

/** Why a request is not one of Discord now; `undefined` for one that is. */
export function signatureProblem(
  request: { signature: unknown; timestamp: unknown; rawBody: Buffer },
  key: KeyObject,
  now: Date,
): string | undefined {
  const { signature, timestamp, rawBody } = request;
  if (typeof signature !== 'string' || !/^[0-9a-f]{128}$/i.test(signature)) return 'no signature';
  if (typeof timestamp !== 'string' || !/^\d{1,12}$/.test(timestamp)) return 'no time';
  if (!verify(null, Buffer.concat([Buffer.from(timestamp), rawBody]), key, Buffer.from(signature, 'hex')))
    return 'wrong signature';
  return Math.abs(now.getTime() / 1000 - Number(timestamp)) <= maxSkewSeconds ? undefined : 'its time is off';
}
