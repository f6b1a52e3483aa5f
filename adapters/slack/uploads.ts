import { z } from 'zod';
import { DeliveryError, type UploadFile } from '../../src/contracts/chat-adapter.ts';
import type { Conversation } from '../../src/contracts/platform.ts';
import { conversationId } from './direct.ts';
import { deliveryError, networkFailure, slackCode } from './failures.ts';
import { messageContent } from './outbound.ts';
import { printable, shorten } from './slack-text.ts';
import { anyAnswer, type Web } from './web.ts';

/** Snippet types that Slack colours and folds, by language or by the end of the file's name. */
const snippetTypes: Record<string, string> = {
  bash: 'shell',
  css: 'css',
  diff: 'diff',
  go: 'go',
  html: 'html',
  javascript: 'javascript',
  js: 'javascript',
  json: 'json',
  log: 'text',
  markdown: 'markdown',
  md: 'markdown',
  patch: 'diff',
  py: 'python',
  python: 'python',
  rust: 'rust',
  sh: 'shell',
  shell: 'shell',
  sql: 'sql',
  text: 'text',
  ts: 'typescript',
  txt: 'text',
  typescript: 'typescript',
  yaml: 'yaml',
  yml: 'yaml',
};

const uploadTimeoutMs = 60_000;
const ticket = z.object({ upload_url: z.url(), file_id: z.string().min(1) });

/**
 * Uploads in three steps: ask for an address, send the bytes, share all files in one message. Until the last step nobody sees
 * anything, so that a failure before it is always safe to repeat. (docs.slack.dev, working with files)
 */
export async function uploadFiles(
  web: Web,
  to: Conversation,
  files: readonly UploadFile[],
  comment: string | undefined,
): Promise<void> {
  const channel = await conversationId(web, to.channel);
  const sent: { id: string; title: string }[] = [];
  for (const file of files) sent.push({ id: await sendBytes(web, file), title: fileName(file.name) });
  await web.call(
    'files.completeUploadExternal',
    {
      files: sent,
      channel_id: channel,
      ...(to.thread === undefined ? {} : { thread_ts: to.thread }),
      // Blocks rather than `initial_comment`, which Slack would search for markup and links.
      ...(comment === undefined || comment === '' ? {} : { blocks: messageContent({ fallback: comment, blocks: [] }).blocks }),
    },
    anyAnswer,
  );
}

async function sendBytes(web: Web, file: UploadFile): Promise<string> {
  if (file.bytes.length === 0)
    throw new DeliveryError({ kind: 'rejected', detail: `${file.name} is empty, Slack takes no empty files` });
  try {
    const { upload_url: url, file_id: id } = await askForAddress(web, file);
    await post(url, file);
    return id;
  } catch (error) {
    throw stillUnseen(error);
  }
}

async function askForAddress(web: Web, file: UploadFile): Promise<z.infer<typeof ticket>> {
  const extension = /\.([a-z0-9]+)$/i.exec(file.name)?.[1];
  const snippet = snippetTypes[(file.language ?? extension ?? '').toLowerCase()];
  const args = { filename: fileName(file.name), length: file.bytes.length };
  if (snippet === undefined) return web.call('files.getUploadURLExternal', args, ticket);
  try {
    return await web.call('files.getUploadURLExternal', { ...args, snippet_type: snippet }, ticket);
  } catch (error) {
    // Too long to be shown as a snippet, or a type this workspace does not know: as a plain file then.
    if (!['snippet_too_large', 'unknown_snippet_type'].includes(slackCode(error) ?? '')) throw error;
    return web.call('files.getUploadURLExternal', args, ticket);
  }
}

/** A name is text of a repository like any other. */
export function fileName(name: string): string {
  return shorten(printable(name).replaceAll('\n', ' '), 255);
}

async function post(url: string, file: UploadFile): Promise<void> {
  const what = `upload of ${file.name}`;
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: new Uint8Array(file.bytes),
      redirect: 'error',
      signal: AbortSignal.timeout(uploadTimeoutMs),
    });
    await response.arrayBuffer();
  } catch (error) {
    throw new DeliveryError(networkFailure(error instanceof Error ? error : new Error(String(error)), what), { cause: error });
  }
  if (!response.ok) throw new DeliveryError({ kind: 'unreachable', detail: `${what}: HTTP ${response.status}` });
}

/** Before the files are shared, an unknown outcome is as good as none. */
function stillUnseen(error: unknown): DeliveryError {
  const known = deliveryError(error, 'upload');
  if (known.failure.kind !== 'unknown') return known;
  return new DeliveryError({ kind: 'unreachable', detail: known.failure.detail }, { cause: known });
}

/** Slack refuses files here: by the settings of the workspace, or because its storage is full. */
const refusals = new Set([
  'file_type_not_allowed',
  'file_uploads_disabled',
  'file_uploads_except_images_disabled',
  'storage_limit_reached',
]);

/**
 * The files as one message, for where files are refused: `undefined` unless all of them are text and fit in it uncut.
 */
export function filesAsMessage(error: unknown, files: readonly UploadFile[], comment: string | undefined) {
  if (!refusals.has(slackCode(error) ?? '')) return undefined;
  try {
    const texts = files.map((file) => ({ name: file.name, text: new TextDecoder('utf-8', { fatal: true }).decode(file.bytes) }));
    if (texts.reduce((sum, { name, text }) => sum + name.length + text.length, comment?.length ?? 0) > 3500) return undefined;
    return messageContent({
      fallback: comment ?? files.map(({ name }) => name).join(', '),
      blocks: [
        ...(comment === undefined ? [] : [{ type: 'text' as const, spans: [{ type: 'text' as const, text: comment }] }]),
        ...texts.flatMap(({ name, text }) => [
          { type: 'context' as const, spans: [{ type: 'text' as const, text: name }] },
          { type: 'code' as const, text },
        ]),
      ],
    });
  } catch {
    return undefined;
  }
}
