import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createModelServer, type ModelServer } from '../../lab/model/server.ts';
import { takenOut } from '../../src/access/typed-secrets.ts';
import { type Bus, createBus } from '../../src/commands/bus.ts';
import { createCommandMenu } from '../../src/commands/menu.ts';
import { handFormText } from '../../src/commands/on-shortcut.ts';
import { AppError } from '../../src/contracts/errors.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import { type OutboxPayload, outboxPayloadSchema } from '../../src/contracts/outbox.ts';
import { encodePress } from '../../src/contracts/press.ts';
import type { Form } from '../../src/contracts/view.ts';
import { startGuidedForm } from '../../src/delivery/guided-form.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { createSecretBox } from '../../src/runtime/secret-box.ts';
import { keyContext, sealedKeyOf } from '../../src/store/agent-accounts.ts';
import { dueLanes, markDone, storeInbound, takeLaneHead } from '../../src/store/inbox.ts';
import { createAgentAccounts } from '../../src/tasks/agent-accounts.ts';
import { gitHubToken } from '../support/certain-keys.ts';
import { type Desk, mention, openDesk, press, reply, type Said, slash, submit, tokenOf } from '../support/desk.ts';

const logger = createLogger({ level: 'silent', readable: true });
let desk: Desk;
let model: ModelServer;
const key = 'sk-ant-api03-the-key-of-the-team-WXYZ';

beforeAll(async () => {
  desk = await openDesk();
  model = await createModelServer({ anthropicKey: key });
});

afterAll(async () => {
  await desk[Symbol.asyncDispose]();
  await model.close();
});

beforeEach(async () => {
  await desk.database.db.outbox.deleteMany();
  await desk.database.db.agentAccount.deleteMany();
});

/** Adds an account and presses the button that asks for its key; the form that opens. */
async function formFor(name: string, options = `url=${model.anthropicUrl}`): Promise<Form> {
  const [added] = await desk.act(slash('ada', `account add ${name} anthropic ${options}`));
  expect(added?.only).toBe('UADA');
  const [asked] = await desk.act(press('ada', tokenOf(added, 'Enter the key…')));
  if (asked?.payload.type !== 'form') throw new Error(`no form: ${asked?.text}`);
  return asked.payload.form;
}

/** Hands the form in as the platform and the door give it. */
async function enter(form: Form, typed: string, who: 'ada' | 'ben' = 'ada'): Promise<Said[]> {
  return await desk.act(await desk.guard(submit(who, form.token, { key: [typed] })));
}

async function stored() {
  return await desk.database.db.agentAccount.findFirst();
}

/** A second project with a channel of its own. */
async function other(): Promise<void> {
  if ((await desk.database.db.project.count({ where: { name: 'api' } })) > 0) return;
  await desk.act(slash('ada', 'project add api https://example.com/acme/api.git'));
  await desk.act(slash('ada', 'bind api', { channel: 'CAPI' }));
}

/** Everything that was written down anywhere, as one text. */
async function everything(): Promise<string> {
  const { db } = desk.database;
  const rows: unknown[] = [
    await db.outbox.findMany(),
    await db.audit.findMany(),
    await db.guidedForm.findMany(),
    await db.inbox.findMany(),
  ];
  rows.push(await db.task.findMany(), await db.run.findMany(), await db.runEvent.findMany(), await db.runMail.findMany());
  return JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? String(value) : value));
}

test('a key is asked for in a form, tried at its server, stored sealed, and shown by its end alone', async () => {
  const form = await formFor('main');
  expect(form.fields[0]).toMatchObject({ type: 'text', secret: true });
  const [said] = await enter(form, `  ${key} `);
  expect(said?.text).toContain('The server takes the key');
  expect(said?.text).toContain('key: …WXYZ');
  expect(said?.only).toBe('UADA');
  const row = await stored();
  expect(row?.sealed).not.toContain(key);
  expect(row === null ? '' : desk.secretBox.open(row.sealed ?? '', keyContext(row.id))).toBe(key);
  expect(row?.offered).toMatchObject({ models: expect.arrayContaining([expect.stringContaining('claude')]) });
  expect(model.requests().at(-1)).toMatchObject({ method: 'models', token: key });
  expect((await everything()).includes(key)).toBe(false);
});

