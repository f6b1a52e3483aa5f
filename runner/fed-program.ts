import { type ChildProcess, spawn } from 'node:child_process';
import { followProgram, notTried } from '../src/runtime/followed-program.ts';
import type { Launch, Running } from '../src/runtime/launcher.ts';

/**
 * Starts a program that reads `input` from its stdin, as the leader of a group of its own. `ended` rejects with the error of a source
 * that fails, and does not wait for a source when nobody reads it any more.
 */
export function feedProgram({ command, args, env, cwd, ...most }: Launch, input: AsyncIterable<Uint8Array>): Running {
  let child: ChildProcess;
  try {
    child = spawn(command, args, { env, cwd, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  } catch (error) {
    return { ended: Promise.resolve(notTried(error)), kill: () => undefined };
  }
  const { ended, kill } = followProgram(child, most);
  if (child.stdin === null) return { ended, kill };
  return { ended: Promise.all([ended, feed(child.stdin, input, kill)]).then(([launched]) => launched), kill };
}

/** Writes the input with back-pressure. A source that fails ends the program and is the error; a program that stops reading is not. */
async function feed(stdin: NodeJS.WritableStream, input: AsyncIterable<Uint8Array>, onSourceError: () => void): Promise<void> {
  const broken = Promise.withResolvers<'broken'>();
  let drained = Promise.withResolvers<void>();
  stdin.on('error', () => broken.resolve('broken'));
  stdin.on('close', () => broken.resolve('broken'));
  stdin.on('drain', () => drained.resolve());
  const source = input[Symbol.asyncIterator]();
  const leave = () => void source.return?.().catch(() => undefined);
  try {
    for (;;) {
      const next = await Promise.race([source.next(), broken.promise]);
      if (next === 'broken') return leave();
      if (next.done === true) return;
      drained = Promise.withResolvers<void>();
      if (!stdin.write(next.value) && (await Promise.race([drained.promise, broken.promise])) === 'broken') return leave();
    }
  } catch (error) {
    onSourceError();
    throw error;
  } finally {
    stdin.end();
  }
}
