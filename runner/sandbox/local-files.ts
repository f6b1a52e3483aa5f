import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { OutputStream } from '../../src/contracts/run-event.ts';
import { bootClock, type Moment } from './local-clock.ts';
import type { ProcessIdentity } from './local-process.ts';
import { assertRun, SandboxGone, type SandboxSpec } from './port.ts';

/**
 * The directory of a local sandbox, `<root>/<run>/`. What must survive the runner is written whole or not at all:
 *
 *     spec.json  what create was asked for; without it the sandbox is partial
 *     work/ home/ tmp/
 *     started    the command may have been started, never start it again (made by launch.sh)
 *     pid        who leads the command (launch.sh)        stdout, stderr   its output (launch.sh)
 *     exit       its exit code (launch.sh)              began, over      when, by the clock of the boot (launch.sh)
 *     cause      why the runner ended it, first reason only
 *     pauses     how long it stood still
 *     result     how it ended; the last word
 */
const specSchema = z.object({
  run: z.string(),
  argv: z.tuple([z.string()], z.string()),
  env: z.record(z.string(), z.string()),
  limits: z.object({
    timeMs: z.number(),
    outputBytes: z.number(),
    memoryBytes: z.number(),
    cpus: z.number(),
    pids: z.number(),
    diskBytes: z.number(),
    fileBytes: z.number(),
  }),
  gateway: z.string().optional(),
  image: z.enum(['commands', 'agents']).optional(),
  expiresAt: z.coerce.date(),
});

const causeSchema = z.enum(['timed_out', 'output_limit', 'disk_limit', 'stopped']);
export type EndedBy = z.infer<typeof causeSchema>;

const momentSchema = z.object({ day: z.number(), boot: z.object({ id: z.string(), ms: z.number() }).optional() });
/** A `since` that is a number is one of the clock of the day, as earlier versions wrote it. */
const sinceSchema = z.union([momentSchema, z.number().transform((day) => ({ day }))]);
const pausesSchema = z.object({ since: sinceSchema.nullable(), totalMs: z.number() });

const resultSchema = z.object({
  cause: z.enum(['exit', 'timed_out', 'output_limit', 'memory_limit', 'disk_limit', 'stopped', 'lost']),
  exitCode: z.number(),
  signal: z.string().optional(),
  oomKilled: z.boolean(),
  durationMs: z.number(),
});

const partialMs = 10 * 60_000;

export type LocalFiles = ReturnType<typeof localFiles>;

export function localFiles(root: string, run: string) {
  assertRun(run);
  const directory = join(root, run);
  const at = (name: string) => join(directory, name);

  async function read(name: string): Promise<string | undefined> {
    try {
      return await readFile(at(name), 'utf8');
    } catch (error) {
      if (isCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
      throw error;
    }
  }

  /** A draft of its own for every writer: several may write the same file at once, also within one process. */
  async function draftOf(name: string, text: string): Promise<string> {
    const draft = at(`${name}.${randomUUID()}.new`);
    try {
      await writeFile(draft, text);
    } catch (error) {
      // A full disk takes the name and not the text.
      await rm(draft, { force: true });
      throw error;
    }
    return draft;
  }

  async function writeWhole(name: string, text: string): Promise<void> {
    await rename(await draftOf(name, text), at(name));
  }

  async function readJson<T>(name: string, schema: z.ZodType<T>): Promise<T | undefined> {
    const text = await read(name);
    return text === undefined ? undefined : schema.parse(JSON.parse(text));
  }

  /** False when it exists. */
  async function writeOnce(name: string, text: string): Promise<boolean> {
    const draft = await draftOf(name, text);
    try {
      await link(draft, at(name));
      return true;
    } catch (error) {
      if (isCode(error, 'EEXIST')) return false;
      throw error;
    } finally {
      await rm(draft, { force: true });
    }
  }

  return {
    directory,
    work: at('work'),
    home: at('home'),
    temporary: at('tmp'),
    output: (stream: OutputStream) => at(stream),

    async create(spec: SandboxSpec, gitconfig: string): Promise<void> {
      for (const name of ['work', 'home', 'tmp']) await mkdir(at(name), { recursive: true, mode: 0o700 });
      await writeFile(at('home/.gitconfig'), gitconfig);
      for (const name of ['stdout', 'stderr']) await writeOnce(name, '');
      if ((await read('spec.json')) === undefined) await writeWhole('spec.json', JSON.stringify(spec));
    },

    async spec(): Promise<SandboxSpec> {
      const spec = await readJson('spec.json', specSchema);
      if (spec === undefined) throw new SandboxGone(run, 'it does not exist');
      return spec;
    },

    /** Of a directory without a spec: a create that is on its way has ended by then. */
    async partialUntil(): Promise<Date> {
      try {
        return new Date((await stat(directory)).mtimeMs + partialMs);
      } catch (error) {
        if (isCode(error, 'ENOENT')) return new Date(0);
        throw error;
      }
    },

    async started(): Promise<Moment | undefined> {
      try {
        return { day: (await stat(at('started'))).mtimeMs, boot: bootClock(await read('began')) };
      } catch (error) {
        if (isCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
        throw error;
      }
    },

    async leader(): Promise<(ProcessIdentity & { helpers: number[] }) | undefined> {
      const [numbers = '', identity = ''] = (await read('pid'))?.split('\n') ?? [];
      const [pid, ...helpers] = numbers.split(' ').map(Number);
      return pid === undefined || identity === '' ? undefined : { pid, identity: identity.trim(), helpers };
    },

    /** When and with what exit code the command ended by its own account. */
    async exit(): Promise<{ code: number; at: Moment } | undefined> {
      const text = await read('exit');
      if (text === undefined) return undefined;
      return { code: Number(text), at: { day: (await stat(at('exit'))).mtimeMs, boot: bootClock(await read('over')) } };
    },

    endBy: (cause: EndedBy) => writeOnce('cause', cause),
    cause: async () => causeSchema.optional().parse(await read('cause')),

    pauses: async () => (await readJson('pauses', pausesSchema)) ?? { since: null, totalMs: 0 },
    setPauses: (pauses: z.infer<typeof pausesSchema>) => writeWhole('pauses', JSON.stringify(pauses)),

    result: () => readJson('result', resultSchema),
    async setResult(result: z.infer<typeof resultSchema>): Promise<void> {
      // Several may come to it at once; the first stays, for a link never replaces.
      const draft = await draftOf('result', JSON.stringify(result));
      try {
        await link(draft, at('result'));
      } catch (error) {
        if (!isCode(error, 'EEXIST')) throw error;
      } finally {
        await rm(draft, { force: true });
      }
    },

    async outputBytes(): Promise<number> {
      const [out, err] = await Promise.all([stat(at('stdout')), stat(at('stderr'))]);
      return out.size + err.size;
    },

    openOutput: (stream: OutputStream) => open(at(stream), 'r'),

    /** The order matters: without spec.json what is left counts as partial, and can be removed again. */
    async remove(): Promise<void> {
      await rm(at('spec.json'), { force: true });
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** Runs that have a directory. */
export async function directoriesIn(root: string): Promise<string[]> {
  try {
    const entries = await readdir(root, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return [];
    throw error;
  }
}

export async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

export function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
