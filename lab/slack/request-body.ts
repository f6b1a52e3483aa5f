import type { IncomingMessage } from 'node:http';
import { parse } from 'node:querystring';
import { isRecord, type Json } from './json.ts';

/** A file field of a multipart body. */
export interface UploadedPart {
  name: string;
  content: Buffer;
}

export interface RequestBody {
  fields: Json;
  parts: UploadedPart[];
  raw: Buffer;
}

/** The body is not what its content type says; `code` is Slack's name for it. */
export class BadBody extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.name = 'BadBody';
    this.code = code;
  }
}

const MAX_BYTES = 64 * 1024 * 1024;

/** Reads a request the ways Slack accepts: form, JSON, multipart, or arguments in the query string. */
export async function readBody(request: IncomingMessage): Promise<RequestBody> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    if (size > MAX_BYTES) throw new BadBody('request_too_large');
    chunks.push(bytes);
  }
  const raw = Buffer.concat(chunks);
  const url = new URL(request.url ?? '/', 'http://lab');
  const query: Json = Object.fromEntries(url.searchParams);
  const contentType = request.headers['content-type'] ?? '';
  if (contentType.startsWith('multipart/form-data')) {
    const { fields, parts } = await readMultipart(raw, contentType);
    return { fields: { ...query, ...fields }, parts, raw };
  }
  if (contentType.startsWith('application/json')) return { fields: { ...query, ...readJson(raw) }, parts: [], raw };
  if (contentType.startsWith('application/x-www-form-urlencoded')) {
    return { fields: { ...query, ...parse(raw.toString('utf8')) }, parts: [], raw };
  }
  return { fields: query, parts: [], raw };
}

function readJson(raw: Buffer): Json {
  if (raw.length === 0) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(raw.toString('utf8'));
  } catch {
    throw new BadBody('invalid_json');
  }
  if (!isRecord(parsed)) throw new BadBody('json_not_object');
  return parsed;
}

async function readMultipart(raw: Buffer, contentType: string): Promise<{ fields: Json; parts: UploadedPart[] }> {
  let form: FormData;
  try {
    form = await new Response(new Uint8Array(raw), { headers: { 'content-type': contentType } }).formData();
  } catch {
    throw new BadBody('invalid_form_data');
  }
  const fields: Json = {};
  const parts: UploadedPart[] = [];
  for (const [key, value] of form) {
    if (typeof value === 'string') fields[key] = value;
    else parts.push({ name: value.name, content: Buffer.from(await value.arrayBuffer()) });
  }
  return { fields, parts };
}
