/** A name without directories, control characters and surprises. */
export function plainName(path: string): string {
  const name = (path.split(/[/\\]/).at(-1) ?? '')
    .normalize('NFC')
    .replace(/[^\p{L}\p{N}._ -]/gu, '_')
    .replace(/^[.\s]+/, '')
    .slice(-100)
    .trim();
  return /^[.\s]*$/.test(name) ? 'file' : name;
}

/** The name, numbered when it is taken: also where case does not tell names apart. */
export function freeName(name: string, taken: readonly string[]): string {
  const isTaken = (one: string) => taken.some((other) => other.toLowerCase() === one.toLowerCase());
  if (!isTaken(name)) return name;
  const dot = name.lastIndexOf('.');
  const [stem, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  for (let n = 2; ; n += 1) if (!isTaken(`${stem}-${n}${ending}`)) return `${stem}-${n}${ending}`;
}
