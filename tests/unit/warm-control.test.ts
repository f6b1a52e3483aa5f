import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWarmControl, decodeGo, encodeGo, type Go } from '../../runner/sandbox/warm-control.ts';

const order: Go = {
  argv: ['sh', '-c', 'echo "$A"'],
  env: { A: 'one\ntwo', B: '' },
  timeMs: 1000,
  outputBytes: 2000,
  logBytes: 3000,
  expiresAt: new Date('2026-11-21T12:00:00Z'),
};

const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0'));
const orders: fc.Arbitrary<Go> = fc.record({
  argv: fc.tuple(text, fc.array(text)).map(([first, rest]) => [first, ...rest] as const),
  env: fc.dictionary(fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,9}$/), text, { noNullPrototype: true }),
  timeMs: fc.integer({ min: 1, max: 2 ** 40 }),
  outputBytes: fc.integer({ min: 1, max: 2 ** 40 }),
  logBytes: fc.integer({ min: 1, max: 2 ** 40 }),
  expiresAt: fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') }),
});

describe('the order of a waiting sandbox', () => {
  it('is read as it was written, whatever stands in arguments and variables', () => {
    fc.assert(fc.property(orders, (one) => void expect(decodeGo(encodeGo(one))).toEqual(one)));
  });

  it('is refused when a piece of it is missing', () => {
    const whole = encodeGo(order);
    for (const cut of [0, 5, 20, whole.length - 10]) expect(() => decodeGo(whole.subarray(0, cut)), String(cut)).toThrow();
  });
});

describe('the directory of a waiting sandbox', () => {
  let root = '';
  beforeEach(async () => {
    root = join(await mkdtemp(join(tmpdir(), 'deckhand-warm-')), 'warm');
  });
  afterEach(() => rm(join(root, '..'), { recursive: true, force: true }));

  it('promise 8: tells in every life whether it waits, is made up for a run, or was started', async () => {
    const control = createWarmControl(root);
    await control.make('one', false);
    expect(await control.read('one')).toBeUndefined();
    expect(await control.give('one')).toBe(false);
    await control.prepare('one', order);
    expect(await createWarmControl(root).read('one')).toEqual({ given: false, go: order });
    expect(await readdir(control.directory('one'))).toEqual(['ready']);
    expect(await control.give('one')).toBe(true);
    expect(await createWarmControl(root).read('one')).toEqual({ given: true, go: order });
    expect(await readdir(control.directory('one'))).toEqual(['go']);
  });

  it('promise 8: starts once, whoever asks and however often', async () => {
    const control = createWarmControl(root);
    await control.make('one', false);
    await control.prepare('one', order);
    const answers = await Promise.all(Array.from({ length: 8 }, () => createWarmControl(root).give('one')));
    expect(answers).toEqual(Array.from({ length: 8 }, () => true));
    expect(await readFile(join(control.directory('one'), 'go'))).toEqual(encodeGo(order));
  });

  it('is open to nobody but the runner and the sandbox that has it mounted', async () => {
    const control = createWarmControl(root);
    await control.make('one', true);
    const mode = async (path: string) => (await stat(path)).mode & 0o777;
    expect(await mode(root)).toBe(0o700);
    expect([await mode(control.directory('one')), await mode(control.gateway('one'))]).toEqual([0o755, 0o711]);
  });

  it('becomes the directory of the run’s gateway, but never in place of one with something in it', async () => {
    const control = createWarmControl(root);
    await control.make('one', true);
    const { ino } = await stat(control.gateway('one'));
    const own = join(root, '..', 'run');
    await mkdir(own);
    await writeFile(join(own, 'gw.sock'), '');
    await expect(control.moveGateway('one', own)).rejects.toThrow(/ENOTEMPTY|EEXIST/);
    await rm(join(own, 'gw.sock'));
    await control.moveGateway('one', own);
    expect((await stat(own)).ino).toBe(ino);
    expect((await stat(control.gateway('one'))).ino).toBe(ino);
    await control.remove('one');
    expect(await readdir(root)).toEqual([]);
    expect((await stat(own)).ino).toBe(ino);
  });
});
