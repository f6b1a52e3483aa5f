import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { QuietHours } from '../../src/contracts/notify.ts';
import { type OutboxPayload, outboxPayloadSchema } from '../../src/contracts/outbox.ts';
import { quietEnded, tellAfterQuiet } from '../../src/delivery/after-quiet.ts';
import { createProjector } from '../../src/delivery/projector.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import type { Part } from '../../src/runtime/lifecycle.ts';
import type { Wakeups } from '../../src/store/wakeups.ts';
import { silent } from '../support/delivery-world.ts';
import {
  type Account,
  accounts,
  type Desk,
  offerSandbox,
  openDesk,
  press,
  type Said,
  slash,
  submit,
  tokenOf,
} from '../support/desk.ts';
import { eventually } from '../support/wait-for.ts';

let desk: Desk;
let projector: Part;
let wakeups: Wakeups;
beforeAll(async () => {
  desk = await openDesk();
  await offerSandbox(desk, 100);
  await desk.act(slash('ada', 'settings policy=ask approvers=developer not-requester=on'));
  ({ wakeups } = desk);
  projector = createProjector({ database: desk.database, wakeups, clock: systemClock, logger: silent });
  await projector.start();
});
afterAll(async () => {
  await projector.stop();
  await desk[Symbol.asyncDispose]();
});

const userOf = async (who: Account) =>
  (await desk.database.db.identity.findFirstOrThrow({ where: { externalId: accounts[who] } })).userId;
const payloadOf = async (key: string): Promise<OutboxPayload | undefined> => {
  const row = await desk.database.db.outbox.findFirst({ where: { key: { startsWith: key } } });
  return row === null ? undefined : outboxPayloadSchema.parse(row.payload);
};
/** A task that waits for a decision, with its card. */
async function waits(who: Account, command: string): Promise<{ id: string; secret: string; run: string }> {
  await desk.act(slash(who, `sh ${command}`));
  const row = await desk.database.db.interaction.findFirstOrThrow({ where: { state: 'pending' }, orderBy: { id: 'desc' } });
  await eventually(async () => expect(await payloadOf(`decision:${row.id}`)).toBeDefined());
  return { id: row.id, secret: row.secret, run: row.runId };
}
/** Names on a message, each with whether it pings. */
function names(payload: OutboxPayload | undefined): Record<string, boolean> {
  const view = payload !== undefined && 'view' in payload ? payload.view : undefined;
  const spans = (view?.blocks ?? []).flatMap((block) => ('spans' in block ? block.spans : []));
  const found: Record<string, boolean> = {};
  for (const span of spans) if (span.type === 'person') found[span.name] = found[span.name] === true || span.notify;
  return found;
}
/** Quiet hours around a moment, in UTC. */
function around(at: Date, fromMinutes: number, toMinutes: number): QuietHours {
  const time = (minutes: number) => new Date(at.getTime() + minutes * 60_000).toISOString().slice(11, 16);
  return { from: time(fromMinutes), to: time(toMinutes), zone: 'UTC' };
}
const first = (said: readonly Said[]) => said[0] ?? expect.unreachable('nothing was said');

