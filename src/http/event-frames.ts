import type { ApiEvent } from '../contracts/api.ts';

/**
 * Server-sent events as bytes, as the HTML standard has them: fields are lines, an empty line ends an event. JSON has no line breaks of its own,
 * so one `data:` line carries it, whatever is in its texts.
 */

/** An event of a run. Its number is what a reader that comes back says it had last. */
export function eventFrame(event: ApiEvent): string {
  return `id: ${event.seq}\nevent: ${event.data.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** What is told about the stream itself. It has no number: a reader that comes back goes on after the last event of the run. */
export function noticeFrame(event: 'end' | 'closed', data: object): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** How long a reader whose connection has ended waits before it comes back. */
export function retryFrame(ms: number): string {
  return `retry: ${Math.round(ms)}\n\n`;
}

/** Ignored by readers; shows both ends, and what is between them, that the connection lives. */
export const heartbeatFrame = ':\n\n';

/** The number that a reader says it had last; undefined for what is no such number. */
export function eventNumber(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
