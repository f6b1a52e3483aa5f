import type { RunEventData } from '../../src/contracts/run-event.ts';

/** A longer word is given in pieces: no secret but a private key has so many characters without a space. */
const longestWord = 4096;

/**
 * Cuts streamed text so that no word is split between two pieces: what is redacted piece by piece must not show a secret in halves.
 * `held` is what of earlier pieces has not been given yet.
 */
export function takeText(held: string, delta: string): { text: string; held: string } {
  const all = held + delta;
  if (all.length - lastBreak(all) > longestWord) return { text: all, held: '' };
  const at = lastBreak(all);
  return { text: all.slice(0, at), held: all.slice(at) };
}

/** Where the last word begins. */
function lastBreak(text: string): number {
  for (let at = text.length; at > 0; at -= 1) if (/\s/.test(text[at - 1] ?? '')) return at;
  return 0;
}

/** Adds an event to those that are stored together. Pieces of one text that follow on from one another become one. */
export function addEvent(events: RunEventData[], event: RunEventData): void {
  const last = events.at(-1);
  const isPiece = event.type === 'assistant' || event.type === 'thinking';
  if (isPiece && last?.type === event.type && last.part === event.part && !last.final) {
    events[events.length - 1] = { ...event, text: last.text + event.text };
  } else {
    events.push(event);
  }
}