test('a key that its server refuses is not stored, and not repeated', async () => {
  const form = await formFor('main');
  const [said] = await enter(form, 'sk-ant-api03-a-wrong-key-0000');
  expect(said?.text).toContain('DH-219');
  expect(said?.text).toContain('refuses the key (401)');
  expect(/wrong-key|sealed:/.test(await everything())).toBe(false);
  expect((await stored())?.sealed).toBeNull();
});

test('a key in a command is taken out before it is stored, and refused', async () => {
  for (const text of [`account add main anthropic ${key}`, 'account add main anthropic key=hunter22hunter22']) {
    const event = await desk.guard(mention('ada', text));
    expect(event).toMatchObject({ text: `account add main anthropic ${takenOut}` });
    await storeInbound(desk.database, [event]);
    const [said] = await desk.act(event);
    expect(said?.text).toContain('DH-218');
    expect(said?.text).toContain('new key');
  }
  expect(await stored()).toBeNull();
  expect(await everything()).not.toMatch(/hunter22|the-key-of-the-team/);
});

test('only owners enter keys, also with the form of somebody else', async () => {
  const form = await formFor('main');
  const [said] = await enter(form, key, 'ben');
  expect(said?.text).toContain('DH-202');
  expect((await stored())?.sealed).toBeNull();
});

test('a form that did not come through the door is refused', async () => {
  const form = await formFor('main');
  const [said] = await desk.act(submit('ada', form.token, { key: [key] }));
  expect(said?.text).toContain('DH-208');
  expect((await everything()).includes(key)).toBe(false);
  expect((await stored())?.sealed).toBeNull();
});

test('what is answered to the question for a key is sealed in the inbox, and forgotten there when it is handled', async () => {
  const form = await formFor('main');
  const said = { ...mention('ada', key, { direct: true }), text: key } as const;
  const { conversation } = said;
  const user = { platform: conversation.platform, tenant: conversation.tenant, user: 'UADA' };
  const payload = { type: 'form' as const, form, user, expiresAt: new Date().toISOString() };
  const asked = { workspace: desk.workspace, origin: 'out_1', conversation, payload };
  await desk.database.transaction((tx) => startGuidedForm(tx, asked, new Date()));
  const event = await desk.guard(said);
  expect(event).toMatchObject({ text: expect.stringMatching(/^sealed:v1\./) });
  await storeInbound(desk.database, [event]);
  await desk.database.db.inbox.updateMany({ where: { key: { not: event.key } }, data: { state: 'done' } });
  const bus = createBus({ ...desk.deps, removes: () => true });
  for (let rounds = 0; rounds < 2; rounds += 1) {
    for (const lane of await dueLanes(desk.database, new Date(), 10)) {
      await desk.database.transaction(async (tx) => {
        const row = await takeLaneHead(tx, lane, new Date());
        if (row === undefined) throw new Error(`nothing in ${lane}`);
        await bus.handle(tx, row.event);
        await markDone(tx, row, new Date());
      });
    }
  }
  expect((await stored())?.keyEnd).toBe('WXYZ');
  const all = await everything();
  expect(all.includes(key)).toBe(false);
  expect(all.includes('sealed:v1.')).toBe(false);
  if (event.type !== 'message') throw new Error('a mention is a message');
  const { message, at, actor } = event;
  // It need not stand where it was written.
  const removal = await desk.database.db.outbox.findFirst({ where: { payloadType: 'removal' } });
  expect(removal?.payload).toMatchObject({ message: { channel: conversation.channel, message } });
  const edited = { type: 'message_edited', key: 'edited', at, actor, conversation, message, text: `${key}2` } as const;
  expect(await desk.guard(edited)).toMatchObject({ text: '[secret]' });
  expect(await desk.guard({ ...edited, message: 'another', text: 'hello' })).toMatchObject({ text: 'hello' });
});

test('a key is asked for in direct conversations only where forms are asked field by field', async () => {
  const form = await formFor('main');
  const { conversation } = slash('ada', 'x');
  const user = { platform: conversation.platform, tenant: conversation.tenant, user: 'UADA' };
  const payload = { type: 'form' as const, form, user, expiresAt: new Date().toISOString() };
  await desk.database.transaction((tx) =>
    startGuidedForm(tx, { workspace: desk.workspace, origin: 'out_2', conversation, payload }, new Date()),
  );
  expect(await desk.database.db.guidedForm.count({ where: { origin: 'out_2' } })).toBe(0);
  const told = await desk.database.db.outbox.findFirst({ where: { key: 'secret-place:out_2' } });
  expect(JSON.stringify(told?.payload)).toContain('direct message only');
});

