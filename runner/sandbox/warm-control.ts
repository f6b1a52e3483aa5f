import { chmod, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** What a waiting sandbox is told to run. */
export interface Go {
  argv: readonly [string, ...string[]];
  env: Readonly<Record<string, string>>;
  timeMs: number;
  outputBytes: number;
  /** See `logBytes` in docker-container.ts. */
  logBytes: number;
  /** Of its run; nothing to the sandbox. */
  expiresAt: Date;
}

/**
 * Directories of the host through which waiting sandboxes are told what to run, one each, which the sandbox sees read-only. The files in
 * them are the truth about whether it was started, for every life of the runner:
 * - none: it waits and belongs to no run
 * - `ready`: it is made up for a run, and nothing of the run has begun
 * - `go`: the same file under its new name: the first process of the sandbox takes it, once
 */
export interface WarmControl {
  directory(slot: string): string;
  /** The directory of its gateway until it belongs to a run. */
  gateway(slot: string): string;
  make(slot: string, withGateway: boolean): Promise<void>;
  /** Makes it the directory at a path where an empty one is or none. Throws what the system says where something is in it. */
  moveGateway(slot: string, path: string): Promise<void>;
  /** Writes down what is to run. It does not run yet. */
  prepare(slot: string, go: Go): Promise<void>;
  /** Lets it run. Idempotent. False when nothing was prepared, or all of it has been removed. */
  give(slot: string): Promise<boolean>;
  /** Undefined when nothing was prepared. */
  read(slot: string): Promise<{ given: boolean; go: Go } | undefined>;
  remove(slot: string): Promise<void>;
}

export function createWarmControl(root: string): WarmControl {
  const directory = (slot: string) => join(root, slot);
  const gateway = (slot: string) => join(root, `${slot}-gateway`);
  const file = (slot: string, name: 'ready' | 'go') => join(directory(slot), name);

  async function lookAt(slot: string, name: 'ready' | 'go'): Promise<Go | undefined> {
    try {
      return decodeGo(await readFile(file(slot, name)));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  return {
    directory,
    gateway,
    async make(slot, withGateway) {
      await mkdir(root, { recursive: true, mode: 0o700 });
      for (const path of [directory(slot), ...(withGateway ? [gateway(slot)] : [])]) {
        await mkdir(path, { recursive: true });
        // The sandbox's user reads what is its own, which it must to be told of changes; the directory above keeps all others away.
        await chmod(path, path === gateway(slot) ? 0o711 : 0o755);
      }
    },
    async moveGateway(slot, path) {
      await rename(gateway(slot), path);
      // The engine looks for it under the name it was given, whenever it copies files into the sandbox.
      await symlink(path, gateway(slot));
    },
    async prepare(slot, go) {
      const fresh = join(directory(slot), 'new');
      await writeFile(fresh, encodeGo(go));
      await chmod(fresh, 0o644);
      await rename(fresh, file(slot, 'ready'));
    },
    async give(slot) {
      try {
        await rename(file(slot, 'ready'), file(slot, 'go'));
        return true;
      } catch (error) {
        if (!isMissing(error)) throw error;
        return (await lookAt(slot, 'go')) !== undefined;
      }
    },
    async read(slot) {
      const ready = await lookAt(slot, 'ready');
      if (ready !== undefined) return { given: false, go: ready };
      const go = await lookAt(slot, 'go');
      return go === undefined ? undefined : { given: true, go };
    },
    async remove(slot) {
      for (const path of [directory(slot), gateway(slot)]) await rm(path, { recursive: true, force: true });
    },
  };
}

/** Fields, each ended by a NUL byte, as docker/sandbox-init.c reads them; what follows the variables it does not read. */
export function encodeGo({ argv, env, timeMs, outputBytes, logBytes, expiresAt }: Go): Buffer {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const numbers = [timeMs, outputBytes, logBytes].map((number) => String(Math.ceil(number)));
  const fields = [...numbers, String(argv.length), ...argv, String(variables.length), ...variables, expiresAt.toISOString()];
  return Buffer.from(fields.map((field) => `${field}\0`).join(''));
}

const number = z.coerce.number().int();

/** Throws a plain Error for what `encodeGo` has not written. */
export function decodeGo(bytes: Buffer): Go {
  const fields = bytes.toString().split('\0');
  let at = 0;
  const next = () => fields[at++] ?? '';
  const many = (count: number) => {
    at += count;
    return fields.slice(at - count, at);
  };
  const [timeMs, outputBytes, logBytes] = [number.parse(next()), number.parse(next()), number.parse(next())];
  const [command, ...rest] = many(number.parse(next()));
  const env = Object.fromEntries(
    many(number.parse(next())).map((variable) => {
      const cut = variable.indexOf('=');
      return [variable.slice(0, cut), variable.slice(cut + 1)];
    }),
  );
  const expiresAt = new Date(next());
  if (command === undefined || Number.isNaN(expiresAt.getTime())) throw new Error('not the order of a waiting sandbox');
  return { argv: [command, ...rest], env, timeMs, outputBytes, logBytes, expiresAt };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
