import { describe, expect, it } from 'vitest';
import { createIntake } from '../../adapters/discord/intake.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { waitFor } from '../support/wait-for.ts';

function event(channel: string, text: string): InboundEvent {
  return {
    type: 'message',
    key: `msg:${channel}:${text}`,
    at: '2026-11-21T10:00:00.000Z',
    conversation: { platform: 'discord', tenant: '1', channel, kind: 'channel' },
    actor: { user: '2', bot: false },
    text,
    message: text,
    addressed: 'mention',
    attachments: [],
  };
}

function setup(sink: (texts: string[]) => Promise<void> | void) {
  const calls: string[][] = [];
  let losses = 0;
  const intake = createIntake({
    logger: createLogger({ level: 'silent' }),
    now: () => new Date(),
    onLoss: () => {
      losses += 1;
    },
    async sink(events) {
      const texts = events.map((one) => ('text' in one ? one.text : one.type));
      calls.push(texts);
      await sink(texts);
      return { stored: events.length, duplicate: 0 };
    },
  });
  const say = (channel: string, text: string, withinMs?: number) =>
    intake.accept({ channel, withinMs, read: async () => [event(channel, text)] });
  return { intake, say, calls, losses: () => losses };
}

const outcomes = (work: Promise<void>[]) => Promise.allSettled(work).then((all) => all.map(({ status }) => status));

describe('what waits for the store', () => {
  it('promise 3: is stored in order, together where it can be, while another channel does not wait', async () => {
    const first = Promise.withResolvers<void>();
    const { say, calls } = setup(async (texts) => {
      if (texts.includes('one')) await first.promise;
    });
    const one = say('1', 'one');
    await waitFor('the first', () => calls.length === 1);
    const later = [say('1', 'two'), say('1', 'three')];
    await say('2', 'elsewhere');
    first.resolve();
    expect(await outcomes([one, ...later])).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
    expect(calls).toEqual([['one'], ['elsewhere'], ['two', 'three']]);
  });

  it('promise 1: is kept while the store is down', async () => {
    let down = true;
    const { say, calls } = setup(() => {
      if (down) throw new Error('down');
    });
    const both = [say('1', 'one'), say('1', 'two')];
    await waitFor('some attempts', () => calls.length > 2);
    down = false;
    expect(await outcomes(both)).toEqual(['fulfilled', 'fulfilled']);
  });

  it('does not wait for ever behind one that can never be stored', async () => {
    const { say } = setup((texts) => {
      if (texts.includes('poison')) throw new Error('never');
    });
    const poison = say('1', 'poison');
    const behind = say('1', 'behind');
    // What shows that the store is up, and the message itself at fault.
    const others = setInterval(() => void say('2', 'another'), 50);
    const both = await outcomes([poison, behind]);
    clearInterval(others);
    expect(both).toEqual(['rejected', 'fulfilled']);
  });

  it('is tried again when it could not be read', async () => {
    const { intake, calls } = setup(() => undefined);
    let attempts = 0;
    await intake.accept({
      channel: '1',
      read: async () => {
        attempts += 1;
        if (attempts < 3) throw new Error('the channel cannot be looked up now');
        return [event('1', 'one')];
      },
    });
    expect(calls).toEqual([['one']]);
  });

  it('is given up when nobody can be told any more that it arrived', async () => {
    const { say, calls } = setup(() => {
      throw new Error('down');
    });
    expect(await outcomes([say('1', 'a command', 50)])).toEqual(['rejected']);
    expect(calls).toHaveLength(1);
  });

  it('is turned away beyond what memory has room for; there is a gap then, told as soon as there is room again', async () => {
    const gate = Promise.withResolvers<void>();
    const { say, losses } = setup(() => gate.promise);
    const waiting = Array.from({ length: 10_000 }, (_, at) => say('1', `${at}`));
    expect(await outcomes([say('2', 'one too many')])).toEqual(['rejected']);
    expect(losses()).toBe(0);
    gate.resolve();
    expect(new Set(await outcomes(waiting))).toEqual(new Set(['fulfilled']));
    expect(losses()).toBe(1);
  });

  it('is given up when the adapter stops, and nothing is taken after that', async () => {
    const { intake, say } = setup(() => {
      throw new Error('down');
    });
    const one = outcomes([say('1', 'one')]);
    await intake.stop();
    expect(await one).toEqual(['rejected']);
    expect(await outcomes([say('1', 'two')])).toEqual(['rejected']);
  });
});
