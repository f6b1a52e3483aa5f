import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Line, type Nth, runsAhead, type Waiting } from '../../src/store/queue-ahead.ts';

interface Person {
  busy: number;
  served: number;
  asked: readonly number[];
}

const person: fc.Arbitrary<Person> = fc.record({
  busy: fc.nat(3),
  served: fc.constantFrom(Number.NEGATIVE_INFINITY, 1, 2),
  asked: fc.array(fc.nat(20), { minLength: 1, maxLength: 6 }),
});
const queue = fc.array(
  fc.record({ people: fc.array(person, { minLength: 1, maxLength: 4 }), served: fc.constantFrom(Number.NEGATIVE_INFINITY, 3) }),
  { minLength: 1, maxLength: 4 },
);

it('counts what the order of the queue puts before a run, as numbering all runs does', async () => {
  await fc.assert(
    fc.asyncProperty(queue, async (projects) => {
      const lines: Line[] = [];
      const all: Waiting[] = [];
      for (const [at, { people, served: projectServed }] of projects.entries()) {
        const project = `p${at}`;
        const projectBusy = people.reduce((sum, { busy }) => sum + busy, 0);
        for (const [who, { busy, served, asked }] of people.entries()) {
          const name = `u${who}`;
          lines.push({ project, person: name, runs: asked.length, busy, served, projectServed, projectBusy });
          const sorted = asked.toSorted((a, b) => a - b);
          all.push(
            ...sorted.map((ms, n) => ({ project, person: name, nth: n + 1, queuedAt: new Date(ms), id: `${who}-${at}-${n}` })),
          );
        }
      }
      const order = numbered(lines, all);
      const find = async (wanted: readonly Nth[]) =>
        all.filter((one) => wanted.some((w) => w.project === one.project && w.person === one.person && w.nth === one.nth));
      for (const own of all) {
        const before = order.slice(0, order.indexOf(own));
        expect(await runsAhead(lines, own, find)).toEqual({
          inProject: before.filter(({ project }) => project === own.project).length,
          overall: before.length,
        });
      }
    }),
  );
});

/** As queue-turns.ts says it: by the share of the person in each project, then by that of the projects. */
function numbered(lines: readonly Line[], all: readonly Waiting[]): Waiting[] {
  const lineOf = (one: Waiting) =>
    lines.find(({ project, person: name }) => project === one.project && name === one.person) as Line;
  const by = (keys: (one: Waiting) => readonly (number | string)[]) => (a: Waiting, b: Waiting) => {
    const [left, right] = [keys(a), keys(b)];
    const at = left.findIndex((key, n) => key !== right[n]);
    return at < 0 ? 0 : (left[at] as number) < (right[at] as number) ? -1 : 1;
  };
  const shares = new Map<Waiting, number>();
  for (const mine of Map.groupBy(all, ({ project }) => project).values()) {
    const turns = mine.toSorted(by((one) => [lineOf(one).busy + one.nth, lineOf(one).served, one.queuedAt.getTime(), one.id]));
    for (const [at, one] of turns.entries()) shares.set(one, at + 1 + lineOf(one).projectBusy);
  }
  return all.toSorted(by((one) => [shares.get(one) ?? 0, lineOf(one).projectServed, one.queuedAt.getTime(), one.id]));
}
