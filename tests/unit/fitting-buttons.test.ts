import { expect, test } from 'vitest';
import { commandBlock, pageBlocks } from '../../src/commands/fitting-buttons.ts';
import { fitsPress } from '../../src/contracts/press.ts';
import { code, plain } from '../../src/contracts/view.ts';

const words = { before: 'Newer', after: 'Older' };
const labels = (blocks: ReturnType<typeof pageBlocks>) =>
  blocks.flatMap((block) => (block.type === 'buttons' ? block.buttons.map(({ label }) => label) : []));

test('a page has buttons to those before and after, and one to see it anew', () => {
  const again = (page: number) => `tasks open page=${page}`;
  expect(labels(pageBlocks({ page: 1, last: 1 }, words, again))).toEqual(['Refresh']);
  expect(labels(pageBlocks({ page: 2, last: 3 }, words, again))).toEqual(['Newer', 'Older', 'Refresh']);
  expect(labels(pageBlocks({ page: 9, last: 3 }, words, again))).toEqual(['Newer', 'Refresh']);
});

test('what is too long for a button, by its bytes, is to be typed instead', () => {
  const again = (page: number) => `tasks open project="${'ü'.repeat(20)}"${page === 1 ? '' : ` page=${page}`}`;
  expect(fitsPress(`c:${again(1)}`)).toBe(true);
  const blocks = pageBlocks({ page: 1, last: 2 }, words, again);
  expect(labels(blocks)).toEqual(['Refresh']);
  expect(JSON.stringify(blocks.at(-1))).toContain('page=2');
  const long = `policy remove 1 project=${'x'.repeat(60)}`;
  expect(commandBlock('Remove', long, 'takes it out')).toEqual({
    type: 'context',
    spans: [code(long), plain(' takes it out.')],
  });
});
