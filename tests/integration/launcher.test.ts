import { expect, test } from 'vitest';
import { feedProgram } from '../../runner/fed-program.ts';
import { type Launch, launch } from '../../src/runtime/launcher.ts';
import { waitFor } from '../support/wait-for.ts';

const order = (script: string, more: Partial<Launch> = {}): Launch => ({
  command: 'sh',
  args: ['-c', script],
  env: { PATH: process.env.PATH ?? '' },
  maxOutputBytes: 1000,
  maxErrorBytes: 4,
  ...more,
});
const sh = (script: string, more?: Partial<Launch>) => launch(order(script, more));
const text = async (script: string, more?: Partial<Launch>) => (await sh(script, more).ended).stdout.toString();
/** The launcher is what has started the program. */
const launcher = async () => Number(await text('echo $PPID'));

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('tells how a program ended, with its output and the end of its stderr', async () => {
  const { exitCode, stdout, stderr } = await sh('pwd; echo $GIVEN; echo 0123456789 >&2; cat; exit 3', {
    cwd: '/usr',
    env: { PATH: process.env.PATH ?? '', GIVEN: 'ü' },
  }).ended;
  expect([exitCode, stdout.toString(), stderr.toString()]).toEqual([3, '/usr\nü\n', '789\n']);
});

test('gives a program the variables it is given, and no other', async () => {
  expect(await text('env', { command: '/usr/bin/env', args: [], env: { ONE: '1' } })).toBe('ONE=1\n');
});

test('a program reads the input it is given, need not, and finds none where there is none', async () => {
  const input = Buffer.from('given\n');
  expect(await text('cat', { input })).toBe('given\n');
  expect(await text('echo no more', { input: Buffer.alloc(1_000_000) })).toBe('no more\n');
  expect(await text('cat; echo end')).toBe('end\n');
});

test('many run at once, and each answer goes to its own', async () => {
  const numbers = Array.from({ length: 20 }, (_, index) => String(index));
  expect(await Promise.all(numbers.map((number) => text(`printf ${number}`)))).toEqual(numbers);
});

test('a program that cannot be started, and one that writes too much, are told as that', async () => {
  expect(await sh('', { command: '/no/such/program' }).ended).toMatchObject({
    exitCode: null,
    notStarted: expect.stringContaining('ENOENT'),
  });
  const much = await sh('yes', { maxOutputBytes: 100_000 }).ended;
  expect(much).toMatchObject({ exitCode: null, tooLarge: true });
  expect(much.notStarted).toBeUndefined();
});

test('killing a program kills the group that it leads', async () => {
  const running = sh('sleep 300 & echo $! >&2; wait', { maxErrorBytes: 100 });
  const other = await launcher();
  const child = await waitFor('the child of the program', async () => {
    const found = await text(`for p in $(pgrep -P ${other} sh); do pgrep -P $p sleep; done`);
    return Number(found.split('\n')[0]) || undefined;
  });
  running.kill();
  const { exitCode, stderr } = await running.ended;
  expect([exitCode, Number(stderr.toString())]).toEqual([null, child]);
  await waitFor('the child to end', () => !isAlive(child));
});

test('a program that cannot even be tried disturbs no other', async () => {
  const other = sh('sleep 0.5; echo whole');
  const tooLong = await sh('', { args: ['x'.repeat(3_000_000)] }).ended;
  expect(tooLong).toMatchObject({ exitCode: null, notStarted: expect.stringContaining('E2BIG') });
  expect((await other.ended).stdout.toString()).toBe('whole\n');
});

test('what has left the group and holds the output open keeps nobody waiting for a program that is killed', async () => {
  const mark = `300.${process.pid}`;
  const script = (then: string) => `setsid sleep ${mark} & ${then}`;
  async function* nothing(): AsyncGenerator<Uint8Array> {}
  const ways = [() => sh(script('')), () => feedProgram(order(script('sleep 300')), nothing())];
  for (const start of ways) {
    const running = start();
    const find = async () => Number(await text(`pgrep -f "^sleep ${mark}$"`)) || undefined;
    const left = await waitFor('what has left the group', find);
    running.kill();
    expect((await running.ended).tooLarge).toBe(false);
    process.kill(left, 'SIGKILL');
    await waitFor('it to end', () => !isAlive(left));
  }
});

test('a program that has ended waits for no more of its input', async () => {
  async function* slow(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('a');
    await new Promise(() => undefined);
  }
  expect(await feedProgram(order('exit 3'), slow()).ended).toMatchObject({ exitCode: 3 });
});

test('a launcher that is killed takes down what waits for it, and the next program gets another', async () => {
  const first = await launcher();
  const cut = sh('while kill -0 $PPID; do sleep 0.1; done');
  process.kill(first, 'SIGKILL');
  expect(await cut.ended).toMatchObject({ exitCode: null, tooLarge: false });
  const next = await launcher();
  expect(next).not.toBe(first);
  expect(isAlive(next)).toBe(true);
});
