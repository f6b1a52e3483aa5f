import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';

export const mostBytes = 32 * 1024 * 1024;

export class BodyRefused extends Error {
  override name = 'BodyRefused';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const unpack = { gzip: promisify(gunzip), zstd: promisify(zstdDecompress) };

/** The whole body as text, unpacked. Throws BodyRefused when it is too large or packed in an unknown way. */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new BodyRefused(413, 'The request is larger than 32 MiB.');
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks, bytes);
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity') return body.toString('utf8');
  if (encoding !== 'gzip' && encoding !== 'zstd') throw new BodyRefused(415, `Content encoding ${encoding} is not understood.`);
  try {
    return (await unpack[encoding](body, { maxOutputLength: mostBytes })).toString('utf8');
  } catch {
    throw new BodyRefused(400, 'The request cannot be unpacked, or is larger than 32 MiB.');
  }
}
