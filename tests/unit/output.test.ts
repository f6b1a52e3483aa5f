import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventsOf, type OutputEvent, type StreamOutputOptions, streamOutput } from '../../runner/output.ts';
import { type OutputChunk, SandboxGone, SandboxUnreachable } from '../../runner/sandbox/port.ts';
import type { OutputCursor, OutputStream } from '../../src/contracts/run-event.ts';
import { waitFor } from '../support/wait-for.ts';

type Part = [OutputStream, Uint8Array];

/** A sandbox whose command has written `parts`; replays from any position, and breaks the connection where it is told to. */
function sandboxWith(parts: readonly Part[], options: { breakAfter?: number[]; pause?: () => Promise<void> } = {}) {
  const breaks = [...(options.breakAfter ?? [])];
  const seen = { chunks: 0, reads: 0 };
  async function* output(_run: string, from: OutputCursor, signal?: AbortSignal): AsyncGenerator<OutputChunk> {
    seen.reads += 1;
    const at: OutputCursor = { stdout: 0, stderr: 0 };
    let left = breaks.shift() ?? Number.POSITIVE_INFINITY;
    for (const [stream, bytes] of parts) {
      await options.pause?.();
      signal?.throwIfAborted();
      const offset = at[stream];
      at[stream] += bytes.length;
      const skip = Math.max(0, from[stream] - offset);
      if (skip >= bytes.length) continue;
      if (left <= 0) throw new SandboxUnreachable('the engine went away');
      left -= 1;
      seen.chunks += 1;
      yield { stream, offset: offset + skip, bytes: bytes.subarray(skip) };
    }
  }
  return { output, seen };
}

const start: OutputCursor = { stdout: 0, stderr: 0 };

function storeTo(commits: { events: OutputEvent[]; cursor: OutputCursor }[]) {
  return async (events: OutputEvent[], cursor: OutputCursor) => {
    commits.push({ events, cursor });
  };
}

function options(change: Partial<StreamOutputOptions> & Pick<StreamOutputOptions, 'sandbox' | 'store'>): StreamOutputOptions {
  return {
    run: 'run_1',
    from: start,
    secrets: ['hunter2-hunter2'],
    onUnreachable: () => undefined,
    onAnswer: () => undefined,
    signal: new AbortController().signal,
    ...change,
  };
}

const textOf = (events: readonly OutputEvent[], stream: OutputStream) =>
  events
    .filter((event) => event.stream === stream)
    .map(({ text }) => text)
    .join('');

