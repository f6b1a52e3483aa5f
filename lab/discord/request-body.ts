import type { IncomingMessage } from 'node:http';
import { isRecord, type Json } from '../slack/json.ts';
import { apiError } from './api-error.ts';

/** A file part of a multipart body: `files[n]`. */
export interface UploadedFile {
  n: number;
  filename: string;
  content_type: string;
  content: Buffer;
}

export interface RequestBody {
  /** The JSON of the body, or of `payload_json`. */
  json: unknown;
  files: UploadedFile[];
}

export const MAX_FILE = 10 * 1024 * 1024;
const MAX_REQUEST = 25 * 1024 * 1024;

/** Reads a request the ways Discord accepts: JSON, or multipart with `payload_json` and `files[n]`. */
export async function readBody(request: IncomingMessage): Promise<RequestBody> {
  const raw = await readRaw(request);
  const contentType = request.headers['content-type'] ?? '';
  if (contentType.startsWith('multipart/form-data')) return readMultipart(raw, contentType);
  return { json: raw.length === 0 ? undefined : parse(raw.toString('utf8')), files: [] };
}

/** Too large a body is read to its end, so that the client reads the answer and not a broken connection. */
async function readRaw(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    if (size <= MAX_REQUEST) chunks.push(bytes);
  }
  if (size > MAX_REQUEST) throw apiError('entityTooLarge');
  return Buffer.concat(chunks);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw apiError('invalidJson');
  }
}

async function readMultipart(raw: Buffer, contentType: string): Promise<RequestBody> {
  let form: FormData;
  try {
    form = await new Response(new Uint8Array(raw), { headers: { 'content-type': contentType } }).formData();
  } catch {
    throw apiError('invalidJson');
  }
  let json: Json = {};
  const files: UploadedFile[] = [];
  for (const [key, value] of form) {
    if (key === 'payload_json') {
      const payload = parse(typeof value === 'string' ? value : await value.text());
      if (isRecord(payload)) json = { ...json, ...payload };
    } else if (typeof value === 'string') json[key] = value;
    else files.push(await fileOf(key, value, files.length));
  }
  return { json, files };
}

async function fileOf(key: string, file: File, position: number): Promise<UploadedFile> {
  const content = Buffer.from(await file.arrayBuffer());
  if (content.length > MAX_FILE) throw apiError('entityTooLarge');
  const n = /^files?\[(\d+)\]$/.exec(key)?.[1];
  return {
    n: n === undefined ? position : Number(n),
    filename: file.name.replace(/[^\p{L}\p{N}_.()-]+/gu, '_') || 'unknown',
    content_type: contentTypeOf(file.name, file.type),
    content,
  };
}

const TYPES: Record<string, string> = {
  txt: 'text/plain; charset=utf-8',
  log: 'text/plain; charset=utf-8',
  patch: 'text/x-diff; charset=utf-8',
  diff: 'text/x-diff; charset=utf-8',
  md: 'text/markdown; charset=utf-8',
  json: 'application/json; charset=utf-8',
  ts: 'text/plain; charset=utf-8',
  js: 'application/javascript; charset=utf-8',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  pdf: 'application/pdf',
  zip: 'application/zip',
};

/** By the name first, as Discord does; the type the client claims counts only for names that say nothing. */
export function contentTypeOf(filename: string, claimed = ''): string {
  const extension = filename.split('.').at(-1)?.toLowerCase() ?? '';
  return TYPES[extension] ?? (claimed === '' ? 'application/octet-stream' : claimed);
}
