import { isRecord, type Json } from '../slack/json.ts';
import { METHODS, OBJECTS } from './parameters.ts';

/**
 * What of a call the server would pass over in silence or read in a way the caller may not expect: parameters and fields it does not
 * know, values of another kind. One sentence per finding.
 */
export function unexpected(method: string, args: Json): string[] {
  const fields = METHODS[method];
  return fields === undefined ? [] : checkFields(parse(fields), args, '');
}

type Fields = Map<string, string[]>;

const parsed = new Map<string, Fields>();

function parse(line: string): Fields {
  const known = parsed.get(line);
  if (known) return known;
  const fields: Fields = new Map();
  for (const part of line.split(' ').filter((entry) => entry !== '')) {
    const [name = '', kinds = ''] = part.split(':');
    fields.set(name, kinds.split('|'));
  }
  parsed.set(line, fields);
  return fields;
}

function checkFields(fields: Fields, value: Json, at: string): string[] {
  return Object.entries(value).flatMap(([name, entry]) => {
    const kinds = fields.get(name);
    const place = at === '' ? name : `${at}.${name}`;
    if (kinds === undefined) return [`${place} is unknown and was passed over`];
    return entry === undefined || entry === null ? [] : checkValue(kinds, entry, place);
  });
}

function checkValue(kinds: readonly string[], value: unknown, at: string): string[] {
  if (kinds.includes('any') || kinds.includes('file')) return [];
  const objects = kinds.filter((kind) => OBJECTS[kind] !== undefined).flatMap(variants);
  if (typeof value === 'string' && objects.length > 0 && !kinds.includes('text')) return checkJsonText(kinds, value, at);
  if (Array.isArray(value)) return value.flatMap((entry: unknown, index) => checkValue(kinds, entry, `${at}[${index}]`));
  if (isRecord(value))
    return objects.length === 0 ? [`${at} is an object, not ${kinds.join(' or ')}`] : checkObject(objects, value, at);
  const fits =
    (typeof value === 'string' && (kinds.includes('text') || isText(kinds, value))) ||
    (typeof value === 'number' && (kinds.includes('int') || kinds.includes('text'))) ||
    (typeof value === 'boolean' && kinds.includes('flag'));
  return fits ? [] : [`${at} is a ${typeof value}, not ${kinds.join(' or ')}`];
}

/** Forms carry numbers and flags as text. */
function isText(kinds: readonly string[], value: string): boolean {
  return (kinds.includes('int') && /^-?\d+$/.test(value)) || (kinds.includes('flag') && /^(true|false|0|1)$/i.test(value));
}

/** Forms carry structures as JSON text. What is no JSON the method refuses by itself. */
function checkJsonText(kinds: readonly string[], value: string, at: string): string[] {
  try {
    const decoded: unknown = JSON.parse(value);
    return typeof decoded === 'string' ? [] : checkValue(kinds, decoded, at);
  } catch {
    return [];
  }
}

function variants(kind: string): string[] {
  const line = OBJECTS[kind] ?? '';
  return line.startsWith('=') ? line.slice(1).split('|') : [kind];
}

/** The findings of the variant that fits best. */
function checkObject(objects: readonly string[], value: Json, at: string): string[] {
  const findings = objects.map((name) => checkFields(parse(OBJECTS[name] ?? ''), value, at));
  return findings.reduce((best, found) => (found.length < best.length ? found : best));
}
