import { matchesWord } from './patterns.ts';

/**
 * Does a path of a repository meet a pattern? `*` is any characters of one name, `**` any names in between, none included; a pattern
 * without `/` meets a name wherever it stands, a directory stands for all below it. Names that begin with a dot are names like others, and
 * case does not matter: on some disks `Infra/` is `infra/`. Without regular expressions, so that no path of a repository can make it slow.
 */
export function matchesPath(pattern: string, path: string): boolean {
  const wanted = segments(pattern);
  if (wanted.length === 0) return false;
  const names = segments(path);
  return meets(pattern.replace(/\/+$/, '').includes('/') ? wanted : ['**', ...wanted], names);
}

function segments(text: string): string[] {
  return text
    .toLowerCase()
    .split('/')
    .filter((part) => part !== '' && part !== '.');
}

/** Goes over the names once, keeping which beginnings of the pattern they can have met so far. */
function meets(wanted: readonly string[], names: readonly string[]): boolean {
  let reached = withoutNames(new Set([0]), wanted);
  for (const name of names) {
    // All of the pattern met a directory that the path is in.
    if (reached.has(wanted.length)) return true;
    const next = new Set<number>();
    for (const at of reached) {
      const part = wanted[at];
      if (part === '**') next.add(at);
      else if (part !== undefined && matchesWord(part, name)) next.add(at + 1);
    }
    reached = withoutNames(next, wanted);
  }
  return reached.has(wanted.length);
}

/** `**` is met by no name too. */
function withoutNames(reached: Set<number>, wanted: readonly string[]): Set<number> {
  for (const at of reached) if (wanted[at] === '**') reached.add(at + 1);
  return reached;
}
