import { readFileSync } from 'node:fs';
import { isRecord, type Json } from '../slack/json.ts';

/** GitHub's own description of its API (api-schema.jsonl), and a check of values against it. */

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  schema: Json | undefined;
}

export interface Operation {
  /** `pulls/create` */
  name: string;
  verb: string;
  /** `/repos/{owner}/{repo}/pulls` */
  path: string;
  docs: string;
  parameters: Parameter[];
  body: Json | undefined;
  bodyRequired: boolean;
  /** By status; null: without a body. */
  responses: Record<string, Json | null>;
}

export interface Problem {
  /** `properties/body/properties/title`, as GitHub writes it. */
  at: string;
  /** GitHub's sentence about it, without "Invalid request." */
  message: string;
}

export interface Schema {
  operations: ReadonlyMap<string, Operation>;
  /** By event and action: `pull-request-opened`, `push`. */
  webhooks: ReadonlyMap<string, Json>;
  /** `strict`: properties that the schema does not name are problems too, as misspelt ones would go unseen otherwise. */
  check(schema: Json, value: unknown, options?: { strict?: boolean }): Problem[];
}

let loaded: Schema | undefined;

/** Reads the description once. */
export function githubSchema(): Schema {
  loaded ??= load(readFileSync(new URL('api-schema.jsonl', import.meta.url), 'utf8'));
  return loaded;
}

function load(text: string): Schema {
  const schemas = new Map<string, Json>();
  const operations = new Map<string, Operation>();
  const webhooks = new Map<string, Json>();
  for (const line of text.trim().split('\n')) {
    const entry: Json & { kind: string; name: string } = JSON.parse(line);
    if (entry.kind === 'schema' && isRecord(entry.schema)) schemas.set(entry.name, entry.schema);
    if (entry.kind === 'webhook' && isRecord(entry.body)) webhooks.set(entry.name, entry.body);
    if (entry.kind === 'operation') operations.set(entry.name, { body: undefined, bodyRequired: false, ...JSON.parse(line) });
  }
  return {
    operations,
    webhooks,
    check: (schema, value, options = {}) => createCheck(schemas, options.strict ?? false)(schema, value, ''),
  };
}

type Check = (schema: Json, value: unknown, at: string) => Problem[];

