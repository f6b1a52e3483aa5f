import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import type { OutputStream } from '../../src/contracts/run-event.ts';
import { environment, initArguments, initPath, sandboxUser, workspace } from './docker-container.ts';
import { call, chunksOf, stdoutOf } from './docker-engine.ts';
import { asReadable, runContainer } from './docker-helper.ts';
import { type ExecResult, type Helper, HelperFailed, SandboxUnreachable } from './port.ts';
import { createTrack, DamagedOutput, type EndRecord, recordsOf } from './records.ts';

/** Runs a helper in a container of its own (see `collectContainer`) and yields its stdout. */
export async function* collectFrom(
  docker: Docker,
  options: Docker.ContainerCreateOptions,
  helper: Helper,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let stderr = Buffer.alloc(0);
  const track = createTrack({ stdout: 0, stderr: 0 });
  let end: EndRecord | undefined;
  for await (const record of recordsOf(runContainer(docker, options, signal))) {
    if (record.type === 'end') {
      end = record.end;
      track.finish(end);
    } else if (record.type === 'output') {
      track.take(record);
      if (record.stream === 'stdout') yield record.bytes;
      else stderr = Buffer.concat([stderr, record.bytes]).subarray(-4096);
    }
  }
  if (end === undefined) throw new DamagedOutput('The helper ended without a report');
  if (end.exitCode !== 0 || end.cause !== 'exit') {
    const limit = end.cause === 'exit' || end.cause === 'stopped' ? undefined : end.cause;
    throw new HelperFailed(helper.argv, end.exitCode, stderr.toString(), limit);
  }
}

/**
 * Runs a helper inside a running container. The engine has no call to end it, so the first process of the image holds it to its
 * limits; on abort that process is found by an id in its arguments and told to end everything below it.
 */
export async function execIn(container: Docker.Container, helper: Helper, signal?: AbortSignal): Promise<ExecResult> {
  const id = randomUUID();
  const stream = await startExec(
    container,
    [...initArguments(helper), '--id', id, '--', ...helper.argv],
    helper.env ?? {},
    signal,
  );
  const parts: Record<OutputStream, Uint8Array[]> = { stdout: [], stderr: [] };
  const track = createTrack({ stdout: 0, stderr: 0 });
  try {
    for await (const record of recordsOf(stdoutOf(chunksOf(stream, signal)))) {
      if (record.type === 'output') {
        track.take(record);
        parts[record.stream].push(record.bytes);
      } else if (record.type === 'end') {
        track.finish(record.end);
        const { cause, exitCode } = record.end;
        const limit = cause === 'timed_out' || cause === 'output_limit' ? { limit: cause } : {};
        return { exitCode, stdout: Buffer.concat(parts.stdout), stderr: Buffer.concat(parts.stderr), ...limit };
      }
    }
  } catch (error) {
    if (signal?.aborted === true) await endExec(container, id);
    throw error;
  }
  throw new SandboxUnreachable('The helper ended without a report: its sandbox stopped, or the engine closed the connection');
}

async function startExec(
  container: Docker.Container,
  argv: string[],
  env: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<Readable> {
  const options: Docker.ExecCreateOptions = {
    Cmd: argv,
    Env: environment(env),
    User: `${sandboxUser}:${sandboxUser}`,
    WorkingDir: workspace,
    AttachStdout: true,
    AttachStderr: true,
  };
  const exec = await call((abortSignal) => container.exec({ ...options, abortSignal }), signal);
  return asReadable(await call(() => exec.start({ hijack: true, stdin: false }), signal));
}

async function endExec(container: Docker.Container, id: string): Promise<void> {
  const stream = await startExec(container, ['/usr/bin/pkill', '-QUIT', '-f', '-x', `${initPath} .* --id ${id} .*`], {});
  // Nothing comes; the end of the stream is the end of pkill.
  for await (const _ of chunksOf(stream));
}
