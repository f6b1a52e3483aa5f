import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { isRecord, type Json } from '../slack/json.ts';
import type { ModelCall } from './faults.ts';

export type Protocol = 'anthropic' | 'openai';

const MOST_BYTES = 32 * 1024 * 1024;

export interface Incoming {
  protocol: Protocol;
  call: ModelCall;
  /** As parsed; undefined when it is no JSON. */
  parsed: unknown;
  isTooLarge: boolean;
}

/** Which protocol and what of it; undefined for any other address. */
export function addressOf(method: string, path: string): { protocol: Protocol; method: ModelCall['method'] } | undefined {
  switch (`${method} ${path}`) {
    case 'POST /anthropic/v1/messages':
      return { protocol: 'anthropic', method: 'messages' };
    case 'POST /anthropic/v1/messages/count_tokens':
      return { protocol: 'anthropic', method: 'count_tokens' };
    case 'GET /anthropic/v1/models':
      return { protocol: 'anthropic', method: 'models' };
    case 'POST /openai/v1/responses':
      return { protocol: 'openai', method: 'responses' };
    case 'GET /openai/v1/models':
      return { protocol: 'openai', method: 'models' };
    default:
      return undefined;
  }
}

/** Reads the whole request. Rejects when the caller leaves before its end. */
export async function readRequest(
  request: IncomingMessage,
  path: string,
  address: { protocol: Protocol; method: ModelCall['method'] },
): Promise<Incoming> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size <= MOST_BYTES) chunks.push(chunk as Buffer);
  }
  const parsed = size > MOST_BYTES ? undefined : parse(unpacked(Buffer.concat(chunks), request.headers));
  const body: Json = isRecord(parsed) ? parsed : {};
  const token = tokenOf(request.headers, address.protocol);
  return {
    protocol: address.protocol,
    call: { method: address.method, path, token, body },
    parsed,
    isTooLarge: size > MOST_BYTES,
  };
}

function unpacked(bytes: Buffer, headers: IncomingHttpHeaders): Buffer {
  const encoding = headers['content-encoding'];
  if (encoding === 'gzip') return gunzipSync(bytes, { maxOutputLength: MOST_BYTES });
  return encoding === 'zstd' ? zstdDecompressSync(bytes, { maxOutputLength: MOST_BYTES }) : bytes;
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

function tokenOf(headers: IncomingHttpHeaders, protocol: Protocol): string | undefined {
  const key = headers['x-api-key'];
  if (protocol === 'anthropic' && typeof key === 'string' && key !== '') return key;
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
}
