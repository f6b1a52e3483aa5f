import type { CommandMenu } from '../../src/contracts/command-menu.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { typingOf } from './command-text.ts';
import { label } from './discord-text.ts';
import type { DiscordInteraction } from './payloads.ts';
import type { Place } from './reading.ts';

/** How many suggestions Discord shows, and how long a name or a value of one may be. */
const most = 25;
const maxText = 100;
const patienceMs = 2_000;

/** What the text in the option with the focus may become. Never rejects: without suggestions people type on. */
export async function suggestionsFor(
  interaction: DiscordInteraction,
  place: Place,
  menu: CommandMenu,
  logger: Logger,
): Promise<{ name: string; value: string }[]> {
  const user = interaction.member?.user ?? interaction.user;
  const typing = typingOf(menu, interaction.data?.options ?? []);
  if (user == null || typing === undefined) return [];
  const late = Promise.withResolvers<[]>();
  const timer = setTimeout(late.resolve, patienceMs, []);
  try {
    const asked = menu.complete({ text: typing.text, conversation: place.conversation, user: user.id });
    const completions = await Promise.race([asked, late.promise]);
    const values = new Map<string, string>();
    for (const completion of completions) {
      const value = typing.valueOf(completion);
      // A value is sent as it is: one that does not fit would be another text.
      if (value === undefined || value === '' || value.length > maxText || values.has(value)) continue;
      values.set(value, label(completion.hint === '' ? value : `${value.trim()}  ·  ${completion.hint}`, maxText, value));
    }
    return [...values].slice(0, most).map(([value, name]) => ({ name, value }));
  } catch (error) {
    logger.warn({ err: error }, 'no suggestions for discord');
    return [];
  } finally {
    clearTimeout(timer);
  }
}
