import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitFor } from './wait-for.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** The real program as its own process, as `npm start` runs it. */
export interface DeckhandProcess {
  url: string;
  dataDir: string;
  pid: number;
  /** Log lines so far. */
  log: string[];
  /** Sends a signal and resolves with the exit code (null when the signal killed it). */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** A data directory of its own, removed at the end. */
export async function newDataDir(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'deckhand-e2e-'));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) };
}

/** Starts `deckhand start` on a free port and waits until it says that it is ready. Nothing of this process's settings reaches it. */
export async function startDeckhand(dataDir: string, settings: Record<string, string> = {}): Promise<DeckhandProcess> {
  const child = spawn(process.execPath, [main, 'start'], {
    cwd: tmpdir(),
    env: { PATH: process.env.PATH, HOME: dataDir, DECKHAND_DATA_DIR: dataDir, PORT: '0', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log: string[] = [];
  collect(child, log);
  let exited: number | null | undefined;
  child.once('exit', (code) => {
    exited = code;
  });
  const url = await waitFor(
    'Deckhand to be ready',
    () => {
      if (exited !== undefined) return 'ended';
      const line = log.find((one) => one.includes('"msg":"ready"'));
      return line === undefined ? undefined : (JSON.parse(line) as { url: string }).url;
    },
    { timeoutMs: 40_000 },
  );
  if (url === 'ended') throw new Error(`Deckhand ended with ${exited} instead of starting:\n${log.join('\n')}`);
  return {
    url,
    dataDir,
    pid: child.pid ?? -1,
    log,
    async end(signal) {
      if (exited === undefined) {
        const exit = once(child, 'exit');
        child.kill(signal);
        await exit;
      }
      return exited ?? null;
    },
  };
}

function collect(child: ChildProcess, log: string[]): void {
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      log.push(...lines);
    });
  }
}
