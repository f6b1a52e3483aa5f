import { isRecord } from '../slack/json.ts';
import { invalidForm, type Problem } from './api-error.ts';
import { isSnowflake } from './ids.ts';

/**
 * Checks of request bodies that complain the way Discord does: a code and a sentence at the place of the mistake. `null` counts as
 * absent where a field is optional, as nearly everywhere in Discord's OpenAPI document; unknown fields are ignored, as there.
 */

export type Path = readonly (string | number)[];
export type Check = (value: unknown, path: Path, problems: Problem[]) => void;

export function fail(problems: Problem[], path: Path, code: string, message: string): void {
  problems.push({ path, code, message });
}

/** Throws 50035 when the value does not pass. */
export function validate(value: unknown, ...checks: Check[]): void {
  const problems: Problem[] = [];
  for (const check of checks) check(value, [], problems);
  if (problems.length > 0) throw invalidForm(problems);
}

/** Lengths count UTF-16 units: the documentation names no unit, and this is the strictest reading. */
export function text(limits: { min?: number; max?: number; pattern?: RegExp } = {}): Check {
  const { min = 0, max = Number.POSITIVE_INFINITY, pattern } = limits;
  return (value, path, problems) => {
    if (typeof value !== 'string' && typeof value !== 'number')
      return fail(problems, path, 'STRING_TYPE_CONVERT', 'Could not interpret value as string.');
    const { length } = String(value);
    if (min > 0 && length === 0) return fail(problems, path, 'BASE_TYPE_REQUIRED', 'This field is required');
    if (length >= min && length <= max) {
      if (pattern && !pattern.test(String(value)))
        fail(problems, path, 'STRING_TYPE_REGEX', 'String value did not match validation regex.');
      return;
    }
    if (min > 0 && max < Number.POSITIVE_INFINITY)
      return fail(problems, path, 'BASE_TYPE_BAD_LENGTH', `Must be between ${min} and ${max} in length.`);
    if (length > max) fail(problems, path, 'BASE_TYPE_MAX_LENGTH', `Must be ${max} or fewer in length.`);
    else fail(problems, path, 'BASE_TYPE_MIN_LENGTH', `Must be ${min} or more in length.`);
  };
}

export function integer(limits: { min?: number; max?: number } = {}): Check {
  return (value, path, problems) => {
    if (typeof value !== 'number' || !Number.isInteger(value))
      return fail(problems, path, 'NUMBER_TYPE_COERCE', `Value "${String(value)}" is not int.`);
    range(value, limits, path, problems);
  };
}

export function decimal(limits: { min?: number; max?: number } = {}): Check {
  return (value, path, problems) => {
    if (typeof value !== 'number') return fail(problems, path, 'NUMBER_TYPE_COERCE', `Value "${String(value)}" is not double.`);
    range(value, limits, path, problems);
  };
}

function range(value: number, { min, max }: { min?: number; max?: number }, path: Path, problems: Problem[]): void {
  if (min !== undefined && value < min)
    fail(problems, path, 'NUMBER_TYPE_MIN', `int32 value should be greater than or equal to ${min}.`);
  if (max !== undefined && value > max)
    fail(problems, path, 'NUMBER_TYPE_MAX', `int32 value should be less than or equal to ${max}.`);
}

export const flag: Check = (value, path, problems) => {
  if (typeof value !== 'boolean') fail(problems, path, 'BOOLEAN_TYPE_CONVERT', 'Must be either true or false.');
};

export const snowflake: Check = (value, path, problems) => {
  if (!isSnowflake(typeof value === 'number' ? String(value) : value))
    fail(problems, path, 'NUMBER_TYPE_COERCE', `Value "${String(value)}" is not snowflake.`);
};

export function oneOf(...allowed: readonly (string | number)[]): Check {
  return (value, path, problems) => {
    const listed = allowed.map((entry) => (typeof entry === 'string' ? `'${entry}'` : entry)).join(', ');
    if (!allowed.some((entry) => entry === value)) fail(problems, path, 'BASE_TYPE_CHOICES', `Value must be one of (${listed}).`);
  };
}

export function url(...schemes: readonly string[]): Check {
  return (value, path, problems) => {
    text({ max: 2048 })(value, path, problems);
    if (typeof value !== 'string') return;
    const scheme = /^([a-z][a-z0-9+.-]*):\/\/./i.exec(value)?.[1]?.toLowerCase();
    if (scheme === undefined) return fail(problems, path, 'URL_TYPE_INVALID_URL', 'Not a well formed URL.');
    const listed = schemes.map((entry) => `'${entry}'`).join(', ');
    if (!schemes.includes(scheme))
      fail(problems, path, 'URL_TYPE_INVALID_SCHEME', `Scheme "${scheme}" must be one of (${listed}).`);
  };
}

export function list(item: Check, limits: { min?: number; max: number }): Check {
  const { min = 0, max } = limits;
  return (value, path, problems) => {
    if (!Array.isArray(value)) return fail(problems, path, 'LIST_TYPE_CONVERT', 'Only iterables may be used in a ListType');
    if (value.length < min || value.length > max) {
      if (min > 0) fail(problems, path, 'BASE_TYPE_BAD_LENGTH', `Must be between ${min} and ${max} in length.`);
      else fail(problems, path, 'BASE_TYPE_MAX_LENGTH', `Must be ${max} or fewer in length.`);
    }
    for (const [index, entry] of value.entries()) item(entry, [...path, index], problems);
  };
}

export function object(required: Record<string, Check>, optional: Record<string, Check> = {}): Check {
  return (value, path, problems) => {
    if (!isRecord(value)) return fail(problems, path, 'MODEL_TYPE_CONVERT', 'Only dictionaries may be used in a ModelType');
    for (const [key, check] of Object.entries(required)) {
      const entry = value[key];
      if (entry === undefined || entry === null) fail(problems, [...path, key], 'BASE_TYPE_REQUIRED', 'This field is required');
      else check(entry, [...path, key], problems);
    }
    for (const [key, check] of Object.entries(optional)) {
      const entry = value[key];
      if (entry !== undefined && entry !== null) check(entry, [...path, key], problems);
    }
  };
}

/** Chooses the check by the number in `type`. */
export function byType(kinds: Record<number, Check>): Check {
  return (value, path, problems) => {
    if (!isRecord(value)) return fail(problems, path, 'MODEL_TYPE_CONVERT', 'Only dictionaries may be used in a ModelType');
    if (value.type === undefined) return fail(problems, [...path, 'type'], 'BASE_TYPE_REQUIRED', 'This field is required');
    const check = typeof value.type === 'number' ? kinds[value.type] : undefined;
    if (check) return check(value, path, problems);
    const listed = Object.keys(kinds).join(', ');
    fail(problems, [...path, 'type'], 'UNION_TYPE_CHOICES', `Value of field "type" must be one of (${listed}).`);
  };
}

export function all(...checks: Check[]): Check {
  return (value, path, problems) => {
    for (const check of checks) check(value, path, problems);
  };
}

export const anything: Check = () => {};
