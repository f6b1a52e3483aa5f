import { invalidArguments, SlackApiError } from './api-error.ts';
import type { Args } from './args.ts';
import type { Core } from './core.ts';
import { isSnippetType, typeOfName, typeOfSnippet } from './file-types.ts';
import { newId } from './ids.ts';
import { isRecord, type Json } from './json.ts';
import { readBlocks } from './message-args.ts';
import { channelById, type Method, type MethodCall, threadOf } from './method.ts';
import type { Channel, FileRecord } from './model.ts';
import { pageOf } from './pages.ts';
import { wireFile } from './payloads.ts';
import { BOT_USER } from './seed.ts';
import { changeMessage, postMessage } from './workspace.ts';

/** `files.*`: the three-step upload, and what can be done with files afterwards. */

const WRITE = ['files:write'];
const MAX_SNIPPET = 1024 * 1024;
const MAX_FILE = 1024 * 1024 * 1024;
const MAX_CHANNELS = 100;

export const fileMethods: Record<string, Method> = {
  'files.getUploadURLExternal': { tier: 't4', scopes: WRITE, token: 'bot', handle: getUploadUrl },
  'files.completeUploadExternal': { tier: 't4', scopes: WRITE, token: 'bot', handle: complete },
  'files.info': { tier: 't4', scopes: ['files:read'], token: 'bot', handle: info },
  'files.list': { tier: 't3', scopes: ['files:read'], token: 'bot', handle: list },
  'files.delete': { tier: 't3', scopes: WRITE, token: 'bot', handle: remove },
};

function getUploadUrl({ core, args }: MethodCall): Json {
  const name = args.required('filename');
  const length = Number(args.required('length'));
  if (!Number.isInteger(length) || length < 1)
    throw invalidArguments('must be greater than or equal to 1 [json-pointer:/length]');
  if (length > MAX_FILE) throw new SlackApiError('file_upload_size_restricted');
  const snippet = args.text('snippet_type');
  if (snippet !== undefined && !isSnippetType(snippet)) throw new SlackApiError('unknown_snippet_type');
  if (snippet !== undefined && length > MAX_SNIPPET) throw new SlackApiError('snippet_too_large');
  const alt = args.text('alt_txt') ?? args.text('alt_text');
  if ((alt ?? '').length > 1000) throw new SlackApiError('alt_txt_too_large');
  const file = newFile(core, { name, size: length, user: BOT_USER, snippet });
  core.state.files.put({ ...file, alt_text: alt });
  return { ok: true, upload_url: `${core.baseUrl}/upload/v1/${file.id}`, file_id: file.id };
}

/** A file whose bytes are still to come. */
export function newFile(
  core: Core,
  given: { name: string; size: number; user: string; snippet?: string | undefined },
): FileRecord {
  const type = given.snippet !== undefined ? typeOfSnippet(given.snippet) : typeOfName(given.name);
  return {
    id: newId('F'),
    name: given.name,
    title: given.name,
    mimetype: type.mimetype,
    filetype: type.filetype,
    pretty_type: type.pretty,
    mode: type.text && given.size <= MAX_SNIPPET ? 'snippet' : 'hosted',
    size: given.size,
    user: given.user,
    created: Math.floor(core.now() / 1000),
    state: 'awaiting',
    shares: [],
  };
}

/** Takes the bytes sent to an upload URL. Returns what is wrong with them, if anything. */
export function receiveUpload(core: Core, fileId: string, content: Buffer): string | undefined {
  const file = core.state.files.get(fileId);
  if (file?.state !== 'awaiting') return 'upload url unknown or already used';
  if (content.length !== file.size) return `expected ${file.size} bytes, received ${content.length}`;
  storeContent(core, file, content, 'uploaded');
  return undefined;
}

export function storeContent(core: Core, file: FileRecord, content: Buffer, state: FileRecord['state']): FileRecord {
  core.state.writeContent(file.id, content);
  const preview = file.mode === 'snippet' ? content.subarray(0, 5 * 1024).toString('utf8') : undefined;
  const stored: FileRecord = { ...file, state, size: content.length, preview };
  core.state.files.put(stored);
  core.state.emit({ type: 'file', file: stored });
  return stored;
}

