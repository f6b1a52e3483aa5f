import type { Json } from '../slack/json.ts';

/** One server-sent event. */
export interface StreamEvent {
  type: string;
  data: Json;
}

export const sse = ({ type, data }: StreamEvent) => `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;

/** `text` in parts of `size` characters, none of which splits a character of two units. */
export function pieces(text: string, size: number): string[] {
  const characters = [...text];
  return Array.from({ length: Math.ceil(characters.length / size) }, (_, at) =>
    characters.slice(at * size, (at + 1) * size).join(''),
  );
}
