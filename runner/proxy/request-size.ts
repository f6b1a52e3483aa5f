import { isRecord, type Parts } from './request-parts.ts';

/** What a request to a model may take at most, in tokens. */
export interface RequestSize {
  input: number;
  output: number;
  /** It asks the provider to keep parts of it for an hour, which costs more. */
  keepsLong: boolean;
}

/** Texts of people, code and JSON have 2.5 characters to a token and more; East Asian languages about one. */
const charactersPerToken = 2;
/** Above what providers count for the largest picture. */
const picture = 10_000;
/** What providers add for themselves: around tools, roles and the like. */
const added = 1_000;
/** Of a request that sets no limit to its answer. */
const usualOutput = 32_000;

/**
 * An upper bound from the body of a request (`characters`: its length): for the answer the limit that it sets (without one it is a guess
 * that is seldom exceeded), for its input what even dense text comes to. Pictures count by the piece, not by their bytes.
 */
export function sizeOf(body: Parts, characters: number): RequestSize {
  const found: Found = { pictures: 0, pictureLength: 0, wide: 0, keepsLong: false };
  look(body, found);
  const narrow = Math.max(0, characters - found.pictureLength - found.wide);
  const input = Math.ceil(narrow / charactersPerToken) + 2 * found.wide + found.pictures * picture + added;
  return { input, output: limitOf(body), keepsLong: found.keepsLong };
}

interface Found {
  pictures: number;
  /** Characters that encode pictures. */
  pictureLength: number;
  /** Characters beyond Latin ones, of which each may be a token or two. */
  wide: number;
  keepsLong: boolean;
}

function limitOf({ max_tokens: messages, max_output_tokens: responses }: Parts): number {
  const limit = messages ?? responses;
  return typeof limit === 'number' && Number.isFinite(limit) && limit >= 0 ? limit : usualOutput;
}

function look(value: unknown, found: Found): void {
  if (typeof value === 'string') {
    if (value.startsWith('data:image/')) addPicture(value, found);
    else found.wide += wideIn(value);
  } else if (Array.isArray(value)) {
    for (const one of value) look(one, found);
  } else if (isRecord(value)) {
    if (value.type === 'ephemeral' && value.ttl === '1h') found.keepsLong = true;
    const isPicture = typeof value.media_type === 'string' && value.media_type.startsWith('image/');
    for (const [name, part] of Object.entries(value)) {
      if (isPicture && name === 'data' && typeof part === 'string') addPicture(part, found);
      else look(part, found);
    }
  }
}

function addPicture(data: string, found: Found): void {
  found.pictures += 1;
  found.pictureLength += data.length;
}

function wideIn(text: string): number {
  return text.length - text.replace(/[\u0250-\uffff]+/g, '').length;
}
