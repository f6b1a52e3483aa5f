import { createPublicKey, verify } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { DiscordEmulator } from '../../lab/discord/emulator.ts';
import type { Json } from '../../lab/slack/json.ts';
import { identify, openGateway, registerCommands, rest, startDiscordLab } from '../support/discord-lab.ts';

describe('over HTTP', () => {
  const pem = (hex: string) =>
    createPublicKey({ key: Buffer.from(`302a300506032b6570032100${hex}`, 'hex'), format: 'der', type: 'spki' });

  /** An endpoint that checks signatures as an app must, unless `careless`. */
  async function serve(discord: DiscordEmulator, answer: (body: Json) => { status: number; json?: unknown }, careless = false) {
    const bodies: Json[] = [];
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(Buffer.from(chunk));
      const raw = Buffer.concat(chunks);
      const [signature, timestamp] = ['x-signature-ed25519', 'x-signature-timestamp'].map((name) =>
        String(request.headers[name] ?? ''),
      );
      const isGood =
        /^[0-9a-f]{128}$/.test(signature ?? '') &&
        verify(
          null,
          Buffer.concat([Buffer.from(timestamp ?? ''), raw]),
          pem(discord.publicKey),
          Buffer.from(signature ?? '', 'hex'),
        );
      if (!isGood && !careless) {
        response.writeHead(401).end();
        return;
      }
      const body: Json = JSON.parse(raw.toString());
      bodies.push(body);
      const { status, json } = body.type === 1 ? { status: 200, json: { type: 1 } } : answer(body);
      response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(json === undefined ? undefined : JSON.stringify(json));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, bodies };
  }

  test('the address is taken only when bad signatures are refused', async () => {
    const discord = await startDiscordLab();
    const careless = await serve(discord, () => ({ status: 200 }), true);
    await expect(discord.controls.interactionsUrl(careless.url)).rejects.toThrow('must be 401');
    const careful = await serve(discord, () => ({ status: 200 }));
    await discord.controls.interactionsUrl(careful.url);
    expect((await rest(discord, 'GET', '/applications/@me')).json.interactions_endpoint_url).toBe(careful.url);
  });

  test('the body of the answer is the callback; nothing comes through the gateway any more', async () => {
    const discord = await startDiscordLab();
    await registerCommands(discord);
    const gateway = await openGateway(discord);
    gateway.send(identify(discord));
    await gateway.event('GUILD_CREATE');
    const { url, bodies } = await serve(discord, () => ({
      status: 200,
      json: { type: 4, data: { content: 'by HTTP', flags: 64 } },
    }));
    await discord.controls.interactionsUrl(url);
    const ada = discord.person('ada');
    await ada.slash('#demo', '/deckhand sh', { command: 'x' });
    await ada.waitForEphemeral('by HTTP');
    expect(bodies.at(-1)).toMatchObject({ type: 2, data: { name: 'deckhand' }, member: { user: { id: ada.id } } });
    expect(gateway.frames.some(({ t }) => t === 'INTERACTION_CREATE')).toBe(false);
  });

  test('202 leaves the callback to REST, and an error or a wrong answer fails at once', async () => {
    const discord = await startDiscordLab();
    await registerCommands(discord);
    let status = 202;
    const { url } = await serve(discord, ({ id, token }) => {
      if (status === 202)
        void rest(discord, 'POST', `/interactions/${String(id)}/${String(token)}/callback`, {
          body: { type: 4, data: { content: 'by REST' } },
        });
      return status === 200 ? { status, json: { type: 7, data: {} } } : { status };
    });
    await discord.controls.interactionsUrl(url);
    const ada = discord.person('ada');
    await ada.slash('#demo', '/deckhand sh', { command: 'x' });
    await ada.waitForMessage('by REST');
    for (status of [500, 200])
      await expect(ada.slash('#demo', '/deckhand sh', { command: 'x' })).rejects.toThrow('did not respond');
  });
});
