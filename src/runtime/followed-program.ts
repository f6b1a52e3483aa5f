import type { ChildProcess } from 'node:child_process';
import { errorText } from './error-text.ts';
import type { Launch, Launched, Running } from './launcher.ts';

/**
 * Follows a program that leads a group of processes of its own to its end, with what it writes. `ended` never rejects, and when it is killed
 * it does not wait for what has left the group and holds its output open.
 */
export function followProgram(child: ChildProcess, most: Pick<Launch, 'maxOutputBytes' | 'maxErrorBytes'>): Running {
  const stdout: Buffer[] = [];
  let bytes = 0;
  let stderr = Buffer.alloc(0);
  let isKilled = false;
  let hasEnded = false;
  const letGo = () => {
    if (!isKilled || !hasEnded) return;
    child.stdout?.destroy();
    child.stderr?.destroy();
  };
  const kill = () => {
    isKilled = true;
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended already.
    }
    letGo();
  };
  child.stdout?.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > most.maxOutputBytes) kill();
    else stdout.push(chunk);
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = Buffer.concat([stderr, chunk]).subarray(-most.maxErrorBytes);
  });
  const ended = new Promise<Launched>((resolve) => {
    const told = () => ({ stdout: Buffer.concat(stdout), stderr, tooLarge: bytes > most.maxOutputBytes });
    child.once('error', (error) => resolve({ ...told(), exitCode: null, notStarted: error.message }));
    child.once('exit', () => {
      hasEnded = true;
      letGo();
    });
    child.once('close', (exitCode) => resolve({ ...told(), exitCode }));
  });
  return { ended, kill };
}

/** What is told of a program of which not even the start could be tried, for example with arguments that are too long for the system. */
export function notTried(error: unknown): Launched {
  const why = errorText(error);
  return { exitCode: null, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), tooLarge: false, notStarted: why };
}
