import { describe, expect, it } from 'vitest';
import { readBundle } from '../../runner/bundle.ts';
import { createGit, GitFailed } from '../../runner/git.ts';
import { machineError, sourceError } from '../../runner/git-errors.ts';
import { kindOf, parseChanges } from '../../runner/raw-changes.ts';
import { redactPatch } from '../../runner/redact-patch.ts';
import { HelperFailed } from '../../runner/sandbox/port.ts';
import { readPatch } from '../../src/changes/read-patch.ts';

describe('reading what git prints', () => {
  const object = (letter: string) => letter.repeat(40);
  const none = object('0');
  const raw = (...fields: string[]) => fields.map((field) => `${field}\0`).join('');

  it('tells files, what became of them and their lines, whatever they are called', () => {
    const output =
      raw(`:100644 100644 ${object('a')} ${object('b')} M`, 'plain.txt') +
      raw(`:000000 100755 ${none} ${object('c')} A`, 'image.png') +
      raw(`:100644 100644 ${object('d')} ${object('d')} R087`, 'old name', ':new\tname\nwith') +
      raw(`:100644 000000 ${object('e')} ${none} D`, '"quoted"') +
      raw(`:100644 120000 ${object('f')} ${object('1')} T`, 'link') +
      raw(
        '1\t2\tplain.txt',
        '-\t-\timage.png',
        '3\t0\t',
        'old name',
        ':new\tname\nwith',
        '0\t7\t"quoted"',
        '0\t4\tlink',
        '1\t0\tlink',
      );
    const side = (mode: string | undefined, letter: string) => ({ mode, object: object(letter) });
    expect(parseChanges(Buffer.from(output))).toEqual([
      {
        path: 'plain.txt',
        from: undefined,
        status: 'modified',
        before: side('100644', 'a'),
        after: side('100644', 'b'),
        added: 1,
        removed: 2,
      },
      {
        path: 'image.png',
        from: undefined,
        status: 'added',
        before: side(undefined, '0'),
        after: side('100755', 'c'),
        added: null,
        removed: null,
      },
      {
        path: ':new\tname\nwith',
        from: 'old name',
        status: 'renamed',
        before: side('100644', 'd'),
        after: side('100644', 'd'),
        added: 3,
        removed: 0,
      },
      {
        path: '"quoted"',
        from: undefined,
        status: 'deleted',
        before: side('100644', 'e'),
        after: side(undefined, '0'),
        added: 0,
        removed: 7,
      },
      {
        path: 'link',
        from: undefined,
        status: 'type_changed',
        before: side('100644', 'f'),
        after: side('120000', '1'),
        added: 1,
        removed: 4,
      },
    ]);
    expect(['100644', '100755', '120000', '160000', undefined].map(kindOf)).toEqual([
      'file',
      'executable',
      'symlink',
      'submodule',
      undefined,
    ]);
  });

  it('is nothing for nothing, and refused when it has an unknown form or ends too early', () => {
    expect(parseChanges(Buffer.from(''))).toEqual([]);
    for (const text of [
      'what\0',
      ':100644\0a\0',
      raw(`:100644 100644 ${none} ${none} X`, 'a'),
      raw(`:100644 100644 ${none} ${none} R1`, 'a'),
      raw('1\t0\t', 'a'),
    ])
      expect(() => parseChanges(Buffer.from(text)), text).toThrow('unknown form');
  });

  it('shows names that are no UTF-8 with replacement characters, and keeps them apart', () => {
    const entry = (byte: number, lines: number): [Buffer, Buffer] => [
      Buffer.concat([Buffer.from(`:100644 100644 ${none} ${none} M\0f`), Buffer.from([byte, 0])]),
      Buffer.concat([Buffer.from(`${lines}\t0\tf`), Buffer.from([byte, 0])]),
    ];
    const [one, two] = [entry(0xff, 1), entry(0xfe, 2)];
    const found = parseChanges(Buffer.concat([one[0], two[0], one[1], two[1]]));
    expect(found.map(({ path, added }) => [path, added])).toEqual([
      ['f\uFFFD', 1],
      ['f\uFFFD', 2],
    ]);
  });
});

describe('a patch without its secrets', () => {
  const key = (mark: string) =>
    [`${mark}-----BEGIN PRIVATE KEY-----`, `${mark}MIIEvQIBADANBgkqhkiG9w0BAQEFAASC`, `${mark}abcd`].join('\n');
  const file = (name: string, lines: string) =>
    `diff --git a/${name} b/${name}\n--- a/${name}\n+++ b/${name}\n@@ -1,3 +1,3 @@\n${lines}\n`;

  it('is the same bytes when there are none, whatever they are', () => {
    const patch = Buffer.concat([Buffer.from(file('a', '+x')), Buffer.from([0xff, 0xfe, 0x0a])]);
    const clean = redactPatch(patch, ['a-known-secret']);
    expect(clean.patch).toBe(patch);
    expect(clean.secrets).toEqual([]);
  });

  it('names the files that bring them, and leaves those behind them as they are', () => {
    const patch = Buffer.from(
      `${file('gone.pem', key('-'))}${file('key ä.pem', key('+'))}${file('cfg', '+token: a-known-secret')}${file('b', '+plain')}`,
    );
    const { patch: clean, secrets } = redactPatch(patch, ['a-known-secret']);
    expect(secrets).toEqual(['key ä.pem', 'cfg']);
    expect(clean.toString()).not.toMatch(/MIIEv|a-known-secret/);
    expect(clean.toString()).toContain(file('b', '+plain'));
    expect(readPatch(clean).map(({ path }) => path)).toEqual(['gone.pem', 'key ä.pem', 'cfg', 'b']);
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
