import { describe, expect, it } from 'vitest';
import { readBundle } from '../../runner/bundle.ts';
import { createGit, GitFailed } from '../../runner/git.ts';
import { machineError, sourceError } from '../../runner/git-errors.ts';
import { parseNumstat } from '../../runner/patch.ts';
import { HelperFailed } from '../../runner/sandbox/port.ts';

describe('reading what git prints', () => {
  it('counts lines of files, binary files and renames, whatever they are called', () => {
    const output = '1\t2\tplain.txt\0-\t-\timage.png\0' + '3\t0\t\0old name\0new\tname\nwith\0' + '0\t0\t"quoted"\0';
    expect(parseNumstat(Buffer.from(output))).toEqual([
      { path: 'plain.txt', added: 1, removed: 2 },
      { path: 'image.png', added: null, removed: null },
      { path: 'new\tname\nwith', added: 3, removed: 0 },
      { path: '"quoted"', added: 0, removed: 0 },
    ]);
    expect(parseNumstat(Buffer.from(''))).toEqual([]);
    expect(() => parseNumstat(Buffer.from('what\0'))).toThrow('unknown form');
  });

  it('shows names that are no UTF-8 with replacement characters', () => {
    expect(parseNumstat(Buffer.concat([Buffer.from('1\t0\tf'), Buffer.from([0xff]), Buffer.from('\0')]))).toEqual([
      { path: 'f\uFFFD', added: 1, removed: 0 },
    ]);
  });
});

describe('a bundle', () => {
  const tip = 'a'.repeat(40);
  const needs = 'b'.repeat(40);
  async function* inParts(text: string, size: number): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size), 'latin1');
  }
  const read = async (text: string, size = 7) => {
    const bundle = await readBundle(inParts(text, size));
    if (bundle === undefined) return undefined;
    const pack: Uint8Array[] = [];
    for await (const chunk of bundle.pack) pack.push(chunk);
    return { ...bundle.header, pack: Buffer.concat(pack).toString('latin1') };
  };

  it('gives its header and the bytes of its pack, however they are cut', async () => {
    const text = `# v2 git bundle\n-${needs} a title\n${tip} refs/heads/result\n\nPACK\n\n\0rest`;
    for (const size of [1, 2, 16, 1000]) {
      expect(await read(text, size)).toEqual({ tip, needs: [needs], pack: 'PACK\n\n\0rest' });
    }
    expect(await read(`# v3 git bundle\n@object-format=sha256\n${'c'.repeat(64)} refs/heads/result\n\nP`)).toMatchObject({
      needs: [],
    });
  });

  it('is nothing when there are no bytes, and refused when its header is not exactly what is expected', async () => {
    expect(await read('')).toBeUndefined();
    const bad = [
      '# v9 git bundle\n\n',
      `# v2 git bundle\n\n`,
      `# v2 git bundle\n${tip} a\n${tip} b\n\n`,
      `# v2 git bundle\n--upload-pack=x a\n${tip} b\n\n`,
      `# v3 git bundle\n@filter=blob:none\n${tip} a\n\n`,
      `# v2 git bundle\n${tip.slice(1)} a\n\n`,
      `# v2 git bundle\n${'x'.repeat(300_000)}`,
    ];
    for (const text of bad) await expect(read(text, 4096), text.slice(0, 60)).rejects.toMatchObject({ name: 'BadBundle' });
  });
});

describe('what git complains about', () => {
  const failed = (stderr: string) => new GitFailed('fetch', 'exit', 128, stderr);
  const codeOf = (stderr: string) => (sourceError(failed(stderr), 'https://example.com/a.git') as { code?: string }).code;

  it('is told to people by its kind', () => {
    const complaints: [string, string][] = [
      ["fatal: could not read Username for 'https://github.com': terminal prompts disabled", 'DH-504'],
      ["remote: Invalid username or token.\nfatal: Authentication failed for 'https://github.com/a/b/'", 'DH-504'],
      ['git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository.', 'DH-504'],
      ["fatal: unable to access 'https://example.com/': The requested URL returned error: 403", 'DH-504'],
      ['Host key verification failed.\nfatal: Could not read from remote repository.', 'DH-500'],
      ["fatal: unable to access 'https://x.invalid/': Could not resolve host: x.invalid", 'DH-500'],
      ["fatal: unable to access 'https://example.com/': SSL certificate problem: self-signed certificate", 'DH-500'],
      ['ssh: connect to host example.com port 22: Connection timed out\nfatal: Could not read from remote repository.', 'DH-500'],
      ['error: RPC failed; curl 18 transfer closed\nfatal: the remote end hung up unexpectedly\nfatal: early EOF', 'DH-500'],
      ["fatal: unable to access 'https://example.com/': The requested URL returned error: 502", 'DH-500'],
      ["remote: Not Found\nfatal: repository 'https://example.com/a.git/' not found", 'DH-501'],
      ["fatal: '/tmp/x' does not appear to be a git repository", 'DH-501'],
      ["fatal: detected dubious ownership in repository at '/srv/web'", 'DH-506'],
      ['error: object 1234: badTree: cannot be parsed as a tree\nfatal: fsck error in packed object', 'DH-507'],
      ['something nobody has seen', 'DH-507'],
      ['fatal: write error: No space left on device', 'DH-508'],
    ];
    for (const [stderr, code] of complaints) expect(codeOf(stderr), stderr).toBe(code);
  });

  it('is a full disk however git or node put it, and nothing else is', () => {
    const full = [
      failed('fatal: write error: No space left on device'),
      failed("error: unable to write file big\nfatal: Could not reset index file to revision 'HEAD'."),
      Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' }),
    ];
    for (const error of full) expect(machineError(error)).toMatchObject({ code: 'DH-508' });
    const other = failed('error: unable to write file big: Permission denied');
    expect(machineError(other)).toBe(other);
    const inside = new HelperFailed(['sh'], 128, 'fatal: unable to write loose object file: No space left on device');
    expect(machineError(inside)).toBe(inside);
  });

  it('is a missing git where there is none', async () => {
    const { run } = createGit({ PATH: '/nonexistent' });
    const error: unknown = await run(['version']).catch((reason: unknown) => reason);
    expect(sourceError(error, 'https://example.com/a.git')).toMatchObject({ code: 'DH-510' });
  });
});
