import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { complete } from '../../src/commands/complete.ts';
import { parseText } from '../../src/commands/parse.ts';
import { commands } from '../../src/commands/registry.ts';

const values = (text: string) => complete(text).map(({ value }) => value);

describe('completions while typing', () => {
  it.each([
    ['st', ['steer ', 'stop ', 'status']],
    ['PRO', ['project add ', 'project list', 'project test ', 'project remove ']],
    ['project ', ['project add ', 'project list', 'project test ', 'project remove ']],
    ['tasks r', ['tasks running', 'tasks review']],
    ['move #1 d', ['move #1 done']],
    ['settings pol', ['settings policy=']],
    ['settings policy=s', ['settings policy=safe']],
    ['settings policy=safe v', ['settings policy=safe verbosity=']],
    ['sh pro', ['sh project=']],
    ['sh ', ['sh project=', 'sh runs-on=']],
    ['sh npm pro', []],
    ['bind web role=', ['bind web role=guest', 'bind web role=developer', 'bind web role=none']],
    ['nothing like it', []],
    ['bind "web', []],
  ])('%j goes on with %j', (text, expected) => {
    expect(values(text)).toEqual(expected);
  });

  it('nothing typed goes on with the first commands, as many as platforms show; a letter finds the others', () => {
    const names = commands.map(({ name }) => name);
    expect(values('').map((value) => value.trimEnd())).toEqual(names.slice(0, 25));
    for (const name of names) expect(values(name.slice(0, 1)).map((value) => value.trimEnd())).toContain(name);
  });

  it('every completed name is one the parser knows, and no text breaks it', () => {
    for (const { value } of complete('')) expect(parseText(value, commands).type).not.toBe('unknown');
    fc.assert(
      fc.property(fc.constantFrom('', ...commands.map(({ name }) => `${name} `)), fc.string({ unit: 'binary' }), (name, rest) => {
        const text = name + rest;
        const found = complete(text);
        expect(found.length).toBeLessThanOrEqual(25);
        for (const { value, hint } of found) {
          expect(value).not.toBe(text);
          expect(hint).not.toBe('');
        }
      }),
    );
  });
});
