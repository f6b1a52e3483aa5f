import type { WebSocket } from 'ws';
import type { Json } from '../slack/json.ts';
import type { Dispatch } from './core.ts';
import { has, INTENTS } from './flags.ts';

/** A gateway session: what a client that was away may ask to be told again. */
export interface Session {
  id: string;
  intents: number;
  /** Number of the newest event. */
  seq: number;
  /** Newest events, oldest first. */
  kept: { s: number; frame: string }[];
  socket: WebSocket | undefined;
  /** Since when there is no connection, milliseconds since 1970. */
  awaySince: number | undefined;
}

/** A client that was away longer than this many events must start anew. */
const KEPT = 5_000;

export function newSession(id: string, intents: number, socket: WebSocket): Session {
  return { id, intents, seq: 0, kept: [], socket, awaySince: undefined };
}

/** Numbers the event, keeps it, and sends it where there is a connection. */
export function sendDispatch(session: Session, t: string, d: Json): void {
  session.seq += 1;
  const frame = JSON.stringify({ op: 0, t, s: session.seq, d });
  session.kept.push({ s: session.seq, frame });
  if (session.kept.length > KEPT) session.kept.shift();
  if (session.socket?.readyState === session.socket?.OPEN) session.socket?.send(frame);
}

/** What this session gets to see of an event; nothing when it did not ask for such events. */
export function shareOf(session: Session, event: Dispatch, grantedIntents: number): Json | undefined {
  if (event.intents !== 0 && (event.intents & session.intents) === 0) return undefined;
  const seesContent = has(session.intents & grantedIntents, INTENTS.MESSAGE_CONTENT);
  return seesContent ? event.d : (event.bare ?? event.d);
}

/** The events after `seq`, or nothing when some of them are not kept any more. */
export function eventsAfter(session: Session, seq: number): string[] | undefined {
  const oldest = session.kept[0]?.s ?? session.seq + 1;
  if (seq < oldest - 1) return undefined;
  return session.kept.filter((entry) => entry.s > seq).map((entry) => entry.frame);
}
