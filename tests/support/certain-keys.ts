import { crc32 } from 'node:zlib';

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** A token of GitHub (or npm) with this secret part of 30 letters and digits, and the checksum that makes it certain. */
export function gitHubToken(secret = 'zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ', kind = 'ghp'): string {
  let sum = '';
  for (let rest = crc32(secret); sum.length < 6; rest = Math.floor(rest / 62)) sum = base62.charAt(rest % 62) + sum;
  return `${kind}_${secret}${sum}`;
}
