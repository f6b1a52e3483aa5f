import type { IncomingMessage } from 'node:http';
import { parse } from 'node:querystring';
import { isRecord, type Json } from '../slack/json.ts';
import { BotApiError } from './api-error.ts';

/** A file part of a multipart request. */
export interface UploadedFile {
  name: string;
  mime_type: string;
  content: Buffer;
}

export interface RequestBody {
  /** Arguments from the query string and the body. */
  fields: Json;
  /** Files by field name. */
  files: Map<string, UploadedFile>;
}

/** What the hosted server takes: 50 MB of file and some room for the rest. */
const MAX_BYTES = 51 * 1024 * 1024;

/** Reads a request the four ways the Bot API accepts: query string, form, JSON or multipart. Throws BotApiError for all others. */
export async function readBody(request: IncomingMessage): Promise<RequestBody> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    // Read on without keeping it: an answer before the body has ended would reach the client as a broken connection.
    if (size <= MAX_BYTES) chunks.push(bytes);
  }
  if (size > MAX_BYTES) throw new BotApiError(413, 'Request Entity Too Large');
  const raw = Buffer.concat(chunks);
  const query: Json = Object.fromEntries(new URL(request.url ?? '/', 'http://lab').searchParams);
  const contentType = request.headers['content-type'] ?? '';
  if (contentType.startsWith('multipart/form-data')) {
    const { fields, files } = await readMultipart(raw, contentType);
    return { fields: { ...query, ...fields }, files };
  }
  const files = new Map<string, UploadedFile>();
  if (contentType.startsWith('application/json')) return { fields: { ...query, ...readJson(raw) }, files };
  if (contentType.startsWith('application/x-www-form-urlencoded')) {
    return { fields: { ...query, ...parse(raw.toString('utf8')) }, files };
  }
  return { fields: query, files };
}

function readJson(raw: Buffer): Json {
  if (raw.length === 0) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(raw.toString('utf8'));
  } catch {
    throw new BotApiError(400, "Bad Request: can't parse JSON object");
  }
  if (!isRecord(parsed)) throw new BotApiError(400, 'Bad Request: object expected');
  return parsed;
}

async function readMultipart(raw: Buffer, contentType: string): Promise<RequestBody> {
  let form: FormData;
  try {
    form = await new Response(new Uint8Array(raw), { headers: { 'content-type': contentType } }).formData();
  } catch {
    throw new BotApiError(400, "Bad Request: can't parse multipart form data");
  }
  const fields: Json = {};
  const files = new Map<string, UploadedFile>();
  for (const [key, value] of form) {
    if (typeof value === 'string') fields[key] = value;
    else files.set(key, { name: value.name, mime_type: value.type, content: Buffer.from(await value.arrayBuffer()) });
  }
  return { fields, files };
}
