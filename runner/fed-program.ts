import { spawn } from 'node:child_process';
import type { Launch, Launched, Running } from './launcher.ts';

/**
 * Starts a program that reads `input` from its stdin, as the leader of a group of its own. `ended` rejects with the error of a source
 * that fails.
 */
export function feedProgram({ command, args, env, cwd, ...most }: Launch, input: AsyncIterable<Uint8Array>): Running {
  const child = spawn(command, args, { env, cwd, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  const kill = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended already.
    }
  };
  const stdout: Buffer[] = [];
  let bytes = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > most.maxOutputBytes) kill();
    else stdout.push(chunk);
  });
  let stderr = Buffer.alloc(0);
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = Buffer.concat([stderr, chunk]).subarray(-most.maxErrorBytes);
  });
  const closed = new Promise<Launched>((resolve) => {
    const told = () => ({ stdout: Buffer.concat(stdout), stderr, tooLarge: bytes > most.maxOutputBytes });
    child.once('error', (error) => resolve({ ...told(), exitCode: null, notStarted: error.message }));
    child.once('close', (exitCode) => resolve({ ...told(), exitCode }));
  });
  const ended = Promise.all([closed, feed(child.stdin, input, kill)]).then(([launched]) => launched);
  return { ended, kill };
}

/** Writes the input with back-pressure. A source that fails ends git and is the error; a git that stops reading is not. */
async function feed(
  stdin: NodeJS.WritableStream,
  input: AsyncIterable<Uint8Array> | undefined,
  onSourceError: () => void,
): Promise<void> {
  let broken = false;
  let drained: () => void = () => undefined;
  stdin.on('error', () => {
    broken = true;
    drained();
  });
  stdin.on('close', () => {
    broken = true;
    drained();
  });
  stdin.on('drain', () => drained());
  try {
    for await (const chunk of input ?? []) {
      if (broken) break;
      if (!stdin.write(chunk) && !broken) {
        await new Promise<void>((resolve) => {
          drained = resolve;
        });
      }
    }
  } catch (error) {
    onSourceError();
    throw error;
  } finally {
    stdin.end();
  }
}
