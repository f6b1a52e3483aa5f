import { z } from 'zod';
import { DeliveryError } from '../../src/contracts/chat-adapter.ts';
import type { AttachedFile, FileDownload } from '../../src/contracts/given-file.ts';
import { download } from '../../src/runtime/download.ts';
import type { TelegramApi } from './api.ts';
import { refusalText } from './failures.ts';

const found = z.object({ file_size: z.number().int().nonnegative().optional(), file_path: z.string().optional() });
const cloud = 'https://api.telegram.org';

/**
 * A file by `getFile` and the address it gives, which is good for an hour (core.telegram.org/bots/api#getfile). Bots get files of up to
 * 20 MB. The address holds the token, so that it stands in no error.
 */
export async function downloadFile(
  { api, token, apiRoot = cloud }: { api: TelegramApi; token: string; apiRoot: string | undefined },
  { id }: AttachedFile,
  signal: AbortSignal,
): Promise<FileDownload> {
  const { file_path: path, file_size: bytes } = await whereIs(api, id, signal);
  // A server of one's own in local mode names a path of its machine instead.
  if (path === undefined || path.startsWith('/') || path.split('/').includes('..')) {
    throw new DeliveryError({ kind: 'rejected', detail: 'Telegram gives no address for it' });
  }
  const root = apiRoot.replace(/\/+$/, '');
  const url = `${root}/file/bot${token}/${path.split('/').map(encodeURIComponent).join('/')}`;
  const { origin } = new URL(root);
  const file = await download({ url, allowed: (at) => at.origin === origin, signal });
  // Telegram says of every file that it is of no known type: what the message says is better.
  return { bytes: bytes ?? file.bytes, content: file.content };
}

async function whereIs(api: TelegramApi, id: string, signal: AbortSignal): Promise<z.infer<typeof found>> {
  try {
    return await api.read('getFile', async (raw, until) => found.parse(await raw.getFile({ file_id: id }, until)), { signal });
  } catch (error) {
    signal.throwIfAborted();
    const said = refusalText(error) ?? '';
    if (/file is too big/i.test(said)) {
      throw new DeliveryError({ kind: 'rejected', detail: 'Telegram gives bots files of up to 20 MB' }, { cause: error });
    }
    if (/invalid file_id|wrong file_id|wrong remote file|temporarily unavailable|file not found/i.test(said)) {
      throw new DeliveryError({ kind: 'gone', detail: 'it is not there any more' }, { cause: error });
    }
    throw error;
  }
}