describe('streaming output into the log', () => {
  it('stores every byte of both streams once, in order, with the cursor of each commit at its end', async () => {
    const parts: Part[] = Array.from({ length: 500 }, (_, i) => [
      i % 3 === 0 ? 'stderr' : 'stdout',
      Buffer.from(`line ${i}\n`.repeat(40)),
    ]);
    const commits: { events: OutputEvent[]; cursor: OutputCursor }[] = [];
    const end = await streamOutput(options({ sandbox: sandboxWith(parts), store: storeTo(commits) }));
    const at = { ...start };
    for (const { events, cursor } of commits) {
      for (const event of events) {
        expect(event.from).toBe(at[event.stream]);
        expect(event.to - event.from).toBeLessThanOrEqual(32 * 1024);
        at[event.stream] = event.to;
      }
      expect(cursor).toEqual(at);
    }
    expect(end).toEqual(at);
    const all = commits.flatMap(({ events }) => events);
    for (const stream of ['stdout', 'stderr'] as const) {
      expect(textOf(all, stream)).toBe(
        parts
          .filter(([name]) => name === stream)
          .map(([, bytes]) => bytes.toString())
          .join(''),
      );
    }
    expect(commits.length).toBeLessThan(20);
  });

  it('promise 8: continues after a crash at any commit without losing or doubling a byte, also inside a secret', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(
            fc.constantFrom<OutputStream>('stdout', 'stderr'),
            fc
              .constantFrom(
                'hello\n',
                'ghp_abcdefghij',
                'klmnopqrstuvwxyz0123456789\n',
                'hunter2-',
                'hunter2\n',
                '€',
                'x'.repeat(20_000),
                '\n',
              )
              .map((text): Uint8Array => Buffer.from(text)),
          ),
          { maxLength: 40 },
        ),
        fc.nat({ max: 6 }),
        async (parts, commitsBeforeCrash) => {
          const whole: { events: OutputEvent[]; cursor: OutputCursor }[] = [];
          await streamOutput(options({ sandbox: sandboxWith(parts), store: storeTo(whole) }));
          const before: { events: OutputEvent[]; cursor: OutputCursor }[] = [];
          const crash = new Error('killed');
          const store = async (events: OutputEvent[], cursor: OutputCursor) => {
            if (before.length === commitsBeforeCrash) throw crash;
            before.push({ events, cursor });
          };
          const first = await streamOutput(options({ sandbox: sandboxWith(parts), store })).catch((error: unknown) => error);
          if (first === crash) {
            await streamOutput(
              options({ sandbox: sandboxWith(parts), from: before.at(-1)?.cursor ?? start, store: storeTo(before) }),
            );
          }
          for (const stream of ['stdout', 'stderr'] as const) {
            const again = before.flatMap(({ events }) => events);
            expect(textOf(again, stream)).toBe(
              textOf(
                whole.flatMap(({ events }) => events),
                stream,
              ),
            );
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('shows a line within 300 ms, and an unfinished line too', async () => {
    const shown: { text: string; at: number }[] = [];
    const written: number[] = [];
    const sandbox = {
      async *output(): AsyncGenerator<OutputChunk> {
        written.push(performance.now());
        yield { stream: 'stdout', offset: 0, bytes: Buffer.from('whole line\n') };
        await delay(500);
        written.push(performance.now());
        yield { stream: 'stdout', offset: 11, bytes: Buffer.from('Continue?') };
        await delay(500);
      },
    };
    const store = async (events: OutputEvent[]) => {
      for (const { text } of events) shown.push({ text, at: performance.now() });
    };
    await streamOutput(options({ sandbox, store }));
    expect(shown.map(({ text }) => text)).toEqual(['whole line\n', 'Continue?']);
    for (const [index, { at }] of shown.entries()) expect(at - (written[index] ?? 0)).toBeLessThan(400);
  });

  it('takes no more than a bounded amount from the sandbox while the log does not take it', async () => {
    const parts: Part[] = Array.from({ length: 1000 }, () => ['stdout', Buffer.alloc(32 * 1024, 'abcdefg\n')]);
    const sandbox = sandboxWith(parts);
    const release = Promise.withResolvers<void>();
    const stop = new AbortController();
    const running = streamOutput(options({ sandbox, store: () => release.promise, signal: stop.signal }));
    await waitFor('the bound to be reached', () => sandbox.seen.chunks >= 8);
    for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate);
    expect(sandbox.seen.chunks).toBeLessThan(20);
    stop.abort(new Error('enough'));
    release.resolve();
    await expect(running).rejects.toThrow('enough');
  });

  it('copes with 1 MB a second and with alternating streams in few commits of few events', async () => {
    const parts: Part[] = Array.from({ length: 20_000 }, (_, i) => [
      i % 2 === 0 ? 'stderr' : 'stdout',
      Buffer.from(`+ step ${i} of the build of everything\n`),
    ]);
    const commits: { events: OutputEvent[]; cursor: OutputCursor }[] = [];
    const since = performance.now();
    await streamOutput(options({ sandbox: sandboxWith(parts), store: storeTo(commits) }));
    expect(performance.now() - since).toBeLessThan(3000);
    expect(commits.flatMap(({ events }) => events).length).toBeLessThan(150);
  });

  it('asks again where it stopped when the engine goes away, as often as it does', async () => {
    const parts: Part[] = Array.from({ length: 30 }, (_, i) => ['stdout', Buffer.from(`line ${i}\n`)]);
    const commits: { events: OutputEvent[]; cursor: OutputCursor }[] = [];
    const sandbox = sandboxWith(parts, { breakAfter: [7, 3] });
    const told: string[] = [];
    const onUnreachable = () => void told.push('gone');
    await streamOutput(options({ sandbox, store: storeTo(commits), onUnreachable, onAnswer: () => void told.push('back') }));
    expect(told).toEqual(['gone', 'back', 'gone', 'back']);
    expect(
      textOf(
        commits.flatMap(({ events }) => events),
        'stdout',
      ),
    ).toBe(parts.map(([, bytes]) => bytes.toString()).join(''));
  });

  it('ends with the error of a sandbox that is gone, of a log that refuses, and with the reason of an abort', async () => {
    const gone = {
      // biome-ignore lint/correctness/useYield: it fails before its first chunk
      async *output(): AsyncGenerator<OutputChunk> {
        throw new SandboxGone('run_1', 'it does not exist');
      },
    };
    await expect(streamOutput(options({ sandbox: gone, store: storeTo([]) }))).rejects.toBeInstanceOf(SandboxGone);
    const parts: Part[] = [['stdout', Buffer.from('x\n')]];
    const refuses = () => Promise.reject(new Error('not yours any more'));
    await expect(streamOutput(options({ sandbox: sandboxWith(parts), store: refuses }))).rejects.toThrow('not yours any more');
    const silent = {
      async *output(_run: string, _from: OutputCursor, signal?: AbortSignal): AsyncGenerator<OutputChunk> {
        await delay(60_000, undefined, { signal }).catch(() => signal?.throwIfAborted());
      },
    };
    const stop = new AbortController();
    const running = streamOutput(options({ sandbox: silent, store: storeTo([]), signal: stop.signal }));
    stop.abort(new Error('let go'));
    await expect(running).rejects.toThrow('let go');
  });

  it('joins neighbours of one stream up to the size of an event and keeps the order of few alternations', () => {
    const piece = (stream: OutputStream, from: number, to: number): OutputEvent => ({
      type: 'output',
      stream,
      from,
      to,
      text: `${from};`,
    });
    expect(eventsOf([piece('stdout', 0, 5), piece('stdout', 5, 9), piece('stderr', 0, 3), piece('stdout', 9, 12)])).toEqual([
      { ...piece('stdout', 0, 9), text: '0;5;' },
      piece('stderr', 0, 3),
      piece('stdout', 9, 12),
    ]);
    expect(eventsOf([piece('stdout', 0, 20_000), piece('stdout', 20_000, 40_000)]).length).toBe(2);
  });
});
