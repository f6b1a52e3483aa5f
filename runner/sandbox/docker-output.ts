import type Docker from 'dockerode';
import type { OutputCursor } from '../../src/contracts/run-event.ts';
import { call, chunksOf, delay, openStream, stdoutOf } from './docker-engine.ts';
import { exitCodeOf } from './docker-helper.ts';
import { type OutputChunk, type SandboxResult, SandboxUnreachable } from './port.ts';
import { createTrack, type EndRecord, recordsOf, resultOf } from './records.ts';

/** How long the engine may take to complete the log of a container that has ended. */
const logSettleMs = 3000;

/** The output from `from` on: from the log, then live, to the end record. */
export async function* outputOf(
  docker: Docker,
  container: Docker.Container,
  from: OutputCursor,
  signal?: AbortSignal,
): AsyncGenerator<OutputChunk> {
  let cursor = from;
  const patience = Date.now() + logSettleMs;
  for (;;) {
    const track = createTrack(cursor);
    for await (const record of recordsOf(await openLog(docker, container.id, true, signal))) {
      if (record.type === 'end') {
        track.finish(record.end);
        // The command is over; a moment later its container is too, and whoever saw the end of the output may count on it.
        await exitCodeOf(docker, container.id, signal);
        return;
      }
      const chunk = record.type === 'output' ? track.take(record) : undefined;
      if (chunk === undefined) continue;
      yield chunk;
      cursor = { ...cursor, [chunk.stream]: chunk.offset + chunk.bytes.length };
    }
    // The log ended without the end record: the engine is going away, or nobody could write one.
    const { State } = await call((abortSignal) => container.inspect({ abortSignal }), signal);
    if (State.Running || State.Paused) throw new SandboxUnreachable('The container engine closed the log of a running command');
    if (Date.now() > patience) return;
    await delay(200, signal);
  }
}

/** Waits for the end of the container and reads how the command ended. */
export async function resultFor(docker: Docker, container: Docker.Container, signal?: AbortSignal): Promise<SandboxResult> {
  await exitCodeOf(docker, container.id, signal);
  const end = await endRecord(docker, container.id, signal);
  if (end !== undefined) return resultOf(end);
  const { State } = await call((abortSignal) => container.inspect({ abortSignal }), signal);
  const durationMs = Math.max(0, Date.parse(State.FinishedAt) - Date.parse(State.StartedAt));
  return { cause: 'lost', exitCode: State.ExitCode & 255, oomKilled: State.OOMKilled, durationMs };
}

async function endRecord(docker: Docker, id: string, signal?: AbortSignal): Promise<EndRecord | undefined> {
  const patience = Date.now() + logSettleMs;
  do {
    for await (const record of recordsOf(await openLog(docker, id, false, signal))) {
      if (record.type === 'end') return record.end;
    }
    await delay(200, signal);
  } while (Date.now() < patience);
  return undefined;
}

/** Bytes of the container's log: all of it and what follows, or the last record only. */
async function openLog(docker: Docker, id: string, all: boolean, signal?: AbortSignal): Promise<AsyncIterable<Buffer>> {
  const query = { stdout: true, stderr: false, follow: all, tail: all ? 'all' : '1' };
  const stream = await openStream(docker, 'GET', `/containers/${encodeURIComponent(id)}/logs`, query, signal);
  return stdoutOf(chunksOf(stream, signal));
}
