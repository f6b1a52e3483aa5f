import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorkspace } from '../../runner/workspace.ts';
import type { RunSpec } from '../../src/contracts/run-control.ts';
import { serveGit } from '../support/git-http.ts';
import { emptyRepository, temporaryDirectory } from '../support/git-repository.ts';

const exec = promisify(execFile);

describe('a repository behind HTTP', () => {
  let place: Awaited<ReturnType<typeof temporaryDirectory>>;
  let first: string;
  const workspace = (name: string) => createWorkspace({ dataDir: join(place.path, name), environment: process.env });
  const project = (url: string): RunSpec['project'] => ({
    id: 'prj_1',
    name: 'web',
    source: { kind: 'git', url },
    baseBranch: null,
  });

  beforeAll(async () => {
    place = await temporaryDirectory('http');
    first = await (await emptyRepository(join(place.path, 'web'))).commit({ 'README.md': 'hello\n' });
  });
  afterAll(() => place[Symbol.asyncDispose]());

  it('is fetched, also where the host has moved it', async () => {
    await using server = await serveGit(place.path);
    expect(await workspace('a').sync(project(`http://${server.host}/web/.git`))).toEqual({ defaultBranch: 'main', head: first });
    expect(await workspace('b').sync(project(`http://${server.host}/moved/web/.git`))).toEqual({
      defaultBranch: 'main',
      head: first,
    });
  });

  it('is not there, or is none: said so', async () => {
    await using server = await serveGit(place.path);
    await expect(workspace('a').sync(project(`http://${server.host}/nothing.git`))).rejects.toMatchObject({ code: 'DH-501' });
  });

  it('promise 9: a login in the address reaches the host only, never a message, a list of processes or a file', async () => {
    await using server = await serveGit(place.path, 'ada:hunter2 secret');
    const url = `http://ada:hunter2%20secret@${server.host}/web/.git`;
    const commands: string[] = [];
    const fetching = workspace('c').sync(project(url));
    let over = false;
    void fetching.finally(() => {
      over = true;
    });
    while (!over) commands.push((await exec('ps', ['-axww', '-o', 'args='])).stdout);
    expect(await fetching).toEqual({ defaultBranch: 'main', head: first });
    expect(commands.some((list) => list.includes(server.host))).toBe(true);
    expect(commands.join('\n')).not.toContain('hunter2');
    const { stdout } = await exec('grep', ['-r', '-l', '-a', 'hunter2', join(place.path, 'c')]).catch(() => ({ stdout: '' }));
    expect(stdout).toBe('');

    const wrong: unknown = await workspace('c')
      .sync(project(`http://ada:wrong-hunter2@${server.host}/web/.git`))
      .catch((error: unknown) => error);
    expect(wrong).toMatchObject({ code: 'DH-504' });
    expect(
      JSON.stringify([(wrong as Error).message, (wrong as { params: unknown }).params, String((wrong as Error).cause)]),
    ).not.toContain('hunter2');
    await expect(workspace('c').sync(project(`http://${server.host}/web/.git`))).rejects.toMatchObject({ code: 'DH-504' });
  });

  it('promise 9: a login does not follow a redirect', async () => {
    await using server = await serveGit(place.path, 'ada:secret');
    await expect(workspace('d').sync(project(`http://ada:secret@${server.host}/moved/web/.git`))).rejects.toMatchObject({
      name: 'AppError',
    });
    expect(server.seen.length).toBe(1);
  });
});
