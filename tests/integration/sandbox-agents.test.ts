import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createTunnel } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDockerSandbox } from '../../runner/sandbox/docker.ts';
import { defaultSandboxLimits, ImageMissing, ImageUnfit, type Sandbox, type SandboxSpec } from '../../runner/sandbox/port.ts';
import { readUntil, toText } from '../contracts/sandbox-subject.ts';
import { removeDisks } from '../support/disk-traces.ts';
import { createInputGateway, type InputGateway } from '../support/input-gateway.ts';
import { waitFor } from '../support/wait-for.ts';

const socketPath = '/var/run/docker.sock';
const options = { engine: { socketPath }, instance: `ag-${randomBytes(4).toString('hex')}`, image: 'deckhand-sandbox:1' };
const sandbox: Sandbox = createDockerSandbox(options);

let place = '';
let directory = '';
let gateway: InputGateway;
const runs: string[] = [];

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'deckhand-agents-'));
  directory = join(place, 'gw');
  gateway = await createInputGateway(directory, { answer: (asking, response) => response.end(`gateway ${asking.url}`) });
  await chmod(directory, 0o711);
});
afterEach(async () => {
  for (const run of runs.splice(0)) await sandbox.destroy(run);
  await gateway.die();
  await rm(place, { recursive: true, force: true });
});
afterAll(() => removeDisks(options.instance));

/** Starts the bridge with a command, or without, in the image of agents. */
async function begin(command: string[], change: Partial<SandboxSpec> = {}): Promise<string> {
  const run = `run_${randomBytes(6).toString('hex')}`;
  runs.push(run);
  const { bridge } = sandbox.inside(run);
  await sandbox.create({
    run,
    argv: [...bridge, ...(command.length === 0 ? [] : ['--', ...command])],
    env: { DECKHAND_RUN_TOKEN: 'dhr_test', CLAUDE_CONFIG_DIR: '/workspace/claude', CODEX_HOME: '/workspace', ...change.env },
    limits: { ...defaultSandboxLimits, diskBytes: 64 * 1024 ** 2 },
    gateway: directory,
    image: 'agents',
    expiresAt: new Date(Date.now() + 600_000),
  });
  await sandbox.start(run);
  return run;
}

async function look(run: string, script: string): Promise<string> {
  const { stdout } = await sandbox.exec(run, { argv: ['bash', '-c', script], timeMs: 30_000, outputBytes: 1_000_000 });
  return toText(stdout);
}

const lines = (text: string) => text.split('\n').filter((line) => line !== '');

