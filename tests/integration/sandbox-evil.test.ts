import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDockerSandbox } from '../../runner/sandbox/docker.ts';
import { defaultSandboxLimits } from '../../runner/sandbox/port.ts';
import { packDirectory } from '../../runner/sandbox/tar.ts';
import { readUntil, takeAll, toText } from '../contracts/sandbox-subject.ts';
import { removeDisks } from '../support/disk-traces.ts';
import { claudeTraps, codexTraps, evilRepository, instructionTraps, markersInSandbox } from '../support/evil-repos.ts';
import { createInputGateway, type InputGateway } from '../support/input-gateway.ts';

const socketPath = '/var/run/docker.sock';
const instance = `ev-${randomBytes(4).toString('hex')}`;
const sandbox = createDockerSandbox({ engine: { socketPath }, instance, image: 'deckhand-sandbox:1' });
const traps = { markers: markersInSandbox, thief: 'http://127.0.0.1:9100/thief' };
const home = '/workspace/.git/deckhand/home';

let place = '';
let gateway: InputGateway;
let requests: string[] = [];
const runs: string[] = [];

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'deckhand-evil-'));
  requests = [];
  gateway = await createInputGateway(join(place, 'gw'), { answer: model });
  await evilRepository(join(place, 'repository'), claudeTraps(traps), codexTraps(traps), instructionTraps(traps));
});
afterEach(async () => {
  for (const run of runs.splice(0)) await sandbox.destroy(run);
  await gateway.die();
  await rm(place, { recursive: true, force: true });
});
afterAll(() => removeDisks(instance));

/** A model that wants to run one command, and is done then. */
async function model(asking: IncomingMessage, response: ServerResponse): Promise<void> {
  requests.push(asking.url ?? '');
  if (asking.method !== 'POST') {
    response.end();
    return;
  }
  const { messages } = (await json(asking)) as { messages: { content: unknown }[] };
  const again = JSON.stringify(messages).includes('tool_result');
  const block = again ? { type: 'text', text: '' } : { type: 'tool_use', id: 'toolu_1', name: 'Bash', input: {} };
  const delta = again
    ? { type: 'text_delta', text: 'done' }
    : { type: 'input_json_delta', partial_json: '{"command":"touch /tmp/wanted"}' };
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [],
    usage: { input_tokens: 1, output_tokens: 1 },
  };
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const event of [
    { type: 'message_start', message },
    { type: 'content_block_start', index: 0, content_block: block },
    { type: 'content_block_delta', index: 0, delta },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: again ? 'end_turn' : 'tool_use' }, usage: { output_tokens: 1 } },
    { type: 'message_stop' },
  ]) {
    response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  }
  response.end();
}

async function begin(argv: string[]): Promise<string> {
  const run = `run_${randomBytes(6).toString('hex')}`;
  runs.push(run);
  await sandbox.create({
    run,
    argv: [...sandbox.inside(run).bridge, '--', ...argv],
    env: {
      DECKHAND_RUN_TOKEN: 'dhr_test',
      ANTHROPIC_API_KEY: 'dhr_test',
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:9100/anthropic',
      CLAUDE_CONFIG_DIR: `${home}/claude`,
      CODEX_HOME: `${home}/codex`,
    },
    limits: { ...defaultSandboxLimits, diskBytes: 64 * 1024 ** 2 },
    gateway: join(place, 'gw'),
    image: 'agents',
    expiresAt: new Date(Date.now() + 600_000),
  });
  await sandbox.copyIn(run, packDirectory(join(place, 'repository')));
  return run;
}

async function lookAt(run: string, script: string): Promise<string[]> {
  const helper = { argv: ['sh', '-c', script] as const, timeMs: 20_000, outputBytes: 100_000 };
  return toText(Buffer.concat(await takeAll(sandbox.collect(run, helper))))
    .split('\n')
    .filter((line) => line !== '');
}

