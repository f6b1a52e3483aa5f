import { isRecord, type Json } from '../slack/json.ts';
import type { Problem } from './api-error.ts';
import { messageComponents } from './component-rules.ts';
import { all, type Check, decimal, fail, flag, integer, list, object, oneOf, snowflake, text, url } from './schema.ts';

/** What message bodies must look like. Limits: Discord's OpenAPI document; `content` 2,000, which holds for bots (guide). */

export const MAX_CONTENT = 2_000;
const link = url('http', 'https');
const media = url('http', 'https', 'attachment');

const embed = object(
  {},
  {
    type: text(),
    url: link,
    title: text({ max: 256 }),
    color: integer({ min: 0, max: 0xffffff }),
    timestamp: text(),
    description: text({ max: 4096 }),
    author: object({ name: text({ max: 256 }) }, { url: link, icon_url: media }),
    image: object({ url: media }),
    thumbnail: object({ url: media }),
    footer: object({ text: text({ max: 2048 }) }, { icon_url: media }),
    fields: list(object({ name: text({ min: 1, max: 256 }), value: text({ min: 1, max: 1024 }) }, { inline: flag }), { max: 25 }),
  },
);

const MAX_EMBED_TEXT = 6_000;

const embeds: Check = all(list(embed, { max: 10 }), (value, path, problems) => {
  if (!Array.isArray(value)) return;
  const length = value.reduce((sum: number, entry) => sum + embedText(entry), 0);
  if (length > MAX_EMBED_TEXT)
    fail(problems, path, 'MAX_EMBED_SIZE_EXCEEDED', `Embed size exceeds maximum size of ${MAX_EMBED_TEXT}`);
});

function embedText(value: unknown): number {
  if (!isRecord(value)) return 0;
  const fields = Array.isArray(value.fields) ? value.fields.filter(isRecord) : [];
  const parts = [
    value.title,
    value.description,
    isRecord(value.author) ? value.author.name : '',
    isRecord(value.footer) ? value.footer.text : '',
    ...fields.flatMap((field) => [field.name, field.value]),
  ];
  return parts.reduce((sum: number, part) => sum + (typeof part === 'string' ? part.length : 0), 0);
}

const allowedMentions: Check = all(
  object(
    {},
    {
      parse: list(oneOf('users', 'roles', 'everyone'), { max: 3 }),
      users: list(snowflake, { max: 100 }),
      roles: list(snowflake, { max: 100 }),
      replied_user: flag,
    },
  ),
  (value, path, problems) => {
    if (!isRecord(value) || !Array.isArray(value.parse)) return;
    for (const kind of ['users', 'roles'] as const) {
      const ids = value[kind];
      if (value.parse.includes(kind) && Array.isArray(ids) && ids.length > 0)
        fail(
          problems,
          path,
          'MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE',
          `parse:["${kind}"] and ${kind}: [ids...] are mutually exclusive.`,
        );
    }
  },
);

const attachment = object(
  { id: snowflake },
  {
    filename: text({ min: 1, max: 1024 }),
    description: text({ max: 1024 }),
    title: text({ max: 1024 }),
    duration_secs: decimal({ min: 0 }),
    waveform: text({ max: 400 }),
    is_spoiler: flag,
  },
);

const nonce: Check = (value, path, problems) => {
  if (typeof value === 'number') return integer()(value, path, problems);
  text({ max: 25 })(value, path, problems);
};

/** The fields of a message body. `isV2`: the message has, or gets, the flag IS_COMPONENTS_V2. */
export function messageBody(isV2: boolean): Check {
  return all(
    object(
      {},
      {
        content: text({ max: MAX_CONTENT }),
        embeds,
        allowed_mentions: allowedMentions,
        sticker_ids: list(snowflake, { max: 3 }),
        components: messageComponents(isV2),
        flags: integer({ min: 0 }),
        attachments: list(attachment, { max: 10 }),
        message_reference: object(
          { message_id: snowflake },
          { guild_id: snowflake, channel_id: snowflake, fail_if_not_exists: flag, type: oneOf(0, 1) },
        ),
        nonce,
        enforce_nonce: flag,
        tts: flag,
        username: text({ min: 1, max: 80 }),
        avatar_url: link,
      },
    ),
    (value, path, problems) => {
      if (isV2 && isRecord(value)) refuseLegacyFields(value, path, problems);
    },
  );
}

const LEGACY = ['content', 'embeds', 'sticker_ids', 'poll'];

function refuseLegacyFields(value: Json, path: readonly (string | number)[], problems: Problem[]): void {
  for (const field of LEGACY) {
    const entry = value[field];
    const isSet = Array.isArray(entry) ? entry.length > 0 : entry !== undefined && entry !== null && entry !== '';
    if (isSet)
      fail(
        problems,
        [...path, field],
        'MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2',
        `The '${field}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2`,
      );
  }
}
