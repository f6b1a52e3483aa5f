import { isRecord, type Json } from '../slack/json.ts';
import { badRequest } from './api-error.ts';
import { createArgs } from './args.ts';
import { MAX_DOWNLOAD, storeFile } from './files.ts';
import { type FormattedText, formattedText, MAX_CAPTION, readText } from './formatted-text.ts';
import { digits } from './ids.ts';
import { answering, type Method, type MethodCall } from './method.ts';
import type { FileRecord } from './model.ts';
import { placeOf, requireLength, sendAs } from './sending.ts';
import { wireFile, wireMessage } from './wire.ts';

type Kind = FileRecord['kind'];

const MAX_ALBUM = 10;
const CAPTION_TOO_LONG = 'message caption is too long';

/** The file of a call: uploaded under its own name, `attach://<part>`, or the id of a file the bot knows. */
function fileOf(call: MethodCall, kind: Kind, value: string, ownPart: string | undefined): FileRecord {
  const { core, files } = call;
  const part = value.startsWith('attach://') ? value.slice('attach://'.length) : ownPart;
  const uploaded = part === undefined ? undefined : files.get(part);
  if (uploaded) return storeFile(core, { kind, name: uploaded.name, content: uploaded.content });
  if (value.startsWith('attach://')) throw badRequest(`wrong file identifier/HTTP URL specified`);
  if (value === '') throw badRequest(`there is no ${kind} in the request`);
  // The emulator reaches no other hosts.
  if (/^https?:\/\//i.test(value)) throw badRequest('failed to get HTTP URL content');
  const known = core.state.files.get(value);
  if (!known) throw badRequest('wrong remote file identifier specified: Wrong string length');
  if (known.kind !== kind) throw badRequest(`can't use file of type ${title(known.kind)} as ${title(kind)}`);
  return known;
}

const title = (kind: Kind) => (kind === 'photo' ? 'Photo' : 'Document');

function sendFile(call: MethodCall, kind: Kind): Json {
  const place = placeOf(call);
  const caption = formattedText(call.core, call.args, { text: 'caption', entities: 'caption_entities' });
  requireLength(caption, MAX_CAPTION, { long: CAPTION_TOO_LONG });
  const file = fileOf(call, kind, call.args.text(kind), kind);
  return wireMessage(call.core, sendAs(call, place, { ...captioned(caption), media: { kind, file: file.id } }));
}

const captioned = ({ text, entities }: FormattedText) => ({ caption: text === '' ? undefined : text, entities });

interface AlbumItem {
  kind: Kind;
  media: string;
  caption: FormattedText;
}

function albumItem(call: MethodCall, value: Json): AlbumItem {
  const { type, media } = value;
  const fail = (detail: string) => badRequest(`can't parse InputMedia: ${detail}`);
  if (typeof type !== 'string') throw fail('Can\'t find field "type"');
  if (typeof media !== 'string' || media === '') throw fail('media not found');
  if (type === 'animation') throw fail('type "animation" can\'t be used in sendMediaGroup');
  if (!['photo', 'document', 'video', 'audio', 'live_photo'].includes(type)) throw fail(`type "${type}" is unsupported`);
  if (type !== 'photo' && type !== 'document') throw fail(`the emulator keeps no files of type "${type}"`);
  const args = createArgs(value);
  const caption = readText(call.core, args.text('caption'), args.text('parse_mode'), args.json('caption_entities', 'entities'));
  requireLength(caption, MAX_CAPTION, { long: CAPTION_TOO_LONG });
  return { kind: type, media, caption };
}

/** An album: all of its messages or none. */
function sendMediaGroup(call: MethodCall): Json[] {
  const { core, args } = call;
  if (!args.has('media')) throw badRequest('parameter "media" is required');
  const given = args.json('media', 'media');
  if (!Array.isArray(given)) throw badRequest('expected an Array of InputMedia');
  if (given.length === 0) throw badRequest('there are no messages to send');
  if (given.length > MAX_ALBUM) throw badRequest('too many messages to send as an album');
  const place = placeOf(call);
  if (place.markup.keyboard || place.markup.asks) throw badRequest("reply markup can't be used in an album");
  const items = given.map((entry: unknown) => {
    if (!isRecord(entry)) throw badRequest("can't parse InputMedia: expected an Object");
    return albumItem(call, entry);
  });
  const isMixed = items.some(({ kind }) => kind !== items[0]?.kind);
  if (isMixed) throw badRequest("document can't be mixed with other media types");
  const stored = items.map((item) => ({ ...item, file: fileOf(call, item.kind, item.media, undefined) }));
  const group = stored.length > 1 ? digits(17) : undefined;
  return stored.map(({ kind, file, caption }) =>
    wireMessage(core, sendAs(call, place, { ...captioned(caption), media: { kind, file: file.id }, media_group_id: group })),
  );
}

/** A link that works for an hour. */
function getFile({ core, args }: MethodCall): Json {
  if (!args.has('file_id')) throw badRequest('file_id not specified');
  const file = core.state.files.get(args.text('file_id'));
  if (!file) throw badRequest('invalid file_id');
  if (file.size > MAX_DOWNLOAD) throw badRequest('file is too big');
  core.state.files.put({ ...file, link_until: core.now() + core.timing.fileLink });
  return { ...wireFile(file), file_path: file.path };
}

export const fileMethods: Record<string, Method> = {
  sendDocument: answering((call) => sendFile(call, 'document')),
  sendPhoto: answering((call) => sendFile(call, 'photo')),
  sendMediaGroup: answering(sendMediaGroup),
  getFile: answering(getFile),
};
