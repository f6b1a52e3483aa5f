import { sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createDiscordAdapter } from '../../adapters/discord/adapter.ts';
import { runCommandLine } from '../../src/cli.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { open, seal } from '../support/adapter-parts.ts';
import { type DiscordSetup, discordForTest, discordMenu, ofType } from '../support/discord-adapter.ts';
import { createLeases } from '../support/telegram-adapter.ts';
import { waitFor } from '../support/wait-for.ts';

const start = (options: Parameters<typeof discordForTest>[0] = {}) => discordForTest({ mode: 'http', ...options });

const now = () => Math.floor(Date.now() / 1000);

interface Given {
  body?: string;
  /** Signed instead of the body. */
  signed?: string;
  /** Sent instead of what was signed. */
  timestamp?: string;
  /** What is signed with the body. */
  at?: number;
  /** Sent instead of the right one; `undefined`: none is sent. */
  signature?: string | undefined;
}

function command(setup: DiscordSetup, id = setup.discord.core.state.nextId()): string {
  const { discord } = setup;
  return JSON.stringify({
    id,
    application_id: discord.applicationId,
    type: 2,
    token: 'a-token-of-this-test',
    version: 1,
    guild_id: discord.guildId,
    channel_id: discord.channelId('demo'),
    channel: { id: discord.channelId('demo'), type: 0, name: 'demo' },
    member: { user: { id: discord.person('ada').id, username: 'ada', global_name: 'Ada' } },
    data: { id: '1', type: 1, name: 'deckhand', options: [{ type: 1, name: 'tasks', options: [] }] },
  });
}

/** A request as Discord makes it, apart from what the test changes. */
async function post(setup: DiscordSetup, given: Given = {}): Promise<{ status: number; text: string }> {
  const body = given.body ?? command(setup);
  const at = String(given.at ?? now());
  const right = sign(null, Buffer.from(at + (given.signed ?? body)), setup.discord.core.credentials.privateKey).toString('hex');
  const signature = 'signature' in given ? given.signature : right;
  const response = await fetch(setup.interactionsUrl, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      'x-signature-timestamp': given.timestamp ?? at,
      ...(signature === undefined ? {} : { 'x-signature-ed25519': signature }),
    },
  });
  return { status: response.status, text: await response.text() };
}

