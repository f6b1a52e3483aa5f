import { isRecord, type Json } from '../slack/json.ts';
import { badRequest } from './api-error.ts';

/**
 * Arguments of one Bot API call. JSON bodies carry structured values as they are, all other bodies as JSON text; both read the same
 * here. Scalars are read as leniently as the server reads them, structures as strictly.
 */
export interface Args {
  raw: Json;
  has(name: string): boolean;
  /** '' when missing. */
  text(name: string): string;
  flag(name: string): boolean;
  /** A whole number; `fallback` when missing or no number. Clamped, never refused. */
  integer(name: string, fallback: number, bounds?: { min: number; max: number }): number;
  /** A structured value or undefined; `what` names it in the error for text that is no JSON. */
  json(name: string, what: string): unknown;
}

export function createArgs(raw: Json): Args {
  const text = (name: string): string => {
    const value = raw[name];
    if (typeof value === 'string') return value;
    return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
  };
  return {
    raw,
    has: (name) => raw[name] !== undefined && raw[name] !== null && raw[name] !== '',
    text,
    flag: (name) => ['true', 'yes', '1'].includes(text(name).trim().toLowerCase()),
    integer(name, fallback, bounds) {
      const digits = /^\s*([+-]?\d+)/.exec(text(name))?.[1];
      const value = digits === undefined ? fallback : Number(digits);
      return bounds ? Math.min(Math.max(value, bounds.min), bounds.max) : value;
    },
    json(name, what) {
      const value = raw[name];
      if (typeof value !== 'string') return value ?? undefined;
      if (value.trim() === '') return undefined;
      try {
        return JSON.parse(value);
      } catch {
        throw badRequest(`can't parse ${what} JSON object`);
      }
    },
  };
}

/** An array of objects, for lists such as `entities` or `commands`. */
export function objects(value: unknown, complaint: string): Json[] {
  if (!Array.isArray(value) || !value.every(isRecord)) throw badRequest(complaint);
  return value;
}
