import { spawn } from 'node:child_process';
import type { LaunchAnswer, LaunchOrder } from './launcher.ts';

/** The small process that starts programs for a big one (see launcher.ts). Ends with the process that it serves. */

const stops = new Map<number, () => void>();

function launch({ id, command, args, env, cwd, maxOutputBytes, maxErrorBytes }: Extract<LaunchOrder, { command: string }>): void {
  const answer = (given: Omit<LaunchAnswer, 'id'>) => {
    stops.delete(id);
    // Without a channel there is nobody to be told.
    if (process.connected) process.send?.({ id, ...given } satisfies LaunchAnswer);
  };
  const child = spawn(command, args, { env, cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended already.
    }
  };
  stops.set(id, stop);
  const stdout: Buffer[] = [];
  let bytes = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxOutputBytes) stop();
    else stdout.push(chunk);
  });
  let stderr = Buffer.alloc(0);
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = Buffer.concat([stderr, chunk]).subarray(-maxErrorBytes);
  });
  const nothing = { exitCode: null, stdout: Buffer.alloc(0), stderr, tooLarge: false };
  child.once('error', (error) => answer({ ...nothing, notStarted: error.message }));
  child.once('close', (exitCode) => {
    if (child.pid !== undefined) answer({ exitCode, stdout: Buffer.concat(stdout), stderr, tooLarge: bytes > maxOutputBytes });
  });
}

process.on('message', (order: LaunchOrder) => {
  if ('command' in order) launch(order);
  else stops.get(order.id)?.();
});
process.on('disconnect', () => process.exit());