describe('the Discord webhook', () => {
  it('passes the checks that Discord makes when the address is saved', async () => {
    const setup = await start();
    expect(setup.discord.core.settings.interactionsUrl).toBe(setup.interactionsUrl);
    const { status, text } = await post(setup, { body: JSON.stringify({ type: 1, id: '1' }) });
    expect({ status, json: JSON.parse(text) }).toEqual({ status: 200, json: { type: 1 } });
    expect(setup.inbox.offered).toEqual([]);
  });

  it('takes what Discord signed', async () => {
    const setup = await start();
    expect(await post(setup)).toEqual({ status: 202, text: '' });
    expect(setup.inbox.events).toMatchObject([{ type: 'command', text: 'tasks', conversation: setup.channel('demo') }]);
  });

  it.each<[string, (setup: DiscordSetup) => Given]>([
    ['another body', (setup) => ({ signed: command(setup) })],
    ['another time', () => ({ timestamp: String(now() - 1) })],
    ['a time six minutes ago', () => ({ at: now() - 360 })],
    ['a time six minutes from now', () => ({ at: now() + 360 })],
    ['a time that is no number', () => ({ timestamp: 'soon' })],
    ['no signature', () => ({ signature: undefined })],
    ['a signature that is no hexadecimal number', () => ({ signature: 'z'.repeat(128) })],
    ['a signature that is too short', () => ({ signature: 'ab' })],
    ['a signature of zeros', () => ({ signature: '0'.repeat(128) })],
  ])('answers 401 to %s and hears nothing', async (_, given) => {
    const setup = await start();
    expect((await post(setup, given(setup))).status).toBe(401);
    expect(setup.inbox.offered).toEqual([]);
  });

  it('answers 401 to what another application signed', async () => {
    const setup = await start({ mode: 'gateway', config: { publicKey: 'ab'.repeat(32) } });
    expect((await post(setup)).status).toBe(401);
    expect(setup.inbox.offered).toEqual([]);
    expect(await setup.adapter.health()).toMatchObject({ ok: false, detail: expect.stringContaining('DISCORD_PUBLIC_KEY') });
  });

  it('allows for clocks that differ by four minutes', async () => {
    const setup = await start();
    expect((await post(setup, { at: now() - 240 })).status).toBe(202);
    expect((await post(setup, { at: now() + 240 })).status).toBe(202);
    expect(setup.inbox.events).toHaveLength(2);
  });

  it.each<[number, string, (setup: DiscordSetup) => string]>([
    [400, 'no JSON', () => 'type=2'],
    [400, 'a list', () => '[]'],
    [413, 'more than any interaction has', () => JSON.stringify({ type: 2, pad: 'x'.repeat(2 * 1024 * 1024) })],
    [
      202,
      'an interaction of another application',
      (setup) => command(setup).replaceAll(setup.discord.applicationId, '1100000000000000777'),
    ],
    [202, 'an interaction that cannot be read', () => JSON.stringify({ type: 2, id: {}, data: 'x' })],
  ])('answers %i to %s and hears nothing', async (status, _, body) => {
    const setup = await start();
    expect((await post(setup, { body: body(setup) })).status).toBe(status);
    expect(setup.inbox.offered).toEqual([]);
  });

  it('promise 1: answers only when the interaction is stored, and 500 when it could not be', async () => {
    const setup = await start();
    const held = setup.inbox.hold();
    let answered = false;
    const answer = post(setup).finally(() => {
      answered = true;
    });
    await waitFor('the interaction to be offered', () => setup.inbox.offered.length === 1);
    expect(answered).toBe(false);
    held.release();
    expect((await answer).status).toBe(202);
    setup.inbox.fail(1);
    expect((await post(setup)).status).toBe(500);
  });

  it('promise 2: an interaction that comes again, also through the gateway, has one effect and one answer', async () => {
    const setup = await start();
    const { discord, inbox } = setup;
    const body = command(setup);
    for (let round = 0; round < 3; round += 1) expect((await post(setup, { body })).status).toBe(202);
    discord.controls.gateway.sendRaw({ op: 0, s: 3, t: 'INTERACTION_CREATE', d: JSON.parse(body) });
    await waitFor('all to be offered', () => inbox.offered.length === 4);
    expect(new Set(inbox.offered).size).toBe(1);
    expect(ofType(setup, 'command')).toHaveLength(1);
    expect(discord.callsOf('create_interaction_response')).toHaveLength(1);
  });

  it('answers 503 before the adapter is started and after it was stopped', async () => {
    const setup = await start({ mode: 'gateway', started: false });
    expect((await post(setup)).status).toBe(503);
    await setup.adapter.start(setup.inbox.sink);
    expect((await post(setup)).status).toBe(202);
    await setup.adapter.stop();
    expect((await post(setup)).status).toBe(503);
    expect(setup.inbox.events).toHaveLength(1);
  });

  it('is not there without a public key, and not made with one that is none', async () => {
    const make = (publicKey: string | undefined) =>
      createDiscordAdapter(
        { token: 'a.b.c', publicKey },
        {
          logger: createLogger({ level: 'silent' }),
          clock: { now: () => new Date() },
          seal,
          open,
          menu: discordMenu,
          acquireLease: createLeases().acquire,
        },
      );
    expect(make(undefined).webhooks).toEqual([]);
    expect(() => make('not a key')).toThrow('DISCORD_PUBLIC_KEY');
  });

  it('is missed by doctor when Discord sends interactions to an address and the key is not set', async () => {
    const deaf = await start({ mode: 'gateway', config: { publicKey: undefined } });
    deaf.discord.core.settings.interactionsUrl = 'https://example.com/discord/interactions';
    expect(await deaf.adapter.health()).toMatchObject({
      ok: false,
      detail: expect.stringContaining('https://example.com/discord/interactions'),
      remedy: expect.stringContaining('DISCORD_PUBLIC_KEY'),
    });
  });
});

describe('deckhand discord invite', () => {
  async function run(env: NodeJS.ProcessEnv) {
    const [out, err]: [string[], string[]] = [[], []];
    const code = await runCommandLine(['discord', 'invite'], {
      env,
      out: (text) => void out.push(text),
      err: (text) => void err.push(text),
      interactive: false,
    });
    return { code, out: out.join(''), err: err.join('') };
  }

  it('asks Discord for the application when only the token is set', async () => {
    const { discord } = await start({ mode: 'gateway', started: false });
    const { code, out } = await run({ DISCORD_BOT_TOKEN: discord.token, DISCORD_API_URL: discord.apiUrl });
    expect(code).toBe(0);
    expect(new URL(out.trim()).searchParams.get('client_id')).toBe(discord.applicationId);
  });

  it.each<[string, (setup: DiscordSetup) => NodeJS.ProcessEnv, string]>([
    ['refuses the token', ({ discord }) => ({ DISCORD_BOT_TOKEN: 'a.b.c', DISCORD_API_URL: discord.apiUrl }), 'Reset Token'],
    ['is not there', () => ({ DISCORD_BOT_TOKEN: 'a.b.c', DISCORD_API_URL: 'http://127.0.0.1:9/api' }), 'Check the network'],
  ])('says what to do when Discord %s', async (_, env, remedy) => {
    const { code, out, err } = await run(env(await start({ mode: 'gateway', started: false })));
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('DH-700');
    expect(err).toContain(remedy);
    expect(err).not.toContain('a.b.c');
  });
});
