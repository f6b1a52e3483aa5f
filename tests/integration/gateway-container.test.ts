import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AgentKind } from '../../src/contracts/agent.ts';
import { type AgentWorld, createAgentWorld } from '../support/agent-world.ts';
import { waitFor } from '../support/wait-for.ts';

const run = promisify(execFile);
const docker = async (...args: string[]) => (await run('docker', args)).stdout;
const realKey = 'the-real-key-of';
const agents: AgentKind[] = ['claude', 'claude-code', 'codex'];

/** Tells for each of some addresses whether a connection can be made; `open HOST PORT` or `shut HOST PORT`. */
const knock = (targets: readonly string[]) => `node -e '
const { connect } = require("node:net");
for (const target of process.argv.slice(1)) {
  const [host, port] = target.split(" ");
  const socket = connect({ host, port: Number(port), timeout: 1500 });
  const tell = (word) => { console.log(word, target); socket.destroy(); };
  socket.once("connect", () => tell("open")).once("error", () => tell("shut")).once("timeout", () => tell("shut"));
}' ${targets.map((target) => `"${target}"`).join(' ')}`;

describe('promise 9: a container in which an agent works', () => {
  let world: AgentWorld;
  let project: string;
  let listening: Server;
  const runs = new Map<AgentKind, string>();

  beforeAll(async () => {
    world = await createAgentWorld('docker');
    listening = createServer((_, response) => response.end('reached')).listen(0, '0.0.0.0');
    await once(listening, 'listening');
    project = await world.demoProject();
    await world.startAgentRunner();
    // Every agent comes to a question: its sandbox stays for as long as it is looked at.
    for (const agent of agents) runs.set(agent, (await world.ask(agent, 'ask', 'fix the failing test', project)).run);
    for (const run of runs.values()) await world.pending(run, 60_000);
  }, 120_000);
  afterAll(async () => {
    listening.close();
    await world.close();
  });

  const runOf = (agent: AgentKind): string => runs.get(agent) ?? '';

  async function look(agent: AgentKind, script: string): Promise<string> {
    const { stdout, stderr } = await world.sandbox.exec(runOf(agent), {
      argv: ['bash', '-c', script],
      timeMs: 30_000,
      outputBytes: 1_000_000,
    });
    return `${stdout}${stderr}`;
  }

  /** The token of a run, as its agent has it. */
  async function tokenOf(agent: AgentKind): Promise<string> {
    const found = /dhr_[\w-]+/.exec(await look(agent, 'cat /proc/[0-9]*/environ 2>/dev/null | tr "\\0" "\\n"; env'));
    if (found === null) throw new Error(`${agent} has no token`);
    return found[0];
  }

  const ask = (agent: AgentKind, path: string, token: string, method = 'GET') =>
    look(
      agent,
      `curl --silent --output /dev/null --write-out '%{http_code}' --max-time 5 -X ${method} -H 'x-api-key: ${token}' http://127.0.0.1:9100${path}`,
    );

  it('reaches its gateway and nothing else: no port of this machine, no other container, no metadata, no name', async () => {
    const { port } = listening.address() as AddressInfo;
    const own = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
    const hosts = [...own, '172.17.0.1', '127.0.0.1', 'host.docker.internal'];
    const modelPort = new URL(world.model.anthropicUrl).port;
    const targets = [
      '127.0.0.1 9100',
      ...new Set(hosts.flatMap((host) => [`${host} ${port}`, `${host} ${modelPort}`, `${host} 5432`, `${host} 22`])),
      '169.254.169.254 80',
      'fd00:ec2::254 80',
      '1.1.1.1 443',
      '8.8.8.8 53',
      'api.anthropic.com 443',
    ];
    const seen = (await look('claude-code', knock(targets))).trim().split('\n');
    expect(seen.filter((line) => line.startsWith('open'))).toEqual(['open 127.0.0.1 9100']);
    expect(seen).toHaveLength(targets.length);
    const interfaces = await look('claude-code', 'tail -n +3 /proc/net/dev | cut -d: -f1; getent hosts example.com || echo none');
    expect(interfaces.split(/\s+/).filter(Boolean)).toEqual(['lo', 'none']);
  });

  it('is refused at its own gateway with the token of another run, and with none', async () => {
    const tokens = await Promise.all(agents.map(tokenOf));
    expect(new Set(tokens).size).toBe(agents.length);
    for (const [at, agent] of agents.entries()) {
      const answers = await Promise.all(tokens.map((token) => ask(agent, '/anthropic', token)));
      expect(answers).toEqual(agents.map((_, other) => (other === at ? '200' : '401')));
      expect(await ask(agent, '/anthropic/v1/messages', 'dhr_guessed', 'POST')).toBe('401');
      expect(await ask(agent, '/anthropic/v1/files', tokens[at] ?? '')).toBe('403');
    }
  });

  it('goes nowhere through its gateway but where it may', async () => {
    const token = await tokenOf('claude-code');
    const proxy = `--proxy http://run:${token}@127.0.0.1:9100`;
    const { port } = listening.address() as AddressInfo;
    for (const target of [
      `http://127.0.0.1:${port}/`,
      `https://127.0.0.1:${port}/`,
      'https://example.com/',
      'https://169.254.169.254/',
    ]) {
      const told = await look(
        'claude-code',
        `curl --silent --show-error --noproxy '' --max-time 10 ${proxy} '${target}' || true`,
      );
      expect(told).toMatch(/403|over TLS only/);
      expect(told).not.toContain('reached');
    }
  });

  it('holds no key: not in the environment, in files, in processes, in what it writes', async () => {
    const tokens = await Promise.all(agents.map(tokenOf));
    for (const [at, agent] of agents.entries()) {
      const places = '/workspace /tmp /home /run /etc /var /root /usr/local/lib/deckhand';
      // Written so that it does not find itself.
      const hidden = (word: string) => `${word.slice(0, -1)}[${word.slice(-1)}]`;
      const search = (word: string) =>
        look(
          agent,
          `(env; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline) 2>/dev/null | grep -a -c '${hidden(word)}'; grep -rla '${hidden(word)}' ${places} 2>/dev/null | head`,
        );
      expect(Number((await search(tokens[at] ?? '')).split('\n')[0])).toBeGreaterThan(0);
      expect((await search(realKey)).trim()).toBe('0');
      for (const other of tokens.filter((token) => token !== tokens[at])) expect((await search(other)).trim()).toBe('0');
      const id = await docker('ps', '--quiet', '--no-trunc', '--filter', `name=${runOf(agent)}`);
      const container = id.trim();
      expect(container).not.toBe('');
      const inspected = await docker('inspect', container);
      const logged = await docker('logs', container);
      for (const text of [inspected, logged]) expect(text).not.toContain(realKey);
      for (const other of tokens.filter((token) => token !== tokens[at])) expect(`${inspected}${logged}`).not.toContain(other);
    }
  });

  it('leaves no key and no token in the database: not in events, states, inputs or jobs', async () => {
    const tokens = await Promise.all(agents.map(tokenOf));
    const tables = await world.database.db.$queryRawUnsafe<{ schema: string; name: string }[]>(
      `SELECT table_schema AS schema, table_name AS name FROM information_schema.tables
       WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
    );
    expect(tables.length).toBeGreaterThan(10);
    for (const { schema, name } of tables) {
      const rows = await world.database.db.$queryRawUnsafe<{ row: string }[]>(
        `SELECT t::text AS row FROM "${schema}"."${name}" t`,
      );
      const text = rows.map(({ row }) => row).join('\n');
      for (const word of [realKey, ...tokens]) expect(text.includes(word), `${word.slice(0, 8)} in ${name}`).toBe(false);
    }
  });

  it('is where keys never were: the provider alone has seen them, and it has seen nothing else', async () => {
    expect([...world.model.counts().keys()].toSorted()).toEqual([`${realKey}-anthropic`, `${realKey}-openai`]);
    expect(JSON.stringify(world.model.requests())).not.toContain('dhr_');
  });

  it('is worth nothing when its run is over: the socket is gone, and its token opens no other', async () => {
    const token = await tokenOf('claude');
    const socket = join(world.installation.dataDir, 'gateway', runOf('claude'), 'gw.sock');
    expect(existsSync(socket)).toBe(true);
    const { taskId } = await world.database.db.run.findUniqueOrThrow({ where: { id: runOf('claude') } });
    await world.stop(taskId);
    await world.resultOf(runOf('claude'));
    await waitFor('the directory to go', () => !existsSync(join(socket, '..')));
    expect(await ask('claude-code', '/anthropic', token)).toBe('401');
    expect(await ask('codex', '/openai/v1', token)).toBe('401');
  });
});
