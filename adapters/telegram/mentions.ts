import type { Entity } from './payloads.ts';
import type { InboundContext } from './reading.ts';
import { clean } from './telegram-text.ts';

/** Text with the entities Telegram found in it. Offsets are UTF-16 units, as JavaScript counts. */
export interface Typed {
  text: string;
  entities: readonly Entity[];
}

type Bot = Pick<InboundContext, 'bot' | 'username'>;

/** Whether an entity names the bot. */
function isMention({ text }: Typed, entity: Entity, bot: Bot): boolean {
  if (entity.type === 'text_mention') return String(entity.user?.id) === bot.bot;
  if (entity.type !== 'mention') return false;
  return text.slice(entity.offset, entity.offset + entity.length).toLowerCase() === `@${bot.username.toLowerCase()}`;
}

/** Takes the first mention of the bot out, a leading one with the punctuation behind it. `undefined` when the bot is not mentioned. */
export function cutMention(typed: Typed, bot: Bot): string | undefined {
  const mention = typed.entities.find((entity) => isMention(typed, entity, bot));
  if (mention === undefined) return undefined;
  const end = mention.offset + mention.length;
  const before = words(within(typed, 0, mention.offset)).trimEnd();
  const after = words(within(typed, end, typed.text.length)).trimStart();
  if (before === '') return after.replace(/^[,:]\s*/, '');
  return after === '' ? before : `${before} ${after}`;
}

/**
 * What was typed. Somebody without a user name is mentioned by an entity alone and reads `<@id>` or `<@id|name>`, so that
 * `member add <@…>` names an account.
 */
export function words({ text, entities }: Typed): string {
  let result = '';
  let from = 0;
  for (const { type, offset, length, user } of entities.toSorted((one, other) => one.offset - other.offset)) {
    if (type !== 'text_mention' || user === undefined || offset < from) continue;
    const name = text.slice(offset, offset + length).replace(/^@/, '');
    result += text.slice(from, offset) + (/[\s<>|]/.test(name) || name === '' ? `<@${user.id}>` : `<@${user.id}|${name}>`);
    from = offset + length;
  }
  return clean(result + text.slice(from));
}

/** A part of a text with the entities that lie in it. */
export function within({ text, entities }: Typed, start: number, end: number): Typed {
  return {
    text: text.slice(start, end),
    entities: entities
      .filter(({ offset, length }) => offset >= start && offset + length <= end)
      .map((entity) => ({ ...entity, offset: entity.offset - start })),
  };
}
