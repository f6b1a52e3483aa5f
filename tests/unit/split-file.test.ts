import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileSlot, readFile, splitBytes } from '../../src/delivery/upload.ts';

describe('a file that is too large for a platform', () => {
  it('promise 5: becomes several, which together are the file, byte by byte', () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'é', '😀', ' ', '\n'), maxLength: 60 });
    fc.assert(
      fc.property(line, fc.integer({ min: 4, max: 30 }), (text, max) => {
        const bytes = new TextEncoder().encode(text);
        const pieces = splitBytes(bytes, max);
        expect(Buffer.concat(pieces)).toEqual(Buffer.from(bytes));
        for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(max);
        // Each piece is whole text of its own.
        expect(pieces.map((piece) => new TextDecoder('utf-8', { fatal: true }).decode(piece)).join('')).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  it('is cut at line ends and numbered', async () => {
    const files = await readFile({ from: 'text', name: '142.log', text: 'one\ntwo\nthree\n' }, 9, {
      readArtifact: async () => undefined,
    });
    expect(files?.map(({ name, bytes }) => [name, new TextDecoder().decode(bytes)])).toEqual([
      ['142.1-of-2.log', 'one\ntwo\n'],
      ['142.2-of-2.log', 'three\n'],
    ]);
  });

  it('is known by name and content, so that it goes up once', () => {
    const file = { from: 'text', name: 'a.txt', text: 'one' } as const;
    expect(fileSlot(file)).toBe(fileSlot({ ...file }));
    expect(fileSlot(file)).not.toBe(fileSlot({ ...file, text: 'two' }));
    expect(fileSlot(file)).not.toBe(fileSlot({ ...file, name: 'b.txt' }));
  });

  it('that is a picture of one file of a patch is drawn when it is sent, and is another one than that of the next file', async () => {
    const picture = { from: 'artifact', name: 'a.png', artifact: 'art_1', draws: { title: '#1', file: 2 } } as const;
    const drawn = await readFile(picture, 100, {
      readArtifact: async (id, draws) => new TextEncoder().encode(`${id} ${draws?.title} ${draws?.file}`),
    });
    expect(new TextDecoder().decode(drawn?.[0]?.bytes)).toBe('art_1 #1 2');
    const slots = [
      picture,
      { ...picture, draws: { title: '#1', file: 3 } },
      { from: 'artifact', name: 'a.png', artifact: 'art_1' } as const,
    ];
    expect(new Set(slots.map(fileSlot)).size).toBe(3);
  });

  it('that is no longer stored is nothing', async () => {
    expect(
      await readFile({ from: 'artifact', name: '142.log', artifact: 'art_1' }, 100, { readArtifact: async () => undefined }),
    ).toBeUndefined();
  });
});
