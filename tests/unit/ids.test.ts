import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isId, newId, parseId } from '../../src/runtime/ids.ts';

test('ids of one process are unique and sort in the order they were made', () => {
  const ids = Array.from({ length: 20_000 }, () => newId('tsk'));
  expect(new Set(ids).size).toBe(ids.length);
  expect([...ids].sort()).toEqual(ids);
});

test('an id says when it was made and is a UUID of version 7', () => {
  const before = Date.now();
  const parsed = parseId(newId('run'));
  expect(parsed?.prefix).toBe('run');
  expect(parsed?.uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  // The counter may run into the next milliseconds when very many ids are made at once.
  expect(Math.abs((parsed?.createdAt.getTime() ?? 0) - before)).toBeLessThan(1_000);
});

test('an id is of one kind only', () => {
  const id = newId('int');
  expect(id).toMatch(/^int_[0-9a-hjkmnp-tv-z]{26}$/);
  expect(isId('int', id)).toBe(true);
  expect(isId('run', id)).toBe(false);
  expect(isId('int', `${id} `)).toBe(false);
  expect(isId('int', id.toUpperCase())).toBe(false);
});

test('no other text is an id', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const parsed = parseId(text);
      return parsed === undefined || /^[a-z]{3}_[0-9a-z]{26}$/.test(text);
    }),
  );
  // 26 characters hold 130 bits: a first character above 7 would not fit into a UUID.
  expect(parseId('tsk_8zzzzzzzzzzzzzzzzzzzzzzzzz')).toBeUndefined();
});
