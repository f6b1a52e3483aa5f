import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { secret } from './ids.ts';
import { isRecord, type Json } from './json.ts';
import { APP_ID } from './seed.ts';
import type { DeliveryKind, Outcome, Retry, Transport } from './transport.ts';

/**
 * Socket Mode: single-use URLs, up to ten sockets, each payload to one of them in turn, acknowledgement by envelope id.
 * Frames as @slack/socket-mode 3.1 reads and writes them.
 */
export interface SocketMode extends Transport {
  /** A single-use URL, the answer of `apps.connections.open`. */
  openUrl(): string;
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Number of open sockets. */
  count(): number;
  /** How many sockets were ever opened. */
  opened(): number;
  /** Asks every socket to reconnect, as Slack does before it recycles a host. */
  requestReconnect(reason: 'warning' | 'refresh_requested' | 'link_disabled' | 'too_many_websockets'): void;
  /** Cuts every socket without a close frame. */
  cut(): void;
  /** Sends a raw frame on every socket, for payloads no person can cause (`app_rate_limited`). */
  sendRaw(frame: Json): void;
  close(): Promise<void>;
}

const MAX_SOCKETS = 10;
/** Slack pings often; clients give up 30 seconds after the last ping they saw. */
const PING_EVERY_MS = 10_000;
const TICKET_LIFETIME_MS = 30_000;

interface Connection {
  socket: WebSocket;
  unacked: Map<string, (outcome: Outcome) => void>;
}

export function createSocketMode(options: {
  baseUrl: () => string;
  ackMs: number;
  now: () => number;
  onConnectionChange: () => void;
}): SocketMode {
  const server = new WebSocketServer({ noServer: true });
  const tickets = new Map<string, number>();
  const connections: Connection[] = [];
  const waiting = new Set<() => void>();
  let turn = 0;
  let accepted = 0;
  let closing = false;

  function accept(socket: WebSocket): void {
    if (connections.length >= MAX_SOCKETS) {
      socket.send(JSON.stringify({ type: 'disconnect', reason: 'too_many_websockets', debug_info: { host: 'lab' } }));
      socket.close();
      return;
    }
    const connection: Connection = { socket, unacked: new Map() };
    connections.push(connection);
    const ping = setInterval(() => socket.ping(`Ping from lab (${options.now()})`), PING_EVERY_MS);
    ping.unref();
    accepted += 1;
    socket.on('message', (data) => onFrame(connection, String(data)));
    // A reset connection raises `error` before `close`; `close` does the work.
    socket.on('error', () => {});
    socket.on('close', () => {
      clearInterval(ping);
      connections.splice(connections.indexOf(connection), 1);
      for (const settle of connection.unacked.values()) settle({ status: 'failed', reason: 'connection_failed', noRetry: false });
      options.onConnectionChange();
    });
    socket.ping();
    socket.send(
      JSON.stringify({
        type: 'hello',
        num_connections: connections.length,
        connection_info: { app_id: APP_ID },
        debug_info: { host: 'lab', build_number: 1, approximate_connection_time: 18_060 },
      }),
    );
    options.onConnectionChange();
    for (const resume of waiting) resume();
    waiting.clear();
  }

  function onFrame(connection: Connection, data: string): void {
    let frame: unknown;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    if (!isRecord(frame) || typeof frame.envelope_id !== 'string') return;
    connection.unacked.get(frame.envelope_id)?.({ status: 'acked', body: isRecord(frame.payload) ? frame.payload : undefined });
  }

  /** A socket that is not about to close, the next one in turn. */
  function nextConnection(): Connection | undefined {
    const open = connections.filter(({ socket }) => socket.readyState === socket.OPEN);
    turn += 1;
    return open[turn % open.length];
  }

  async function connectionFor(kind: DeliveryKind): Promise<Connection | undefined> {
    let connection = nextConnection();
    while (!connection && kind === 'events_api' && !closing) {
      await new Promise<void>((resolve) => waiting.add(resolve));
      connection = nextConnection();
    }
    return connection;
  }

  async function deliver(kind: DeliveryKind, payload: Json, retry?: Retry): Promise<Outcome> {
    const connection = nextConnection() ?? (await connectionFor(kind));
    if (closing) return { status: 'closed' };
    if (!connection) return { status: 'failed', reason: 'connection_failed', noRetry: false };
    const envelopeId = randomUUID();
    const envelope: Json = {
      envelope_id: envelopeId,
      type: kind,
      payload,
      accepts_response_payload: kind !== 'events_api',
      ...(kind === 'events_api' ? { retry_attempt: retry?.attempt ?? 0, retry_reason: retry?.reason ?? '' } : {}),
    };
    return new Promise((resolve) => {
      const settle = (outcome: Outcome) => {
        clearTimeout(deadline);
        connection.unacked.delete(envelopeId);
        resolve(outcome);
      };
      const deadline = setTimeout(() => settle({ status: 'failed', reason: 'timeout', noRetry: false }), options.ackMs);
      connection.unacked.set(envelopeId, settle);
      connection.socket.send(JSON.stringify(envelope));
    });
  }

  return {
    deliver,
    connected: () => connections.length > 0,
    openUrl() {
      for (const [ticket, until] of tickets) if (until < options.now()) tickets.delete(ticket);
      const ticket = secret();
      tickets.set(ticket, options.now() + TICKET_LIFETIME_MS);
      return `${options.baseUrl().replace(/^http/, 'ws')}/link/?ticket=${ticket}&app_id=${APP_ID}`;
    },
    handleUpgrade(request, socket, head) {
      const url = new URL(request.url ?? '/', 'http://lab');
      const ticket = url.searchParams.get('ticket') ?? '';
      const until = tickets.get(ticket);
      tickets.delete(ticket);
      if (url.pathname !== '/link/' || until === undefined || until < options.now() || closing) {
        socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
        return;
      }
      server.handleUpgrade(request, socket, head, accept);
    },
    count: () => connections.length,
    opened: () => accepted,
    requestReconnect(reason) {
      for (const { socket } of connections)
        socket.send(JSON.stringify({ type: 'disconnect', reason, debug_info: { host: 'lab' } }));
    },
    cut() {
      for (const { socket } of [...connections]) socket.terminate();
    },
    sendRaw(frame) {
      for (const { socket } of connections) socket.send(JSON.stringify(frame));
    },
    async close() {
      closing = true;
      for (const resume of waiting) resume();
      waiting.clear();
      for (const connection of connections) {
        for (const settle of connection.unacked.values()) settle({ status: 'closed' });
      }
      await Promise.all(connections.map(({ socket }) => closeSocket(socket)));
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Closes politely; a client that does not answer is cut off. */
async function closeSocket(socket: WebSocket): Promise<void> {
  if (socket.readyState === socket.CLOSED) return;
  await new Promise<void>((resolve) => {
    const impatience = setTimeout(() => socket.terminate(), 500);
    socket.once('close', () => {
      clearTimeout(impatience);
      resolve();
    });
    socket.close(1001);
  });
}
