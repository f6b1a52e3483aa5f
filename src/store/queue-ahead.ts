/**
 * How many runs come before one, counted from how many wait in each line instead of from a number for each of them. The order is that of
 * queue-turns.ts: a line is what one person waits for in one project.
 */
export interface Line {
  project: string;
  person: string;
  /** Runs that wait, and those that have a place. */
  runs: number;
  busy: number;
  /** When the person had a turn last in the project, and the project at all; -Infinity: not for long. */
  served: number;
  projectServed: number;
  /** Runs of the project that have a place, of whomever. */
  projectBusy: number;
}

/** A run that waits. `nth` in its line, from 1. */
export interface Waiting {
  project: string;
  person: string;
  nth: number;
  queuedAt: Date;
  id: string;
}

/** What is asked of the nth run of a line. */
export type Nth = Pick<Waiting, 'project' | 'person' | 'nth'>;
/** Finds runs of lines; one that is gone is left out. */
export type FindNth = (wanted: readonly Nth[]) => Promise<readonly Waiting[]>;

/** How many runs come before this one: in its project, and over all. It need not be counted in its line itself. */
export async function runsAhead(
  lines: readonly Line[],
  own: Waiting,
  find: FindNth,
): Promise<{ inProject: number; overall: number }> {
  const projects = Map.groupBy(lines, ({ project }) => project);
  const mates = projects.get(own.project) ?? [];
  const line = mates.find(({ person }) => person === own.person);
  const others = mates.filter(({ person }) => person !== own.person);
  const share = (line?.busy ?? 0) + own.nth;
  const served = line?.served ?? Number.NEGATIVE_INFINITY;
  const alike = others.filter((one) => has(one, share) && one.served === served).map((one) => nthAt(one, share));
  const tied = (await find(alike)).filter((one) => isBefore(one, own)).length;
  const sooner = others.filter((one) => has(one, share) && one.served < served).length;
  const inProject = own.nth - 1 + below(others, share) + sooner + tied;

  const [mate] = mates;
  const level = inProject + 1 + (mate?.projectBusy ?? 0);
  let overall = inProject;
  const unclear: { place: number; lines: readonly Line[] }[] = [];
  for (const [project, theirs] of projects) {
    const [one] = theirs;
    if (project === own.project || one === undefined) continue;
    const place = level - one.projectBusy;
    const all = theirs.reduce((sum, { runs }) => sum + runs, 0);
    overall += Math.min(all, Math.max(0, place - 1));
    if (place < 1 || place > all) continue;
    const ownServed = mate?.projectServed ?? Number.NEGATIVE_INFINITY;
    if (one.projectServed < ownServed) overall += 1;
    else if (one.projectServed === ownServed) unclear.push({ place, lines: theirs });
  }
  const candidates = unclear.map(({ lines: theirs, place }) => candidatesFor(theirs, place));
  const found = await find(candidates.flatMap(({ wanted }) => wanted));
  for (const { wanted, nth } of candidates) {
    const known = found.filter(({ project, person }) => wanted.some((one) => one.project === project && one.person === person));
    const one = known.toSorted((a, b) => (isBefore(a, b) ? -1 : 1))[nth - 1];
    if (one !== undefined && isBefore(one, own)) overall += 1;
  }
  return { inProject, overall };
}

/** The runs of a project among which the one of this place is: the `nth` of them by the time of the request. */
function candidatesFor(lines: readonly Line[], place: number): { wanted: Nth[]; nth: number } {
  let low = 1;
  let high = Math.max(...lines.map(({ busy, runs }) => busy + runs));
  // The lowest share up to which so many runs come.
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (below(lines, middle + 1) >= place) high = middle;
    else low = middle + 1;
  }
  let nth = place - below(lines, low);
  const there = lines
    .filter((line) => has(line, low))
    .toSorted((a, b) => (a.served < b.served ? -1 : a.served > b.served ? 1 : 0));
  for (const [served, alike] of Map.groupBy(there, (line) => line.served)) {
    if (nth <= alike.length)
      return { wanted: there.filter((line) => line.served === served).map((line) => nthAt(line, low)), nth };
    nth -= alike.length;
  }
  return { wanted: [], nth };
}

/** Runs of these lines with a lower share. */
function below(lines: readonly Line[], share: number): number {
  return lines.reduce((sum, { runs, busy }) => sum + Math.min(runs, Math.max(0, share - 1 - busy)), 0);
}

/** One of the runs of the line has this share. */
function has({ runs, busy }: Line, share: number): boolean {
  return share > busy && share <= busy + runs;
}

function nthAt({ project, person, busy }: Line, share: number): Nth {
  return { project, person, nth: share - busy };
}

function isBefore(one: Waiting, other: Waiting): boolean {
  const apart = one.queuedAt.getTime() - other.queuedAt.getTime();
  return apart < 0 || (apart === 0 && one.id < other.id);
}
