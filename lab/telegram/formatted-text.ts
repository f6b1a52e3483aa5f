import { badRequest } from './api-error.ts';
import type { Args } from './args.ts';
import { withFound } from './auto-entities.ts';
import type { Core } from './core.ts';
import { checkedEntities, readEntities } from './entity-rules.ts';
import type { Entity } from './model.ts';
import { parseHtml } from './parse-html.ts';
import { parseMarkdown, parseMarkdownV2 } from './parse-markdown.ts';

/** A text with its entities, cleaned as the server cleans it. */
export interface FormattedText {
  text: string;
  entities: Entity[];
}

export const MAX_TEXT = 4_096;
export const MAX_CAPTION = 1_024;

export interface TextFields {
  text: string;
  entities: string;
}

/** The text of a call: parsed by `parse_mode`, or with the entities given. */
export function formattedText(core: Core, args: Args, fields: TextFields): FormattedText {
  const raw = args.text(fields.text);
  return readText(core, raw, args.text('parse_mode'), args.json(fields.entities, 'entities'));
}

export function readText(core: Core, raw: string, parseMode: string, entities: unknown): FormattedText {
  const parsed = parse(core, raw, parseMode.toLowerCase(), entities);
  return cleaned(parsed.text, parsed.entities);
}

/** A parse mode wins over entities. */
function parse(core: Core, raw: string, mode: string, entities: unknown): FormattedText {
  if (mode === 'html') return parseHtml(core, raw);
  if (mode === 'markdownv2') return parseMarkdownV2(core, raw);
  if (mode === 'markdown') return parseMarkdown(raw);
  if (mode !== '' && mode !== 'none') throw badRequest('unsupported parse_mode');
  return { text: raw, entities: readEntities(core, entities) };
}

/** What is stored: line ends and control characters replaced, spaces around the text cut, links and mentions found. */
export function cleaned(raw: string, entities: readonly Entity[]): FormattedText {
  const text = raw.replace(/\r(?!\n)/g, '\n').replace(/(?![\r\n])\p{Cc}/gu, ' ');
  const checked = checkedEntities(text, entities);
  const unreturned = withoutReturns(text, checked);
  const end = unreturned.text.trimEnd().length;
  const firstEntity = unreturned.entities[0]?.offset ?? end;
  const leading = unreturned.text.length - unreturned.text.replace(/^[ \n]+/, '').length;
  const start = Math.min(leading, firstEntity, end);
  const cut = unreturned.text.slice(start, end);
  const moved = unreturned.entities.flatMap((entity) => {
    const offset = entity.offset - start;
    const length = Math.min(entity.length, cut.length - offset);
    return length > 0 && cut.slice(offset, offset + length).trim() !== '' ? [{ ...entity, offset, length }] : [];
  });
  return { text: cut, entities: withFound(cut, moved) };
}

/** Without the carriage returns of Windows line ends. */
function withoutReturns(text: string, entities: readonly Entity[]): FormattedText {
  if (!text.includes('\r')) return { text, entities: [...entities] };
  const before = (at: number) => at - (text.slice(0, at).split('\r').length - 1);
  return {
    text: text.replaceAll('\r', ''),
    entities: entities.map((entity) => {
      const offset = before(entity.offset);
      return { ...entity, offset, length: before(entity.offset + entity.length) - offset };
    }),
  };
}
