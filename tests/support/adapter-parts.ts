import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ChatAdapter, InboundSink } from '../../src/contracts/chat-adapter.ts';
import { type InboundEvent, inboundEventSchema } from '../../src/contracts/inbound.ts';

/** A store of inbound events that can be told to fail, as the database may. */
export interface RecordingSink {
  /** What was stored, each key once. */
  events: InboundEvent[];
  /** Keys of every event offered, stored or not. */
  offered: string[];
  sink: InboundSink;
  /** The next `times` calls reject. */
  fail(times: number): void;
  /** Calls wait until `release`. */
  hold(): { release(): void };
}

export function recordingSink(): RecordingSink {
  let failures = 0;
  let gate: Promise<void> = Promise.resolve();
  const recording: RecordingSink = {
    events: [],
    offered: [],
    async sink(events) {
      for (const event of events) recording.offered.push(inboundEventSchema.parse(event).key);
      await gate;
      if (failures > 0) {
        failures -= 1;
        throw new Error('the store is down');
      }
      let stored = 0;
      for (const event of events) {
        if (recording.events.some((known) => known.key === event.key)) continue;
        recording.events.push(JSON.parse(JSON.stringify(event)));
        stored += 1;
      }
      return { stored, duplicate: events.length - stored };
    },
    fail(times) {
      failures = times;
    },
    hold() {
      const held = Promise.withResolvers<void>();
      gate = held.promise;
      return { release: held.resolve };
    },
  };
  return recording;
}

/** Sealing that shows in tests when something was stored unsealed. */
export const seal = (text: string) => `sealed:${Buffer.from(text).toString('base64url')}`;
export const open = (token: string) =>
  token.startsWith('sealed:') ? Buffer.from(token.slice('sealed:'.length), 'base64url').toString('utf8') : undefined;

/** The least HTTP server that hands raw bodies to the adapter, as `src/http` does. */
export async function serveWebhooks(adapter: Pick<ChatAdapter, 'webhooks'>): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const webhook = adapter.webhooks.find(({ path }) => path === request.url);
    if (webhook === undefined) response.writeHead(404).end();
    else await webhook.handle(request, response, Buffer.concat(chunks));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
