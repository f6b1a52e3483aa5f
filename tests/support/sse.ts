import { type ClientRequest, type IncomingMessage, request } from 'node:http';

/** One event as a reader of a stream has understood it. */
export interface ReadEvent {
  id: string | undefined;
  event: string;
  data: string;
}

/** What a stream has brought so far. */
export interface SseReader {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly events: readonly ReadEvent[];
  /** Every field of the stream that is no event: comments and `retry`. */
  readonly notes: readonly string[];
  readonly closed: boolean;
  /** The whole answer, for those that are no streams. */
  readonly text: string;
  /** Takes no more from the connection until `resume`. */
  pause(): void;
  resume(): void;
  /** Drops the connection, as a network does. */
  drop(): void;
}

/** Parses a stream as the HTML standard has it: what is not ended by an empty line is not there. Feed it pieces in any partition. */
export function createSseParser(on: { event(event: ReadEvent): void; note(text: string): void }): (piece: string) => void {
  let rest = '';
  let id: string | undefined;
  let event = '';
  let data: string[] = [];
  const line = (text: string) => {
    if (text === '') {
      if (data.length > 0) on.event({ id, event: event === '' ? 'message' : event, data: data.join('\n') });
      id = undefined;
      event = '';
      data = [];
      return;
    }
    const colon = text.indexOf(':');
    const field = colon === -1 ? text : text.slice(0, colon);
    const value = colon === -1 ? '' : text.slice(colon + 1).replace(/^ /, '');
    if (field === 'id') id = value;
    else if (field === 'event') event = value;
    else if (field === 'data') data.push(value);
    else on.note(field === '' ? `:${value}` : `${field}: ${value}`);
  };
  return (piece) => {
    const lines = (rest + piece).split(/\r\n|\n|\r/);
    rest = lines.pop() ?? '';
    for (const one of lines) line(one);
  };
}

/** Opens a stream; resolves with the head of the answer. */
export function readSse(url: string, headers: Record<string, string>): Promise<SseReader> {
  const { promise, resolve, reject } = Promise.withResolvers<SseReader>();
  const asked: ClientRequest = request(url, { headers: { accept: 'text/event-stream', ...headers } }, (answer) => {
    const events: ReadEvent[] = [];
    const notes: string[] = [];
    let text = '';
    let closed = false;
    const parse = createSseParser({ event: (event) => void events.push(event), note: (note) => void notes.push(note) });
    answer.setEncoding('utf8');
    answer.on('data', (piece: string) => {
      text += piece;
      parse(piece);
    });
    answer.on('close', () => {
      closed = true;
    });
    answer.on('error', () => undefined);
    resolve({
      status: answer.statusCode ?? 0,
      headers: answer.headers,
      events,
      notes,
      get closed() {
        return closed;
      },
      get text() {
        return text;
      },
      pause: () => void answer.pause(),
      resume: () => void answer.resume(),
      drop: () => void asked.destroy(),
    });
  });
  asked.on('error', reject);
  asked.end();
  return promise;
}
