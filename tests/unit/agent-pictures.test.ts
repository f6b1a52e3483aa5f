import Anthropic from '@anthropic-ai/sdk';
import { expect, it } from 'vitest';
import { createPictures, pictureBlock, picturesIn } from '../../runner/harness/pictures.ts';
import type { GivenFile } from '../../src/contracts/given-file.ts';

const png = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(100)]);
const file = (change: Partial<GivenFile>): GivenFile => ({
  artifact: 'art_1',
  name: 'a.png',
  mime: 'image/png',
  bytes: 108,
  ...change,
});
const text = { type: 'text', text: 'look' } as const;

it('pictures are those of this turn that a model takes', () => {
  const files = [
    file({ artifact: 'art_1', came: 'request' }),
    file({ artifact: 'art_2', came: 'earlier' }),
    file({ artifact: 'art_3', mime: 'image/svg+xml' }),
    file({ artifact: 'art_4', mime: undefined }),
    file({ artifact: 'art_5', bytes: 4 * 1024 ** 2 }),
    file({ artifact: 'art_6', mime: 'image/jpeg', came: 'before' }),
  ];
  expect(picturesIn(files).map(({ artifact }) => artifact)).toEqual(['art_1', 'art_6']);
  expect(picturesIn(Array.from({ length: 30 }, () => file({})))).toHaveLength(10);
});

it('a conversation gets the bytes of its pictures when a model is asked; what only says that it is one is left out', async () => {
  const known = new Map<string, Uint8Array>([
    ['art_1', png],
    ['art_2', Buffer.from('<html>not a picture</html>')],
    ['art_3', Buffer.concat([Buffer.from('ffd8ff', 'hex'), Buffer.alloc(10)])],
  ]);
  const pictures = createPictures(async (artifact) => known.get(artifact));
  const said = ['art_1', 'art_2', 'art_gone', 'art_3'].map(pictureBlock);
  const filled = await pictures.into([{ role: 'user', content: [...said, text] }]);
  expect(filled).toEqual([
    {
      role: 'user',
      content: [
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png.toString('base64') } },
        { type: 'image', source: { type: 'base64', media_type: 'image/jpeg', data: expect.any(String) } },
        text,
      ],
    },
  ]);
});

it('there is room for the newest of many large pictures', async () => {
  const large = Buffer.concat([png, Buffer.alloc(3 * 1024 ** 2)]);
  const pictures = createPictures(async () => large);
  const message = (n: number) => ({ role: 'user' as const, content: [pictureBlock(`art_${n}`), text] });
  const filled = await pictures.into(Array.from({ length: 8 }, (_, n) => message(n)));
  const shown = filled.map(({ content }) => content.length === 2);
  expect(shown).toEqual([false, false, false, false, true, true, true, true]);
});

it('a picture that the model server cannot read does not end the task: from then on none is shown', async () => {
  const pictures = createPictures(async () => png);
  const refusal = (status: number, message: string) =>
    Anthropic.APIError.generate(status, { error: { message } }, message, new Headers());
  expect(pictures.givenUp(refusal(500, 'image'))).toBe(false);
  expect(pictures.givenUp(refusal(400, 'messages: roles must alternate'))).toBe(false);
  expect(pictures.givenUp(refusal(400, 'messages.0.content.0: Could not process image'))).toBe(true);
  expect(await pictures.into([{ role: 'user', content: [pictureBlock('art_1'), text] }])).toEqual([
    { role: 'user', content: [text] },
  ]);
  expect(pictures.givenUp(refusal(400, 'Could not process image'))).toBe(false);
});
