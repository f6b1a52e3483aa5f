import { describe, expect, it } from 'vitest';
import { createDirectory } from '../../adapters/discord/directory.ts';
import { discordLink } from '../../adapters/discord/link.ts';
import { createRest, type Rest } from '../../adapters/discord/rest.ts';
import { slackLink } from '../../adapters/slack/link.ts';
import { telegramLink } from '../../adapters/telegram/link.ts';
import { placesView } from '../../src/commands/mirror-list.ts';
import { DeliveryError } from '../../src/contracts/chat-adapter.ts';

describe('the address of a conversation', () => {
  it('on Slack is that of the message which began the thread', () => {
    const at = { platform: 'slack', tenant: 'T1', channel: 'C123', kind: 'channel' } as const;
    expect(slackLink('https://acme.slack.com/', at)).toBe('https://acme.slack.com/archives/C123');
    expect(slackLink('https://acme.slack.com/', { ...at, thread: '1700000001.000100' })).toBe(
      'https://acme.slack.com/archives/C123/p1700000001000100',
    );
  });

  it('on Telegram is that of a topic or a message of a supergroup; other chats have none', () => {
    const at = { platform: 'telegram', tenant: 'B1', channel: '-1001234567', kind: 'channel' } as const;
    expect(telegramLink({ ...at, thread: 't42' })).toBe('https://t.me/c/1234567/42');
    expect(telegramLink({ ...at, thread: 'r7' })).toBe('https://t.me/c/1234567/7');
    expect(telegramLink(at)).toBeUndefined();
    expect(telegramLink({ ...at, channel: '-4711', thread: 'r7' })).toBeUndefined();
    expect(telegramLink({ ...at, channel: '4711', thread: 'r7', kind: 'direct' })).toBeUndefined();
  });

  it('on Discord names the server of the channel, which the gateway tells and which is asked for once otherwise', async () => {
    const [guild, demo, ops, thread] = [
      '1100000000000000001',
      '1100000000000000200',
      '1100000000000000201',
      '1573640000000000000',
    ];
    const server = `https://discord.com/channels/${guild}`;
    const asked: string[] = [];
    const rest: Rest = {
      ...createRest({ token: 'a.b.c' }),
      async call({ route }, answer) {
        asked.push(route);
        if (route !== `/channels/${ops}`) throw new DeliveryError({ kind: 'unreachable', detail: 'not now' });
        return answer.parse({ id: ops, type: 0, guild_id: guild, name: 'ops' });
      },
    };
    const directory = createDirectory({ rest, application: '1000', botUser: '1000' });
    directory.learn('GUILD_CREATE', { id: guild, name: 'Acme', channels: [{ id: demo, type: 0, name: 'demo' }] });
    const at = { platform: 'discord', tenant: '1000', channel: demo, kind: 'channel' } as const;
    expect(await discordLink(directory, at)).toBe(`${server}/${demo}`);
    expect(await discordLink(directory, { ...at, thread })).toBe(`${server}/${thread}`);
    expect(asked).toEqual([]);

    for (let time = 0; time < 2; time += 1) {
      expect(await discordLink(directory, { ...at, channel: ops, thread })).toBe(`${server}/${thread}`);
    }
    expect(asked).toEqual([`/channels/${ops}`]);

    expect(await discordLink(directory, { ...at, channel: '1100000000000000299' }), 'Discord does not say now').toBeUndefined();
    expect(await discordLink(directory, { ...at, kind: 'direct' })).toBeUndefined();
    expect(asked).toHaveLength(2);
  });

  it('on Discord is left out when Discord does not answer soon', async () => {
    const rest: Rest = { ...createRest({ token: 'a.b.c' }), call: () => new Promise(() => undefined) };
    const directory = createDirectory({ rest, application: '1000', botUser: '1000' });
    const at = { platform: 'discord', tenant: '1000', channel: '1100000000000000200', kind: 'channel' } as const;
    expect(await discordLink(directory, at)).toBeUndefined();
  });

  it('is behind each place of a task where others find it; direct conversations have none', async () => {
    const place = (platform: 'slack' | 'discord', kind: 'channel' | 'direct', thread?: string) => ({
      id: `thr_${platform}_${kind}`,
      origin: false,
      externalId: thread,
      channel: { id: `chn_${kind}`, platform, tenant: 'T1', externalId: 'C1', kind, name: 'ops' },
      problem: undefined,
    });
    const view = await placesView(
      {
        channel: { id: 'chn_other' },
        deps: { linkTo: async ({ platform, channel, thread }) => `https://${platform}.example/${channel}/${thread}` },
      },
      { number: 142 },
      [place('discord', 'channel', '77'), place('discord', 'direct', '78'), place('slack', 'channel')],
    );
    const links = view.blocks
      .flatMap((block) => (block.type === 'text' ? block.spans : []))
      .filter(({ type }) => type === 'link');
    expect(links).toEqual([
      { type: 'link', url: 'https://discord.example/C1/77', text: '#ops on Discord' },
      { type: 'link', url: 'https://slack.example/C1/undefined', text: '#ops on Slack' },
    ]);
  });
});
