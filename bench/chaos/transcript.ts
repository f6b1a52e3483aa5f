import type { SlackEmulator } from '../../lab/slack/emulator.ts';
import { BOT_USER } from '../../lab/slack/seed.ts';
import { type Seen, seen } from '../../lab/slack/visible-text.ts';

/** A message of the bot as people see it now. */
export interface Shown {
  message: Seen;
  /** Everything readable as one line. */
  text: string;
  buttons: readonly string[];
}

/** The cards that the platform shows, kept up with every change. A card begins with the number of its task: `#12 …`. */
export interface Transcript {
  /** All cards of the tasks with this marker in their command, oldest first. */
  of(marker: string): readonly Shown[];
  /** Numbers of tasks that have cards of which none says the marker of a command. */
  strays(): readonly string[];
}

export function keepTranscript({ core }: SlackEmulator): Transcript {
  const cards = new Map<string, Map<string, Shown>>();
  const numbers = new Map<string, Set<string>>();
  core.state.subscribe((change) => {
    if (change.type !== 'message' && change.type !== 'message_removed') return;
    const { user, visible_to: privately, channel, ts } = change.message;
    if (user !== BOT_USER || privately !== undefined) return;
    const message = seen(core, change.message);
    const text = message.plain.replace(/\s+/g, ' ');
    const [number] = /^#\d+(?= )/.exec(text) ?? [];
    const [marker] = /chaos-\d+/.exec(text) ?? [];
    if (number === undefined) return;
    const own = cards.get(number) ?? new Map<string, Shown>();
    cards.set(number, own);
    if (change.type === 'message_removed') own.delete(`${channel} ${ts}`);
    else own.set(`${channel} ${ts}`, { message, text, buttons: message.buttons });
    if (marker !== undefined) numbers.set(marker, (numbers.get(marker) ?? new Set()).add(number));
  });
  return {
    of: (marker) => [...(numbers.get(marker) ?? [])].flatMap((number) => [...(cards.get(number)?.values() ?? [])]),
    strays() {
      const known = new Set([...numbers.values()].flatMap((all) => [...all]));
      return [...cards.keys()].filter((number) => !known.has(number));
    },
  };
}