describe('settings notify', () => {
  it('shows and changes the own preference, for the own eyes, and writes it down', async () => {
    const shown = first(await desk.act(slash('gus', 'settings notify')));
    expect(shown.only).toBe(accounts.gus);
    expect(shown.text).toContain('no quiet hours');
    const changed = first(await desk.act(slash('gus', 'settings notify direct quiet=22:30-6:15 zone=Europe/Berlin')));
    expect(changed.text).toContain('direct: a direct message');
    expect(changed.text).toContain('22:30 to 06:15, Europe/Berlin');
    const { data } = await desk.database.db.audit.findFirstOrThrow({
      where: { action: 'person.notify', actorId: await userOf('gus') },
    });
    expect(data).toEqual({ by: 'direct', on: 'any', quiet: { from: '22:30', to: '06:15', zone: 'Europe/Berlin' } });
    expect(first(await desk.act(slash('gus', 'settings notify zone=UTC'))).text).toContain('22:30 to 06:15, UTC');
    expect(first(await desk.act(press('gus', tokenOf(changed, 'No quiet hours')))).text).toContain('no quiet hours');
    expect(first(await desk.act(press('gus', tokenOf(changed, 'Default')))).text).toContain('default: mentioned');
  });

  it.each([
    ['settings notify quiet=22-7', 'DH-201'],
    ['settings notify quiet=22:00-07:00', 'time zone of the quiet hours is missing'],
    ['settings notify quiet=22:00-07:00 zone=Mars/Olympus', 'is no time zone'],
    ['settings notify quiet=07:00-07:00 zone=UTC', 'all day or never'],
    ['settings notify zone=UTC', 'nothing without quiet hours'],
    ['settings notify direct on=telegram', 'no account of yours on Telegram'],
    ['settings notify loudly', 'DH-201'],
  ])('%s is refused with a right example', async (text, problem) => {
    expect(first(await desk.act(slash('nobody', text))).text).toContain(problem);
    expect((await desk.database.db.user.findUniqueOrThrow({ where: { id: await userOf('nobody') } })).notify).toBeNull();
  });

  it('asks for the quiet hours in a form', async () => {
    const shown = first(await desk.act(slash('gus', 'settings notify')));
    const form = first(await desk.act(press('gus', tokenOf(shown, 'Quiet hours…')))).payload;
    if (form.type !== 'form') return expect.unreachable();
    expect(form.form.fields.map(({ id }) => id)).toEqual(['quiet', 'zone']);
    const said = first(await desk.act(submit('gus', form.form.token, { quiet: ['20:00 - 08:00'], zone: ['Asia/Tokyo'] })));
    expect(said.text).toContain('20:00 to 08:00, Asia/Tokyo');
    await desk.act(slash('gus', 'settings notify quiet=off'));
  });
});

describe('how people hear of decisions', { timeout: 60_000 }, () => {
  it('mentions who may decide; who wants direct messages gets one with the buttons instead, which shows the decision later', async () => {
    await desk.act(slash('mia', 'settings notify direct'));
    const { id, secret } = await waits('ben', 'echo direct');
    expect(names(await payloadOf(`decision:${id}`))).toMatchObject({ Ada: true, Mia: false });
    const mia = await userOf('mia');
    const key = `tell:${id}:${mia}`;
    await eventually(async () => expect(await payloadOf(key)).toMatchObject({ type: 'direct', user: { user: accounts.mia } }));
    expect(JSON.stringify(await payloadOf(key))).toContain(`d:${secret}:approve`);
    expect(await desk.database.db.outbox.count({ where: { key: { startsWith: `tell:${id}:` } } })).toBe(1);
    await desk.act(press('ada', `d:${secret}:deny`));
    await eventually(async () => expect(JSON.stringify(await payloadOf(key))).toContain('denied it on Slack'));
    expect(JSON.stringify(await payloadOf(key))).not.toContain(`d:${secret}:approve`);
    await desk.act(slash('mia', 'settings notify default'));
  });

  it('in quiet hours nothing pings; at their end what still waits is told in one direct message, once', async () => {
    const now = systemClock.now();
    const { from, to } = around(now, -60, 60);
    await desk.act(slash('mia', `settings notify direct quiet=${from}-${to} zone=UTC`));
    await desk.act(slash('ada', `settings notify quiet=${from}-${to} zone=UTC`));
    const waiting = await waits('ben', 'echo quiet');
    const decided = await waits('ben', 'echo decided');
    await desk.act(press('ada', `d:${decided.secret}:deny`));
    expect(names(await payloadOf(`decision:${waiting.id}`))).toMatchObject({ Ada: false, Mia: false });
    await eventually(async () => expect(await payloadOf(`end:${decided.run}`)).toBeDefined());
    expect(await payloadOf(`tell:${waiting.id}`)).toBeUndefined();

    expect(await quietEnded(desk.database, new Date(now.getTime() + 30 * 60_000))).toEqual([]);
    const after = new Date(now.getTime() + 62 * 60_000);
    // The request would have expired by then.
    await desk.database.db.interaction.update({
      where: { id: waiting.id },
      data: { expiresAt: new Date(after.getTime() + 600_000) },
    });
    const people = await quietEnded(desk.database, after);
    expect(people.map(({ user }) => user).sort()).toEqual([await userOf('ada'), await userOf('mia')].sort());
    const tell = () => Promise.all(people.map((one) => desk.database.transaction((tx) => tellAfterQuiet(tx, one, after))));
    await Promise.all([tell(), tell()]);
    const told = await desk.database.db.outbox.findMany({ where: { key: { startsWith: 'quiet:' } } });
    expect(told).toHaveLength(2);
    for (const { payload, version } of told) {
      expect(version).toBe(1);
      expect(JSON.stringify(payload)).toContain('echo quiet');
      expect(JSON.stringify(payload)).not.toContain('echo decided');
    }
    expect(await quietEnded(desk.database, after)).toEqual([]);
    await desk.act(slash('mia', 'settings notify default quiet=off'));
    await desk.act(slash('ada', 'settings notify default quiet=off'));
    await desk.act(press('ada', `d:${waiting.secret}:deny`));
  });

  it('the sweep tells it by itself, and says nothing when nothing waits', async () => {
    const { from, to } = around(systemClock.now(), -120, -1);
    await desk.act(slash('mia', `settings notify direct quiet=${from}-${to} zone=UTC`));
    const user = await userOf('mia');
    const long = new Date(Date.now() - 86_400_000);
    const before = await desk.database.db.outbox.count({ where: { key: { startsWith: `quiet:${user}` } } });
    await desk.database.db.user.update({ where: { id: user }, data: { quietToldAt: long } });
    await desk.engine.sweep();
    expect((await desk.database.db.user.findUniqueOrThrow({ where: { id: user } })).quietToldAt?.getTime()).toBeGreaterThan(
      long.getTime(),
    );
    expect(await desk.database.db.outbox.count({ where: { key: { startsWith: `quiet:${user}` } } })).toBe(before);
    const { id, secret } = await waits('ben', 'echo swept');
    await desk.database.db.interaction.update({ where: { id }, data: { openedAt: new Date(Date.now() - 30 * 60_000) } });
    await desk.database.db.user.update({ where: { id: user }, data: { quietToldAt: long } });
    await Promise.all([desk.engine.sweep(), desk.engine.sweep()]);
    expect(JSON.stringify(await payloadOf(`quiet:${user}`))).toContain('echo');
    expect(await desk.database.db.outbox.count({ where: { key: { startsWith: `quiet:${user}` } } })).toBe(before + 1);
    await desk.act(slash('mia', 'settings notify default quiet=off'));
    await desk.act(press('ada', `d:${secret}:deny`));
  });
});

