import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { removeFromEngine } from './machine-traces.ts';
import { waitFor } from './wait-for.ts';

const main = fileURLToPath(new URL('../../src/main.js', import.meta.url));

/** The program with any command line, as its own process. */
export interface Program {
  pid: number;
  /** Lines of both outputs so far. */
  log: string[];
  /** Lines of the log with this message so far, as objects. */
  logged(msg: string | RegExp): Record<string, unknown>[];
  /** Resolves with the exit code, null when a signal killed it. */
  ended: Promise<number | null>;
  signal(name: NodeJS.Signals): void;
  /** Sends a signal and waits for the end. Also when it has ended before. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** `deckhand start` that is ready. */
export interface DeckhandProcess extends Program {
  url: string;
  dataDir: string;
}

/** A data directory of its own. `remove` takes it away with everything that was made for it on the container engine. */
export async function newDataDir(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'deckhand-e2e-'));
  return {
    path,
    async remove() {
      await removeFromEngine(path);
      await rm(path, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/**
 * Runs `deckhand …`. Nothing of this process's settings reaches it, only where programs are: what it compiles it keeps where it always does.
 * Code that tests compile is of no use to it, nor the other way round: they set other flags.
 */
export function runDeckhand(args: readonly string[], dataDir: string, settings: Record<string, string> = {}): Program {
  const { PATH } = process.env;
  const child = spawn(process.execPath, [main, ...args], {
    cwd: tmpdir(),
    // A test that ends is no reason to make a container for the run after.
    env: { PATH, HOME: dataDir, DECKHAND_DATA_DIR: dataDir, PORT: '0', SANDBOX_WARM: '0', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log: string[] = [];
  collect(child, log);
  const { promise: ended, resolve, reject } = Promise.withResolvers<number | null>();
  child.once('error', reject);
  // `close`: everything it wrote has been read too.
  child.once('close', (code) => resolve(code));
  return {
    pid: child.pid ?? -1,
    log,
    logged(msg) {
      return log
        .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : []))
        .filter((line) => (typeof msg === 'string' ? line.msg === msg : msg.test(String(line.msg))));
    },
    ended,
    signal: (name) => void child.kill(name),
    end(signal) {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return ended;
    },
  };
}

/** Starts `deckhand start` on a free port and waits until it says that it is ready. */
export async function startDeckhand(dataDir: string, settings: Record<string, string> = {}): Promise<DeckhandProcess> {
  const program = runDeckhand(['start'], dataDir, settings);
  const failed = program.ended.then((code) => {
    throw new Error(`Deckhand ended with ${code} instead of starting:\n${program.log.join('\n')}`);
  });
  const ready = waitFor('Deckhand to be ready', () => program.logged('ready')[0]?.url, { timeoutMs: 150_000 });
  try {
    const url = String(await Promise.race([ready, failed]));
    return { ...program, url, dataDir };
  } catch (error) {
    await program.end('SIGKILL');
    throw error;
  }
}

function collect(child: ChildProcess, log: string[]): void {
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      log.push(...lines);
    });
    stream?.on('end', () => {
      if (rest !== '') log.push(rest);
    });
  }
}
