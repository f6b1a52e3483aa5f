import type { z } from 'zod';
import { DeliveryError } from '../../src/contracts/chat-adapter.ts';
import type { AttachedFile, FileDownload } from '../../src/contracts/given-file.ts';
import type { Conversation } from '../../src/contracts/platform.ts';
import { download } from '../../src/runtime/download.ts';
import { attachedSchema } from './payloads.ts';
import { path, type Rest } from './rest.ts';
import { channelOf } from './sending.ts';

const hosts = new Set(['cdn.discordapp.com', 'media.discordapp.net']);

/**
 * A file by its message, looked up anew: addresses of attachments are signed and good for about a day (docs.discord.com, message
 * attachments). The token of the bot is not sent to them.
 */
export async function downloadFile(
  { rest, apiUrl }: { rest: Rest; apiUrl: string | undefined },
  { conversation, message, id }: AttachedFile,
  signal: AbortSignal,
): Promise<FileDownload> {
  const { attachments } = await messageOf(rest, conversation, message);
  signal.throwIfAborted();
  const file = (attachments ?? []).find((one) => one.id === id);
  if (file === undefined) throw new DeliveryError({ kind: 'gone', detail: 'its message does not have it any more' });
  const own = apiUrl === undefined ? undefined : new URL(apiUrl).origin;
  const allowed = (at: URL) => at.origin === own || (at.protocol === 'https:' && hosts.has(at.hostname));
  const found = await download({ url: file.url, allowed, signal });
  return {
    name: file.filename ?? undefined,
    mime: (file.content_type ?? found.mime)?.replace(/;.*$/s, '').trim(),
    bytes: file.size ?? found.bytes,
    content: found.content,
  };
}

/** A message that a thread was opened on, or that answers one of it from outside, stands in the channel above. */
async function messageOf(rest: Rest, conversation: Conversation, message: string): Promise<z.infer<typeof attachedSchema>> {
  const ask = (channel: string) => {
    const route = path`/channels/${channel}/messages/${message}`;
    return rest.call({ method: 'get', route, what: 'look up the message of a file' }, attachedSchema);
  };
  const channel = channelOf(conversation);
  if (channel === conversation.channel) return await ask(channel);
  try {
    return await ask(channel);
  } catch (error) {
    if (!(error instanceof DeliveryError) || error.failure.kind !== 'gone') throw error;
    return await ask(conversation.channel);
  }
}
