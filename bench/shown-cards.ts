import type { LivePlatform, PlatformCall } from './live-platform.ts';

interface Card {
  /** Number of its task, `#12`. */
  task: string | undefined;
  done: boolean;
  /** Of the cards of a run that is over only the end card has buttons. */
  end: boolean;
}

/** Read once: thousands of calls are looked at again and again, by the process in which the platform is emulated. */
const read = new WeakMap<PlatformCall, Card>();

function cardOf(chat: LivePlatform, call: PlatformCall): Card {
  const known = read.get(call);
  if (known !== undefined) return known;
  const text = chat.textOf(call);
  const card = {
    task: /#\d+/.exec(text)?.[0],
    done: /\bdone\b/.test(text),
    end: JSON.stringify(call.args).includes('Retry'),
  };
  read.set(call, card);
  return card;
}

function doneTask(chat: LivePlatform, call: PlatformCall): string | undefined {
  const { task, done } = cardOf(chat, call);
  return done ? task : undefined;
}

/** Task -> when its end cards were shown; one each when all is well. */
export function endCards(chat: LivePlatform): Map<string, number[]> {
  const shown = new Map<string, number[]>();
  for (const call of chat.calls()) {
    if (!call.ok || call.method !== chat.methods.send || !cardOf(chat, call).end) continue;
    const task = doneTask(chat, call);
    if (task !== undefined) shown.set(task, [...(shown.get(task) ?? []), call.at]);
  }
  return shown;
}

/** Tasks whose live card says that the run is over. */
export function settledCards(chat: LivePlatform): Set<string> {
  const { send, edit } = chat.methods;
  const cards = chat
    .calls()
    .filter((call) => call.ok && (call.method === send || call.method === edit) && !cardOf(chat, call).end);
  return new Set(cards.flatMap((call) => doneTask(chat, call) ?? []));
}

/** Task -> when its first card was shown. */
export function firstCards(chat: LivePlatform): Map<string, number> {
  const first = new Map<string, number>();
  for (const call of chat.calls()) {
    if (!call.ok || call.method !== chat.methods.send) continue;
    const { task } = cardOf(chat, call);
    if (task !== undefined && !first.has(task)) first.set(task, call.at);
  }
  return first;
}
