import { Readable } from 'node:stream';
import fc from 'fast-check';
import { extract, type Header as FullHeader, type Pack, pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { ownedBy, readAll, readTar, type TarEntry, TooLarge, UnsafeTar } from '../../runner/sandbox/tar.ts';

type Header = Partial<FullHeader> & Pick<FullHeader, 'name'>;

const limits = { entries: 10, fileBytes: 1000, totalBytes: 2000 };

async function bytesOf(archive: Pack): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) if (chunk instanceof Uint8Array) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function archiveOf(entries: [Header, string?][]): Promise<Buffer> {
  const archive = pack();
  for (const [header, text] of entries) archive.entry(header, text ?? '');
  archive.finalize();
  return await bytesOf(archive);
}

async function* pieces(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Uint8Array, change: Partial<typeof limits> = {}): Promise<TarEntry[]> {
  const entries: TarEntry[] = [];
  for await (const entry of readTar(pieces(bytes), { ...limits, ...change })) entries.push(entry);
  return entries;
}

describe('readTar', () => {
  it('gives files, directories and links with plain names', async () => {
    const bytes = await archiveOf([
      [{ name: './', type: 'directory' }],
      [{ name: './a/', type: 'directory' }],
      [{ name: './a/run', mode: 0o4755 }, 'text'],
      [{ name: 'a/up', type: 'symlink', linkname: '../b/./c' }],
      [{ name: 'b/c' }, 'é'],
    ]);
    expect((await read(bytes)).map(({ bytes: content, ...rest }) => ({ ...rest, text: content.toString() }))).toEqual([
      { path: 'a', type: 'directory', executable: true, text: '' },
      { path: 'a/run', type: 'file', executable: true, text: 'text' },
      { path: 'a/up', type: 'symlink', executable: false, text: '', target: '../b/./c' },
      { path: 'b/c', type: 'file', executable: false, text: 'é' },
    ]);
  });

  const evil: Record<string, [Header, string?][]> = {
    'an absolute name': [[{ name: '/etc/cron.d/x' }, 'x']],
    'a name with ..': [[{ name: 'a/../../x' }, 'x']],
    'a name that is ..': [[{ name: '..', type: 'directory' }]],
    'a backslash': [[{ name: 'a\\..\\x' }, 'x']],
    'a line end in a name': [[{ name: 'a\nb' }, 'x']],
    'an empty part': [[{ name: 'a//b' }, 'x']],
    'an absolute link': [[{ name: 'a', type: 'symlink', linkname: '/etc/passwd' }]],
    'a link that leads outside': [[{ name: 'a/b', type: 'symlink', linkname: '../../x' }]],
    'a link that leads outside through another': [
      [{ name: 'a/b/c', type: 'symlink', linkname: '../..' }],
      [{ name: 'd', type: 'symlink', linkname: 'a/b/c/..' }],
    ],
    'an empty link': [[{ name: 'a', type: 'symlink', linkname: '' }]],
    'a file below a link': [[{ name: 'a', type: 'symlink', linkname: 'b' }], [{ name: 'a/x' }, 'x']],
    'a link in place of a directory': [[{ name: 'a/x' }, 'x'], [{ name: 'a', type: 'symlink', linkname: 'b' }]],
    'a file below a file': [
      [{ name: 'a' }, 'x'],
      [{ name: 'a/x' }, 'x'],
    ],
    'a name twice': [
      [{ name: 'a' }, 'x'],
      [{ name: './a' }, 'y'],
    ],
    'a hard link': [[{ name: 'a', type: 'link', linkname: 'b' }]],
    'a device': [[{ name: 'a', type: 'character-device', devmajor: 1, devminor: 3 }]],
    'a pipe': [[{ name: 'a', type: 'fifo' }]],
    'a link as its root': [[{ name: '.', type: 'symlink', linkname: 'a' }]],
  };
  for (const [what, entries] of Object.entries(evil)) {
    it(`refuses an archive with ${what}`, async () => {
      await expect(archiveOf(entries).then((bytes) => read(bytes))).rejects.toThrow(UnsafeTar);
    });
  }

  it('refuses a name that is no text', async () => {
    const bytes = await archiveOf([[{ name: 'aXb' }, 'x']]);
    bytes[1] = 0xff;
    const sum = bytes.subarray(0, 512).reduce((all, byte, i) => all + (i < 148 || i >= 156 ? byte : 32), 0);
    bytes.write(sum.toString(8).padStart(6, '0'), 148);
    await expect(read(bytes)).rejects.toThrow(UnsafeTar);
  });

  it('refuses more entries, larger files and more bytes than allowed', async () => {
    const files = (count: number, size: number) =>
      archiveOf(Array.from({ length: count }, (_, i): [Header, string] => [{ name: `f${i}` }, 'x'.repeat(size)]));
    expect(await read(await files(10, 200))).toHaveLength(10);
    await expect(read(await files(11, 1))).rejects.toThrow(TooLarge);
    await expect(read(await files(1, 1001))).rejects.toThrow(TooLarge);
    await expect(read(await files(3, 900))).rejects.toThrow(TooLarge);
  });

  it('refuses what is cut off, and what is no archive', async () => {
    const bytes = await archiveOf([[{ name: 'a' }, 'x'.repeat(600)]]);
    await expect(read(bytes.subarray(0, 900))).rejects.toThrow(UnsafeTar);
    await expect(read(Buffer.alloc(2048, 'x'))).rejects.toThrow(UnsafeTar);
  });

  it('passes on the error of its source and ends it when the reader leaves', async () => {
    const broken = async function* () {
      yield (await archiveOf([[{ name: 'a' }, 'x']])).subarray(0, 512);
      throw new Error('the source broke');
    };
    await expect(readTar(broken(), limits).next()).rejects.toThrow('the source broke');
    let ended = false;
    const watched = async function* () {
      try {
        yield* pieces(
          await archiveOf([
            [{ name: 'a' }, 'x'],
            [{ name: 'b' }, 'x'],
          ]),
          512,
        );
      } finally {
        ended = true;
      }
    };
    for await (const _ of readTar(watched(), limits)) break;
    expect(ended).toBe(true);
  });
});

