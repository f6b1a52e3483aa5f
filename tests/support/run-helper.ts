import { spawn } from 'node:child_process';
import { type Helper, HelperFailed } from '../../runner/sandbox/port.ts';

/** Runs a helper in a directory, as the collecting of a sandbox does, without a sandbox around it. */
export async function* runHelper(directory: string, helper: Helper): AsyncGenerator<Uint8Array> {
  const [program, ...args] = helper.argv;
  const child = spawn(program, args, {
    cwd: directory,
    env: { PATH: process.env.PATH ?? '', ...helper.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
  yield* child.stdout;
  const code = await ended;
  if (code !== 0) throw new HelperFailed(helper.argv, code, stderr);
}
