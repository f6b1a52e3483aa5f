import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import type { NumberedInput } from '../../src/contracts/agent.ts';
import { askGateway, createGatewayWorld, messagesBody, messagesPath, openTunnel } from '../support/gateway.ts';
import { waitFor } from '../support/wait-for.ts';

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const act of cleanUp.splice(0).reverse()) await act();
});

/** Within it a request must have arrived; an answer may take as long as it takes. */
const receiveMs = 300;

it('held requests, slow answers, streams of inputs and tunnels live longer than a request may take to arrive', async () => {
  const server = createServer((socket) => socket.on('error', () => socket.destroy()).pipe(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const egressPort = (server.address() as AddressInfo).port;
  const world = await createGatewayWorld(
    { receiveMs, egressPort, resolve: async () => ['127.0.0.1'], isInner: () => false },
    { paceMs: 150 },
  );
  cleanUp.push(
    () => server.close(),
    () => world.close(),
  );
  const go = Promise.withResolvers<void>();
  const run = await world.open({
    hosts: ['registry.test'],
    async *inputs(): AsyncGenerator<NumberedInput> {
      await go.promise;
      yield { seq: 1, input: { type: 'line', line: 'late' } };
    },
  });
  run.verdict = { verdict: 'wait' };
  const since = performance.now();
  const inputs = askGateway(run, { method: 'GET', path: '/input?after=0' });
  const held = askGateway(run, { path: messagesPath, body: messagesBody() });
  const { socket } = await openTunnel(run, 'registry.test:443');
  cleanUp.push(() => socket.destroy());
  await waitFor('several times as long', () => performance.now() - since > 5 * receiveMs);
  run.verdict = { verdict: 'go' };
  go.resolve();
  expect(await held).toMatchObject({ status: 200, text: expect.stringContaining('message_stop') });
  expect(await inputs).toMatchObject({ status: 200, text: '{"seq":1,"line":"late"}\n' });
  socket.write('still here');
  const [echoed] = await once(socket, 'data');
  expect(String(echoed)).toBe('still here');
});