describe('ownedBy', () => {
  it('changes owners and nothing else, however the bytes are cut', async () => {
    const name = fc.stringMatching(/^[a-z]{1,120}$/);
    const file = fc.record({ name, text: fc.string({ maxLength: 1500 }), mode: fc.constantFrom(0o644, 0o755) });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(file, { selector: (one) => one.name, maxLength: 6 }),
        fc.integer({ min: 1, max: 3000 }),
        async (files, cut) => {
          const bytes = await archiveOf(
            files.map((one) => [{ name: one.name, mode: one.mode, uid: 7, gid: 8, uname: 'ada' }, one.text]),
          );
          const changed = await readAll(ownedBy(pieces(bytes, cut), 10001, 10002), 1e7);
          expect(changed).toHaveLength(bytes.length);
          const seen: unknown[] = [];
          const unpack = extract();
          unpack.end(changed);
          for await (const entry of unpack) {
            const text = (await readAll(Readable.from(entry), 1e6)).toString();
            const { header } = entry;
            seen.push({
              name: header.name,
              mode: header.mode,
              uid: header.uid,
              gid: header.gid,
              uname: header.uname,
              text,
            });
          }
          expect(seen).toEqual(files.map((one) => ({ ...one, uid: 10001, gid: 10002, uname: '' })));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('refuses what is cut off, and what is no archive', async () => {
    const bytes = await archiveOf([[{ name: 'a' }, 'x'.repeat(600)]]);
    for (const cut of [100, 700])
      await expect(readAll(ownedBy(pieces(bytes.subarray(0, cut)), 1, 1), 1e7)).rejects.toThrow(UnsafeTar);
    await expect(readAll(ownedBy(pieces(Buffer.alloc(2048, 'x')), 1, 1), 1e7)).rejects.toThrow(UnsafeTar);
  });
});

describe('readAll', () => {
  it('stops at the first byte too many', async () => {
    const bytes = Buffer.alloc(5000, 1);
    expect(await readAll(pieces(bytes), 5000)).toEqual(bytes);
    await expect(readAll(pieces(bytes), 4999)).rejects.toThrow(TooLarge);
  });
});
