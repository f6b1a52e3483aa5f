/** So many different statements are kept by each connection of the server; what is said in daily work is less. */
const keptStatements = 400;

/**
 * Gives statements names, so that the server parses and plans each of them once for a connection instead of every time. `''` is no name:
 * for those without values, which are sent in one piece, and for those that come after the first few hundred, as lists of ever other
 * lengths make them.
 */
export function createStatementNames(): (statement: { sql: string; args: readonly unknown[] }) => string {
  const names = new Map<string, string>();
  return ({ sql, args }) => {
    if (args.length === 0) return '';
    const known = names.get(sql);
    if (known !== undefined) return known;
    if (names.size >= keptStatements) return '';
    const name = `deckhand_${names.size}`;
    names.set(sql, name);
    return name;
  };
}
