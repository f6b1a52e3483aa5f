import { isRecord } from './json.ts';

/**
 * Checks of Block Kit JSON that complain the way Slack does: a sentence and the place as `[json-pointer:/blocks/0/text]`.
 * Wordings ("must be less than 3001 characters", "no more than 50 items allowed", "invalid additional property: x") are those seen
 * in Slack's `response_metadata.messages`.
 */

export interface Context {
  surface: 'message' | 'modal' | 'home';
  problems: string[];
  /** Whether an image block may show this uploaded file. */
  usableImage(reference: { id?: string; url?: string }): boolean;
}

export type Check = (value: unknown, at: string, context: Context) => void;

export function fail(context: Context, at: string, message: string): void {
  context.problems.push(`${message} [json-pointer:${at}]`);
}

export function string(limits: { max?: number; min?: number; pattern?: RegExp } = {}): Check {
  return (value, at, context) => {
    if (typeof value !== 'string') return fail(context, at, 'must provide a string');
    if (limits.max !== undefined && value.length > limits.max)
      fail(context, at, `must be less than ${limits.max + 1} characters`);
    if (limits.min !== undefined && value.length < limits.min)
      fail(context, at, `must be more than ${limits.min - 1} characters`);
    if (limits.pattern && !limits.pattern.test(value)) fail(context, at, 'failed to match pattern');
  };
}

export const boolean: Check = (value, at, context) => {
  if (typeof value !== 'boolean') fail(context, at, 'must provide a boolean');
};

export function number(limits: { min?: number; max?: number } = {}): Check {
  return (value, at, context) => {
    if (typeof value !== 'number' || !Number.isFinite(value)) return fail(context, at, 'must provide a number');
    if (limits.min !== undefined && value < limits.min) fail(context, at, `must be greater than or equal to ${limits.min}`);
    if (limits.max !== undefined && value > limits.max) fail(context, at, `must be less than or equal to ${limits.max}`);
  };
}

export function oneOf(...allowed: readonly (string | number)[]): Check {
  return (value, at, context) => {
    if (!allowed.some((entry) => entry === value)) fail(context, at, `must be a valid enum value`);
  };
}

export function list(item: Check, limits: { min?: number; max: number }): Check {
  return (value, at, context) => {
    if (!Array.isArray(value)) return fail(context, at, 'must provide an array');
    if (value.length > limits.max) fail(context, at, `no more than ${limits.max} items allowed`);
    if (value.length < (limits.min ?? 1)) fail(context, at, `no fewer than ${limits.min ?? 1} items allowed`);
    value.forEach((entry, index) => {
      item(entry, `${at}/${index}`, context);
    });
  };
}

export function object(required: Record<string, Check>, optional: Record<string, Check> = {}): Check {
  const known = { ...required, ...optional };
  return (value, at, context) => {
    if (!isRecord(value)) return fail(context, at, 'must provide an object');
    for (const key of Object.keys(required)) {
      if (value[key] === undefined) fail(context, at, `missing required field: ${key}`);
    }
    for (const [key, entry] of Object.entries(value)) {
      if (entry === undefined) continue;
      const check = known[key];
      if (check) check(entry, `${at}/${key}`, context);
      else fail(context, at, `invalid additional property: ${key}`);
    }
  };
}

/** Chooses the check by the `type` field. */
export function byType(kinds: Record<string, Check>): Check {
  return (value, at, context) => {
    if (!isRecord(value)) return fail(context, at, 'must provide an object');
    if (typeof value.type !== 'string') return fail(context, at, 'missing required field: type');
    const check = Object.hasOwn(kinds, value.type) ? kinds[value.type] : undefined;
    if (!check) return fail(context, `${at}/type`, `unsupported type: ${value.type}`);
    check(value, at, context);
  };
}

/** All checks, one after the other. */
export function all(...checks: Check[]): Check {
  return (value, at, context) => {
    for (const check of checks) check(value, at, context);
  };
}

export const anything: Check = () => {};
