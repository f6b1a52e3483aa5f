import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutputChunk } from '../../runner/sandbox/port.ts';
import {
  createTrack,
  DamagedOutput,
  parseRecord,
  recordsOf,
  resultOf,
  type SandboxRecord,
} from '../../runner/sandbox/records.ts';

const end = { cause: 'exit', exitCode: 0, oomKills: 0, durationMs: 12, peakBytes: 4096, stdout: 3, stderr: 0 } as const;

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function recordsIn(text: string | Buffer, size = 100): Promise<SandboxRecord[]> {
  const records: SandboxRecord[] = [];
  for await (const record of recordsOf(pieces(Buffer.from(text), size))) records.push(record);
  return records;
}

/** Lines as the first process writes them, for chunks of both streams in any order. */
function linesFor(chunks: readonly { stream: 'stdout' | 'stderr'; bytes: Uint8Array }[]): string {
  const at = { stdout: 0, stderr: 0 };
  const lines = chunks.map(({ stream, bytes }) => {
    const line = `${stream === 'stdout' ? 'o' : 'e'} ${at[stream]} ${Buffer.from(bytes).toString('base64')}\n`;
    at[stream] += bytes.length;
    return line;
  });
  return `s 1\n${lines.join('')}x ${JSON.stringify({ ...end, ...at })}\n`;
}

describe('records', () => {
  it('reads start, output and end', async () => {
    expect(await recordsIn(`s 1\no 0 YWL/\ne 5 Cg==\nx ${JSON.stringify({ ...end, signal: 'SIGSEGV' })}\n`)).toEqual([
      { type: 'start' },
      { type: 'output', stream: 'stdout', offset: 0, bytes: Buffer.from([97, 98, 255]) },
      { type: 'output', stream: 'stderr', offset: 5, bytes: Buffer.from('\n') },
      { type: 'end', end: { ...end, signal: 'SIGSEGV' } },
    ]);
  });

  it.each([
    '',
    'o 0',
    'o -1 YQ==',
    'o 0 Y?==',
    'z 0 YQ==',
    'x {}',
    'x nonsense',
    `x ${JSON.stringify({ ...end, cause: 'magic' })}`,
  ])('calls %j damaged', (line) => {
    expect(() => parseRecord(Buffer.from(line))).toThrow(DamagedOutput);
  });

  it('does not collect a line without an end', async () => {
    await expect(recordsIn('o'.repeat(40_000), 1000)).rejects.toThrow(DamagedOutput);
  });

  it('gives from any cursor exactly the bytes after it, however the transport cuts', async () => {
    const chunk = fc.record({
      stream: fc.constantFrom('stdout' as const, 'stderr' as const),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(chunk, { maxLength: 20 }),
        fc.integer({ min: 1, max: 200 }),
        fc.nat(),
        fc.nat(),
        async (chunks, cut, a, b) => {
          const whole = (stream: string) => Buffer.concat(chunks.filter((one) => one.stream === stream).map((one) => one.bytes));
          const from = { stdout: a % (whole('stdout').length + 1), stderr: b % (whole('stderr').length + 1) };
          const track = createTrack(from);
          const got: OutputChunk[] = [];
          for (const record of await recordsIn(linesFor(chunks), cut)) {
            if (record.type === 'end') track.finish(record.end);
            const taken = record.type === 'output' ? track.take(record) : undefined;
            if (taken !== undefined) got.push(taken);
          }
          for (const stream of ['stdout', 'stderr'] as const) {
            const mine = got.filter((one) => one.stream === stream);
            expect(Buffer.concat(mine.map((one) => one.bytes))).toEqual(whole(stream).subarray(from[stream]));
            let next = from[stream];
            for (const { offset, bytes } of mine) {
              expect(offset).toBe(next);
              next += bytes.length;
            }
          }
        },
      ),
    );
  });

  it('notices a missing piece, in the middle and at the end', () => {
    const track = createTrack({ stdout: 0, stderr: 0 });
    track.take({ stream: 'stdout', offset: 0, bytes: Buffer.from('abc') });
    expect(() => track.take({ stream: 'stdout', offset: 4, bytes: Buffer.from('e') })).toThrow(DamagedOutput);
    expect(() => track.finish({ ...end, stdout: 3 })).not.toThrow();
    expect(() => track.finish({ ...end, stdout: 4 })).toThrow(DamagedOutput);
  });

  it('makes a result of the end', () => {
    expect(resultOf({ ...end, oomKills: 2, signal: 'SIGKILL', exitCode: 137, cause: 'memory_limit' })).toEqual({
      cause: 'memory_limit',
      exitCode: 137,
      signal: 'SIGKILL',
      oomKilled: true,
      durationMs: 12,
      peakMemoryBytes: 4096,
    });
    expect(resultOf({ ...end, peakBytes: 0 })).not.toHaveProperty('peakMemoryBytes');
    expect(resultOf({ ...end, pidsRefused: 3 }).pidsRefused).toBe(true);
    expect(resultOf({ ...end, pidsRefused: 0 }).pidsRefused).toBe(false);
    expect(resultOf(end)).not.toHaveProperty('pidsRefused');
  });
});