function createCheck(schemas: ReadonlyMap<string, Json>, strict: boolean): Check {
  const shown = (value: unknown) => (value === null ? 'nil' : JSON.stringify(value));

  function check(schema: Json, value: unknown, at: string): Problem[] {
    if (typeof schema.$ref === 'string') {
      const name = schema.$ref.slice('#/components/schemas/'.length);
      const target = schemas.get(name);
      if (!target) throw new Error(`there is no schema ${name}`);
      return check(target, value, at);
    }
    if (value === null && schema.nullable === true) return [];
    return [...checkCombined(schema, value, at), ...checkType(schema, value, at)];
  }

  function checkCombined(schema: Json, value: unknown, at: string): Problem[] {
    const list = (key: string) => (Array.isArray(schema[key]) ? schema[key].filter(isRecord) : undefined);
    const problems = (list('allOf') ?? []).flatMap((part) => check(part, value, at));
    // GitHub's alternatives overlap (a simple user is also an empty object), so that one that fits is enough for `oneOf` too.
    for (const key of ['anyOf', 'oneOf']) {
      const parts = list(key);
      if (!parts) continue;
      // Alternatives often only add to properties that stand beside them.
      const beside = isRecord(schema.properties) ? schema.properties : {};
      const results = parts.map((part) => {
        const own = isRecord(part.properties) ? part.properties : {};
        return check(part.$ref === undefined ? { ...part, properties: { ...beside, ...own } } : part, value, at);
      });
      const best = results.toSorted((a, b) => a.length - b.length)[0] ?? [];
      if (best.length > 0) problems.push({ at, message: `No subschema in "${key}" matched.` }, ...best);
    }
    if (isRecord(schema.not) && check(schema.not, value, at).length === 0)
      problems.push({ at, message: `For '${at}', ${shown(value)} must not be given.` });
    return problems;
  }

  function checkType(schema: Json, value: unknown, at: string): Problem[] {
    const types = schema.type === undefined ? [] : [schema.type].flat().map(String);
    if (types.length > 0 && !types.some((type) => isOfType(type, value)))
      return [
        { at, message: `For '${at}', ${shown(value)} is not ${article(types.filter((type) => type !== 'null').join(' or '))}.` },
      ];
    if (Array.isArray(schema.enum) && !schema.enum.some((entry) => entry === value))
      return [{ at, message: `For '${at}', ${shown(value)} is not a member of ${JSON.stringify(schema.enum)}.` }];
    if (typeof value === 'string') return checkText(schema, value, at);
    if (typeof value === 'number') return checkNumber(schema, value, at);
    if (Array.isArray(value)) return checkList(schema, value, at);
    return isRecord(value) ? checkObject(schema, value, at) : [];
  }

  function checkText(schema: Json, value: string, at: string): Problem[] {
    const fail = (what: string) => [{ at, message: `For '${at}', ${shown(value)} ${what}.` }];
    if (schema.format === 'date-time' && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value))
      return fail('is not a valid date-time');
    if (schema.format === 'uri' && !URL.canParse(value.replace(/\{.*$/, ''))) return fail('is not a valid uri');
    if (typeof schema.pattern === 'string' && !new RegExp(schema.pattern).test(value))
      return fail(`does not match ${schema.pattern}`);
    if (typeof schema.maxLength === 'number' && value.length > schema.maxLength)
      return fail(`is longer than ${schema.maxLength}`);
    if (typeof schema.minLength === 'number' && value.length < schema.minLength)
      return fail(`is shorter than ${schema.minLength}`);
    return [];
  }

  function checkNumber(schema: Json, value: number, at: string): Problem[] {
    if (typeof schema.minimum === 'number' && value < schema.minimum)
      return [{ at, message: `For '${at}', ${value} is less than ${schema.minimum}.` }];
    if (typeof schema.maximum === 'number' && value > schema.maximum)
      return [{ at, message: `For '${at}', ${value} is more than ${schema.maximum}.` }];
    return [];
  }

  function checkList(schema: Json, value: unknown[], at: string): Problem[] {
    if (typeof schema.maxItems === 'number' && value.length > schema.maxItems)
      return [{ at, message: `No more than ${schema.maxItems} items are allowed; ${value.length} were supplied.` }];
    if (typeof schema.minItems === 'number' && value.length < schema.minItems)
      return [{ at, message: `At least ${schema.minItems} items are needed; ${value.length} were supplied.` }];
    const { items } = schema;
    return isRecord(items) ? value.flatMap((entry, index) => check(items, entry, `${at}/items/${index}`.replace(/^\//, ''))) : [];
  }

  function checkObject(schema: Json, value: Json, at: string): Problem[] {
    const properties = isRecord(schema.properties) ? schema.properties : {};
    const required = Array.isArray(schema.required) ? schema.required.map(String) : [];
    const problems: Problem[] = required
      .filter((name) => value[name] === undefined)
      .map((name) => ({ at, message: `"${name}" wasn't supplied.` }));
    for (const [name, entry] of Object.entries(value)) {
      if (entry === undefined) continue;
      const property = properties[name];
      const rest = schema.additionalProperties;
      const inner = `${at === '' ? '' : `${at}/`}properties/${name}`;
      if (isRecord(property)) problems.push(...check(property, entry, inner));
      else if (isRecord(rest)) problems.push(...check(rest, entry, inner));
      else if (rest === false || (strict && rest === undefined && isRecord(schema.properties)))
        problems.push({ at, message: `"${name}" is not a permitted key.` });
    }
    return problems;
  }

  return check;
}

function isOfType(type: string, value: unknown): boolean {
  if (type === 'object') return isRecord(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  return type === 'null' ? value === null : typeof value === type;
}

function article(type: string): string {
  return `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`;
}
