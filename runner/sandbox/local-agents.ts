import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentPrograms } from './port.ts';

const answerMs = 10_000;

/**
 * Asks the programs of agents on this machine for their versions. One that does not answer with a version counts as not there. They
 * get a home that is removed again: that of the runner's user is neither looked at nor written.
 */
export async function localAgents(path: string, signal?: AbortSignal): Promise<AgentPrograms> {
  signal?.throwIfAborted();
  const home = await mkdtemp(join(tmpdir(), 'deckhand-agents-'));
  try {
    const [claude, codex] = await Promise.all(['claude', 'codex'].map((program) => versionOf(program, { path, home, signal })));
    signal?.throwIfAborted();
    return { claude, codex };
  } finally {
    await rm(home, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function versionOf(
  program: string,
  { path, home, signal }: { path: string; home: string; signal: AbortSignal | undefined },
): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const options = { cwd: home, env: { PATH: path, HOME: home }, timeout: answerMs, signal };
  execFile(program, ['--version'], options, (error, stdout) => {
    resolve(error === null ? /\d+\.\d+\.\d+\S*/.exec(stdout)?.[0] : undefined);
  });
  return await promise;
}
