import { z } from 'zod';
import { DeliveryError } from '../../src/contracts/chat-adapter.ts';
import type { AttachedFile, FileDownload } from '../../src/contracts/given-file.ts';
import { download } from '../../src/runtime/download.ts';
import type { FetchedFile } from '../../src/runtime/fetch-file.ts';
import type { Web } from './web.ts';

const fileInfo = z.object({
  file: z.looseObject({
    id: z.string(),
    name: z.string().nullish(),
    mimetype: z.string().nullish(),
    size: z.number().int().nonnegative().nullish(),
    mode: z.string().nullish(),
    is_external: z.boolean().nullish(),
    url_private: z.string().nullish(),
    url_private_download: z.string().nullish(),
  }),
});

/**
 * A file by `files.info` and its private address, which takes the token of the bot (docs.slack.dev, the file object). Also files of Slack
 * Connect, whose events carry nothing but an id (`file_access: check_file_info`).
 */
export async function downloadFile(
  { web, botToken, apiUrl }: { web: Web; botToken: string; apiUrl: string | undefined },
  { id }: AttachedFile,
  signal: AbortSignal,
): Promise<FileDownload> {
  const { file } = await web.read('files.info', { file: id }, fileInfo);
  if (file.mode === 'tombstone' || file.mode === 'hidden_by_limit') {
    throw new DeliveryError({ kind: 'gone', detail: `files.info: ${file.mode}` });
  }
  const url = file.url_private_download ?? file.url_private;
  if (file.is_external === true || file.mode === 'external' || url == null) {
    throw new DeliveryError({ kind: 'rejected', detail: 'it is a link to another service, not a file of Slack' });
  }
  const own = apiUrl === undefined ? undefined : new URL(apiUrl).origin;
  const allowed = (at: URL) => at.origin === own || (at.protocol === 'https:' && isSlack(at.hostname));
  const found = await download({ url, headers: { authorization: `Bearer ${botToken}` }, allowed, signal });
  if (isLogin(found, file)) {
    throw new DeliveryError({
      kind: 'not_permitted',
      detail: 'the app lacks the scope files:read; update its manifest (deckhand slack manifest) and install it again',
    });
  }
  return {
    name: file.name ?? undefined,
    mime: file.mimetype ?? undefined,
    bytes: file.size ?? found.bytes,
    content: found.content,
  };
}

function isSlack(host: string): boolean {
  return host === 'slack.com' || host.endsWith('.slack.com');
}

/** Whoever may not see a file is shown the page to sign in, as if all were well. */
function isLogin(found: FetchedFile, file: z.infer<typeof fileInfo>['file']): boolean {
  if (found.mime !== 'text/html') return false;
  return file.mimetype !== 'text/html' || (found.bytes !== undefined && file.size != null && found.bytes !== file.size);
}
