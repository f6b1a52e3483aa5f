import { MessageFlags } from 'discord-api-types/v10';
import { DeliveryError, type UploadFile } from '../../src/contracts/chat-adapter.ts';
import type { Conversation } from '../../src/contracts/platform.ts';
import { escapeMarkdown, printable, shorten } from './discord-text.ts';
import { path, type Rest } from './rest.ts';
import { channelOf } from './sending.ts';

/** Of a message with files; its words are no component, so that Discord shows texts and pictures inside the conversation. */
const maxContent = 2000;

/** Sends files with a comment, as one message. */
export async function uploadFiles(
  rest: Rest,
  to: Conversation,
  files: readonly UploadFile[],
  comment: string | undefined,
): Promise<void> {
  const empty = files.find(({ bytes }) => bytes.length === 0);
  if (empty !== undefined)
    throw new DeliveryError({ kind: 'rejected', detail: `${empty.name} is empty, Discord takes no empty files` });
  const content = escapeMarkdown(printable(comment ?? ''));
  if (content.length > maxContent) {
    throw new DeliveryError({
      kind: 'rejected',
      detail: `the words with files take ${content.length} characters, Discord takes ${maxContent}`,
    });
  }
  const names = files.map(({ name }) => nameOf(name));
  await rest.act({
    method: 'post',
    route: path`/channels/${channelOf(to)}/messages`,
    what: 'upload files',
    body: {
      ...(content === '' ? {} : { content }),
      flags: MessageFlags.SuppressEmbeds,
      allowed_mentions: { parse: [] },
      attachments: names.map((filename, id) => ({ id, filename })),
    },
    files: files.map(({ bytes }, at) => ({ name: names[at] ?? 'file', data: bytes, contentType: typeOf(names[at] ?? '') })),
  });
}

/** A name is text of a repository like any other. Discord keeps letters, digits and a few marks. */
function nameOf(name: string): string {
  return shorten(printable(name), 200).replace(/[^\p{L}\p{N}._-]+/gu, '_');
}

/** Discord shows a text inside the conversation when it knows that it is one. */
function typeOf(name: string): string {
  const extension = /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase() ?? '';
  const pictures: Record<string, string> = {
    png: 'image/png',
    jpg: 'image/jpeg',
    jpeg: 'image/jpeg',
    gif: 'image/gif',
    webp: 'image/webp',
  };
  const binary = ['zip', 'gz', 'tgz', 'bundle', 'pdf', 'tar'];
  return pictures[extension] ?? (binary.includes(extension) ? 'application/octet-stream' : 'text/plain; charset=utf-8');
}
