import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';
import type { Share } from './limits.ts';

export const mostBytes = 32 * 1024 * 1024;

/** A request that is answered with an error. */
export class RequestRefused extends Error {
  override name = 'RequestRefused';
  readonly status: number;
  /** Trying again is of no use. */
  readonly final: boolean;
  /** Seconds until trying again may help nevertheless; undefined: nobody knows. */
  readonly after: number | undefined;
  constructor(status: number, message: string, final = true, after?: number) {
    super(message);
    this.after = after;
    this.status = status;
    this.final = final;
  }
}

const unpack = { gzip: promisify(gunzip), zstd: promisify(zstdDecompress) };

/** A body in memory; `done` gives back what it took of the share, once. */
export interface Body {
  text: string;
  done(): void;
}

/** The whole body as text, unpacked. Throws RequestRefused when it is too large, too much at once, or packed in an unknown way. */
export async function readBody(request: IncomingMessage, share: Share): Promise<Body> {
  let taken = 0;
  const take = (bytes: number) => {
    if (!share.take(bytes)) throw new RequestRefused(429, 'Too many large requests of this run at once.', false);
    taken += bytes;
  };
  const done = () => {
    share.give(taken);
    taken = 0;
  };
  try {
    const chunks: Buffer[] = [];
    let bytes = 0;
    // Whoever sends too much shall hear so.
    const parts: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
    for await (const chunk of parts) {
      bytes += chunk.length;
      if (bytes > mostBytes) throw tooLarge();
      take(chunk.length);
      chunks.push(chunk);
    }
    const text = await unpacked(Buffer.concat(chunks, bytes), request.headers['content-encoding'] ?? 'identity');
    take(text.length);
    return { text: text.toString('utf8'), done };
  } catch (error) {
    done();
    throw error;
  }
}

async function unpacked(body: Buffer, encoding: string): Promise<Buffer> {
  if (encoding === 'identity') return body;
  if (encoding !== 'gzip' && encoding !== 'zstd')
    throw new RequestRefused(415, `Content encoding ${encoding} is not understood.`);
  try {
    return await unpack[encoding](body, { maxOutputLength: mostBytes });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge();
    throw new RequestRefused(400, 'The request cannot be unpacked.');
  }
}

function tooLarge(): RequestRefused {
  return new RequestRefused(413, `The request is larger than ${mostBytes / 1024 / 1024} MiB.`);
}
