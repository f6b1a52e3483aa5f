import { boolean, byType, list, number, object, oneOf, string } from './schema.ts';

/** The `rich_text` block and its parts, as far as the Block Kit reference and @slack/types 3.2 define them. */

const style = object(
  {},
  {
    bold: boolean,
    italic: boolean,
    strike: boolean,
    code: boolean,
    underline: boolean,
    highlight: boolean,
    client_highlight: boolean,
    unlink: boolean,
  },
);
const border = oneOf(0, 1);

const text = object({ type: oneOf('text'), text: string({ min: 1 }) }, { style });
const link = object({ type: oneOf('link'), url: string({ min: 1, max: 3000 }) }, { text: string(), unsafe: boolean, style });

const inline = byType({
  text,
  link,
  broadcast: object({ type: oneOf('broadcast'), range: oneOf('here', 'channel', 'everyone') }, { style }),
  color: object({ type: oneOf('color'), value: string({ min: 1 }) }, { style }),
  channel: object({ type: oneOf('channel'), channel_id: string({ min: 1 }) }, { style }),
  date: object(
    { type: oneOf('date'), timestamp: number(), format: string({ min: 1 }) },
    { url: string(), fallback: string(), style },
  ),
  emoji: object(
    { type: oneOf('emoji'), name: string({ min: 1 }) },
    { unicode: string(), url: string(), skin_tone: number(), style },
  ),
  team: object({ type: oneOf('team'), team_id: string({ min: 1 }) }, { style }),
  user: object({ type: oneOf('user'), user_id: string({ min: 1 }) }, { style }),
  usergroup: object({ type: oneOf('usergroup'), usergroup_id: string({ min: 1 }) }, { style }),
});

const MANY = { min: 0, max: 10_000 };
const section = object({ type: oneOf('rich_text_section'), elements: list(inline, MANY) });
const listItems = byType({ rich_text_section: section });

const parts = byType({
  rich_text_section: section,
  rich_text_list: object(
    { type: oneOf('rich_text_list'), style: oneOf('bullet', 'ordered'), elements: list(listItems, MANY) },
    { indent: number({ min: 0, max: 8 }), offset: number({ min: 0 }), border },
  ),
  rich_text_quote: object({ type: oneOf('rich_text_quote'), elements: list(inline, MANY) }, { border }),
  rich_text_preformatted: object(
    { type: oneOf('rich_text_preformatted'), elements: list(byType({ text, link }), MANY) },
    { border, language: string() },
  ),
});

export const richTextFields = { elements: list(parts, MANY) };
export const richText = object({ type: oneOf('rich_text'), ...richTextFields }, { block_id: string({ max: 255 }) });
