/** How many insertions, deletions, replacements or swaps of neighbours turn one text into the other (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let twoBack: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(at(previous, j) + 1, at(current, j - 1) + 1, at(previous, j - 1) + (same ? 0 : 1));
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, at(twoBack, j - 2) + 1);
      current.push(best);
    }
    twoBack = previous;
    previous = current;
  }
  return at(previous, b.length);
}

/** A place outside the table is never the cheapest way. */
function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}

/** A longer word is no slip of the finger, and comparing it takes time. */
const longest = 40;

/** The known words a person may have meant, nearest first: typing mistakes and beginnings, at most `limit`. */
export function nearest(word: string, known: readonly string[], limit = 3): string[] {
  const wanted = word.toLowerCase();
  if (wanted === '' || wanted.length > longest) return [];
  const allowed = wanted.length <= 2 ? 1 : Math.max(1, Math.floor(wanted.length / 3));
  return known
    .map((name) => {
      const lower = name.toLowerCase();
      const begins = wanted.length >= 2 && (lower.startsWith(wanted) || wanted.startsWith(lower));
      return { name, distance: begins ? 0.5 : editDistance(wanted, lower) };
    })
    .filter(({ distance }) => distance <= allowed)
    .sort((x, y) => x.distance - y.distance || x.name.localeCompare(y.name))
    .slice(0, limit)
    .map(({ name }) => name);
}

/** "Did you mean `web` or `webshop`?" of the known words nearest to one; `otherwise` where none is near. */
export function didYouMean(word: string, known: readonly string[], otherwise: string): string {
  const meant = nearest(word, known);
  return meant.length > 0 ? `Did you mean ${either(meant)}?` : otherwise;
}

/** "`web` or `webshop`". */
export function either(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(' or ');
}
