import { spawn } from 'node:child_process';
import { followProgram, notTried } from './followed-program.ts';
import type { LaunchAnswer, LaunchOrder } from './launcher.ts';

/** The small process that starts programs for a big one (see launcher.ts). Ends with the process that it serves. */

const kills = new Map<number, () => void>();

function launch({ id, command, args, env, cwd, input, ...most }: Extract<LaunchOrder, { command: string }>): void {
  const answer = (given: Omit<LaunchAnswer, 'id'>) => {
    kills.delete(id);
    // Without a channel there is nobody to be told; one that was killed just now is noticed by the answer that does not reach it.
    if (process.connected) process.send?.({ id, ...given } satisfies LaunchAnswer, () => undefined);
  };
  try {
    const child = spawn(command, args, {
      env,
      cwd,
      detached: true,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    // A program need not read what it is given.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
    const { ended, kill } = followProgram(child, most);
    kills.set(id, kill);
    void ended.then(answer);
  } catch (error) {
    answer(notTried(error));
  }
}

process.on('message', (order: LaunchOrder) => {
  if ('command' in order) launch(order);
  else kills.get(order.id)?.();
});
process.on('disconnect', () => process.exit());
