import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Helper, SandboxSpec } from '../../runner/sandbox/port.ts';
import { packDirectory, readTar, TooLarge } from '../../runner/sandbox/tar.ts';
import { createInputGateway, type InputGateway } from '../support/input-gateway.ts';
import { waitFor } from '../support/wait-for.ts';
import { type Bench, readOutput, readUntil, takeAll, toText } from './sandbox-subject.ts';

const home = '.git/deckhand/home';

/** Agents: their way out, what is put into their home, and what is taken from it. */
export function gatewayContract(bench: Bench): void {
  let place = '';
  let directory = '';
  let gateway: InputGateway;
  beforeEach(async () => {
    place = await mkdtemp(join(tmpdir(), 'deckhand-gateway-'));
    directory = join(place, 'gw');
    gateway = await createInputGateway(directory, { answer: (asking, response) => response.end(`answer to ${asking.url}`) });
    // No more than what a sandbox needs.
    await chmod(directory, 0o711);
  });
  afterEach(async () => {
    await gateway.die();
    await rm(place, { recursive: true, force: true });
  });

  /** A spec for the bridge with a script. `fetch PATH` asks the gateway over TCP. */
  async function bridged(script: string): Promise<SandboxSpec> {
    const spec = bench.shell('true');
    const { bridge } = bench.sandbox.inside(spec.run);
    const port = String(await freePort());
    // The Node that the bridge runs on.
    const node = bridge.find((part) => part.endsWith('node'));
    const fetching = `fetch() { ${node} -e 'fetch("http://127.0.0.1:${port}" + process.argv[1]).then((a) => a.text()).then(console.log)' "$1"; }`;
    return {
      ...spec,
      argv: [...bridge, '--', 'sh', '-c', `${fetching}\n${script}`],
      env: { DECKHAND_GATEWAY_PORT: port, DECKHAND_RUN_TOKEN: 'dhr_test' },
      gateway: directory,
    };
  }

  async function begin(spec: SandboxSpec): Promise<string> {
    await bench.sandbox.create(spec);
    await bench.sandbox.start(spec.run);
    return spec.run;
  }

  it('promise 8: brings input to the command, and what it asks on the port of the bridge to the gateway, also to that of a later life of the runner', async () => {
    const run = await begin(await bridged('while read -r line; do echo "line $line"; fetch "/$line"; done; echo over; exit 3'));
    gateway.add({ line: 'one' }, { line: 'two' });
    await readUntil(bench.sandbox, run, 'answer to /two');
    await gateway.die();
    gateway.add({ line: 'three' });
    await gateway.listen();
    await readUntil(bench.sandbox, run, 'answer to /three');
    gateway.add({ end: true });
    expect(toText((await readOutput(bench.sandbox, run)).stdout)).toBe(
      'line one\nanswer to /one\nline two\nanswer to /two\nline three\nanswer to /three\nover\n',
    );
    expect(await bench.sandbox.wait(run)).toMatchObject({ cause: 'exit', exitCode: 3 });
  });

  it('tells the command and helpers beside it where the gateway is, and nobody afterwards', async () => {
    const spec = bench.shell('sleep 600');
    const run = await begin({ ...spec, gateway: directory });
    const look = helper('[ -S "$DECKHAND_GATEWAY_SOCKET" ] && echo "socket"; echo "$DECKHAND_GATEWAY_SOCKET"');
    expect(toText((await bench.sandbox.exec(run, look)).stdout)).toMatch(/^socket\n\/.*\/gw\.sock\n$/);
    await bench.sandbox.stop(run, 0);
    expect(toText(Buffer.concat(await takeAll(bench.sandbox.collect(run, look))))).toBe('\n');
  });

  it('stops the command below the bridge, which may still say a last word', async () => {
    const run = await begin(await bridged('trap "echo saved; exit 0" TERM; echo up; while :; do sleep 0.05; done'));
    await readUntil(bench.sandbox, run, 'up');
    await bench.sandbox.stop(run, 10_000);
    expect(await bench.sandbox.wait(run)).toMatchObject({ cause: 'stopped', exitCode: 0 });
    expect(toText((await readOutput(bench.sandbox, run)).stdout)).toBe('up\nsaved\n');
  });

  it('takes files of an agent before the start, beside those of the repository, for the user of the sandbox', async () => {
    const spec = bench.shell(
      `cat file; cd ${home} && find . -type f | sort && cat a/config && touch a/new && [ "$(id -u)" = "$(stat -c %u a/config)" ] && echo mine`,
    );
    await bench.sandbox.create(spec);
    for (const files of [{ file: 'of the repository\n', config: 'old and longer\n', kept: '' }, { config: 'new\n' }]) {
      const copy = join(place, 'copy');
      await mkdir(join(copy, home, 'a'), { recursive: true });
      for (const [name, text] of Object.entries(files)) {
        await writeFile(join(copy, name === 'config' ? `${home}/a/config` : name === 'kept' ? `${home}/kept` : name), text);
      }
      await bench.sandbox.copyIn(spec.run, packDirectory(copy));
      await rm(copy, { recursive: true });
    }
    await bench.sandbox.start(spec.run);
    expect(toText((await readOutput(bench.sandbox, spec.run)).stdout)).toBe('of the repository\n./a/config\n./kept\nnew\nmine\n');
  });

  it('says where a command works that has no gateway, and gives the files of a session out again, within limits', async () => {
    const { run, stdout } = await bench.complete(
      `pwd; echo "$DECKHAND_GATEWAY_SOCKET."; mkdir -p ${home}/projects/one && cd ${home} && echo '{"turn":1}' >projects/one/s.jsonl && echo secret >config && head -c 100000 /dev/zero >projects/big`,
    );
    expect(toText(stdout)).toBe(`${bench.sandbox.inside(run).workspace}\n.\n`);
    const taking = helper(`cd ${home} && tar -cf - projects/one`);
    const limits = { entries: 100, fileBytes: 50_000, totalBytes: 80_000 };
    const entries = await takeAll(readTar(bench.sandbox.collect(run, taking), limits));
    expect(entries.map(({ path, bytes }) => [path, toText(bytes)])).toEqual([
      ['projects/one', ''],
      ['projects/one/s.jsonl', '{"turn":1}\n'],
    ]);
    const whole = helper(`cd ${home} && tar -cf - projects`);
    await expect(takeAll(readTar(bench.sandbox.collect(run, whole), limits))).rejects.toThrow(TooLarge);
    const scant = { ...whole, outputBytes: 20_000 };
    await expect(takeAll(bench.sandbox.collect(run, scant))).rejects.toMatchObject({ limit: 'output_limit' });
  });

  it('runs helpers beside an agent without a bridge command, with their own argv and nothing to read', async () => {
    const spec = await bridged('true');
    const { bridge, workspace } = bench.sandbox.inside(spec.run);
    const run = await begin({ ...spec, argv: [...bridge] });
    await waitFor('the bridge', () => gateway.asked.length > 0);
    const argv = ['sh', '-c', 'pwd; cat; printf "%s|" "$@"', 'sh', 'a b', '', '"$x"', 'ü\n'] as const;
    const told = await bench.sandbox.exec(run, { ...helper(''), argv });
    expect([toText(told.stdout), told.exitCode]).toEqual([`${workspace}\na b||"$x"|ü\n|`, 0]);
    gateway.add({ end: true });
    expect(await bench.sandbox.wait(run)).toMatchObject({ cause: 'exit', exitCode: 0 });
  });
}

function helper(script: string): Helper {
  return { argv: ['sh', '-c', script], timeMs: 20_000, outputBytes: 1_000_000 };
}

/** In a sandbox with a network of its own it is free as well. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}
