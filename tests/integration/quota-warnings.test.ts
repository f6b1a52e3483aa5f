import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { tellBegun } from '../../src/budgets/begin.ts';
import { quietEnded, tellAfterQuiet } from '../../src/delivery/after-quiet.ts';
import { runById } from '../../src/store/runs.ts';
import { type Desk, mention, openDesk, type Said, slash } from '../support/desk.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
beforeEach(async () => {
  await desk.database.db.quota.deleteMany();
  await desk.database.db.consumption.deleteMany();
});
afterAll(() => desk[Symbol.asyncDispose]());

const say = async (who: 'ada' | 'mia' | 'ben', line: string) => (await desk.act(slash(who, line)))[0]?.text ?? '';
const ask = () => desk.act(mention('ben', 'sh true'));
const warned = (said: readonly Said[]) => said.filter(({ key }) => key.startsWith('quota-warned/'));
const runs = () => desk.database.db.run.count();

/** A limit whose line the next run reaches. */
const reachedNext = async () => Math.floor(((await runs()) + 1) / 0.8);

/** Asks until so many more runs have begun; what was told of quotas. */
async function begin(more: number): Promise<Said[]> {
  const said: Said[] = [];
  for (let at = 0; at < more; at += 1) said.push(...warned(await ask()));
  return said;
}

test('a quota of a project warns in its channels once in a period, and names who can raise it about the project', async () => {
  await say('ada', 'member role Ben maintainer project=demo');
  const before = await runs();
  await say('mia', `quota add runs=${before + 5}/month`);
  const line = Math.ceil((before + 5) * 0.8);
  expect(await begin(line - before - 1)).toEqual([]);
  const [told, ...others] = await begin(1);
  expect(others).toEqual([]);
  expect(told).toMatchObject({ channel: 'CDEMO', only: undefined, payload: { type: 'message' } });
  expect(told?.text).toContain(`${line} of ${before + 5} runs a month in project demo`);
  expect(told?.text).toMatch(/Maintainers and owners can raise it: .*Ben/);
  // Raised, it comes to the line again: that is the same period.
  await say('mia', `quota add runs=${line + 2}/month`);
  expect(await begin(1)).toEqual([]);
  await say('mia', 'quota add channel runs=0/month');
  const refused = (await ask()).map(({ text }) => text).join('\n');
  expect(refused).toMatch(/(?:DH-240|waits)/);
  expect(refused).toMatch(/Maintainers and owners can raise it: .*Ben/);
  await say('ada', 'member remove Ben project=demo');
});

test('one of the whole workspace is told where alerts are told, else to each owner; in quiet hours at their end; once by all gateways', async () => {
  await say('mia', 'settings notify direct');
  await say('ada', `quota add workspace runs=${await reachedNext()}/month`);
  const [direct, ...others] = await begin(1);
  expect(others).toEqual([]);
  expect(direct).toMatchObject({ only: 'UADA', payload: { type: 'direct' } });
  expect(direct?.text).toMatch(/^\d+ % of a quota is used: .* in the whole workspace/);
  await say('ada', 'quota remove runs/month workspace');
  const now = new Date();
  const clock = (minutes: number) => new Date(now.getTime() + minutes * 60_000).toISOString().slice(11, 16);
  await say('ada', `settings notify quiet=${clock(-60)}-${clock(60)} zone=UTC`);
  await say('ada', `quota add workspace runs=${await reachedNext()}/month`);
  expect(await begin(1)).toEqual([]);
  const later = new Date(now.getTime() + 61 * 60_000);
  const [person, ...more] = await quietEnded(desk.database, later);
  expect(more).toEqual([]);
  const tell = () => desk.database.transaction((tx) => tellAfterQuiet(tx, person ?? expect.unreachable(), later));
  await Promise.all([tell(), tell()]);
  const row = await desk.database.db.outbox.findFirst({ where: { key: { startsWith: 'quiet:' } } });
  expect(JSON.stringify(row?.payload)).toContain('runs a month in the whole workspace');
  await say('ada', 'settings notify quiet=off');
  await say('ada', 'quota remove runs/month workspace');
  await say('ada', 'settings alerts on');
  await say('ada', `quota add workspace runs=${await reachedNext()}/month`);
  expect(await begin(1)).toMatchObject([{ channel: 'CDEMO', payload: { type: 'message' } }]);
  await say('ada', 'settings alerts off');
});

test('one of a person is told on their cards alone', async () => {
  await say('ada', `quota add person=Ben runs=${await reachedNext()}/month`);
  expect(await begin(1)).toEqual([]);
});

test('a run that waits for the next period counts in that one where a quota is made meanwhile', async () => {
  await say('mia', `quota add runs=${await runs()}/hour`);
  await desk.act(mention('ben', 'sh later'));
  const waiting = await desk.database.db.run.findFirstOrThrow({ where: { notBefore: { not: null } } });
  const counted = (await runs()) - 1;
  await say('mia', `quota add channel runs=1000/hour`);
  const made = await desk.database.db.quota.findFirstOrThrow({ where: { scope: 'channel' } });
  const rows = await desk.database.db.consumption.findMany({ where: { quotaId: made.id }, orderBy: { since: 'asc' } });
  expect(rows.map(({ value }) => value)).toEqual([counted, 1]);
  expect(rows[1]?.since).toEqual(waiting.notBefore);
  await say('mia', 'quota remove runs/hour');
  const [now, next] = await desk.database.db.consumption.findMany({ where: { quotaId: made.id }, orderBy: { since: 'asc' } });
  expect([now?.value, next?.value]).toEqual([counted + 1, 0]);
});

test('a run that has waited for a quota warns when it begins: in its period, or at once when the quota is raised', async () => {
  const limit = 5;
  await say('mia', `quota add channel runs=${limit}/hour`);
  const made = await desk.database.db.quota.findFirstOrThrow({ where: { scope: 'channel' } });
  await desk.database.db.consumption.updateMany({ where: { quotaId: made.id }, data: { value: limit } });
  for (let at = 0; at < 4; at += 1) await ask();
  const waiting = await desk.database.db.run.findMany({ where: { notBefore: { gt: new Date() } }, orderBy: { id: 'asc' } });
  expect(waiting).toHaveLength(4);
  const told = async () => warned((await desk.database.db.outbox.findMany({ where: { key: { contains: made.id } } })) as never);
  expect(await told()).toEqual([]);
  const begins = waiting[0]?.notBefore ?? expect.unreachable();
  for (const run of waiting) {
    const record = await desk.database.transaction((tx) => runById(tx, run.id));
    await desk.database.transaction((tx) => tellBegun(tx, record ?? expect.unreachable(), begins));
  }
  expect(await told()).toHaveLength(1);
  // Raised, there is room for all of them in this hour, and most of it is used.
  const said = await desk.act(slash('mia', 'quota add channel runs=10/hour'));
  expect(warned(said)).toMatchObject([{ text: expect.stringContaining('8 of 10 runs an hour') }]);
  await say('mia', 'quota remove runs/hour channel');
});
