import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { isRecord, type Json } from '../slack/json.ts';
import type { Core, Dispatch } from './core.ts';
import { ALL_INTENTS, has, INTENTS, PRIVILEGED } from './flags.ts';
import { guildCreate, memberChunk, ready } from './gateway-payloads.ts';
import { eventsAfter, newSession, type Session, sendDispatch, shareOf } from './gateway-session.ts';

/** The gateway: WebSocket, version 10, JSON. Opcodes and close codes as Discord documents them. */
export interface Gateway {
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  dispatch(event: Dispatch): void;
  /** Connected sessions. */
  count(): number;
  /** How often a session was opened with IDENTIFY, resumed, and refused; and how often IDENTIFY came within five seconds of another. */
  stats: { identified: number; resumed: number; invalidated: number; tooSoon: number };
  /** Closes every connection with this code. The sessions can be resumed. */
  closeSockets(code: number, reason?: string): void;
  /** Cuts every connection without a close frame. The sessions can be resumed. */
  cut(): void;
  /** Asks every client to reconnect and resume (opcode 7). */
  requestReconnect(): void;
  /** Tells every client that its session is invalid (opcode 9). `resumable`: it may try to resume. */
  invalidate(resumable: boolean): void;
  /** Asks every client for a heartbeat now (opcode 1). */
  requestHeartbeat(): void;
  /** Stops acknowledging heartbeats, so that clients believe the connection dead. */
  ackHeartbeats(on: boolean): void;
  /** Sends a raw frame on every connection. */
  sendRaw(frame: Json): void;
  close(): Promise<void>;
}

const MAX_FRAME = 4_096;
const FRAMES_PER_MINUTE = 120;
/** `max_concurrency` is one: a session may be opened every five seconds. */
const IDENTIFY_EVERY_MS = 5_000;

interface Connection {
  socket: WebSocket;
  session: Session | undefined;
  watchdog: NodeJS.Timeout | undefined;
  frames: number[];
}

/** The client did something that ends its connection and its session. */
class Closed extends Error {
  readonly code: number;
  constructor(code: number, reason: string) {
    super(reason);
    this.code = code;
  }
}

function payload(d: unknown): Json {
  if (!isRecord(d)) throw new Closed(4002, 'Error while decoding payload.');
  return d;
}

