import { describe, expect, it } from 'vitest';
import { createPrivacy } from '../../adapters/slack/channels.ts';
import { createIntake } from '../../adapters/slack/intake.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import { createLogger } from '../../src/runtime/logger.ts';

function dm(channel: string, text: string) {
  const ts = `${text.length}.${channel.length}${[...text].map((letter) => letter.charCodeAt(0)).join('')}`;
  return {
    type: 'event_callback',
    event_id: `Ev${ts}`,
    team_id: 'T1',
    event: { type: 'message', channel, user: 'UADA', ts, text },
  };
}

function setup(sink: (texts: string[]) => Promise<void>, each?: (event: InboundEvent) => void) {
  const calls: string[][] = [];
  const intake = createIntake({
    context: { team: 'T1', botUser: 'UBOT', seal: (text) => text, now: () => new Date() },
    people: { find: async () => undefined },
    privacy: createPrivacy(),
    logger: createLogger({ level: 'silent' }),
    async sink(events: InboundEvent[]) {
      const texts = events.map((event) => ('text' in event ? event.text : event.type));
      calls.push(texts);
      for (const event of events) each?.(event);
      await sink(texts);
      return { stored: events.length, duplicate: 0 };
    },
  });
  return { intake, calls };
}

const settle = (promises: Promise<void>[]) => Promise.allSettled(promises).then((all) => all.map(({ status }) => status));

describe('the intake of Slack payloads', () => {
  it('promise 3: stores those of one channel together and in order, while another channel does not wait', async () => {
    const first = Promise.withResolvers<void>();
    const { intake, calls } = setup(async (texts) => {
      if (texts.includes('one')) await first.promise;
    });
    const one = intake.accept(dm('D1', 'one'));
    await Promise.resolve();
    await Promise.resolve();
    const later = [intake.accept(dm('D1', 'two')), intake.accept(dm('D1', 'three'))];
    await intake.accept(dm('D22', 'elsewhere'));
    first.resolve();
    await Promise.all([one, ...later, intake.idle()]);
    expect(calls.filter((texts) => !texts.includes('elsewhere')).flat()).toEqual(['one', 'two', 'three']);
    expect(calls.filter((texts) => texts.length > 0)).toHaveLength(3);
  });

  it('promise 1: tells each payload whether it was stored, though they were offered together', async () => {
    const { intake } = setup(async (texts) => {
      if (texts.includes('bad')) throw new Error('refused');
    });
    const results = await settle(['one', 'bad', 'three'].map((text) => intake.accept(dm('D1', text))));
    expect(results).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('promise 1: gives up the whole batch when the store is down', async () => {
    const { intake, calls } = setup(async () => {
      throw new Error('down');
    });
    const results = await settle(Array.from({ length: 20 }, (_, at) => intake.accept(dm('D1', 'x'.repeat(at + 1)))));
    expect(new Set(results)).toEqual(new Set(['rejected']));
    expect(calls.length).toBeLessThanOrEqual(4);
  });

  it('is ready for the next payload after a failure', async () => {
    let down = true;
    const { intake } = setup(async () => {
      if (down) throw new Error('down');
    });
    await expect(intake.accept(dm('D1', 'one'))).rejects.toThrow('down');
    down = false;
    await intake.accept(dm('D1', 'one'));
    await intake.idle();
  });

  it('says of a mention whether its channel is private once an event has told it, and that it is unknown otherwise', async () => {
    const told: unknown[] = [];
    const { intake } = setup(
      async () => {},
      ({ channelPrivate }) => told.push(channelPrivate),
    );
    const mention = { user: 'UADA', text: '<@UBOT> help' };
    const event = (body: object) => ({ type: 'event_callback', event_id: 'Ev', team_id: 'T1', event: { ...mention, ...body } });
    const first = intake.accept(event({ type: 'app_mention', channel: 'C1', ts: '1.1' }));
    const twin = intake.accept(event({ type: 'message', channel: 'C1', channel_type: 'group', ts: '1.1' }));
    await Promise.all([first, twin]);
    await intake.accept(event({ type: 'message', channel: 'C2', channel_type: 'channel', text: 'talk', ts: '1.2' }));
    await intake.accept(event({ type: 'app_mention', channel: 'C2', ts: '1.3' }));
    await intake.accept(event({ type: 'app_mention', channel: 'C3', ts: '1.4' }));
    expect(told).toEqual([true, true, false, 'unknown']);
  });

  it('resolves at once for what means nothing', async () => {
    const { intake, calls } = setup(async () => {});
    for (const body of [null, {}, { type: 'event_callback' }, { type: 'view_closed', user: { id: 'U1' } }])
      await intake.accept(body);
    expect(calls).toEqual([]);
  });
});
