import { invalidArguments, SlackApiError } from './api-error.ts';
import type { Args } from './args.ts';
import type { Core } from './core.ts';
import { isRecord, type Json } from './json.ts';
import { acceptBlocks, checkMarkdown, readBlocks } from './message-args.ts';
import { channelById, destination, type Method, type MethodCall, threadOf } from './method.ts';
import { refuseCostume } from './methods-chat.ts';
import type { Message, Stream, StreamPart } from './model.ts';
import { wireMessage } from './payloads.ts';
import { BOT_USER, TEAM } from './seed.ts';
import { changeMessage, postMessage } from './workspace.ts';

/** `chat.startStream`, `chat.appendStream`, `chat.stopStream`: native streaming into a thread. */

const WRITE = ['chat:write'];
const TASK_STATES = ['pending', 'in_progress', 'complete', 'error'] as const;

export const streamMethods: Record<string, Method> = {
  'chat.startStream': { tier: 't2', scopes: WRITE, token: 'bot', handle: start },
  'chat.appendStream': { tier: 't4', scopes: WRITE, token: 'bot', handle: append },
  'chat.stopStream': { tier: 't2', scopes: WRITE, token: 'bot', handle: stop },
};

function start({ core, args }: MethodCall): Json {
  const channel = destination(core, args.required('channel'));
  refuseCostume(core, args.raw);
  args.required('thread_ts');
  const threadTs = threadOf(core, channel, args);
  if (channel.kind !== 'im') {
    if (!args.has('recipient_user_id')) throw new SlackApiError('missing_recipient_user_id');
    if (!args.has('recipient_team_id')) throw new SlackApiError('missing_recipient_team_id');
    if (!core.state.users.has(args.required('recipient_user_id'))) throw new SlackApiError('user_not_found');
    if (args.required('recipient_team_id') !== TEAM.id) throw new SlackApiError('team_not_found');
  }
  const mode = args.text('task_display_mode') ?? 'timeline';
  if (mode !== 'timeline' && mode !== 'plan')
    throw invalidArguments('must be a valid enum value [json-pointer:/task_display_mode]');
  const parts = addParts([], readParts(core, args));
  const stream: Stream = { state: 'in_progress', mode, started_at: core.now(), parts };
  const message = postMessage(core, { channel: channel.id, user: BOT_USER, text: textOf(parts), thread_ts: threadTs, stream });
  endWhenExpired(core, message, stream);
  return { ok: true, channel: channel.id, ts: message.ts };
}

function append({ core, args }: MethodCall): Json {
  const { message, stream } = openStream(core, args);
  const added = readParts(core, args);
  if (added.length === 0) throw new SlackApiError('no_text');
  const parts = addParts(stream.parts, added);
  // The app hears of a stream's start and end, not of every append.
  core.state.putMessage({ ...message, text: textOf(parts), stream: { ...stream, parts } });
  return { ok: true, channel: message.channel, ts: message.ts };
}

function stop({ core, args }: MethodCall): Json {
  const { message, stream } = openStream(core, args);
  const parts = addParts(stream.parts, readParts(core, args));
  const blocks = args.has('blocks') ? readBlocks(core, args, 'blocks') : [];
  const ended = changeMessage(core, message, { text: textOf(parts), blocks, stream: { ...stream, state: 'completed', parts } });
  return { ok: true, channel: message.channel, ts: message.ts, message: wireMessage(core, ended) };
}

function openStream(core: Core, args: Args): { message: Message; stream: Stream } {
  const channel = channelById(core, args.required('channel'));
  const message = core.state.message(channel.id, args.required('ts'));
  if (!message) throw new SlackApiError('message_not_found');
  if (message.user !== BOT_USER) throw new SlackApiError('message_not_owned_by_app');
  const { stream } = message;
  if (stream?.state !== 'in_progress') throw new SlackApiError('message_not_in_streaming_state');
  if (core.now() - stream.started_at >= core.timing.stream) {
    endExpired(core, message);
    throw new SlackApiError('message_not_in_streaming_state');
  }
  return { message, stream };
}