function complete({ core, args }: MethodCall): Json {
  const files = readFiles(core, args);
  const targets = [...args.list('channel_id'), ...args.list('channels')];
  if (targets.length > MAX_CHANNELS) throw new SlackApiError('channels_limit_exceeded');
  const channels = targets.map((id) => shareTarget(core, id));
  if (args.has('thread_ts') && channels.length !== 1) throw invalidArguments('thread_ts needs exactly one channel');
  if (args.has('initial_comment') && args.has('blocks'))
    throw invalidArguments('must define either `initial_comment` or `blocks`');
  const [first] = channels;
  const threadTs = first ? threadOf(core, first, args) : undefined;
  const blocks = args.has('blocks') ? readBlocks(core, args, 'blocks') : [];
  for (const file of files) core.state.files.put({ ...file, state: 'ready' });
  // Slack shares after it has answered, so the answer does not know the message yet.
  setImmediate(() => {
    for (const channel of channels)
      share(core, channel, files, { text: args.text('initial_comment') ?? '', blocks, thread_ts: threadTs });
  });
  return { ok: true, files: files.map((file) => wireFile(core, { ...file, state: 'ready' })) };
}

function share(
  core: Core,
  channel: Channel,
  files: FileRecord[],
  content: { text: string; blocks: ReturnType<typeof readBlocks>; thread_ts: string | undefined },
): void {
  const message = postMessage(core, { channel: channel.id, user: BOT_USER, files: files.map((file) => file.id), ...content });
  recordShares(core, message.files, { channel: channel.id, ts: message.ts, thread_ts: content.thread_ts });
}

/** Notes on each file where it was posted. */
export function recordShares(core: Core, ids: string[], where: FileRecord['shares'][number]): void {
  for (const id of ids) {
    const file = core.state.files.get(id);
    if (!file) continue;
    const shared: FileRecord = { ...file, shares: [...file.shares, where] };
    core.state.files.put(shared);
    core.state.emit({ type: 'file', file: shared });
  }
}

function readFiles(core: Core, args: Args): FileRecord[] {
  const value = args.json('files', 'invalid_arguments');
  if (!Array.isArray(value) || value.length === 0) throw invalidArguments('missing required field: files');
  return value.map((entry) => {
    const file = isRecord(entry) && typeof entry.id === 'string' ? core.state.files.get(entry.id) : undefined;
    if (file?.state !== 'uploaded' || file.user !== BOT_USER) throw new SlackApiError('file_not_found');
    const title = isRecord(entry) && typeof entry.title === 'string' ? entry.title : file.title;
    return { ...file, title };
  });
}

function shareTarget(core: Core, id: string): Channel {
  if (!/^[CDG]/.test(id)) throw new SlackApiError('invalid_channel');
  const channel = channelById(core, id);
  if (!channel.members.includes(BOT_USER)) throw new SlackApiError('not_in_channel');
  return channel;
}

function info({ core, args }: MethodCall): Json {
  return {
    ok: true,
    file: wireFile(core, readyFile(core, args.required('file'))),
    comments: [],
    response_metadata: { next_cursor: '' },
  };
}

function list({ core, args }: MethodCall): Json {
  const channel = args.text('channel');
  const user = args.text('user');
  const files = core.state.files
    .values()
    .filter(
      (file) =>
        file.state === 'ready' &&
        (!user || file.user === user) &&
        (!channel || file.shares.some((where) => where.channel === channel)),
    );
  const page = pageOf(files.reverse(), args, { default: 100, max: 1000 });
  return {
    ok: true,
    files: page.items.map((file) => wireFile(core, file)),
    paging: { count: 100, total: files.length, page: 1, pages: 1 },
  };
}

function remove({ core, args }: MethodCall): Json {
  const file = readyFile(core, args.required('file'));
  if (file.user !== BOT_USER) throw new SlackApiError('cant_delete_file');
  core.state.files.remove(file.id);
  core.state.removeContent(file.id);
  for (const where of file.shares) {
    const message = core.state.message(where.channel, where.ts);
    if (message) changeMessage(core, message, { files: message.files.filter((id) => id !== file.id) });
  }
  return { ok: true };
}

function readyFile(core: Core, id: string): FileRecord {
  const file = core.state.files.get(id);
  if (file?.state !== 'ready') throw new SlackApiError('file_not_found');
  return file;
}
