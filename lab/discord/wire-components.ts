import { isRecord, type Json } from '../slack/json.ts';
import { COMPONENT as C } from './flags.ts';
import { snowflakeOf } from './ids.ts';
import type { Component, FileRecord } from './model.ts';

/** Components as Discord gives them back: with what the app left out, and with their media resolved. */

/** A file of the message and its address now. */
export interface LinkedFile {
  file: FileRecord;
  url: string;
}

const select: Json = { min_values: 1, max_values: 1 };
/** What Discord writes for fields the app has not given, by component type (the `…ComponentResponse` of its OpenAPI document). */
const DEFAULTS: Record<number, Json> = {
  [C.STRING_SELECT]: select,
  [C.USER_SELECT]: select,
  [C.ROLE_SELECT]: select,
  [C.MENTIONABLE_SELECT]: select,
  [C.CHANNEL_SELECT]: select,
  [C.THUMBNAIL]: { description: null, spoiler: false },
  [C.FILE]: { spoiler: false },
  [C.SEPARATOR]: { spacing: 1, divider: true },
  [C.CONTAINER]: { accent_color: null, spoiler: false },
};
const GALLERY_ITEM: Json = { description: null, spoiler: false };

export function wireComponent(component: Component, files: readonly LinkedFile[]): Json {
  return wired(component, files);
}

function wired(component: Json, files: readonly LinkedFile[]): Json {
  const type = Number(component.type);
  const shown: Json = { ...DEFAULTS[type], ...component };
  const nested = (value: unknown) => (isRecord(value) ? wired(value, files) : value);
  for (const key of ['accessory', 'component']) if (key in shown) shown[key] = nested(shown[key]);
  if (Array.isArray(shown.components)) shown.components = shown.components.map(nested);
  if ('media' in shown) shown.media = wireMedia(shown.media, files);
  if (Array.isArray(shown.items))
    shown.items = shown.items.map((item) =>
      isRecord(item) ? { ...GALLERY_ITEM, ...item, media: wireMedia(item.media, files) } : item,
    );
  if (type !== C.FILE) return shown;
  const file = linkedTo(shown.file, files)?.file;
  return { ...shown, file: wireMedia(shown.file, files), name: file?.filename ?? null, size: file?.size ?? null };
}

/** `attachment://name` as the address of the file; an address elsewhere goes through Discord's proxy. */
function wireMedia(media: unknown, files: readonly LinkedFile[]): unknown {
  if (!isRecord(media) || typeof media.url !== 'string') return media;
  const linked = linkedTo(media, files);
  if (!linked) return { id: snowflakeOf(media.url), url: media.url, proxy_url: media.url, width: null, height: null };
  const { file, url } = linked;
  return {
    id: file.id,
    url,
    proxy_url: url,
    width: null,
    height: null,
    content_type: file.content_type,
    attachment_id: file.id,
  };
}

function linkedTo(media: unknown, files: readonly LinkedFile[]): LinkedFile | undefined {
  const url = isRecord(media) ? media.url : undefined;
  return files.find(({ file }) => url === `attachment://${file.filename}`);
}
