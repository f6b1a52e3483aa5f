import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Desk, mention, openDesk, slash } from '../support/desk.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk[Symbol.asyncDispose]());

const text = async (who: Parameters<typeof slash>[0], line: string) => (await desk.act(slash(who, line)))[0]?.text ?? '';
const ask = async (line: string) => (await desk.act(mention('ben', line))).map((said) => said.text).join('\n');
const queued = () => desk.database.db.run.findMany({ where: { state: 'queued' }, orderBy: { id: 'asc' } });

describe('quota', () => {
  it('counts what was before, lets nothing begin beyond it, and says who can raise it', async () => {
    expect(await text('gus', 'quota')).toContain('There is no quota.');
    await ask('sh true');
    expect(await text('mia', 'quota add runs=2/week')).toContain('The quota is 2 runs a week in project demo.');
    expect(await text('gus', 'quota')).toContain('1 of 2 runs a week in project demo');
    await ask('sh true');
    const shown = await text('gus', 'quota');
    expect(shown).toContain('▰▰▰▰▰▰▰▰▰▰ 2 of 2 runs a week in project demo · used up, free again');
    const before = await queued();
    const refused = await ask('sh true');
    // A request is kept when that is within a day: which depends on the day of the week.
    if (refused.includes('DH-240')) {
      expect(refused).toMatch(/2 of 2 runs a week in project demo are used; free again on \d{4}-\d\d-\d\d, at 00:00 UTC/);
      expect(refused).toContain('Maintainers and owners can raise it: ');
      expect(await queued()).toHaveLength(before.length);
    } else expect((await queued()).at(-1)?.notBefore).not.toBeNull();
    const raised = await text('mia', 'quota add runs=10/week');
    expect(raised).toContain('The quota is 10 runs a week in project demo now; it was 2 runs a week.');
    expect((await queued()).every(({ notBefore }) => notBefore === null)).toBe(true);
  });

  it('keeps a request that has room within a day: it waits, and begins when the quota is raised or removed', async () => {
    await text('ada', 'quota add workspace runs=0/month');
    await text('ada', 'quota remove runs/month workspace');
    await text('mia', 'quota add channel runs=1/hour');
    const used = (await text('mia', 'quota')).includes('of 1 run an hour in #');
    expect(used).toBe(true);
    const before = await queued();
    await ask('sh sleep 1');
    const waiting = (await queued()).filter(({ notBefore }) => notBefore !== null);
    expect(waiting).toHaveLength(1);
    expect(waiting[0]?.notBefore?.getUTCMinutes()).toBe(0);
    expect(await text('ben', 'queue')).toContain('waits for a quota');
    const [note] = await desk.database.db.runEvent.findMany({ where: { runId: waiting[0]?.id ?? '', type: 'note' } });
    expect(JSON.stringify(note?.data)).toMatch(
      /Used up: \d of 1 run an hour in #\w+\. `quota` shows it\. Maintainers and owners can raise it: /,
    );
    // The next hour has room for one.
    expect(await ask('sh sleep 2')).toContain('What waits for it has taken the next time too');
    expect(await queued()).toHaveLength(before.length + 1);
    expect(await text('mia', 'quota remove runs/hour channel')).toContain('is removed');
    expect((await queued()).every(({ notBefore }) => notBefore === null)).toBe(true);
  });

  it('gives the place of a waiting run to others when it is stopped', async () => {
    await text('mia', 'quota add channel runs=0/day');
    expect(await ask('sh sleep 3')).toContain('DH-240');
    await text('mia', 'quota add channel runs=1/hour');
    await text('mia', 'quota remove runs/day channel');
    await ask('sh sleep 3');
    const [waiting] = (await queued()).filter(({ notBefore }) => notBefore !== null);
    expect(await ask('sh sleep 4')).toContain('DH-240');
    const task = await desk.database.db.task.findUniqueOrThrow({ where: { id: waiting?.taskId ?? '' } });
    await text('ben', `stop #${task.number}`);
    await ask('sh sleep 5');
    expect((await queued()).filter(({ notBefore }) => notBefore !== null)).toHaveLength(1);
    await text('mia', 'quota remove runs/hour channel');
  });

  it('is refused for what is no quota, with what is right', async () => {
    expect(await text('mia', 'quota add')).toContain('What is limited is missing');
    expect(await text('mia', 'quota add runs=50')).toContain('`50` is no limit, such as `50/day`.');
    expect(await text('mia', 'quota add concurrent=3/day')).toContain('is no limit, such as `3`.');
    expect(await text('mia', 'quota add disk=1GB channel')).toContain('is limited for a project or the workspace');
    expect(await text('ada', 'quota add workspace project=demo runs=1/day')).toContain('A quota is about one thing');
    expect(await text('mia', 'quota remove tokens/day')).toContain('DH-241');
    expect(await text('mia', 'quota remove qta_01234567890123456789012345')).toContain('DH-241');
    expect(await text('mia', 'quota add person=@ben runs=1/day')).toContain('DH-202');
  });

  it('limits what is kept on disk, with a pointer to what frees it', async () => {
    await text('mia', 'quota add disk=1GB');
    expect(await ask('sh true')).not.toContain('DH-240');
    await text('mia', 'quota add disk=0GB');
    expect(await ask('sh true')).toMatch(/0 B of 0 B kept in project demo.*copies prune/s);
    await text('mia', 'quota remove disk');
  });

  it('shows a person their own, and owners those of everybody; every change is an audit line', async () => {
    await text('ada', 'quota add person=Ben tokens=2M/day cost=$20/month');
    expect(await text('ben', 'quota')).toContain('0 of 2M tokens a day for Ben');
    expect(await text('ada', 'quota')).toContain('$0.00 of $20.00 a month for Ben');
    expect(await text('mia', 'quota')).not.toContain('for Ben');
    const lines = await desk.database.db.audit.findMany({ where: { action: { startsWith: 'quota.' } }, orderBy: { id: 'asc' } });
    expect(lines.map(({ action }) => action)).toEqual(expect.arrayContaining(['quota.add', 'quota.change', 'quota.remove']));
    expect(await text('ada', 'audit kind=quota')).toContain('Ada made the quota of 2M tokens a day for Ben');
  });
});
