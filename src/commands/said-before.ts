import type { PastMessage } from '../contracts/chat-adapter.ts';

/** A message as an agent is given it: who said it, and how much that person is trusted here. */
export interface SaidBefore extends Pick<PastMessage, 'at' | 'text' | 'attachments'> {
  by: string;
  /** Role of the author here, or what else it is. */
  trust: 'owner' | 'maintainer' | 'developer' | 'guest' | 'external' | 'bot';
}

/** Most messages, and bytes of all together, that an agent is given with a request. */
const mostMessages = 50;
const mostBytes = 20_000;
const mostCharacters = 4_000;

/**
 * The messages as one text, the newest of them that fit, oldest first: a line for who and when, the words below it set in. Nothing in the
 * words can look like such a line. Undefined: there is nothing to say.
 */
export function quoteMessages(messages: readonly SaidBefore[]): { text: string; messages: number } | undefined {
  const told = messages.filter(({ text, attachments }) => text.trim() !== '' || attachments.length > 0).slice(-mostMessages);
  const kept: string[] = [];
  let bytes = 0;
  for (const one of told.toReversed()) {
    const quoted = quote(one);
    bytes += Buffer.byteLength(quoted) + 1;
    if (bytes > mostBytes) break;
    kept.unshift(quoted);
  }
  return kept.length === 0 ? undefined : { text: kept.join('\n'), messages: kept.length };
}

function quote({ at, by, trust, text, attachments }: SaidBefore): string {
  const whole = text.length <= mostCharacters ? text : `${text.slice(0, mostCharacters)}… (shortened)`;
  const files = attachments.map(({ name }) => oneLine(name)).join(', ');
  const lines = [
    ...(whole === '' ? [] : whole.split(/\r\n|[\n\r\u2028\u2029]/)),
    ...(files === '' ? [] : [`(attached: ${files})`]),
  ];
  return [`[${at.slice(0, 16).replace('T', ' ')} UTC] ${oneLine(by)} (${trust}):`, ...lines.map((line) => `  ${line}`)].join(
    '\n',
  );
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, 200);
}
