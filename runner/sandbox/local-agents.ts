import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import type { AgentPrograms } from './port.ts';

const answerMs = 10_000;

/** Asks the programs of agents on this machine for their versions. One that does not answer with a version counts as not there. */
export async function localAgents(place: {
  root: string;
  path: string;
  signal?: AbortSignal | undefined;
}): Promise<AgentPrograms> {
  place.signal?.throwIfAborted();
  await mkdir(place.root, { recursive: true, mode: 0o700 });
  const [claude, codex] = await Promise.all([versionOf('claude', place), versionOf('codex', place)]);
  place.signal?.throwIfAborted();
  return { claude, codex };
}

async function versionOf(
  program: string,
  { root, path, signal }: { root: string; path: string; signal?: AbortSignal | undefined },
): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  // Its home is not that of the runner's user: nothing there is looked at or written.
  const options = { cwd: root, env: { PATH: path, HOME: root }, timeout: answerMs, signal };
  execFile(program, ['--version'], options, (error, stdout) => {
    resolve(error === null ? /\d+\.\d+\.\d+\S*/.exec(stdout)?.[0] : undefined);
  });
  return await promise;
}
