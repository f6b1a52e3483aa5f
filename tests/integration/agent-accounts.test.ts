import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Scenario } from '../../lab/model/action.ts';
import { createModelServer, type ModelServer } from '../../lab/model/server.ts';
import type { AgentKind } from '../../src/contracts/agent.ts';
import type { ModelProtocol } from '../../src/contracts/agent-account.ts';
import { createSecretBox } from '../../src/runtime/secret-box.ts';
import {
  createAgentAccount,
  keyContext,
  type NewAgentAccount,
  removeAgentAccount,
  setAgentAccountKey,
} from '../../src/store/agent-accounts.ts';
import { putQuota } from '../../src/store/quotas.ts';
import { type AgentWorld, createAgentWorld } from '../support/agent-world.ts';
import { ofType, outputText } from '../support/runner-world.ts';

const keys = { one: 'sk-ant-api03-of-account-one', two: 'sk-ant-api03-of-account-two', codex: 'sk-ant-api03-of-account-codex' };

/** Looks for anything that begins as these keys do; the pattern does not match itself. Finding the run's own token proves that it can see. */
const look = [
  `found=$(grep -rlsaE 'sk-ant-api0[3]-' /workspace /home /tmp /run /proc/[0-9]*/environ /proc/[0-9]*/cmdline)`,
  `token=$(grep -lsaE 'dhr[_]' /proc/[0-9]*/environ | head -1)`,
  `echo "keys: $(test -z "$found" && echo none || echo some), token: $(test -n "$token" && echo seen)"`,
].join('; ');

const run = promisify(execFile);
const docker = (...args: string[]) => run('docker', args);

const search: Scenario = {
  name: 'search',
  example: 'search for keys',
  matches: (prompt) => /search for keys/.test(prompt),
  *play() {
    const seen = yield { say: 'I look.', actions: [{ do: 'run', command: look, why: 'to see' }] };
    return `It says: ${seen.outcomes[0]?.text ?? 'nothing'}`;
  },
};

/** Leaves a mark wherever an agent can write, and looks for that of the other; what it looks with does not match itself. */
const marks: Scenario = {
  name: 'marks',
  example: 'be one of two: left',
  matches: (prompt) => /be one of two: (?:left|right)/.test(prompt),
  *play({ prompt }) {
    const [own, other] = /two: left/.test(prompt) ? ['left', 'righ[t]'] : ['right', 'lef[t]'];
    const leave = `for d in "$HOME" "$CLAUDE_CONFIG_DIR" "$CODEX_HOME" /tmp; do test -d "$d" && echo mark-${own} > "$d/mark-${own}"; done`;
    const files = `grep -rlsaE 'mark-${other}' /workspace /home /root /tmp /run "$CLAUDE_CONFIG_DIR" "$CODEX_HOME" /proc/[0-9]*/environ /proc/[0-9]*/cmdline`;
    const names = `find / -xdev -name 'mark-${other}' 2>/dev/null`;
    const seen = yield {
      say: 'I look.',
      actions: [{ do: 'run', command: `${leave}; echo "others: $({ ${files}; ${names}; } | wc -l)"`, why: 'to see' }],
    };
    return `It says: ${seen.outcomes[0]?.text ?? 'nothing'}`;
  },
};

