import { expect, it } from 'vitest';
import { startTelegram } from '../support/telegram-adapter.ts';
import { eventually } from '../support/wait-for.ts';

it('in the discussion group of a channel Telegram is asked who has joined; in other groups, where only members write, it is not', async () => {
  let now = new Date();
  await using setup = await startTelegram({ mode: 'polling', now: () => now });
  const { telegram, inbox } = setup;
  const { controls } = telegram;
  const bot = { status: 'administrator' as const };
  controls.addGroup({ name: 'news', kind: 'supergroup', bot, linked_channel: -1_001_999_000_001 });
  controls.addGroup({ name: 'team', kind: 'supergroup', bot });
  const reader = controls.addPerson({ name: 'rita', first_name: 'Rita' });
  const count = (method: string) => telegram.callsOf(method).length;
  const says = async (who: string, chat: string) => {
    const before = inbox.events.length;
    telegram.person(who).mention(chat, 'hello');
    await eventually(() => expect(inbox.events.length).toBe(before + 1));
    return inbox.events.at(-1)?.actor;
  };
  expect(await says('ada', 'team')).toMatchObject({ affiliation: { kind: 'member' } });
  const [chats, members] = [count('getChat'), count('getChatMember')];
  expect(await says('ada', 'news')).toMatchObject({ affiliation: { kind: 'member' } });
  expect(await says(reader.name, 'news')).toMatchObject({ affiliation: { kind: 'newcomer' } });
  expect(await says(reader.name, 'news')).toMatchObject({ affiliation: { kind: 'newcomer' } });
  expect([count('getChat'), count('getChatMember')]).toEqual([chats + 1, members + 2]);

  // What Telegram said last counts while it does not answer; of others it is not known.
  controls.failNext('getChatMember', { status: 502, times: 20 });
  now = new Date(now.getTime() + 61 * 60_000);
  expect(await says('ada', 'news')).toMatchObject({ affiliation: { kind: 'member' } });
  expect(await says('ben', 'news')).toMatchObject({ affiliation: { kind: 'unknown' } });
  expect(controls.errors).toEqual([]);
});
