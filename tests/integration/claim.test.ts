import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { claim, newClaimCode, newOwnerCode, ownerCodeLifeMs } from '../../src/access/claim-code.ts';
import { createDatabase, type Database } from '../../src/store/database.ts';
import { findOrCreatePerson, membersOf, setRole } from '../../src/store/people.ts';
import { firstWorkspace } from '../../src/store/workspaces.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

let server: TestDatabase;
let database: Database;
let workspace: string;
let ada: string;
let ben: string;

beforeAll(async () => {
  server = await createTestDatabase();
  database = createDatabase({
    url: server.url,
    connections: 5,
    onEffectError: (error) => {
      throw error;
    },
  });
  await database.transaction(async (tx) => {
    workspace = (await firstWorkspace(tx, 'Acme')).id;
    ada = await person('UADA', 'Ada');
    ben = await person('UBEN', 'Ben');
    async function person(user: string, name: string): Promise<string> {
      const identity = { platform: 'slack' as const, tenant: 'T1', user };
      const found = await findOrCreatePerson(tx, { workspace, identity, name, role: undefined });
      return found?.user ?? expect.unreachable();
    }
  });
});
afterAll(async () => {
  await database.close();
  await server.close();
});
beforeEach(() => database.transaction((tx) => tx.db.user.updateMany({ data: { role: null } })));

const newCode = async () => (await database.transaction((tx) => newClaimCode(tx, workspace))) ?? expect.unreachable();
const tryCode = (user: string, code: string) => database.transaction((tx) => claim(tx, workspace, user, code, new Date()));
const owners = async () => (await database.transaction((tx) => membersOf(tx, workspace))).map(({ user }) => user);

describe('the code that is made on the machine', () => {
  it('makes one owner more, once, and leaves the others as they are', async () => {
    await database.transaction((tx) => setRole(tx, workspace, ada, 'owner'));
    const code = await database.transaction((tx) => newOwnerCode(tx, workspace, new Date()));
    expect(await database.transaction((tx) => newClaimCode(tx, workspace))).toBeUndefined();
    expect(await tryCode(ben, 'WRONG')).toBe('wrong');
    expect(await tryCode(ben, code)).toBe('claimed');
    expect((await owners()).toSorted()).toEqual([ada, ben].toSorted());
    expect(await tryCode(ada, code)).toBe('has_owner');
  });

  it('is void after its time, and after ten wrong tries', async () => {
    await database.transaction((tx) => setRole(tx, workspace, ada, 'owner'));
    const old = await database.transaction((tx) => newOwnerCode(tx, workspace, new Date(Date.now() - ownerCodeLifeMs)));
    expect(await tryCode(ben, old)).toBe('has_owner');
    const code = await database.transaction((tx) => newOwnerCode(tx, workspace, new Date()));
    for (let tries = 0; tries < 10; tries += 1) await tryCode(ben, 'WRONG');
    expect(await tryCode(ben, code)).toBe('has_owner');
    expect(await owners()).toEqual([ada]);
  });
});

describe('the claim code', () => {
  it('makes whoever sends it the owner, once', async () => {
    const code = await newCode();
    expect(code).toMatch(/^[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}$/);
    expect(await tryCode(ada, code)).toBe('claimed');
    expect(await owners()).toEqual([ada]);
    expect(await tryCode(ben, code)).toBe('has_owner');
    expect(await owners()).toEqual([ada]);
  });

  it('is void after it was used, also when the owner is gone again', async () => {
    const code = await newCode();
    await tryCode(ada, code);
    await database.transaction((tx) => tx.db.user.updateMany({ data: { role: null } }));
    expect(await tryCode(ben, code)).toBe('used_up');
    expect(await owners()).toEqual([]);
  });

  it('is read without regard to case, dashes and spaces', async () => {
    const code = await newCode();
    expect(await tryCode(ada, ` ${code.toLowerCase().replaceAll('-', ' ')} `)).toBe('claimed');
  });

  it('goes to one of two people who send it at once', async () => {
    const code = await newCode();
    const results = await Promise.all([tryCode(ada, code), tryCode(ben, code)]);
    expect(results.sort()).toEqual(['claimed', 'has_owner']);
    expect(await owners()).toHaveLength(1);
  });

  it('is void after ten wrong tries, also when they come at once', async () => {
    const code = await newCode();
    const wrong = await Promise.all(Array.from({ length: 10 }, (_, n) => tryCode(ben, `WRONG-${n}`)));
    expect(wrong.filter((result) => result === 'wrong')).toHaveLength(9);
    expect(wrong.filter((result) => result === 'used_up')).toHaveLength(1);
    expect(await tryCode(ada, code)).toBe('used_up');
    expect(await owners()).toEqual([]);
  });

  it('of an earlier start no longer counts after a new one', async () => {
    const [old, fresh] = [await newCode(), await newCode()];
    expect(old).not.toBe(fresh);
    expect(await tryCode(ada, old)).toBe('wrong');
    expect(await tryCode(ada, fresh)).toBe('claimed');
  });

  it('is not made when there is an owner, and is nowhere in the database as it is', async () => {
    const code = await newCode();
    const stored = await database.transaction((tx) => tx.db.meta.findMany());
    expect(JSON.stringify(stored)).not.toContain(code);
    expect(JSON.stringify(stored)).not.toContain(code.replaceAll('-', ''));
    await database.transaction((tx) => setRole(tx, workspace, ada, 'owner'));
    expect(await database.transaction((tx) => newClaimCode(tx, workspace))).toBeUndefined();
  });
});
