import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createModelServer } from '../../lab/model/server.ts';
import { withModels } from '../../runner/agent-models.ts';
import { defaultModel } from '../../runner/harness/claude-loop.ts';
import { createModelLists, listModels } from '../../runner/proxy/models.ts';
import { pricedModels } from '../../runner/proxy/prices.ts';
import { offer } from '../support/desk-agent.ts';
import { waitFor } from '../support/wait-for.ts';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const act of cleanUp.splice(0).reverse()) await act();
});

/** A model server of the test's own. */
async function server(answer: RequestListener): Promise<string> {
  const one = createServer(answer).listen(0, '127.0.0.1');
  await once(one, 'listening');
  cleanUp.push(() => {
    one.close();
    one.closeAllConnections();
  });
  return `http://127.0.0.1:${(one.address() as AddressInfo).port}`;
}
async function scripted() {
  const model = await createModelServer({ anthropicKey: 'k-a', openaiKey: 'k-o' });
  cleanUp.push(() => model.close());
  return model;
}
const json = (body: unknown): RequestListener => {
  return (_, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
};

describe('the models of a server', () => {
  it('are what it lists, in either protocol, with the key as the protocol has it', async () => {
    const model = await scripted();
    expect(await listModels('anthropic', { baseUrl: model.anthropicUrl, key: 'k-a' })).toContain('claude-sonnet-5');
    expect(await listModels('openai', { baseUrl: model.openaiUrl, key: 'k-o' })).toEqual([
      'gpt-6.1-sol',
      'gpt-6-luna',
      'gpt-5.1-codex',
    ]);
    expect(await listModels('anthropic', { baseUrl: model.anthropicUrl, key: 'wrong' })).toBeUndefined();
  });

  it('are read page by page, without what is no name, or makes pictures and speech', async () => {
    const asked: (string | undefined)[] = [];
    const baseUrl = await server((request, response) => {
      asked.push(request.url);
      const first = !request.url?.includes('after_id');
      const data = first ? [{ id: 'a' }, { id: 'bad name' }, 7, { id: 'x'.repeat(101) }] : [{ id: 'b' }, { id: 'gpt-image-2' }];
      json({ data, has_more: first, last_id: 'a' })(request, response);
    });
    expect(await listModels('anthropic', { baseUrl, key: '' })).toEqual(['a', 'b']);
    expect(asked).toEqual(['/v1/models?limit=1000', '/v1/models?limit=1000&after_id=a']);
  });

  it.each<[string, RequestListener]>([
    ['refuses', (_, response) => void response.writeHead(404).end('{"data":[]}')],
    ['says something else', json({ models: ['a'] })],
    ['says no JSON', (_, response) => void response.end('<html>')],
    ['sends another way', (_, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()],
    ['breaks off', (_, response) => void response.socket?.destroy()],
    ['is silent', () => undefined],
  ])('are not known when it %s', async (_, answer) => {
    expect(await listModels('openai', { baseUrl: await server(answer), key: 'k' }, { timeoutMs: 150 })).toBeUndefined();
  });
});

describe('kept lists of models', () => {
  it('fall back to the models with known prices, and never wait long', async () => {
    const lists = createModelLists({ waitMs: 20 });
    const baseUrl = await server(() => undefined);
    const found = await lists.of('openai', { baseUrl, key: 'k' });
    expect(found).toEqual({ names: pricedModels.filter((name) => name.startsWith('gpt-')), from: 'prices' });
    expect((await lists.of('anthropic', { baseUrl, key: 'k' })).names).toContain('claude-sonnet-5-5');
    const allowed = { baseUrl, key: 'other', models: ['one', 'two'] };
    expect(await lists.of('openai', allowed)).toEqual({ names: ['one', 'two'], from: 'server' });
  });

  it('are asked for once in a while, in the background; what was known stays while the server is away', async () => {
    let asked = 0;
    let names = ['a'];
    const baseUrl = await server((request, response) => {
      asked += 1;
      if (names.length === 0) response.writeHead(500).end();
      else json({ data: names.map((id) => ({ id })) })(request, response);
    });
    let now = 0;
    const lists = createModelLists({ now: () => now, keepMs: 1000, againMs: 100 });
    const of = async () => (await lists.of('openai', { baseUrl, key: 'k' })).names;
    expect([await of(), await of(), asked]).toEqual([['a'], ['a'], 1]);
    names = ['a', 'b'];
    now = 1000;
    expect(await of()).toEqual(['a']);
    await waitFor('the new list', async () => (await of()).includes('b'));
    expect(asked).toBe(2);
    names = [];
    now = 2000;
    await of();
    await waitFor('the refusal', () => asked === 3);
    expect(await of()).toEqual(['a', 'b']);
    const some = { baseUrl, key: 'k', models: ['b', 'c'] };
    expect(await lists.of('openai', some)).toEqual({ names: ['b'], from: 'server' });
  });

  it('go with what is said about agents, the usual one named', async () => {
    const model = await scripted();
    const servers = { anthropic: { baseUrl: model.anthropicUrl, key: 'k-a' } };
    const agents = [offer('claude'), offer('claude-code'), offer('codex')];
    const [claude, claudeCode, codex] = await withModels(agents, servers, createModelLists());
    expect(claude?.models).toMatchObject({
      from: 'server',
      usual: defaultModel,
      names: expect.arrayContaining(['claude-sonnet-5']),
    });
    // Both wait for the one answer of the server.
    expect(claudeCode?.models).toEqual({ ...claude?.models, usual: null });
    expect(codex?.models).toBeUndefined();
  });
});
