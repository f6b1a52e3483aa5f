/** A reader of GraphQL documents, as far as the emulator needs one: one operation with fields, arguments and variables. */

export type Value = { variable: string } | { literal: unknown } | { list: Value[] } | { object: Record<string, Value> };

export interface Field {
  alias: string;
  name: string;
  args: Record<string, Value>;
  fields: Field[];
  /** Only for what is of this type: `... on Comment { … }`. */
  on?: string | undefined;
}

export interface Query {
  kind: 'query' | 'mutation';
  fields: Field[];
}

export class GraphqlSyntaxError extends Error {
  override name = 'GraphqlSyntaxError';
}

const TOKEN = /\s+|,|#[^\n]*|(?<token>"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|\$?[A-Za-z_]\w*|\.\.\.|[{}()[\]:!=@])/y;

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(text);
    if (!found) throw new GraphqlSyntaxError(`Parse error on ${JSON.stringify(text.slice(at, at + 10))}`);
    if (found.groups?.token !== undefined) tokens.push(found.groups.token);
  }
  return tokens;
}

export function parseQuery(text: string): Query {
  const tokens = tokensOf(text);
  let at = 0;
  const peek = () => tokens[at];
  const next = (): string => {
    const token = tokens[at];
    if (token === undefined) throw new GraphqlSyntaxError('Parse error on end of file');
    at += 1;
    return token;
  };
  const expect = (token: string): void => {
    const found = next();
    if (found !== token) throw new GraphqlSyntaxError(`Parse error on ${JSON.stringify(found)}, expected ${token}`);
  };
  const name = (): string => {
    const found = next();
    if (!/^[A-Za-z_]\w*$/.test(found)) throw new GraphqlSyntaxError(`Parse error on ${JSON.stringify(found)}`);
    return found;
  };

  function value(): Value {
    const token = next();
    if (token.startsWith('$')) return { variable: token.slice(1) };
    if (token === '[') {
      const list: Value[] = [];
      while (peek() !== ']') list.push(value());
      expect(']');
      return { list };
    }
    if (token === '{') return { object: pairs('}') };
    if (token === 'null') return { literal: null };
    if (token === 'true' || token === 'false' || token.startsWith('"') || /^-?\d/.test(token))
      return { literal: JSON.parse(token) };
    return { literal: token };
  }

  function pairs(end: string): Record<string, Value> {
    const found: Record<string, Value> = {};
    while (peek() !== end) {
      const key = name();
      expect(':');
      found[key] = value();
    }
    expect(end);
    return found;
  }

  function fields(): Field[] {
    expect('{');
    const found: Field[] = [];
    while (peek() !== '}') {
      if (peek() === '...') {
        next();
        expect('on');
        const on = name();
        found.push(...fields().map((field) => ({ ...field, on })));
        continue;
      }
      const first = name();
      let own = first;
      if (peek() === ':') {
        next();
        own = name();
      }
      let args: Record<string, Value> = {};
      if (peek() === '(') {
        next();
        args = pairs(')');
      }
      found.push({ alias: first, name: own, args, fields: peek() === '{' ? fields() : [] });
    }
    expect('}');
    return found;
  }

  let kind: Query['kind'] = 'query';
  if (peek() !== '{') {
    const word = name();
    if (word !== 'query' && word !== 'mutation') throw new GraphqlSyntaxError(`Parse error on ${JSON.stringify(word)}`);
    kind = word;
    if (peek() !== '{' && peek() !== '(') name();
    // Types of variables say nothing that their use does not say.
    if (peek() === '(') while (next() !== ')');
  }
  const query = { kind, fields: fields() };
  if (peek() !== undefined) throw new GraphqlSyntaxError(`Parse error on ${JSON.stringify(peek())}`);
  return query;
}

/** The value with its variables filled in. */
export function resolveValue(value: Value | undefined, variables: Readonly<Record<string, unknown>>): unknown {
  if (value === undefined) return undefined;
  if ('variable' in value) return variables[value.variable];
  if ('literal' in value) return value.literal;
  if ('list' in value) return value.list.map((entry) => resolveValue(entry, variables));
  return Object.fromEntries(Object.entries(value.object).map(([key, entry]) => [key, resolveValue(entry, variables)]));
}
