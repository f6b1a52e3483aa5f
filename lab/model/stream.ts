import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Json } from '../slack/json.ts';
import type { ModelFault } from './faults.ts';
import { type StreamEvent, sse } from './pieces.ts';

/**
 * Sends the events, one write each, with `paceMs` between them. A fault in mid-stream cuts the connection, goes silent until the caller has
 * left, or ends with `trouble`. Resolves when all is sent or the caller has left.
 */
export async function sendStream(
  response: ServerResponse,
  events: readonly StreamEvent[],
  options: { paceMs: number; fault: ModelFault | undefined; trouble: StreamEvent },
): Promise<void> {
  const { paceMs, fault, trouble } = options;
  const stopAt = fault?.midStream === undefined ? events.length : (fault.afterEvents ?? Math.floor(events.length / 2));
  const left = once(response, 'close');
  for (const event of events.slice(0, stopAt)) {
    if (response.destroyed) return;
    if (!response.write(sse(event))) await Promise.race([once(response, 'drain'), left]);
    if (paceMs > 0) await Promise.race([delay(paceMs), left]);
  }
  if (fault?.midStream === 'drop') response.destroy();
  else if (fault?.midStream === 'stall') await left;
  else response.end(fault?.midStream === 'error' ? sse(trouble) : undefined);
}

export function sendJson(response: ServerResponse, status: number, body: Json): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
