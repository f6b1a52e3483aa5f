import { type ChildProcess, fork } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Starts programs from a small process instead of this one. To start a program the system copies the tables of all memory of the
 * process that does it, which then stands still: some 30 ms where it has 300 MB, 1 ms where it has 40, and a run takes a dozen of
 * them. One launcher serves the whole process, is started by the first who needs it, and ends with it.
 */
export interface Launch {
  command: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd?: string | undefined;
  /** What its stdin gives; undefined: nothing. It is held as a whole, so it is for what is small. */
  input?: Uint8Array | undefined;
  /** A program that writes more to stdout is killed, with the group of processes that it leads. */
  maxOutputBytes: number;
  /** So many bytes of the end of stderr are kept. */
  maxErrorBytes: number;
}

export interface Launched {
  /** null: it was ended by a signal, never started, or the launcher was killed. */
  exitCode: number | null;
  stdout: Buffer;
  stderr: Buffer;
  tooLarge: boolean;
  /** Why it could not be started. */
  notStarted?: string | undefined;
}

export type LaunchOrder = { id: number; kill: true } | ({ id: number; args: string[]; env: Record<string, string> } & Launch);
export type LaunchAnswer = { id: number } & Launched;

export interface Running {
  /** Resolves when the program has ended. */
  ended: Promise<Launched>;
  /** Ends it and every process of its group. */
  kill(): void;
}

const program = fileURLToPath(new URL('launcher-process.ts', import.meta.url));

class Launcher {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<Launched>>();
  #last = 0;
  isGone = false;

  constructor() {
    const cache = getCompileCacheDir();
    this.#child = fork(program, [], {
      cwd: '/',
      env: cache === undefined ? {} : { NODE_COMPILE_CACHE: dirname(cache) },
      execArgv: ['--max-semi-space-size=1'],
      serialization: 'advanced',
      // Signals of the terminal are not for it: it ends when its channel closes.
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child.on('message', (answer: LaunchAnswer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      this.#rest();
      waiting?.resolve(answer);
    });
    const gone = () => {
      this.isGone = true;
      const stderr = Buffer.from('the process that starts programs has ended');
      const told = { exitCode: null, stdout: Buffer.alloc(0), stderr, tooLarge: false };
      for (const waiting of this.#waiting.values()) waiting.resolve(told);
      this.#waiting.clear();
    };
    this.#child.once('error', gone);
    this.#child.once('exit', gone);
    this.#child.unref();
    this.#rest();
  }

  run(launch: Launch): Running {
    this.#last += 1;
    const id = this.#last;
    const waiting = Promise.withResolvers<Launched>();
    this.#waiting.set(id, waiting);
    this.#child.channel?.ref();
    this.#send({ id, ...launch, args: [...launch.args], env: { ...launch.env } });
    return { ended: waiting.promise, kill: () => this.#send({ id, kill: true }) };
  }

  /** What cannot be sent any more is answered by the end of the process, which nobody could use any more. */
  #send(order: LaunchOrder): void {
    if (!this.#child.connected) return;
    this.#child.send(order, (error) => {
      if (error !== null) this.#child.kill('SIGKILL');
    });
  }

  /** It keeps this process alive only while something is waited for. */
  #rest(): void {
    if (this.#waiting.size === 0) this.#child.channel?.unref();
  }
}

let launcher: Launcher | undefined;

/**
 * Starts a program as the leader of a group of its own. When the launcher itself is killed, what it has started
 * counts as killed too, and the next call starts another.
 */
export function launch(order: Launch): Running {
  if (launcher === undefined || launcher.isGone) launcher = new Launcher();
  return launcher.run(order);
}
