import { describe, expect, it } from 'vitest';
import { slackLink } from '../../adapters/slack/link.ts';
import { telegramLink } from '../../adapters/telegram/link.ts';

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
});
