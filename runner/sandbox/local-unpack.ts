import { spawn } from 'node:child_process';
import { pipeline } from 'node:stream/promises';
import { NoSpace } from './port.ts';

/** Unpacks an archive with the system's `tar`, which keeps names as bytes and refuses to leave the directory. */
export async function unpack(directory: string, tar: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void> {
  const child = spawn('tar', ['-C', directory, '-o', '-xf', '-'], {
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' },
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2000);
  });
  const { promise: closed, resolve } = Promise.withResolvers<number | null>();
  child.once('close', resolve).once('error', () => resolve(null));
  let broken: { error: unknown } | undefined;
  async function* source() {
    try {
      yield* tar;
    } catch (error) {
      broken = { error };
      throw error;
    }
  }
  // tar ends at the end of the archive; that nobody takes the padding after it is no failure.
  await pipeline(source, child.stdin, { signal }).catch(() => undefined);
  if (broken !== undefined || signal?.aborted === true) child.kill('SIGKILL');
  const code = await closed;
  signal?.throwIfAborted();
  if (broken !== undefined) throw broken.error;
  if (/no space left/i.test(complaint)) throw new NoSpace('The files do not fit onto the disk');
  if (code !== 0) throw new Error(`tar ended with ${code}: ${complaint.trim()}`);
}
