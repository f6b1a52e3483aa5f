import type { PastMessage } from '../contracts/chat-adapter.ts';

/** A message as an agent is given it: who said it, and how much that person is trusted here. */
export interface SaidBefore extends Pick<PastMessage, 'at' | 'message' | 'text' | 'attachments'> {
  by: string;
  /** Role of the author here, or what else it is. */
  trust: 'owner' | 'maintainer' | 'developer' | 'guest' | 'external' | 'bot';
}

/** Most messages, and bytes of all together, that an agent is given with a request. */
const mostMessages = 50;
const mostBytes = 20_000;
const mostCharacters = 4_000;

export interface Quoted {
  text: string;
  messages: number;
  guests: number;
  externals: number;
  bots: number;
}

/**
 * The messages as one text, the newest of them that fit, oldest first: a line for who and when, the words below it set in. Nothing in the
 * words can look like such a line. `kept`: which they are. Undefined: there is nothing to say.
 */
export function quoteMessages(messages: readonly SaidBefore[]): { quoted: Quoted; kept: SaidBefore[] } | undefined {
  const told = messages.filter(({ text, attachments }) => text.trim() !== '' || attachments.length > 0).slice(-mostMessages);
  const kept: SaidBefore[] = [];
  const texts: string[] = [];
  let bytes = 0;
  for (const one of told.toReversed()) {
    const quoted = quote(one);
    bytes += Buffer.byteLength(quoted) + 1;
    if (bytes > mostBytes) break;
    kept.unshift(one);
    texts.unshift(quoted);
  }
  if (kept.length === 0) return undefined;
  const of = (trust: SaidBefore['trust']) => kept.filter((one) => one.trust === trust).length;
  const counts = { messages: kept.length, guests: of('guest'), externals: of('external'), bots: of('bot') };
  return { quoted: { text: texts.join('\n'), ...counts }, kept };
}

function quote({ at, by, trust, text, attachments }: SaidBefore): string {
  const whole = text.length <= mostCharacters ? text : `${text.slice(0, mostCharacters)}… (shortened)`;
  const files = attachments.map(({ name }) => oneLine(name)).join(', ');
  const lines = [...(whole === '' ? [] : whole.split(lineEnd)), ...(files === '' ? [] : [`(attached: ${files})`])];
  return [`[${at.slice(0, 16).replace('T', ' ')} UTC] ${oneLine(by)} (${trust}):`, ...lines.map((line) => `  ${line}`)].join(
    '\n',
  );
}

/** Everything that anybody might take for the end of a line. */
const lineEnd = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/;

function oneLine(text: string): string {
  return text
    .replace(/[\s\u0085]+/g, ' ')
    .trim()
    .slice(0, 200);
}
