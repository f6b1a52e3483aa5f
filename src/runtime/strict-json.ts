/**
 * JSON in the one form of RFC 8785 (JSON Canonicalization Scheme): equal values give equal text, on every machine. Keys are sorted by UTF-16 code
 * units, numbers and text are written as ECMAScript does. Throws a TypeError for what has no such form: undefined, numbers that are not finite,
 * half of a surrogate pair, and objects that are not plain.
 */
export function strictJson(value: unknown): string {
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) throw new TypeError('text with half of a surrogate pair has no canonical form');
      return JSON.stringify(value);
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`${value} has no canonical form`);
      return JSON.stringify(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return `[${Array.from(value, strictJson).join(',')}]`;
      return objectText(value);
    default:
      throw new TypeError(`${typeof value} has no canonical form`);
  }
}

function objectText(value: object): string {
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw new TypeError('only plain objects have a canonical form');
  // The default order of sort is that of UTF-16 code units.
  const fields = Object.keys(value)
    .sort()
    .map((key) => `${strictJson(key)}:${strictJson(Reflect.get(value, key))}`);
  return `{${fields.join(',')}}`;
}
