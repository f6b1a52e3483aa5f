import { extname } from 'node:path';
import { BotApiError, badRequest } from './api-error.ts';
import type { Core } from './core.ts';
import { urlSafe } from './ids.ts';
import { imageSize } from './image-size.ts';
import type { FileRecord } from './model.ts';

/** Files of messages: what is stored of them and what is refused. */

export const MAX_DOCUMENT = 50 * 1024 * 1024;
export const MAX_PHOTO = 10 * 1024 * 1024;
export const MAX_DOWNLOAD = 20 * 1024 * 1024;

const TYPES: Record<string, string> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.svg': 'image/svg+xml',
  '.pdf': 'application/pdf',
  '.zip': 'application/zip',
  '.gz': 'application/gzip',
  '.json': 'application/json',
  '.html': 'text/html',
  '.css': 'text/css',
  '.csv': 'text/csv',
  '.md': 'text/markdown',
  '.txt': 'text/plain',
  '.log': 'text/plain',
  '.diff': 'text/x-diff',
  '.patch': 'text/x-diff',
};

export interface NewFile {
  kind: FileRecord['kind'];
  name: string;
  content: Buffer;
}

/** Stores a file. Throws BotApiError for what the server does not take. */
export function storeFile(core: Core, { kind, name, content }: NewFile): FileRecord {
  if (content.length === 0) throw badRequest('file must be non-empty');
  const max = kind === 'photo' ? MAX_PHOTO : MAX_DOCUMENT;
  if (kind === 'photo' && content.length > max) {
    throw badRequest(`file of size ${content.length} bytes is too big for a photo; the maximum size is ${max} bytes`);
  }
  if (content.length > max) throw new BotApiError(413, 'Request Entity Too Large');
  const size = imageSize(content);
  if (kind === 'photo') checkPhoto(size);
  const number = core.state.next('files', 0);
  const plain = name.split(/[\\/]/).at(-1) ?? '';
  const extension = extname(plain).toLowerCase();
  const file: FileRecord = {
    id: `${kind === 'photo' ? 'AgACAgQ' : 'BQACAgQ'}${urlSafe(33)}`,
    unique_id: `${kind === 'photo' ? 'AQAD' : 'AgAD'}${urlSafe(8)}`,
    name: plain === '' ? 'file' : plain,
    mime_type: kind === 'photo' ? 'image/jpeg' : (TYPES[extension] ?? 'application/octet-stream'),
    size: content.length,
    path: `${kind === 'photo' ? 'photos' : 'documents'}/file_${number}${kind === 'photo' ? '.jpg' : extension}`,
    kind,
    ...(size ?? {}),
  };
  core.state.writeContent(file.id, content);
  core.state.files.put(file);
  return file;
}

function checkPhoto(size: { width: number; height: number } | undefined): void {
  if (!size || size.width === 0 || size.height === 0) throw badRequest('IMAGE_PROCESS_FAILED');
  const ratio = Math.max(size.width, size.height) / Math.min(size.width, size.height);
  if (size.width + size.height > 10_000 || ratio > 20) throw badRequest('PHOTO_INVALID_DIMENSIONS');
}