describe('from the sandbox of an agent', () => {
  it('nothing but the gateway is reachable: not the host, not other sandboxes, no name server, no metadata, no engine', async () => {
    const server = createServer((_, answer) => answer.end('reached'));
    await new Promise<void>((listening) => server.listen(0, '0.0.0.0', listening));
    try {
      const { port } = server.address() as AddressInfo;
      const [run, other] = await Promise.all([
        begin([]),
        begin(['node', '-e', 'require("http").createServer((q, a) => a.end("reached")).listen(8123, "0.0.0.0")']),
      ]);
      await waitFor('the other sandbox', async () => (await look(other, 'curl -s -m 2 http://127.0.0.1:8123/')) === 'reached');
      await waitFor('the bridge', async () => (await look(run, 'curl -s -m 2 http://127.0.0.1:9100/x')) === 'gateway /x');

      const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
      const hosts = own.flatMap(({ family, address }) => (family === 'IPv4' ? [address] : [`[${address}]`]));
      const targets = [
        ...[...hosts, '172.17.0.1', 'host.docker.internal', 'gateway.docker.internal', 'localhost'].map(
          (host) => `${host}:${port}`,
        ),
        ...['127.0.0.1:8123', `${'sandbox'}:8123`, '172.17.0.2:8123', '172.17.0.3:8123', '127.0.0.1:2375', '172.17.0.1:2375'],
        ...[
          '169.254.169.254',
          '169.254.170.2',
          '[fd00:ec2::254]',
          'metadata.google.internal',
          '1.1.1.1',
          '[2606:4700:4700::1111]',
        ],
        'example.com',
      ].map((address) => `http://${address}/`);
      const tries = targets.map((target) => `curl -s -m 2 -o /dev/null '${target}' && echo 'reached ${target}'`).join('\n');
      expect(await look(run, tries)).toBe('');

      const names = `node -e '
        const dns = require("dns"); const asks = ["127.0.0.11", "172.17.0.1", "1.1.1.1", "8.8.8.8"].map((server) => {
          const resolver = new dns.promises.Resolver({ timeout: 300, tries: 1 }); resolver.setServers([server]);
          return resolver.resolve4("example.com").then(() => console.log("resolved by " + server), () => {}); });
        Promise.all([...asks, dns.promises.lookup("example.com").then(() => console.log("looked up"), () => {})]);'`;
      expect(await look(run, names)).toBe('');
      expect(await look(run, 'ls /sys/class/net; tail -n +2 /proc/net/route; tail -n +1 /proc/net/arp | tail -n +2')).toBe(
        'lo\n',
      );
    } finally {
      server.close();
    }
  });

  it('no file of the host is visible but the socket, and that directory cannot be written', async () => {
    const run = await begin([]);
    await waitFor('the bridge', () => gateway.asked.length > 0);
    const script = `find /run ! -type d 2>/dev/null; [ -S /run/deckhand/gw.sock ] && echo socket
      cd /run/deckhand && for act in 'touch x' 'rm gw.sock' 'mv gw.sock y' 'ln -s / z' 'mkdir d' 'chmod 777 .' 'mknod p p'; do
        $act 2>/dev/null && echo "could $act"
      done
      find / -xdev -type s 2>/dev/null
      awk '$5 !~ /^\\/(proc|sys|dev)/ { print $5, $6 }' /proc/self/mountinfo | cut -d, -f1 | sort`;
    expect(lines(await look(run, script))).toEqual([
      'socket',
      '/ ro',
      ...['/etc/hostname ro', '/etc/hosts ro'],
      ...['/home/deckhand rw', '/run/deckhand ro', '/tmp rw', '/workspace rw'],
    ]);
    expect(gateway.connections).toBeGreaterThan(0);
  });

  it.each([
    ['Claude Code', ['claude', '-p', '--input-format', 'stream-json', '--output-format', 'stream-json', '--verbose'], 'claude'],
    ['Codex', ['codex', 'app-server'], 'codex'],
  ])(
    'commands can neither answer in the place of people, nor read or change the process of %s or the bridge',
    async (_, argv, program) => {
      const run = await begin(argv, { env: { ANTHROPIC_API_KEY: 'dhr_test', CODEX_HOME: '/workspace' } });
      await waitFor('the program', async () => (await look(run, `pgrep -x ${program}`)) !== '');
      const script = `for pid in $(pgrep -x ${program}) $(pgrep -x -f 'node /usr/local/lib/deckhand/bridge.mjs .*'); do
        echo "process"
        for file in fd/0 fd/1 fd/2 mem; do { : >>/proc/$pid/$file; } 2>/dev/null && echo "wrote $file"; done
        for file in environ mem maps fd/0; do head -c 1 /proc/$pid/$file >/dev/null 2>&1 && echo "read $file"; done
        ls /proc/$pid/fd >/dev/null 2>&1 && echo "listed"
        python3 -c 'import ctypes, sys; libc = ctypes.CDLL(None, use_errno=True); sys.exit(libc.ptrace(16, int(sys.argv[1]), 0, 0) != 0)' $pid && echo "traced"
      done; true`;
      expect(lines(await look(run, script))).toEqual(['process', 'process']);
    },
  );

  it('Claude Code is held to settings that no file of a repository changes', async () => {
    const run = await begin([]);
    const settings = JSON.parse(await look(run, 'cat /etc/claude-code/managed-settings.json'));
    expect(settings).toMatchObject({
      permissions: { disableBypassPermissionsMode: 'disable', deny: ['WebFetch', 'WebSearch'] },
      allowManagedHooksOnly: true,
      allowManagedPermissionRulesOnly: true,
      allowManagedMcpServersOnly: true,
      allowedMcpServers: [],
    });
    expect(await look(run, 'find /etc/claude-code /opt/agents \\( -writable -o -perm /6000 \\) ! -type l')).toBe('');
  });
});

