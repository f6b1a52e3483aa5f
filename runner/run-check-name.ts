const ending = '-check';

/** Names the sandbox and the working copy in which the change of a run is checked. */
export function checkOf(run: string): string {
  return `${run}${ending}`;
}

/** The run that a sandbox or a working copy is there for. */
export function ownerOf(name: string): string {
  return name.endsWith(ending) ? name.slice(0, -ending.length) : name;
}