test('another address forgets the key: no other server gets it', async () => {
  await enter(await formFor('main'), key);
  const [said] = await desk.act(slash('ada', 'account set main url=http://127.0.0.1:9'));
  expect(said?.text).toContain('forgotten');
  expect(await stored()).toMatchObject({ sealed: null, keyEnd: null, baseUrl: 'http://127.0.0.1:9' });
});

test('other changes keep the key', async () => {
  await enter(await formFor('main'), key);
  await desk.act(slash('ada', 'account set main models=claude-haiku-4-5 image=acme/agents:2 binary=/opt/claude/bin/claude'));
  const row = await stored();
  expect(row).toMatchObject({ models: ['claude-haiku-4-5'], image: 'acme/agents:2', binary: '/opt/claude/bin/claude' });
  expect(row?.sealed).not.toBeNull();
});

test('a server that asks for no key is looked at when it is added, and not added when it does not answer', async () => {
  const [said] = await desk.act(slash('ada', 'account add local openai url=http://127.0.0.1:9 auth=none'));
  expect(said?.text).toContain('DH-219');
  expect(await stored()).toBeNull();
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/v1/models' && request.headers.authorization === undefined ? 200 : 400;
    response.end('{"data":[{"id":"local-1"}]}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await desk.act(slash('ada', `account add local openai url=http://127.0.0.1:${port}/v1 auth=none`));
  server.close();
  expect(await stored()).toMatchObject({ credential: 'none', sealed: null, offered: { models: ['local-1'] } });
});

test('names are unique while an account exists, and free when it was removed; its key is gone', async () => {
  await enter(await formFor('main'), key);
  const id = (await stored())?.id ?? '';
  const [again] = await desk.act(slash('ada', 'account add MAIN anthropic'));
  expect(again?.text).toContain('DH-217');
  await desk.act(slash('ada', 'account remove main'));
  expect(await desk.database.db.agentAccount.findUnique({ where: { id } })).toMatchObject({ sealed: null, activeName: null });
  await desk.act(slash('ada', 'account add main anthropic'));
  expect(await desk.database.db.agentAccount.count()).toBe(2);
});

test('who does not own the installation changes no accounts; developers see their names', async () => {
  await desk.act(slash('ada', 'account add main anthropic'));
  for (const text of ['account add other anthropic', 'account set main auth=bearer', 'account remove main', 'account key main']) {
    const [said] = await desk.act(slash('mia', text));
    expect(said?.text).toContain('DH-202');
  }
  const [list] = await desk.act(slash('ben', 'account list'));
  expect(list?.text).toContain('main');
  const [refused] = await desk.act(slash('ben', 'account show main'));
  expect(refused?.text).toContain('DH-202');
});

test('everything that is done with accounts is written down, without keys', async () => {
  await desk.database.db.audit.deleteMany();
  await enter(await formFor('main'), key);
  await desk.act(slash('ada', 'account set main models=claude-haiku-4-5'));
  await desk.act(slash('ada', 'account remove main'));
  const rows = await desk.database.db.audit.findMany({ orderBy: { id: 'asc' } });
  expect(rows.map(({ action }) => action)).toEqual(['account.add', 'account.key', 'account.change', 'account.remove']);
  expect(JSON.stringify(rows)).not.toContain(key);
});

test('tasks and projects name accounts that their agent can use', async () => {
  await enter(await formFor('main'), key);
  const [unknown] = await desk.act(slash('ben', 'run account=mian fix it'));
  expect(unknown?.text).toContain('Did you mean `main`');
  const [other] = await desk.act(slash('ben', 'run agent=codex account=main fix it'));
  expect(other?.text).toContain('DH-217');
  await desk.act(slash('ben', 'run agent=claude account=main fix it'));
  const run = await desk.database.db.run.findFirstOrThrow({ orderBy: { id: 'desc' } });
  expect(run.agent).toMatchObject({ agent: 'claude', account: 'main' });
  const [settings] = await desk.act(slash('mia', 'settings account=main'));
  expect(settings?.text).toContain('main');
  await desk.act(slash('ben', 'run fix that, too'));
  const usual = await desk.database.db.run.findFirstOrThrow({ orderBy: { id: 'desc' } });
  expect(usual.agent).toMatchObject({ account: 'main' });
  const [shown] = await desk.act(slash('mia', 'account show main'));
  expect(shown?.text).toContain('2 runs');
  await desk.act(slash('mia', 'settings account=none'));
});

test('a runner is given the account of a run with its key, and a refusal once the account is removed', async () => {
  await enter(await formFor('main', `url=${model.anthropicUrl} models=claude-haiku-4-5`), key);
  await desk.act(slash('ben', 'run agent=claude account=main fix it'));
  const { id: run } = await desk.database.db.run.findFirstOrThrow({ orderBy: { id: 'desc' } });
  const { database, secretBox } = desk;
  const clock = { now: () => new Date('2026-11-21T12:00:00Z') };
  const accounts = createAgentAccounts({ database, secretBox, clock, logger });
  const taken = await accounts.take(run);
  if (taken === undefined || !('account' in taken)) throw new Error('not given');
  expect(taken.account).toMatchObject({
    name: 'main',
    key,
    bearer: false,
    models: ['claude-haiku-4-5'],
    baseUrl: model.anthropicUrl,
  });
  expect((await stored())?.lastUsedAt).toEqual(new Date('2026-11-21T12:00:00Z'));
  expect(await database.db.audit.count({ where: { action: 'account.use' } })).toBe(1);
  expect(await accounts.refusal(taken.account.id, run)).toBeUndefined();
  await desk.act(slash('ada', 'account remove main'));
  expect(await accounts.refusal(taken.account.id, run)).toMatchObject({
    what: expect.stringContaining('no account `main` any more'),
  });
  expect(await accounts.take(run)).toMatchObject({ refusal: { what: expect.stringContaining('no account `main` any more') } });
  expect(await database.transaction((tx) => sealedKeyOf(tx, taken.account.id))).toBeUndefined();
});

test('a key that cannot be opened any more is asked for again', async () => {
  await enter(await formFor('main'), key);
  await desk.act(slash('ben', 'run agent=claude account=main fix it'));
  const { id: run } = await desk.database.db.run.findFirstOrThrow({ orderBy: { id: 'desc' } });
  const secretBox = createSecretBox([randomBytes(32)]);
  const accounts = createAgentAccounts({ database: desk.database, secretBox, clock: systemClock, logger });
  expect(await accounts.take(run)).toMatchObject({ refusal: { instead: expect.stringContaining('account key main') } });
});

test('a run that names no account is given none', async () => {
  await desk.act(slash('ben', 'run agent=claude fix it'));
  const { id: run } = await desk.database.db.run.findFirstOrThrow({ orderBy: { id: 'desc' } });
  const { database, secretBox } = desk;
  expect(await createAgentAccounts({ database, secretBox, clock: systemClock, logger }).take(run)).toBeUndefined();
});

test('an account of one project exists for its tasks alone: not for runs, settings, lists and completions elsewhere', async () => {
  await other();
  await enter(await formFor('web-only', `url=${model.anthropicUrl} project=demo`), key);
  const there = { channel: 'CAPI' };
  const texts = async (who: 'ada' | 'mia' | 'ben', text: string, where = {}) =>
    (await desk.act(slash(who, text, where)))[0]?.text;
  for (const text of ['run agent=claude account=web-only fix it', 'settings account=web-only']) {
    expect(await texts('ada', text, there)).toContain('There is no account `web-only`');
  }
  const refused = await texts('ada', 'run agent=claude account=nowhere fix it', there);
  expect(await texts('ada', 'run agent=claude account=web-only fix it', there)).toBe(refused?.replace('nowhere', 'web-only'));
  for (const text of ['account list', 'agents']) {
    expect(await texts('ada', text, there)).not.toContain('web-only');
    expect(await texts('ben', text)).toContain('only project demo');
  }
  expect(await texts('mia', 'account show web-only', there)).toContain('There is no account');
  expect(await texts('mia', 'account show web-only')).toContain('only of project demo');
  // Whoever manages accounts may name it anywhere: nobody else sees the answer.
  expect(await texts('ada', 'account show web-only', there)).toContain('only of project demo');
  const menu = createCommandMenu({ database: desk.database, onError: expect.unreachable });
  const offered = async (channel: string) => {
    const conversation = { platform: 'slack', tenant: 'T1', channel, kind: 'channel' } as const;
    return (await menu.complete({ text: 'run account=', conversation, user: 'UADA' })).map(({ value }) => value);
  };
  expect(await offered('CDEMO')).toEqual(['run account=web-only']);
  expect(await offered('CAPI')).toEqual([]);
  await desk.act(slash('ben', 'run agent=claude account=web-only fix it'));
  const run = await desk.database.db.run.findFirstOrThrow({ orderBy: { id: 'desc' } });
  expect(run.agent).toMatchObject({ account: 'web-only' });
});

test('an account is not taken from projects and tasks that use it, which are named; at its start, and at its next request, a run is asked again', async () => {
  await other();
  await enter(await formFor('shared'), key);
  const there = { channel: 'CAPI' };
  await desk.act(slash('mia', 'settings account=shared agent=claude', there));
  await desk.act(slash('ben', 'run agent=claude account=shared fix it', there));
  const run = await desk.database.db.run.findFirstOrThrow({ orderBy: { id: 'desc' }, include: { task: true } });
  const [refused] = await desk.act(slash('ada', 'account set shared project=demo'));
  expect(refused?.text).toContain('tasks of `api` begin with it');
  expect(refused?.text).toContain(`#${run.task.number} of \`api\` works with it now`);
  expect(await stored()).toMatchObject({ projectId: null });
  const [allowed] = await desk.act(slash('ada', 'account set shared project=api'));
  expect(allowed?.text).toContain('only of project api');
  const { database, secretBox } = desk;
  const accounts = createAgentAccounts({ database, secretBox, clock: systemClock, logger });
  const id = (await stored())?.id ?? '';
  expect(await accounts.take(run.id)).toMatchObject({ account: { id } });
  expect(await accounts.refusal(id, run.id)).toBeUndefined();
  // As where it was given to another project between the request and its start.
  await database.db.agentAccount.updateMany({ data: { projectId: desk.demo.id } });
  expect(await accounts.take(run.id)).toMatchObject({ refusal: { what: expect.stringContaining('have no account `shared`') } });
  expect(await accounts.refusal(id, run.id)).toMatchObject({ what: expect.stringContaining('have no account `shared`') });
  const [everywhere] = await desk.act(slash('ada', 'account set shared project=all'));
  expect(everywhere?.text).not.toContain('only of project');
  expect(await accounts.refusal(id, run.id)).toBeUndefined();
  await desk.act(slash('mia', 'settings account=none', there));
});

test('a key where others read along is deleted if the platform lets bots do that, and its writer told in private what to do', async () => {
  const removing = createBus({ ...desk.deps, removes: ({ kind }) => kind === 'channel' });
  const event = await desk.guard(mention('ben', `account add main anthropic ${key}`, { message: '77.1' }));
  const act = async (bus: Bus, sent: typeof event) => {
    const before = new Set((await desk.database.db.outbox.findMany({ select: { id: true } })).map(({ id }) => id));
    try {
      await desk.database.transaction((tx) => bus.handle(tx, sent));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      await desk.database.transaction((tx) => bus.refuse(tx, sent, error));
    }
    return (await desk.database.db.outbox.findMany()).filter(({ id }) => !before.has(id)).map(({ payload }) => payload);
  };
  const said = await act(removing, event);
  const message = { platform: 'slack', tenant: 'T1', channel: 'CDEMO', message: '77.1' };
  expect(said).toContainEqual(
    expect.objectContaining({ type: 'removal', message, user: expect.objectContaining({ user: 'UBEN' }) }),
  );
  expect(said).toContainEqual(expect.objectContaining({ type: 'ephemeral', user: expect.objectContaining({ user: 'UBEN' }) }));
  expect(JSON.stringify(said)).toContain('counts as stolen');
  expect(JSON.stringify(said)).toContain('Deckhand deletes your message');
  // Whom Deckhand may not write to is told where it was.
  expect(JSON.stringify(said)).toContain(
    'your message had a key in it, which counts as stolen now. Deckhand deletes it if it may.',
  );
  const edited = {
    type: 'message_edited',
    key: 'edit:78',
    at: event.at,
    actor: event.actor,
    conversation: event.conversation,
    message: '78.1',
    text: `account add main anthropic ${key}`,
  } as const;
  const [put] = (await act(removing, await desk.guard(edited))).filter((payload) => JSON.stringify(payload).includes('removal'));
  expect(put).toMatchObject({ message: { message: '78.1' } });
  // Elsewhere it is for the person to do, and what only they have seen needs nothing.
  const left = JSON.stringify(await act(desk.bus, await desk.guard(mention('ben', `account add main anthropic ${key}`))));
  expect(left).toContain('Delete your message now');
  expect(left).not.toContain('removal');
  const unseen = JSON.stringify(await act(removing, await desk.guard(slash('ben', `account add main anthropic ${key}`))));
  expect(unseen).not.toMatch(/elete/);
  expect(await desk.database.db.audit.count({ where: { action: 'secret.typed' } })).toBeGreaterThanOrEqual(4);
  expect(await everything()).not.toContain(key);
});

const token = gitHubToken();
const handForm = encodePress({ kind: 'command', text: handFormText });

/** Handles what the door lets through with a bot that may delete in channels, as the inbox does; what was put. */
async function hear(sent: InboundEvent): Promise<OutboxPayload[]> {
  const removing = createBus({ ...desk.deps, removes: ({ kind }) => kind === 'channel' });
  const event = await desk.guard(sent);
  await storeInbound(desk.database, [event]);
  const before = new Set((await desk.database.db.outbox.findMany({ select: { id: true } })).map(({ id }) => id));
  try {
    await desk.database.transaction((tx) => removing.handle(tx, event));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    await desk.database.transaction((tx) => removing.refuse(tx, event, error));
  }
  const rows = (await desk.database.db.outbox.findMany()).filter(({ id }) => !before.has(id));
  return rows.map(({ payload }) => outboxPayloadSchema.parse(payload));
}

const told = (said: readonly OutboxPayload[]) => said.flatMap((one) => (one.type === 'ephemeral' ? [one.view.fallback] : []));
const removed = (said: readonly OutboxPayload[]) => said.flatMap((one) => (one.type === 'removal' ? [one.message.message] : []));

test('a key in what is said to an agent is taken out everywhere, the message deleted, its writer told; the request goes on', async () => {
  const { db } = desk.database;
  const asked = await hear(mention('ben', `run agent=claude push with ${token}, please`, { message: '81.1' }));
  expect(removed(asked)).toEqual(['81.1']);
  expect(told(asked)).toEqual([
    expect.stringMatching(/^You wrote a GitHub token\. It was taken out .* counts as stolen\.\s+Revoke it at GitHub/),
  ]);
  const run = await db.run.findFirstOrThrow({ orderBy: { id: 'desc' } });
  expect(run.prompt).toBe('push with [redacted GitHub token], please');
  const thread = await db.thread.findFirstOrThrow({ where: { taskId: run.taskId }, include: { channel: true } });
  await db.thread.update({ where: { id: thread.id }, data: { externalId: '81.1' } });
  await db.run.update({ where: { id: run.id }, data: { state: 'executing', startedAt: new Date() } });
  await db.task.update({ where: { id: run.taskId }, data: { column: 'running' } });
  const said = await hear(reply('ben', `now use ${token}`, '81.1'));
  expect([told(said), removed(said)]).toEqual([[expect.stringContaining('a GitHub token')], [expect.any(String)]]);
  const mail = await db.runMail.findFirstOrThrow({ where: { runId: run.id } });
  expect(mail).toMatchObject({ state: 'unread', data: { text: expect.stringContaining('[redacted GitHub token]') } });
  // Deckhand has deleted it itself: what it said beside the key is still to be read.
  const { key: _, ...by } = reply('ben', 'x', '81.1');
  const [message = ''] = removed(said);
  await hear({ type: 'message_deleted', key: 'del:1', at: by.at, actor: by.actor, conversation: by.conversation, message });
  expect(await db.runMail.findFirst({ where: { runId: run.id } })).toMatchObject({ state: 'unread' });
  const plain = reply('ben', 'and then', '81.1');
  expect(told(await hear(plain))).toEqual([]);
  const added = plain.type === 'message' ? plain.message : '';
  const edit = { type: 'message_edited', at: by.at, actor: by.actor, conversation: by.conversation, message: added } as const;
  const changed = await hear({ ...edit, key: 'edit:1', text: `and then ${token}` });
  expect([told(changed), removed(changed)]).toEqual([[expect.stringContaining('a GitHub token')], [added]]);
  expect(await everything()).not.toMatch(/gh[ps]_|zQWBuTSO/);
});

test('a key in a command, or in one that does not fit, is told too, and nothing is done with it; of talk nothing is said', async () => {
  const tasks = await desk.database.db.task.count();
  const refused = await hear(
    mention('ben', `sh curl -H "Authorization: Bearer ${token}" https://example.com`, { message: '82.1' }),
  );
  expect(told(refused)).toEqual([expect.stringMatching(/DH-218/)]);
  expect(told(refused)[0]).toContain('What looks like a GitHub token was taken out');
  expect(removed(refused)).toEqual(['82.1']);
  const unfitting = await hear(mention('ben', `settings colour=${token}`, { message: '82.2' }));
  expect(told(unfitting).toSorted()).toEqual([expect.stringContaining('DH-201'), expect.stringContaining('a GitHub token')]);
  expect(removed(unfitting)).toEqual(['82.2']);
  // Typed where it stands nowhere.
  const unseen = await hear(slash('ben', `run use ${token}`, { typed: `/deckhand run use ${token}` }));
  expect(told(unseen)).toEqual([expect.stringContaining('Nobody else sees what you wrote')]);
  expect(removed(unseen)).toEqual([]);
  const form = await hear(submit('ben', handForm, { text: [`push with ${token}`], as: ['Work for an agent'] }));
  expect(told(form)).toEqual([expect.stringContaining('a GitHub token')]);
  expect(await desk.database.db.task.count()).toBe(tasks + 2);
  // Also as the answer to a question, which takes it as it is.
  const asks = { ...mention('ben', token, { direct: true, message: '84.1' }) };
  const user = { platform: 'slack' as const, tenant: 'T1', user: 'UBEN' };
  const fields = [{ type: 'text' as const, id: 'text', label: 'What to do', multiline: true, required: true }];
  const asked = {
    type: 'form' as const,
    form: { token: handForm, title: 'Hand', submit: 'Hand on', fields },
    user,
    expiresAt: asks.at,
  };
  const origin = { workspace: desk.workspace, origin: 'out_84', conversation: asks.conversation, payload: asked };
  await desk.database.transaction((tx) => startGuidedForm(tx, origin, new Date()));
  const answered = (await hear(asks)).flatMap((one) => (one.type === 'message' ? [one.view.fallback] : []));
  expect(answered.filter((text) => text.startsWith('You wrote a GitHub token'))).toHaveLength(1);
  const handed = await desk.database.db.inbox.findFirstOrThrow({
    where: { key: { startsWith: 'form:' } },
    orderBy: { id: 'desc' },
  });
  expect(handed.event).toMatchObject({ values: { text: ['[redacted GitHub token]'] } });
  // People talk to each other, in a thread of their own and at the top of the channel.
  expect(await hear(reply('ben', `take ${token}`, 'another thread'))).toEqual([]);
  const { key: _, ...by } = mention('ben', 'x');
  const talk = { at: by.at, actor: by.actor, conversation: by.conversation };
  expect(await hear({ ...talk, type: 'message_edited', key: 'edit:2', message: '83.1', text: `take ${token}` })).toEqual([]);
  expect(await everything()).not.toMatch(/gh[ps]_|zQWBuTSO/);
});

test('promise 12: accounts of another workspace do not exist', async () => {
  await desk.act(slash('ada', 'account add main anthropic'));
  await desk.database.db.agentAccount.updateMany({ data: { workspaceId: 'wsp_other' } });
  const [said] = await desk.act(slash('ada', 'account show main'));
  expect(said?.text).toContain('There is no account');
  const [added] = await desk.act(slash('ada', 'account add main anthropic'));
  expect(added?.text).toContain('Account main');
});
