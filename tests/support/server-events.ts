import { expect } from 'vitest';

/** Reads server-sent events of a lab page until `count` have come. */
export async function readEvents<Event>(
  url: string,
  count: number,
  headers: Record<string, string> = {},
): Promise<{ id: number; event: Event }[]> {
  const abort = new AbortController();
  const response = await fetch(url, { headers, signal: abort.signal });
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  const events: { id: number; event: Event }[] = [];
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    const parts = text.split('\n\n');
    text = parts.pop() ?? '';
    for (const part of parts) {
      const match = /^id: (\d+)\ndata: (.*)$/s.exec(part);
      if (match) events.push({ id: Number(match[1]), event: JSON.parse(match[2] ?? '') });
    }
    if (events.length >= count) break;
  }
  abort.abort();
  return events;
}