export function createGateway(core: Core): Gateway {
  const server = new WebSocketServer({ noServer: true });
  const connections = new Set<Connection>();
  const sessions = new Map<string, Session>();
  const stats = { identified: 0, resumed: 0, invalidated: 0, tooSoon: 0 };
  let acks = true;
  let lastIdentify = Number.NEGATIVE_INFINITY;
  let closing = false;

  const send = (connection: Connection, frame: Json) => connection.socket.send(JSON.stringify(frame));

  function accept(socket: WebSocket): void {
    const connection: Connection = { socket, session: undefined, watchdog: undefined, frames: [] };
    connections.add(connection);
    socket.on('message', (data) => {
      try {
        onFrame(connection, data instanceof Buffer ? data : Buffer.from(String(data)));
      } catch (error) {
        if (!(error instanceof Closed)) throw error;
        forget(connection);
        socket.close(error.code, error.message);
      }
    });
    // A reset connection raises `error` before `close`; `close` does the work.
    socket.on('error', () => {});
    socket.on('close', (code) => onClose(connection, code));
    send(connection, { op: 10, d: { heartbeat_interval: core.timing.heartbeat, _trace: ['["lab"]'] }, s: null, t: null });
    watch(connection);
  }

  /** A client that misses its heartbeat is taken for dead. */
  function watch(connection: Connection): void {
    clearTimeout(connection.watchdog);
    connection.watchdog = setTimeout(() => {
      forget(connection);
      connection.socket.close(4009, 'Session timed out.');
    }, core.timing.heartbeat * 1.5);
    connection.watchdog.unref();
  }

  function forget(connection: Connection): void {
    if (connection.session) sessions.delete(connection.session.id);
    connection.session = undefined;
  }

  /** Closing with 1000 or 1001 ends the session; after every other end it can be resumed. */
  function onClose(connection: Connection, code: number): void {
    clearTimeout(connection.watchdog);
    connections.delete(connection);
    const { session } = connection;
    if (session?.socket === connection.socket) {
      session.socket = undefined;
      session.awaySince = core.now();
      if (code === 1000 || code === 1001) sessions.delete(session.id);
    }
    if (!closing) core.state.emit({ type: 'app' });
  }

  function onFrame(connection: Connection, data: Buffer): void {
    const at = core.now();
    connection.frames = [...connection.frames.filter((time) => at - time < 60_000), at];
    if (connection.frames.length > FRAMES_PER_MINUTE) throw new Closed(4008, 'You are being rate limited.');
    if (data.length > MAX_FRAME) throw new Closed(4002, 'Error while decoding payload.');
    let frame: unknown;
    try {
      frame = JSON.parse(data.toString('utf8'));
    } catch {
      throw new Closed(4002, 'Error while decoding payload.');
    }
    if (!isRecord(frame) || typeof frame.op !== 'number') throw new Closed(4002, 'Error while decoding payload.');
    onOpcode(connection, frame.op, frame.d);
  }

  function onOpcode(connection: Connection, op: number, d: unknown): void {
    switch (op) {
      case 1:
        watch(connection);
        if (acks) send(connection, { op: 11 });
        return;
      case 2:
        identify(connection, payload(d));
        return;
      case 6:
        resume(connection, payload(d));
        return;
      case 3:
      case 4:
      case 8:
      case 31:
        if (!connection.session) throw new Closed(4003, 'Not authenticated.');
        if (op === 8 && isRecord(d)) sendDispatch(connection.session, 'GUILD_MEMBERS_CHUNK', memberChunk(core, d));
        return;
      default:
        throw new Closed(4001, 'Unknown opcode.');
    }
  }

  function identify(connection: Connection, d: Json): void {
    if (connection.session) throw new Closed(4005, 'Already authenticated.');
    if (d.token !== core.credentials.token) throw new Closed(4004, 'Authentication failed.');
    const { intents, shard } = d;
    if (!isRecord(d.properties)) throw new Closed(4002, 'Error while decoding payload.');
    if (Array.isArray(shard) && (shard[0] !== 0 || shard[1] !== 1)) throw new Closed(4010, 'Invalid shard.');
    if (typeof intents !== 'number' || !Number.isInteger(intents) || (intents & ~ALL_INTENTS) !== 0)
      throw new Closed(4013, 'Invalid intent(s).');
    if ((intents & PRIVILEGED & ~core.settings.grantedIntents) !== 0) throw new Closed(4014, 'Disallowed intent(s).');
    const isTooSoon = core.now() - lastIdentify < IDENTIFY_EVERY_MS;
    if (isTooSoon) stats.tooSoon += 1;
    if (isTooSoon && core.settings.rateLimiting) {
      stats.invalidated += 1;
      send(connection, { op: 9, d: false, s: null, t: null });
      return;
    }
    lastIdentify = core.now();
    const session = newSession(randomBytes(16).toString('hex'), intents, connection.socket);
    sessions.set(session.id, session);
    connection.session = session;
    stats.identified += 1;
    sendDispatch(session, 'READY', ready(core, session.id));
    if (has(intents, INTENTS.GUILDS)) sendDispatch(session, 'GUILD_CREATE', guildCreate(core));
    core.state.emit({ type: 'app' });
  }

  function resume(connection: Connection, d: Json): void {
    if (connection.session) throw new Closed(4005, 'Already authenticated.');
    if (d.token !== core.credentials.token) throw new Closed(4004, 'Authentication failed.');
    const session = sessions.get(String(d.session_id));
    const seq = typeof d.seq === 'number' ? d.seq : Number.NaN;
    const isTooOld = session?.awaySince !== undefined && core.now() - session.awaySince > core.timing.resume;
    const missed = session && !isTooOld ? eventsAfter(session, seq) : undefined;
    if (!session || !missed) {
      if (session) sessions.delete(session.id);
      stats.invalidated += 1;
      send(connection, { op: 9, d: false, s: null, t: null });
      return;
    }
    if (!(seq <= session.seq)) throw new Closed(4007, 'Invalid sequence.');
    session.socket?.close(4000, 'Resumed elsewhere.');
    session.socket = connection.socket;
    session.awaySince = undefined;
    connection.session = session;
    stats.resumed += 1;
    for (const frame of missed) connection.socket.send(frame);
    sendDispatch(session, 'RESUMED', { _trace: ['["lab"]'] });
    core.state.emit({ type: 'app' });
  }

  const open = () => [...connections].filter(({ socket }) => socket.readyState === socket.OPEN);

  return {
    stats,
    count: () => [...connections].filter(({ session }) => session !== undefined).length,
    handleUpgrade(request, socket, head) {
      const url = new URL(request.url ?? '/', 'http://lab');
      const isRefused = closing || core.settings.outage;
      if (url.pathname !== '/' || isRefused || url.searchParams.has('compress')) {
        const status = isRefused ? '503 Service Unavailable' : '400 Bad Request';
        socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
        return;
      }
      server.handleUpgrade(request, socket, head, (accepted) => {
        if (url.searchParams.get('v') !== '10') accepted.close(4012, 'Invalid API version.');
        else if (url.searchParams.get('encoding') !== 'json') accepted.close(4002, 'Error while decoding payload.');
        else accept(accepted);
      });
    },
    dispatch(event) {
      for (const session of sessions.values()) {
        if (session.awaySince !== undefined && core.now() - session.awaySince > core.timing.resume) {
          sessions.delete(session.id);
          continue;
        }
        const d = shareOf(session, event, core.settings.grantedIntents);
        if (d) sendDispatch(session, event.t, d);
      }
    },
    closeSockets(code, reason) {
      for (const { socket } of open()) socket.close(code, reason);
    },
    cut() {
      for (const { socket } of [...connections]) socket.terminate();
    },
    requestReconnect() {
      for (const connection of open()) send(connection, { op: 7, d: null, s: null, t: null });
    },
    invalidate(resumable) {
      for (const connection of open()) {
        if (!resumable) forget(connection);
        stats.invalidated += 1;
        send(connection, { op: 9, d: resumable, s: null, t: null });
      }
      if (!resumable) sessions.clear();
    },
    requestHeartbeat() {
      for (const connection of open()) send(connection, { op: 1, d: null, s: null, t: null });
    },
    ackHeartbeats(on) {
      acks = on;
    },
    sendRaw(frame) {
      for (const connection of open()) send(connection, frame);
    },
    async close() {
      closing = true;
      await Promise.all([...connections].map(({ socket }) => closeSocket(socket)));
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
