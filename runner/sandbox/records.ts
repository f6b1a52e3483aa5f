import { z } from 'zod';
import type { OutputCursor, OutputStream } from '../../src/contracts/run-event.ts';
import type { OutputChunk, SandboxResult } from './port.ts';

/**
 * The lines that the first process of a sandbox (docker/sandbox-init.c) writes: output of the command with its position, and the
 * end. They are data from a sandbox: what does not parse is an error of that run, never more.
 */
const endSchema = z.object({
  cause: z.enum(['exit', 'timed_out', 'output_limit', 'memory_limit', 'disk_limit', 'stopped']),
  exitCode: z.number().int().min(0).max(255),
  signal: z.string().max(20).optional(),
  oomKills: z.number().int().nonnegative(),
  /** Images built before it was counted do not tell. */
  pidsRefused: z.number().int().nonnegative().optional(),
  durationMs: z.number().int().nonnegative(),
  peakBytes: z.number().int().nonnegative(),
  stdout: z.number().int().nonnegative(),
  stderr: z.number().int().nonnegative(),
});
export type EndRecord = z.infer<typeof endSchema>;

export type SandboxRecord = { type: 'start' } | ({ type: 'output' } & OutputChunk) | { type: 'end'; end: EndRecord };

/** The record does not have the form of the protocol, or a piece of the output is missing. */
export class DamagedOutput extends Error {
  override name = 'DamagedOutput';
}

/** Longer lines than the longest record are not records. */
const maxLine = 16 * 1024;

export async function* recordsOf(source: AsyncIterable<Buffer>): AsyncGenerator<SandboxRecord> {
  for await (const line of linesOf(source)) yield parseRecord(line);
}

async function* linesOf(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const chunk of source) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      const piece = chunk.subarray(start, end);
      yield rest.length === 0 ? piece : Buffer.concat([...rest, piece]);
      rest = [];
      restBytes = 0;
      start = end + 1;
    }
    if (start < chunk.length) {
      rest.push(chunk.subarray(start));
      restBytes += chunk.length - start;
      if (restBytes > maxLine) throw new DamagedOutput('A line of the sandbox is longer than any record');
    }
  }
}

export function parseRecord(line: Buffer): SandboxRecord {
  const text = line.toString('latin1');
  if (text === 's 1') return { type: 'start' };
  if (text.startsWith('x ')) {
    const end = endSchema.safeParse(parseJson(text.slice(2)));
    if (end.success) return { type: 'end', end: end.data };
  }
  const output = /^([oe]) (\d{1,15}) ([A-Za-z0-9+/]+={0,2})$/.exec(text);
  if (output?.[2] !== undefined && output[3] !== undefined) {
    const stream: OutputStream = output[1] === 'o' ? 'stdout' : 'stderr';
    return { type: 'output', stream, offset: Number(output[2]), bytes: Buffer.from(output[3], 'base64') };
  }
  throw new DamagedOutput(`Not a record of the sandbox: ${JSON.stringify(text.slice(0, 80))}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Follows the positions of both streams: gives of each chunk what lies at or after the cursor, once, and throws DamagedOutput when
 * a piece is missing in between.
 */
export function createTrack(from: OutputCursor) {
  const seen: OutputCursor = { stdout: 0, stderr: 0 };
  return {
    take(chunk: OutputChunk): OutputChunk | undefined {
      const { stream, offset, bytes } = chunk;
      if (offset !== seen[stream]) throw new DamagedOutput(`${stream} continues at byte ${offset} instead of ${seen[stream]}`);
      seen[stream] += bytes.length;
      const skip = from[stream] - offset;
      if (skip <= 0) return chunk;
      return skip >= bytes.length ? undefined : { stream, offset: from[stream], bytes: bytes.subarray(skip) };
    },
    /** Called with the end record: everything must have come. */
    finish(end: EndRecord): void {
      if (end.stdout !== seen.stdout || end.stderr !== seen.stderr) {
        throw new DamagedOutput(`Output ends at ${seen.stdout}/${seen.stderr} of ${end.stdout}/${end.stderr} bytes`);
      }
    },
  };
}

export function resultOf(end: EndRecord): SandboxResult {
  return {
    cause: end.cause,
    exitCode: end.exitCode,
    ...(end.signal === undefined ? {} : { signal: end.signal }),
    oomKilled: end.oomKills > 0,
    ...(end.pidsRefused === undefined ? {} : { pidsRefused: end.pidsRefused > 0 }),
    durationMs: end.durationMs,
    ...(end.peakBytes > 0 ? { peakMemoryBytes: end.peakBytes } : {}),
  };
}