describe('how people hear of the ends of their tasks', { timeout: 60_000 }, () => {
  const ended = async (who: Account, command: string) => {
    const { run, secret } = await waits(who, command);
    await desk.act(press('ada', `d:${secret}:deny`));
    await eventually(async () => expect(await payloadOf(`end:${run}`)).toBeDefined());
    return run;
  };

  it('by default the card alone; with mention the card pings; with direct a direct message has it', async () => {
    const quietly = await ended('ben', 'echo one');
    expect(names(await payloadOf(`end:${quietly}`))).toEqual({ Ben: false });
    expect(await payloadOf(`tell-end:${quietly}`)).toBeUndefined();

    await desk.act(slash('ben', 'settings notify mention'));
    expect(names(await payloadOf(`end:${await ended('ben', 'echo two')}`))).toEqual({ Ben: true });

    await desk.act(slash('ben', 'settings notify direct'));
    const direct = await ended('ben', 'echo three');
    expect(names(await payloadOf(`end:${direct}`))).toEqual({ Ben: false });
    expect(await payloadOf(`tell-end:${direct}`)).toMatchObject({ type: 'direct', user: { user: accounts.ben } });
  });

  it('is not said a second time where the task was asked for in the direct conversation', async () => {
    await desk.act(slash('ben', 'sh project=demo echo dm', { direct: true }));
    const row = await desk.database.db.interaction.findFirstOrThrow({ where: { state: 'pending' }, orderBy: { id: 'desc' } });
    await eventually(async () => expect(await payloadOf(`decision:${row.id}`)).toBeDefined());
    await desk.act(press('ada', `d:${row.secret}:deny`));
    await eventually(async () => expect(await payloadOf(`end:${row.runId}`)).toBeDefined());
    expect(await payloadOf(`tell-end:${row.runId}`)).toBeUndefined();
    await desk.act(slash('ben', 'settings notify default'));
  });
});
