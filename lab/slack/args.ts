import { invalidArguments, SlackApiError } from './api-error.ts';
import { isTs } from './ids.ts';
import type { Json } from './json.ts';

/**
 * Arguments of one Web API call. Forms carry everything as text and structured values as JSON text; JSON bodies carry them as
 * they are. Both read the same here.
 */
export interface Args {
  raw: Json;
  has(name: string): boolean;
  text(name: string): string | undefined;
  /** Throws `invalid_arguments` when it is missing or empty. */
  required(name: string): string;
  flag(name: string): boolean;
  integer(name: string, bounds: { default: number; min: number; max: number }): number;
  /** Comma-separated text or an array. */
  list(name: string): string[];
  /** A structured value; `code` is the error for text that is no JSON. */
  json(name: string, code: string): unknown;
  /** A message timestamp; `code` is the error for anything else. */
  ts(name: string, code: string): string | undefined;
}

export function createArgs(raw: Json): Args {
  const text = (name: string) => {
    const value = raw[name];
    if (typeof value === 'string') return value;
    return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
  };
  return {
    raw,
    has: (name) => raw[name] !== undefined && raw[name] !== null && raw[name] !== '',
    text,
    required(name) {
      const value = text(name);
      if (value === undefined || value === '') throw invalidArguments(`missing required field: ${name}`);
      return value;
    },
    flag: (name) => raw[name] === true || raw[name] === 'true' || raw[name] === '1' || raw[name] === 1,
    integer(name, bounds) {
      const value = text(name);
      if (value === undefined || value === '') return bounds.default;
      const parsed = Number(value);
      if (!Number.isInteger(parsed) || parsed < bounds.min) throw new SlackApiError('invalid_limit');
      return Math.min(parsed, bounds.max);
    },
    list(name) {
      const value = raw[name];
      if (Array.isArray(value)) return value.map(String);
      const joined = text(name)?.trim() ?? '';
      if (joined.startsWith('[')) {
        const parsed = parseJson(joined, 'invalid_arguments');
        if (Array.isArray(parsed)) return parsed.map(String);
      }
      return joined === '' ? [] : joined.split(',').map((entry) => entry.trim());
    },
    json(name, code) {
      const value = raw[name];
      return typeof value === 'string' && value !== '' ? parseJson(value, code) : value;
    },
    ts(name, code) {
      const value = text(name);
      if (value === undefined || value === '') return undefined;
      if (!isTs(value)) throw new SlackApiError(code);
      return value;
    },
  };
}

function parseJson(value: string, code: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    throw new SlackApiError(code);
  }
}