describe('runs with accounts of their own', () => {
  let world: AgentWorld;
  let project: string;
  const servers: Record<'one' | 'two' | 'codex', ModelServer> = Object.create(null);

  beforeAll(async () => {
    world = await createAgentWorld('docker');
    project = await world.demoProject();
    const scenarios = [search, marks];
    servers.one = await createModelServer({ anthropicKey: keys.one, scenarios });
    servers.two = await createModelServer({ anthropicKey: keys.two, scenarios });
    servers.codex = await createModelServer({ openaiKey: keys.codex, scenarios });
    await world.startAgentRunner();
  });
  afterAll(async () => {
    await world.close();
    for (const server of Object.values(servers)) await server.close();
  });

  async function account(name: string, change: Partial<NewAgentAccount> & { key: string }): Promise<string> {
    const { key, ...others } = change;
    const box = createSecretBox([Buffer.from(world.key, 'base64url')]);
    return await world.database.transaction(async (tx) => {
      const made = await createAgentAccount(tx, {
        workspace: world.ada.workspace,
        name,
        protocol: 'anthropic' as ModelProtocol,
        baseUrl: servers.one.anthropicUrl,
        credential: 'key',
        models: null,
        image: null,
        binary: null,
        project: null,
        by: world.ada.user,
        at: new Date(),
        ...others,
      });
      if (made === undefined) throw new Error(`${name} is taken`);
      const sealed = box.seal(key, keyContext(made.id));
      await setAgentAccountKey(tx, made.id, { sealed, end: null, credential: others.credential ?? 'key', at: new Date() });
      return made.id;
    });
  }

  async function everything(): Promise<string> {
    const { db } = world.database;
    const rows = [await db.runEvent.findMany(), await db.outbox.findMany(), await db.inbox.findMany(), await db.audit.findMany()];
    const runs = [await db.run.findMany(), await db.task.findMany(), await db.runInput.findMany(), await db.runMail.findMany()];
    return JSON.stringify([rows, runs], (_, value) => (typeof value === 'bigint' ? String(value) : value));
  }

  const tokensOf = (server: ModelServer) => [...server.counts().keys()];

  it.each<[AgentKind, 'one' | 'two' | 'codex']>([
    ['claude', 'one'],
    ['claude-code', 'two'],
    ['codex', 'codex'],
  ])(
    'promise 9: %s asks the server of its account with that key, which is nowhere in the sandbox or in what is stored',
    async (agent, name) => {
      const server = servers[name];
      const isCodex = name === 'codex';
      const baseUrl = isCodex ? server.openaiUrl : server.anthropicUrl;
      await account(name, { key: keys[name], protocol: isCodex ? 'openai' : 'anthropic', baseUrl });
      const { run } = await world.ask(agent, 'bypass', 'search for keys', project, { account: name });
      const result = await world.resultOf(run, 60_000);
      expect(result).toMatchObject({ outcome: 'succeeded' });
      const events = await world.eventsOf(run);
      const said = ofType(events, 'assistant').map(({ text }) => text);
      expect(`${said.join('')}${outputText(events, 'stdout')}`).toContain('keys: none, token: seen');
      expect(tokensOf(server)).toEqual([keys[name]]);
      const log = result.artifacts.find(({ kind }) => kind === 'log');
      const written = Buffer.from((await world.artifacts.read(log?.id ?? '')) ?? []).toString();
      expect([await everything(), written].some((text) => text.includes(keys[name]))).toBe(false);
      expect(ofType(events, 'usage').length).toBeGreaterThan(0);
    },
    90_000,
  );

  it('what the runner is configured with is asked for nothing by them, and for the runs without an account', async () => {
    const asked = () => world.model.requests(({ method }) => method !== 'models');
    expect(asked()).toEqual([]);
    const { run } = await world.ask('claude', 'bypass', 'hello', project);
    expect(await world.resultOf(run, 60_000)).toMatchObject({ outcome: 'succeeded' });
    expect(new Set(asked().map(({ token }) => token))).toEqual(new Set(['the-real-key-of-anthropic']));
  }, 60_000);

  it('a run works in the image and with the program and the model of its account, and its key is sent as a bearer where that says so', async () => {
    const image = `deckhand-test-own:${randomBytes(6).toString('hex')}`;
    await docker('tag', 'deckhand-agents:1', image);
    try {
      const before = servers.two.requests().length;
      const models = ['claude-haiku-4-5-20251001'];
      const binary = '/opt/agents/claude/claude';
      const baseUrl = servers.two.anthropicUrl;
      await account('own', { key: keys.two, baseUrl, credential: 'bearer', models, image, binary });
      const { run } = await world.ask('claude-code', 'bypass', 'hello', project, { account: 'own' });
      expect(await world.resultOf(run, 60_000)).toMatchObject({ outcome: 'succeeded' });
      const asked = servers.two.requests().slice(before);
      expect(new Set(asked.map(({ token, keyIn }) => `${keyIn} ${token}`))).toEqual(new Set([`authorization ${keys.two}`]));
      expect(new Set(asked.map(({ body }) => body.model))).toEqual(new Set(models));
      expect(servers.one.requests().every(({ keyIn }) => keyIn === 'x-api-key')).toBe(true);
      // What is approved for a run is bound to its image.
      expect(await world.database.db.run.findUnique({ where: { id: run } })).toMatchObject({ image });
    } finally {
      await docker('rmi', image);
    }
  }, 60_000);

  it('two accounts of one agent at work side by side share no home, session or key; a task that goes on with another begins in a home of its own', async () => {
    const ids: string[] = [];
    for (const name of ['left', 'right']) ids.push(await account(name, { key: keys.one }));
    const saidIn = async (run: string) => {
      const events = await world.eventsOf(run);
      const said = ofType(events, 'assistant').map(({ text }) => text);
      return `${said.join('')}${outputText(events, 'stdout')}`;
    };
    const one = (name: string) => world.ask('claude-code', 'bypass', `be one of two: ${name}`, project, { account: name });
    const tasks = await Promise.all(['left', 'right'].map(one));
    for (const { run } of tasks) {
      expect(await world.resultOf(run, 90_000)).toMatchObject({ outcome: 'succeeded' });
      expect(await saidIn(run)).toContain('others: 0');
    }
    const task = tasks[0]?.task ?? '';
    expect((await world.database.db.task.findUniqueOrThrow({ where: { id: task } })).session).not.toBeNull();
    await world.database.transaction((tx) => removeAgentAccount(tx, ids[0] ?? '', new Date()));
    const again = await world.database.transaction((tx) =>
      world.engine.tasks.followUp(tx, {
        task,
        text: 'be one of two: right',
        by: world.ada,
        originKey: 'again',
        settings: { account: 'right' },
      }),
    );
    expect(await world.resultOf(again.run, 90_000)).toMatchObject({ outcome: 'succeeded' });
    expect(await saidIn(again.run)).toContain('others: 0');
    const homes = await run('find', [world.installation.dataDir, '-path', '*/deckhand/home/*']);
    expect(homes.stdout).toBe('');
    await expect(run('grep', ['-rlsa', keys.one, world.installation.dataDir])).rejects.toMatchObject({ code: 1 });
  }, 240_000);

  it.each(['claude-code', 'codex'] as const)(
    '%s stops at once where a quota of requests is used up, says which, and goes on in its session when it is raised',
    async (agent) => {
      const isCodex = agent === 'codex';
      const limited = await world.demoProject();
      const about = { scope: 'project', subject: limited, measure: 'requests', per: 'month' } as const;
      const { workspace, user } = world.ada;
      const limit = (most: number) =>
        world.database.transaction((tx) => putQuota(tx, { workspace, ...about, limit: most, createdBy: user, at: new Date() }));
      await limit(1);
      const server = isCodex ? servers.codex : servers.one;
      const protocol = isCodex ? ('openai' as const) : ('anthropic' as const);
      const baseUrl = isCodex ? server.openaiUrl : server.anthropicUrl;
      await account(`limited-${protocol}`, { key: isCodex ? keys.codex : keys.one, protocol, baseUrl });
      const asked = () => server.requests(({ method }) => method !== 'models').length;
      const before = asked();
      const made = await world.ask(agent, 'bypass', 'search for keys', limited, { account: `limited-${protocol}` });
      const result = await world.resultOf(made.run, 90_000);
      expect(result).toMatchObject({ outcome: 'failed', cause: 'agent', trouble: 'quota' });
      expect(result.message).toContain('1 of 1 request to models a month in project');
      expect(asked() - before).toBe(1);
      await limit(100);
      const again = await world.database.transaction((tx) => world.engine.tasks.retry(tx, made.task, world.ada));
      expect(await world.resultOf(again.run, 90_000)).toMatchObject({ outcome: 'succeeded' });
      const events = await world.eventsOf(again.run);
      expect(
        `${ofType(events, 'assistant')
          .map(({ text }) => text)
          .join('')}`,
      ).toContain('keys: none');
    },
    240_000,
  );

  it('an account that was removed before its run starts ends it with a sentence', async () => {
    const id = await account('gone', { key: keys.one });
    await world.database.transaction((tx) => removeAgentAccount(tx, id, new Date()));
    const { run } = await world.ask('claude', 'bypass', 'hello', project, { account: 'gone' });
    const result = await world.resultOf(run, 60_000);
    expect(result).toMatchObject({ outcome: 'failed', cause: 'agent' });
    expect(result.message).toContain('Tasks of this project have no account `gone` any more.');
  }, 60_000);

  it('an account that is removed while its run waits ends the turn at the next request', async () => {
    const id = await account('short', { key: keys.one });
    const { run } = await world.ask('claude', 'ask', 'fix the failing test', project, { account: 'short' });
    const request = await world.pending(run);
    await world.database.transaction((tx) => removeAgentAccount(tx, id, new Date()));
    await world.decide(request.secret, { decision: 'approve' });
    const result = await world.resultOf(run, 60_000);
    expect(result).toMatchObject({ outcome: 'failed', cause: 'agent' });
    expect(result.message).toContain('Tasks of this project have no account `short` any more.');
  }, 60_000);

  it('an image of its own that is not there ends the run before it starts, and names the image', async () => {
    await account('imaged', { key: keys.one, image: 'deckhand-test-nowhere:1' });
    const { run } = await world.ask('claude', 'bypass', 'hello', project, { account: 'imaged' });
    const result = await world.resultOf(run, 60_000);
    expect(result).toMatchObject({ outcome: 'failed', cause: 'agent' });
    expect(result.message).toContain('The image `deckhand-test-nowhere:1` of its account is not on the container engine');
  }, 60_000);
});
