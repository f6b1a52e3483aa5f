import { createHash } from 'node:crypto';

/** `length` letters and digits that follow from `parts`: ids that stay the same when a request is repeated. */
export function stableId(length: number, ...parts: readonly (string | number)[]): string {
  const digest = createHash('sha512').update(parts.join('\n')).digest('base64');
  return digest.replace(/[^A-Za-z0-9]/g, '').slice(0, length);
}
