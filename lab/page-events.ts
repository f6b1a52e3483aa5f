import type { ServerResponse } from 'node:http';

/** The numbered events of the lab, kept for a while so that a page that was away can catch up. */
export interface PageEvents {
  /** Number of the newest event. */
  version(): number;
  /** Sends the events after `after`, then every new one, until the client goes away. */
  stream(response: ServerResponse, after: number | undefined): void;
  close(): void;
}

const KEPT = 2_000;
const HEARTBEAT_MS = 15_000;
/** A client that reads this much slower than events come is cut off; it reconnects and catches up. */
const MAX_BUFFERED = 16 * 1024 * 1024;

/** `subscribe` hands over every event, and returns what ends that. A page that was away for too long gets `{ type: 'reset' }`. */
export function createPageEvents<Event>(subscribe: (push: (event: Event) => void) => () => void): PageEvents {
  const kept: { id: number; event: Event }[] = [];
  const clients = new Set<ServerResponse>();
  // Numbers begin at the time in microseconds: they go on growing when the server starts again.
  let last = Date.now() * 1000;
  const oldest = () => kept[0]?.id ?? last + 1;

  const unsubscribe = subscribe((event) => {
    last += 1;
    kept.push({ id: last, event });
    if (kept.length > KEPT) kept.shift();
    for (const client of clients) write(client, last, event);
  });

  function write(client: ServerResponse, id: number, event: Event | { type: 'reset' }): void {
    client.write(`id: ${id}\ndata: ${JSON.stringify(event)}\n\n`);
    if (client.writableLength > MAX_BUFFERED) client.destroy();
  }

  return {
    version: () => last,
    stream(response, after) {
      response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        connection: 'keep-alive',
        'x-accel-buffering': 'no',
      });
      const from = after ?? last;
      if (from > last || from < oldest() - 1) write(response, last, { type: 'reset' });
      else {
        response.write(': connected\n\n');
        for (const { id, event } of kept) if (id > from) write(response, id, event);
      }
      clients.add(response);
      const heartbeat = setInterval(() => response.write(': still here\n\n'), HEARTBEAT_MS);
      heartbeat.unref();
      response.on('close', () => {
        clearInterval(heartbeat);
        clients.delete(response);
      });
    },
    close() {
      unsubscribe();
      for (const client of clients) {
        // Kept alive, the connection would hold up the server's close until the browser gives it up.
        const { socket } = client;
        client.end();
        socket?.destroySoon();
      }
    },
  };
}
