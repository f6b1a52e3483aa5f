import { expect, it } from 'vitest';
import { startDiscord } from '../support/discord-adapter.ts';
import { startSlack } from '../support/slack-adapter.ts';
import { waitFor } from '../support/wait-for.ts';

it('Slack: tells what was said in a thread, or in the channel, before a message', async () => {
  await using setup = await startSlack({ mode: 'socket' });
  const { slack, adapter, inbox } = setup;
  const root = slack.person('gus').say('#demo', 'the login fails & more');
  slack.person('ada').say('#demo', 'me too', { thread: root.ts });
  const asked = slack.person('ben').mention('#demo', 'fix it', { thread: root.ts });
  slack.person('ada').say('#demo', 'after that', { thread: root.ts });
  const event = await waitFor('the mention', () => inbox.events.find((one) => one.type === 'message'), { timeoutMs: 30_000 });
  if (event.type !== 'message') expect.unreachable();
  const told = await adapter.history?.(event.conversation, asked.ts, 50);
  expect(told).toMatchObject([
    { message: root.ts, text: 'the login fails & more', author: { user: slack.person('gus').id, bot: false, own: false } },
    { text: 'me too', author: { user: slack.person('ada').id } },
  ]);
  const { thread: _, ...top } = event.conversation;
  expect(await adapter.history?.(top, asked.ts, 1)).toMatchObject([{ text: 'the login fails & more' }]);
});

it('Discord: tells what was said in a channel before a message, and which of it is its own', async () => {
  await using setup = await startDiscord({ mode: 'gateway' });
  const { discord, adapter, channel } = setup;
  discord.person('gus').say('#demo', 'the login fails');
  await adapter.send(
    channel('demo'),
    { fallback: 'hello', blocks: [{ type: 'text', spans: [{ type: 'text', text: 'hello' }] }] },
    'k',
  );
  const asked = discord.person('ben').say('#demo', 'fix it');
  const told = await adapter.history?.(channel('demo'), asked.id, 50);
  expect(told).toMatchObject([
    { text: 'the login fails', author: { user: discord.person('gus').id, bot: false, own: false } },
    { author: { own: true, bot: true } },
  ]);
});