describe('the examination of the engine', () => {
  it('tries the way to a gateway, and names the programs of agents', async () => {
    const checks = await createDockerSandbox({ ...options, gateways: place }).probe();
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(checks.find(({ name }) => name === 'agents')?.detail).toMatch(/^Claude Code \d.*, Codex \d/);
    expect(checks.map(({ name }) => name)).toContain('gateway');
    expect(await readdir(place)).toEqual(['gw']);
  });

  it('finds that the engine sees other files than the runner, as one on another machine does, and what to do', async () => {
    // Every path below `mine` is another one for the engine.
    const mine = join(place, 'mine/gw');
    await mkdir(mine, { recursive: true });
    const tunnel = join(place, 'engine.sock');
    const server = createTunnel((near) => {
      const far = connect(socketPath);
      const translated = new Transform({
        transform: (chunk: Buffer, _, done) =>
          done(null, Buffer.from(chunk.toString('latin1').replaceAll('/mine/', '/else/'), 'latin1')),
      });
      near.pipe(translated).pipe(far).pipe(near);
      for (const socket of [near, far]) socket.on('error', () => undefined);
    });
    await new Promise<void>((listening) => server.listen(tunnel, listening));
    try {
      const away = createDockerSandbox({ ...options, engine: { socketPath: tunnel }, gateways: mine });
      const wrong = (await away.probe()).filter(({ ok }) => !ok);
      expect(wrong).toEqual([
        expect.objectContaining({ name: 'gateway', harmless: true, remedy: expect.stringContaining('same machine') }),
      ]);
      const run = 'run_away';
      runs.push(run);
      const spec = {
        run,
        argv: ['true'] as const,
        env: {},
        limits: defaultSandboxLimits,
        expiresAt: new Date(Date.now() + 60_000),
      };
      await expect(away.create({ ...spec, gateway: mine })).rejects.toThrow(/does not see the directory/);
    } finally {
      server.close();
    }
  });
});

describe('the image of agents', () => {
  it('has the programs and versions that it says it has, started at once by an ordinary user', async () => {
    const { claude, codex } = await sandbox.agents();
    expect([claude, codex]).toEqual([expect.stringMatching(/^\d+\.\d+\.\d+$/), expect.stringMatching(/^\d+\.\d+\.\d+$/)]);
    const run = await begin([]);
    expect(await look(run, 'claude --version; codex --version')).toBe(`${claude} (Claude Code)\ncodex-cli ${codex}\n`);
  });

  it('is named where it is missing, or is that of other commands', async () => {
    const open = (agentsImage: string) => createDockerSandbox({ ...options, agentsImage });
    await expect(open('deckhand-no-such-image:1').agents()).rejects.toThrow(ImageMissing);
    await expect(open(options.image).agents()).rejects.toThrow(ImageUnfit);
  });

  it('a helper beside an agent starts within a moment', async () => {
    const run = await begin(['cat']);
    gateway.add({ line: 'up' });
    await readUntil(sandbox, run, 'up');
    const times: number[] = [];
    for (let i = 0; i < 5; i++) {
      const since = performance.now();
      await look(run, 'true');
      times.push(performance.now() - since);
    }
    // 50 ms on an idle machine.
    expect(Math.min(...times)).toBeLessThan(1000);
  });
});
