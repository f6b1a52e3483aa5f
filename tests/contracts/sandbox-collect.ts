import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Pack, pack } from 'tar-stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Helper, HelperFailed, NoSpace } from '../../runner/sandbox/port.ts';
import { packDirectory, readTar, type TarEntry, UnsafeTar } from '../../runner/sandbox/tar.ts';
import { waitFor } from '../support/wait-for.ts';
import { type Bench, processesWith, takeAll, toText, uniqueSleep } from './sandbox-subject.ts';

const execute = promisify(execFile);
const tarLimits = { entries: 1000, fileBytes: 10_000_000, totalBytes: 20_000_000 };

function helper(script: string, change: Partial<Helper> = {}): Helper {
  return { argv: ['sh', '-c', script], timeMs: 20_000, outputBytes: 50_000_000, ...change };
}

async function* bytesOf(archive: Pack): AsyncGenerator<Uint8Array> {
  for await (const chunk of archive) if (chunk instanceof Uint8Array) yield chunk;
}

export function collectContract(bench: Bench): void {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'deckhand-tree-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  async function gather(run: string, wanted: Helper): Promise<string> {
    return toText(Buffer.concat(await takeAll(bench.sandbox.collect(run, wanted))));
  }

  it('copies a tree in with its modes, links and names, and out again', async () => {
    const long = `${'long-'.repeat(30)}name.txt`;
    await mkdir(join(directory, 'src/empty'), { recursive: true });
    await writeFile(join(directory, 'src/run.sh'), '#!/bin/sh\necho ran\n');
    await chmod(join(directory, 'src/run.sh'), 0o755);
    await writeFile(join(directory, long), 'x'.repeat(70_000));
    await writeFile(join(directory, 'naïve file.txt'), 'ï');
    await writeFile(Buffer.concat([Buffer.from(`${directory}/bytes-`), Buffer.from([0xff, 0xfe])]), 'b');
    await symlink('src/run.sh', join(directory, 'link'));
    const spec = bench.shell(
      `./src/run.sh; ls | od -c | grep -c '377 376'; touch src/new; id -u; stat -c %u . src/run.sh; rm bytes-*`,
    );
    await bench.sandbox.create(spec);
    await bench.sandbox.copyIn(spec.run, packDirectory(directory));
    await bench.sandbox.copyIn(spec.run, packDirectory(directory));
    await bench.sandbox.start(spec.run);
    const output: Uint8Array[] = [];
    for await (const chunk of bench.sandbox.output(spec.run, { stdout: 0, stderr: 0 })) output.push(chunk.bytes);
    const [ran, bytes, user, ...owners] = toText(Buffer.concat(output)).trim().split('\n');
    expect([ran, bytes]).toEqual(['ran', '1']);
    expect(owners).toEqual([user, user]);
    const entries: TarEntry[] = [];
    for await (const entry of readTar(bench.sandbox.collect(spec.run, helper('tar -cf - .')), tarLimits)) entries.push(entry);
    const found = Object.fromEntries(
      entries.map(({ path, type, executable, bytes, target }) => [path, { type, executable, text: target ?? bytes.length }]),
    );
    expect(found).toMatchObject({
      'src/run.sh': { type: 'file', executable: true, text: 19 },
      'src/empty': { type: 'directory' },
      'src/new': { type: 'file', executable: false, text: 0 },
      link: { type: 'symlink', text: 'src/run.sh' },
      [long]: { text: 70_000 },
      'naïve file.txt': { text: 2 },
    });
  });

  it('refuses what is no archive, lets nothing of one out of the working copy, and takes none after the start', async () => {
    const marker = `deckhand-escape-${process.pid}-${Date.now()}`;
    const evil = pack();
    evil.entry({ name: `../${marker}` }, 'out');
    evil.entry({ name: `/tmp/${marker}` }, 'out');
    evil.entry({ name: 'up', type: 'symlink', linkname: '../..' });
    evil.entry({ name: `up/${marker}` }, 'out');
    evil.finalize();
    const spec = bench.shell('true');
    await bench.sandbox.create(spec);
    const junk = async function* () {
      yield Buffer.alloc(2000, 'junk');
    };
    await expect(bench.sandbox.copyIn(spec.run, junk())).rejects.toThrow(/tar/i);
    await bench.sandbox.copyIn(spec.run, bytesOf(evil)).catch((error: unknown) => expect(error).toBeInstanceOf(Error));
    const find = ['/tmp', '/var/tmp', '/root', process.cwd()].filter((place) => place !== '');
    const passedBy = ['-path', '*/work/*', '-o', '-name', 'node_modules'];
    const { stdout } = await execute(
      'find',
      [...find, '-maxdepth', '6', '(', ...passedBy, ')', '-prune', '-o', '-name', marker, '-print'],
      { maxBuffer: 1e7 },
    ).catch((error: { stdout: string }) => error);
    expect(stdout).toBe('');
    await bench.sandbox.start(spec.run);
    await expect(bench.sandbox.copyIn(spec.run, packDirectory(directory))).rejects.toThrow(/after the start/);
  });

  if (bench.subject.capabilities.limits.disk) {
    it('says that files do not fit', async () => {
      await writeFile(join(directory, 'big'), Buffer.alloc(40_000_000, 1));
      const spec = bench.shell('true', { limits: { diskBytes: 16 * 1024 ** 2 } });
      await bench.sandbox.create(spec);
      await expect(bench.sandbox.copyIn(spec.run, packDirectory(directory))).rejects.toThrow(NoSpace);
    });
  }

  it('collects a bundle that a clean repository on the host accepts', async () => {
    const { run } = await bench.complete(
      'git init -q . && echo one >a && git add a && git commit -qm first && echo two >a && echo new >b',
    );
    const work = 'git add -A && git commit -qm second && git bundle create -q - HEAD';
    const bundle = Buffer.concat(await takeAll(bench.sandbox.collect(run, helper(work))));
    await writeFile(join(directory, 'result.bundle'), bundle);
    await execute('git', ['init', '-q', '--bare', join(directory, 'mirror.git')]);
    const inMirror = (...args: string[]) => execute('git', ['-C', join(directory, 'mirror.git'), ...args]);
    await inMirror('-c', 'transfer.fsckObjects=true', 'fetch', '-q', join(directory, 'result.bundle'), 'HEAD:refs/heads/task');
    expect((await inMirror('log', '--format=%s', 'task')).stdout).toBe('second\nfirst\n');
    expect((await inMirror('show', 'task:a')).stdout).toBe('two\n');
  });

  it('collects before the start, after the end, several times, and never while the command runs', async () => {
    const spec = bench.shell('sleep 600');
    await bench.sandbox.create(spec);
    expect(await gather(spec.run, helper('echo early >f; cat f'))).toBe('early\n');
    await bench.sandbox.start(spec.run);
    await expect(gather(spec.run, helper('cat f'))).rejects.toThrow(/runs/);
    await bench.sandbox.stop(spec.run, 0);
    expect(await gather(spec.run, helper('cat f'))).toBe('early\n');
    expect(await gather(spec.run, helper('cat f f'))).toBe('early\nearly\n');
  });

  it('brings all of a large result at the pace of the reader; ends a helper whose reader leaves, and says how one fails or reaches a limit', async () => {
    const { run } = await bench.complete('head -c 30000000 /dev/urandom >big; ln -s /etc/passwd passwords');
    let bytes = 0;
    for await (const chunk of bench.sandbox.collect(run, helper('cat big'))) bytes += chunk.length;
    expect(bytes).toBe(30_000_000);

    const failing = gather(run, helper('echo partly; echo reason >&2; exit 3'));
    await expect(failing).rejects.toThrow(HelperFailed);
    await expect(failing).rejects.toMatchObject({ exitCode: 3, stderr: 'reason\n', limit: undefined });
    await expect(gather(run, helper('yes', { outputBytes: 100_000 }))).rejects.toMatchObject({ limit: 'output_limit' });
    const seconds = uniqueSleep();
    await expect(gather(run, helper(`sleep ${seconds}`, { timeMs: 300 }))).rejects.toMatchObject({ limit: 'timed_out' });
    expect(await processesWith(seconds)).toEqual([]);
    await expect(gather(run, { ...helper(''), argv: ['no-such-helper'] })).rejects.toMatchObject({ exitCode: 127 });

    for await (const _ of bench.sandbox.collect(run, helper(`echo up; sleep ${seconds}`))) break;
    expect(await processesWith(seconds)).toEqual([]);
    const abort = new AbortController();
    const reason = new Error('no longer wanted');
    const reading = (async () => {
      for await (const _ of bench.sandbox.collect(run, helper(`echo up; sleep ${seconds}`), abort.signal)) abort.abort(reason);
    })();
    await expect(reading).rejects.toBe(reason);
    expect(await processesWith(seconds)).toEqual([]);

    // An evil archive that comes out of a sandbox is rejected.
    const evil = readTar(bench.sandbox.collect(run, helper('tar -cf - passwords')), tarLimits);
    await expect(takeAll(evil)).rejects.toThrow(UnsafeTar);
  });

  it('runs helpers beside the command, within their limits', async () => {
    const run = await bench.begin('echo here >f; echo up; sleep 600', { env: { RUN_TOKEN: 'token' } });
    await waitFor('the file', async () => (await bench.sandbox.exec(run, helper('cat f'))).exitCode === 0);
    const result = await bench.sandbox.exec(
      run,
      helper('cat f; echo "$RUN_TOKEN $MORE"; printf "\\377" >&2; exit 4', { env: { MORE: 'x' } }),
    );
    expect({ ...result, stdout: toText(result.stdout), stderr: Buffer.from(result.stderr) }).toMatchObject({
      exitCode: 4,
      stdout: 'here\ntoken x\n',
      stderr: Buffer.from([0xff]),
    });
    const seconds = uniqueSleep();
    expect(await bench.sandbox.exec(run, helper(`sleep ${seconds}`, { timeMs: 300 }))).toMatchObject({ limit: 'timed_out' });
    const loud = await bench.sandbox.exec(run, helper('yes', { outputBytes: 50_000 }));
    expect(loud.limit).toBe('output_limit');
    expect(loud.stdout.length).toBeLessThanOrEqual(50_000);
    const abort = new AbortController();
    const waiting = bench.sandbox.exec(run, helper(`setsid sleep ${seconds} & sleep ${seconds}`), abort.signal);
    await waitFor('the helper', async () => (await processesWith(seconds)).length >= 2);
    const reason = new Error('no longer wanted');
    abort.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await waitFor('the helper to be gone', async () => (await processesWith(seconds)).length === 0);
    expect((await bench.sandbox.status(run)).state).toBe('running');
    await bench.sandbox.stop(run, 0);
    await expect(bench.sandbox.exec(run, helper('true'))).rejects.toThrow(/runs/);
  });
}