/** Slack ends a stream by itself some minutes after its start. */
export function endWhenExpired(core: Core, message: Message, stream: Stream): void {
  const timer = setTimeout(
    () => {
      const current = core.state.message(message.channel, message.ts);
      if (current) endExpired(core, current);
    },
    Math.max(0, stream.started_at + core.timing.stream - core.now()),
  );
  timer.unref();
}

/** Ends a stream that is still open; the state reads `errored`. */
export function endExpired(core: Core, message: Message): void {
  if (message.stream?.state !== 'in_progress') return;
  changeMessage(core, message, { stream: { ...message.stream, state: 'errored' } });
}

function readParts(core: Core, args: Args): StreamPart[] {
  const markdown = args.text('markdown_text');
  if (markdown !== undefined && args.has('chunks')) throw invalidArguments('must define either `markdown_text` or `chunks`');
  if (markdown !== undefined) {
    checkMarkdown(markdown);
    return markdown === '' ? [] : [{ type: 'markdown', text: markdown }];
  }
  if (!args.has('chunks')) return [];
  const chunks = args.json('chunks', 'invalid_chunks');
  if (!Array.isArray(chunks)) throw new SlackApiError('invalid_chunks');
  return chunks.map((chunk, index) => readChunk(core, chunk, index));
}

function readChunk(core: Core, chunk: unknown, index: number): StreamPart {
  const bad = (problem: string) =>
    new SlackApiError('invalid_chunks', { messages: [`[ERROR] ${problem} [json-pointer:/chunks/${index}]`] });
  if (!isRecord(chunk)) throw bad('must provide an object');
  const text = (name: string) => (typeof chunk[name] === 'string' ? chunk[name] : undefined);
  const need = (name: string) => {
    const value = text(name);
    if (value === undefined || value === '') throw bad(`missing required field: ${name}`);
    return value;
  };
  switch (chunk.type) {
    case 'markdown_text': {
      const markdown = need('text');
      if (markdown.length > 12_000) throw bad('must be less than 12001 characters');
      return { type: 'markdown', text: markdown };
    }
    case 'plan_update':
      return { type: 'plan', title: need('title') };
    case 'blocks': {
      if (!Array.isArray(chunk.blocks)) throw bad('missing required field: blocks');
      if (chunk.blocks.length > 50) throw new SlackApiError('msg_blocks_too_many');
      return { type: 'blocks', blocks: acceptBlocks(core, chunk.blocks, `/chunks/${index}/blocks`) };
    }
    case 'task_update': {
      const status = TASK_STATES.find((state) => state === chunk.status);
      if (!status) throw bad('must be a valid enum value: status');
      const task = { type: 'task' as const, id: need('id'), title: need('title'), status };
      return { ...task, details: text('details'), output: text('output'), sources: readSources(chunk.sources, bad) };
    }
    default:
      throw bad(`unsupported type: ${String(chunk.type)}`);
  }
}

function readSources(value: unknown, bad: (problem: string) => Error): { url: string; text: string }[] | undefined {
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw bad('must provide an array: sources');
  return value.map((source) => {
    if (!isRecord(source) || typeof source.url !== 'string' || typeof source.text !== 'string')
      throw bad('must provide url sources');
    return { url: source.url, text: source.text };
  });
}

/** Texts that follow each other join; a task with a known id is updated where it stands; the newest plan title counts. */
function addParts(parts: StreamPart[], added: StreamPart[]): StreamPart[] {
  const result = [...parts];
  for (const part of added) {
    const last = result.at(-1);
    const same = result.findIndex(
      (entry) =>
        (part.type === 'task' && entry.type === 'task' && entry.id === part.id) ||
        (part.type === 'plan' && entry.type === 'plan'),
    );
    const known = result[same];
    if (part.type === 'markdown' && last?.type === 'markdown') {
      result[result.length - 1] = { type: 'markdown', text: last.text + part.text };
    } else if (known?.type === 'task' && part.type === 'task') {
      result[same] = { ...known, ...Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined)) };
    } else if (known) {
      result[same] = part;
    } else {
      result.push(part);
    }
  }
  return result;
}

/** The plain text of a stream, for notifications and for readers that show no blocks. */
function textOf(parts: StreamPart[]): string {
  return parts.flatMap((part) => (part.type === 'markdown' ? [part.text] : [])).join('');
}
