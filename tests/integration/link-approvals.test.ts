import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultPolicy, type Policy } from '../../src/contracts/policy.ts';
import { joinPeople, lockPeople } from '../../src/store/linked-people.ts';
import { personById } from '../../src/store/people.ts';
import type { Person } from '../../src/tasks/task-engine.ts';
import { TestEngine, type TestWorld } from '../support/test-engine.ts';

let deckhand: TestEngine;
let world: TestWorld;
let runner: string;
const fourEyes: Policy = { ...defaultPolicy, mode: 'ask', approvers: { role: 'developer', people: [], notRequester: true } };

beforeEach(async () => {
  deckhand = await TestEngine.start();
  world = await deckhand.world({ policy: fourEyes });
  runner = await deckhand.runner();
});
afterEach(() => deckhand.close());

/** Joins two people as `link` does, at once with whatever else happens. */
function join(one: Person, other: Person): Promise<string> {
  return deckhand.tx(async (tx) => {
    await lockPeople(tx, world.workspace);
    const people = [await personById(tx, world.workspace, one.user), await personById(tx, world.workspace, other.user)] as const;
    if (people[0] === undefined || people[1] === undefined) throw new Error('a person is missing');
    return joinPeople(tx, people[0], people[1]);
  });
}

const personNow = async (person: Person): Promise<Person> => {
  const now = await deckhand.tx((tx) => personById(tx, world.workspace, person.user));
  return now === undefined ? expect.unreachable() : { ...person, ...now };
};

describe('promise 7: accounts that are linked while an approval is on its way', () => {
  it('an approval that the requester gave through another account no longer counts once they are linked', async () => {
    const { run } = await deckhand.create(world, 'npm test', { by: world.people.dev });
    expect(await deckhand.decide(run, world.people.ben)).toMatchObject({ result: 'decided' });
    await join(world.people.dev, world.people.ben);
    const spec = await deckhand.claim(run, runner);
    expect(await deckhand.authorise(spec, runner)).toEqual({ verdict: 'ask' });
    expect(await deckhand.stateOf(run)).toBe('awaiting');
    expect(await deckhand.decide(run, await personNow(world.people.ben))).toMatchObject({ result: 'not_allowed' });
    expect(await deckhand.decide(run, world.people.ada)).toMatchObject({ result: 'decided', state: 'approved' });
    expect(await deckhand.authorise(await deckhand.claim(run, runner), runner)).toEqual({ verdict: 'run' });
  });

  it('a decision and the link at once: whichever is first, nothing runs that one person asked for and approved', async () => {
    for (let round = 0; round < 6; round += 1) {
      const other = await deckhand.world({ policy: fourEyes });
      const { run } = await deckhand.create(other, 'npm test', { by: other.people.dev });
      const secret = await deckhand.secretOf(run);
      world = other;
      const [decided] = await Promise.all([deckhand.press(secret, other.people.ben), join(other.people.dev, other.people.ben)]);
      expect(['decided', 'not_allowed']).toContain(decided.result);
      if (decided.result !== 'decided') continue;
      const claim = await deckhand.runs.claim(run, runner);
      if (!claim.ok) throw new Error(claim.reason);
      expect(await deckhand.authorise(claim.spec, runner)).toEqual({ verdict: 'ask' });
    }
  });

  it('nobody is left to approve when all who could are the requester', async () => {
    const small = await deckhand.world({ policy: fourEyes, roles: { ada: 'developer', ben: null, dev: 'developer', gus: null } });
    world = small;
    await join(small.people.ada, small.people.dev);
    const { run } = await deckhand.create(small, 'npm test', { by: small.people.dev });
    expect(await deckhand.resultOf(run)).toMatchObject({ outcome: 'cancelled', cause: 'no_approver' });
  });

  it('an approval that somebody gave through a linked account still counts', async () => {
    const { run } = await deckhand.create(world, 'npm test', { by: world.people.dev });
    await deckhand.decide(run, world.people.ben);
    await join(world.people.ada, world.people.ben);
    expect(await deckhand.authorise(await deckhand.claim(run, runner), runner)).toEqual({ verdict: 'run' });
  });
});
