import { describe, expect, it } from 'vitest';
import { affiliationIn } from '../../adapters/discord/reading.ts';
import { discordForTest } from '../support/discord-adapter.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

describe('how somebody belongs to a Discord server', () => {
  const conversation = { platform: 'discord', tenant: '1', channel: '2', kind: 'channel' } as const;

  it('says their membership; nothing in direct messages', () => {
    const of = (member: Parameters<typeof affiliationIn>[0], community: boolean) =>
      affiliationIn(member, { conversation, community }).affiliation?.kind;
    expect(of({ roles: ['5'], pending: false, flags: 0 }, true)).toBe('member');
    expect(of({ roles: [], pending: false, flags: 0 }, true)).toBe('newcomer');
    expect(of({ roles: [], pending: false, flags: 0 }, false)).toBe('member');
    expect(of({ roles: ['5'], pending: true, flags: 0 }, false)).toBe('newcomer');
    expect(of({ roles: ['5'], pending: false, flags: 1 << 4 }, false)).toBe('guest');
    expect(of(undefined, true)).toBeUndefined();
    expect(affiliationIn({ roles: [] }, { conversation: { ...conversation, kind: 'direct' }, community: true })).toEqual({});
  });

  it('comes with messages, commands and presses, as the server is at that moment', async () => {
    const setup = await discordForTest({});
    const { discord, inbox } = setup;
    const { controls } = discord;
    const lobby = controls.addChannel({ name: 'lobby', open: true });
    const nele = controls.addPerson({ username: 'nele', global_name: 'Nele', roles: [] });
    const paul = controls.addPerson({ username: 'paul', global_name: 'Paul', pending: true });
    const last = () => inbox.events.at(-1)?.actor;
    const says = async (id: string) => {
      const before = inbox.events.length;
      discord.person(id).mention(`#${lobby.name}`, 'hello');
      await waitFor('the message', () => inbox.events.length > before);
      return last();
    };
    expect(await says('ada')).toMatchObject({ affiliation: { kind: 'member' } });
    expect(await says(nele.id)).toMatchObject({ affiliation: { kind: 'member' } });
    expect(await says(paul.id)).toMatchObject({ affiliation: { kind: 'newcomer' } });
    controls.community(true);
    await eventually(async () => expect(await says(nele.id)).toMatchObject({ affiliation: { kind: 'newcomer' } }));
    expect(await says('ada')).toMatchObject({ affiliation: { kind: 'member' } });
  });
});