const sprung = (run: string) => lookAt(run, `ls ${markersInSandbox} 2>/dev/null || true`);
const send = (...messages: object[]) => gateway.add(...messages.map((message) => ({ line: JSON.stringify(message) })));

describe('Claude Code in a repository that wants to take over', () => {
  const claude = ['claude', '-p', '--input-format', 'stream-json', '--output-format', 'stream-json', '--verbose'];
  const asking = [...claude, '--permission-prompt-tool', 'stdio'];

  it.each([
    ['started without the settings of the repository', ['--setting-sources', '', '--strict-mcp-config'], []],
    // Its settings may still name a program that makes the key; the launch above keeps Claude Code from reading them.
    [
      'started as the repository would like it',
      ['--setting-sources', 'user,project,local', '--permission-mode', 'bypassPermissions'],
      [/-api-key-helper$/],
    ],
  ])('%s asks, stays at its gateway and runs nothing of the repository', async (_, options, known) => {
    const run = await begin([...asking, ...options]);
    await sandbox.start(run);
    send(
      { type: 'control_request', request_id: 'h1', request: { subtype: 'initialize' } },
      { type: 'user', message: { role: 'user', content: 'Go on' }, parent_tool_use_id: null, session_id: '' },
    );
    const asked = /"request_id":"([^"]+)","request":\{"subtype":"can_use_tool","tool_name":"Bash"/;
    const seen = await readUntil(sandbox, run, '"subtype":"can_use_tool"');
    const response = { behavior: 'deny', message: 'No.' };
    send({ type: 'control_response', response: { subtype: 'success', request_id: asked.exec(seen)?.[1], response } });
    await readUntil(sandbox, run, '"type":"result"');
    gateway.add({ end: true });
    await sandbox.wait(run);
    expect((await sprung(run)).filter((name) => !known.some((pattern) => pattern.test(name)))).toEqual([]);
    expect(requests.filter((path) => path.startsWith('/anthropic/v1/messages')).length).toBeGreaterThan(1);
    expect(requests.filter((path) => !path.startsWith('/anthropic'))).toEqual([]);
  });
});

describe('Codex in a repository that wants to take over', () => {
  const begun = { clientInfo: { name: 'test', title: 'Test', version: '1' }, capabilities: null };

  async function thread(
    config: string,
    until: string,
    end: { end: true } | { signal: string },
  ): Promise<{ run: string; config: string[] }> {
    const run = await begin(['codex', 'app-server']);
    await lookAt(run, `mkdir -p ${home}/codex && printf '%s' '${config}' >${home}/codex/config.toml`);
    await sandbox.start(run);
    const params = { cwd: '/workspace', approvalPolicy: 'untrusted', sandbox: 'danger-full-access' };
    send({ method: 'initialize', id: 1, params: begun }, { method: 'initialized' }, { method: 'thread/start', id: 2, params });
    await readUntil(sandbox, run, until);
    gateway.add(end);
    await sandbox.wait(run);
    return { run, config: await lookAt(run, `cat ${home}/codex/config.toml`) };
  }

  it('trusts it when nothing says otherwise: the traps are real', async () => {
    const { run, config } = await thread('', '"name":"evil","status":"failed"', { signal: 'SIGINT' });
    expect(config).toContain('trust_level = "trusted"');
    expect(await sprung(run)).toContain('codex-mcp');
  });

  it('runs nothing of it where the repository is named as untrusted beforehand', async () => {
    // At the end of its input Codex goes on for seconds with what it has begun.
    const untrusted = '[projects."/workspace"]\ntrust_level = "untrusted"\n';
    const { run, config } = await thread(untrusted, '"method":"thread/started"', { end: true });
    expect(config).toEqual(['[projects."/workspace"]', 'trust_level = "untrusted"']);
    expect(await sprung(run)).toEqual([]);
    expect(requests).toEqual([]);
  });
});
