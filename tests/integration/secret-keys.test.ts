import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createChainer } from '../../src/audit/chainer.ts';
import { verifyDatabase } from '../../src/audit/verify-database.ts';
import { runCommandLine } from '../../src/cli.ts';
import { viewSecretContext } from '../../src/delivery/view-secret.ts';
import { retireKey } from '../../src/keys/retire.ts';
import { type KeySource, rotateKeys } from '../../src/keys/rotate.ts';
import { keyStanding } from '../../src/keys/standing.ts';
import { newId } from '../../src/runtime/ids.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { loginContext, openLogin, sealLogin } from '../../src/runtime/repository-login.ts';
import { createSecretBox, keyId, keyIds, type SecretBox } from '../../src/runtime/secret-box.ts';
import { keyContext } from '../../src/store/agent-accounts.ts';
import { recordAudit } from '../../src/store/audit.ts';
import { installationChain } from '../../src/store/audit-line.ts';
import { openDataDir, storedSecretKeys, writeSecretKeys } from '../../src/store/data-dir.ts';
import { handleContext, sealedPlaces, typedContext } from '../../src/store/sealed-places.ts';
import { noteFirstKey, tellKeys } from '../../src/store/secret-keys.ts';
import { briefFlags } from '../support/brief-flags.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { query } from '../support/query.ts';
import { TestEngine, type TestWorld } from '../support/test-engine.ts';

const run = promisify(execFile);
const day = 24 * 60 * 60_000;
const accounts = 105;
const logger = createLogger({ level: 'silent' });

let deckhand: TestEngine;
let world: TestWorld;
let dataDir: string;
/** That of a process that runs all the time. */
let box: SecretBox;
let source: KeySource;

beforeEach(async () => {
  deckhand = await TestEngine.start();
  world = await deckhand.world();
  dataDir = await mkdtemp(join(tmpdir(), 'deckhand-keys-'));
  const held = openDataDir(dataDir, ['gateway']);
  box = createSecretBox(held.secretKeys);
  held.release();
  const ring = () => storedSecretKeys(dataDir) ?? [Buffer.alloc(0)];
  source = { ring, write: (keys) => writeSecretKeys(dataDir, keys) };
  await noteFirstKey(deckhand.db, box.keyIds()[0]);
});
afterEach(async () => {
  await deckhand.close();
  await rm(dataDir, { recursive: true, force: true });
});

const chainer = () => createChainer({ ...deckhand, secretBox: box, keepMs: 90 * day, clock: { now: () => new Date() }, logger });
const rotate = (more: Partial<Parameters<typeof rotateKeys>[0]> = {}) =>
  rotateKeys({ database: deckhand.database, source, again: false, now: () => new Date(), logger, ...more });
const retire = (key: string, more: { now?: boolean; lose?: boolean } = {}) =>
  retireKey({ database: deckhand.database, source, key, now: true, lose: false, ...more });
const standing = () => keyStanding(deckhand.db, keyIds(source.ring()));
const verified = async (check = box.check) => (await verifyDatabase(deckhand.database, { check })).chains;
const problems = async (check = box.check) => (await verified(check)).map(({ workspace, problem }) => ({ workspace, problem }));

const event = (text: string, reply: string) => ({
  platform: 'telegram',
  conversation: { platform: 'telegram', tenant: 'T1', channel: '5', kind: 'direct' },
  actor: { user: 'U1' },
  text: `sealed:${text}`,
  reply,
});

/** Something sealed in every place that can have it. */
async function fill(): Promise<void> {
  const { workspace, project } = world;
  const ids = Array.from({ length: accounts }, () => newId('acc'));
  await deckhand.db.agentAccount.createMany({
    data: ids.map((id, at) => ({
      id,
      workspaceId: workspace,
      name: `account-${at}`,
      protocol: 'anthropic',
      baseUrl: 'https://models.example.com',
      credential: 'key',
      createdById: world.people.ada.user,
      sealed: box.seal(`key of ${id}`, keyContext(id)),
      createdAt: new Date(),
    })),
  });
  const address = sealLogin('https://bot:hunter2@example.com/acme/web.git', (login) => box.seal(login, loginContext(project)));
  await deckhand.db.project.update({ where: { id: project }, data: { source: address } });
  const by = typedContext('telegram:T1:U1');
  const inbound = event(box.seal('typed', by), box.seal('handle', handleContext('telegram')));
  await deckhand.db.inbox.create({
    data: { platform: 'telegram', tenant: 'T1', key: 'k1', lane: 'l1', event: inbound },
  });
  await deckhand.db.guidedForm.create({
    data: {
      id: 'gui_1',
      workspaceId: workspace,
      platform: 'telegram',
      tenant: 'T1',
      channel: '5',
      channelKind: 'direct',
      account: 'U1',
      origin: 'out_1',
      form: {},
      values: { key: [`sealed:${box.seal('answer', by)}`] },
      expiresAt: new Date(Date.now() + day),
    },
  });
  await query(
    deckhand.database.url,
    `INSERT INTO "Outbox" ("id", "workspaceId", "key", "platform", "tenant", "channel", "channelKind", "payload", "payloadType", "priority")
     VALUES ('out_secret', $1, 'secret', 'slack', 'T1', 'C1', 'channel', $2, 'ephemeral', 3)`,
    [
      workspace,
      JSON.stringify({
        type: 'ephemeral',
        reply: box.seal('handle', handleContext('slack')),
        view: { secret: box.seal('token', viewSecretContext) },
      }),
    ],
  );
  await deckhand.db.examination.create({
    data: {
      id: newId('exa'),
      workspaceId: workspace,
      asker: { reply: box.seal('handle', handleContext('discord')) },
      dueAt: new Date(),
      createdAt: new Date(),
    },
  });
  await deckhand.database.transaction(async (tx) => {
    for (const one of [workspace, installationChain])
      await recordAudit(tx, { workspace: one, action: 'test.done', subject: 'x', data: {} });
  });
  await chainer().chain();
}

/** Opens all that `fill` has sealed, with the keys as they are. */
async function allOpens(with_: SecretBox = box): Promise<void> {
  for (const { id, sealed } of await deckhand.db.agentAccount.findMany())
    expect(with_.open(sealed ?? '', keyContext(id))).toBe(`key of ${id}`);
  const { source: address } = await deckhand.db.project.findUniqueOrThrow({ where: { id: world.project } });
  expect(openLogin(address, (sealed) => with_.open(sealed, loginContext(world.project)))).toContain('bot:hunter2@');
  const by = typedContext('telegram:T1:U1');
  const [inbox] = await query(deckhand.database.url, `SELECT "event"->>'text' AS text, "event"->>'reply' AS reply FROM "Inbox"`);
  expect(with_.open(String(inbox?.text).slice('sealed:'.length), by)).toBe('typed');
  expect(with_.open(String(inbox?.reply), handleContext('telegram'))).toBe('handle');
  const [form] = await query(deckhand.database.url, `SELECT "values"#>>'{key,0}' AS value FROM "GuidedForm"`);
  expect(with_.open(String(form?.value).slice('sealed:'.length), by)).toBe('answer');
  const [out] = await query(
    deckhand.database.url,
    `SELECT "payload"#>>'{view,secret}' AS secret, "payload"->>'reply' AS reply FROM "Outbox"`,
  );
  expect(with_.open(String(out?.secret), viewSecretContext)).toBe('token');
  expect(with_.open(String(out?.reply), handleContext('slack'))).toBe('handle');
  const [asker] = await query(deckhand.database.url, `SELECT "asker"->>'reply' AS reply FROM "Examination"`);
  expect(with_.open(String(asker?.reply), handleContext('discord'))).toBe('handle');
}

/** Every table with a sealed text by this key, or a signature. */
async function tablesWith(key: string): Promise<string[]> {
  const tables = await query(
    deckhand.database.url,
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'`,
  );
  const looks = tables.map(
    ({ name }) => `SELECT '${name}' AS name WHERE EXISTS (SELECT FROM "${name}" t WHERE to_jsonb(t)::text LIKE '%v1.${key}.%')`,
  );
  const found = await query(deckhand.database.url, looks.join(' UNION ALL '));
  return found.map(({ name }) => String(name)).sort();
}

describe('a change of the key', () => {
  it('seals everything anew that the database keeps, and what it replaced can be retired: nothing opens by it, and all of the audit verifies', async () => {
    await fill();
    const [old] = box.keyIds();
    expect(await tablesWith(old)).toEqual([
      'AgentAccount',
      'AuditChain',
      'Examination',
      'GuidedForm',
      'Inbox',
      'Outbox',
      'Project',
    ]);
    const report = await rotate();
    expect(report).toMatchObject({ made: true, replaced: [old], chains: 2, free: [old], behind: [] });
    expect(report.resealed.map(({ place, rows, unread }) => [place, rows, unread])).toEqual(
      sealedPlaces.map(({ name }, at) => [name, at === 0 ? accounts : 1, []]),
    );
    // The process that runs all the time was told nothing, and has the new key.
    expect(box.keyIds()).toEqual([report.key, old]);
    expect(await tablesWith(old)).toEqual([]);
    await allOpens();

    // Another call makes another key, and leaves the one before for reading.
    const next = await rotate();
    expect(next).toMatchObject({ made: true, replaced: [report.key], free: [report.key, old] });
    await allOpens();
    for (const key of [old, report.key]) expect(await retire(key)).toMatchObject({ removed: true });
    expect(keyIds(source.ring())).toEqual([next.key]);
    await allOpens(createSecretBox(source.ring()));
    await chainer().chain();
    expect(await verified()).toMatchObject([
      { problems: 0, signature: 'good' },
      { problems: 0, signature: 'good' },
    ]);
    const lines = await deckhand.db.audit.findMany({ where: { action: { startsWith: 'key.' } }, orderBy: { id: 'asc' } });
    expect(lines.map(({ action, subject, workspaceId }) => [action, subject, workspaceId])).toEqual([
      ['key.changed', report.key, installationChain],
      ['key.resealed', report.key, installationChain],
      ['key.changed', next.key, installationChain],
      ['key.resealed', next.key, installationChain],
      ['key.retired', old, installationChain],
      ['key.retired', report.key, installationChain],
    ]);
    expect(JSON.stringify(lines.map(({ data }) => data))).not.toContain(source.ring()[0].toString('base64'));
  });

  it.each([
    ['keys.written', 1],
    ['keys.resealed', 2],
    ['keys.signed', 1],
  ])(
    'that dies at %s, time %i, has lost nothing, and goes on with the same key when it is asked for again',
    async (point, times) => {
      await fill();
      const [old] = box.keyIds();
      const program = fileURLToPath(new URL('../support/rotate-process.ts', import.meta.url));
      const life = (...more: string[]) =>
        run(process.execPath, [...briefFlags, program, deckhand.database.url, dataDir, ...more]);
      await expect(life(point, String(times))).rejects.toMatchObject({ signal: 'SIGKILL' });
      // Everything opens and verifies in the middle of it, and what comes meanwhile is sealed with the new key.
      await allOpens();
      const [key] = box.keyIds();
      expect(box.keyIds()).toEqual([key, old]);
      await deckhand.database.transaction((tx) =>
        recordAudit(tx, { workspace: world.workspace, action: 'test.done', subject: 'meanwhile', data: {} }),
      );
      await chainer().chain();
      expect((await problems()).filter(({ problem }) => problem !== undefined)).toEqual([]);

      if (point === 'keys.done') expect(await rotate()).toMatchObject({ made: true, replaced: [key] });
      else expect(JSON.parse((await life()).stdout)).toMatchObject({ key, made: false, free: [old] });
      expect(await tablesWith(old)).toEqual([]);
      await retire(old);
      await allOpens();
      await chainer().chain();
      expect((await problems()).filter(({ problem }) => problem !== undefined)).toEqual([]);
    },
  );

  it('that two people ask for at once makes keys one after the other, of which none is lost', async () => {
    await fill();
    const [old] = box.keyIds();
    const reports = await Promise.all([rotate(), rotate()]);
    const made = reports.filter((report) => report.made).map(({ key }) => key);
    expect(made.length).toBeGreaterThanOrEqual(1);
    expect(new Set(box.keyIds())).toEqual(new Set([...made, old]));
    await allOpens();
  });

  it('leaves alone what somebody else has changed meanwhile, and what does not open, and says so', async () => {
    await fill();
    const [account] = await deckhand.db.agentAccount.findMany({ orderBy: { id: 'asc' } });
    const foreign = createSecretBox([randomBytes(32)]).seal('nobody knows', keyContext(account?.id ?? ''));
    await deckhand.db.agentAccount.updateMany({ where: { id: account?.id ?? '' }, data: { sealed: foreign } });
    const report = await rotate();
    expect(report.resealed[0]).toMatchObject({ rows: accounts - 1, unread: [{ id: account?.id }] });
    expect(await deckhand.db.agentAccount.findUnique({ where: { id: account?.id ?? '' } })).toMatchObject({ sealed: foreign });
  });
});

describe('the end of the audit', () => {
  it('that somebody has put back before the key is changed is not signed anew in silence', async () => {
    await fill();
    await deckhand.db.auditChain.updateMany({
      where: { workspaceId: world.workspace },
      data: { signature: box.sign('something else') },
    });
    await rotate();
    const [own] = (await problems()).filter(({ workspace }) => workspace === world.workspace);
    expect(own?.problem?.what).toContain('was not signed by Deckhand');
  });

  it('is not believed when somebody who has no key says that the key was changed', async () => {
    await fill();
    await deckhand.database.transaction((tx) =>
      recordAudit(tx, {
        workspace: world.workspace,
        action: 'audit.key_changed',
        subject: world.workspace,
        data: { from: 'a', to: 'b', seq: 2, hash: 'c', signature: createSecretBox([randomBytes(32)]).sign('x') },
      }),
    );
    await chainer().chain();
    const [own] = (await problems()).filter(({ workspace }) => workspace === world.workspace);
    expect(own?.problem?.what).toBe('it says that the secret key was changed, but Deckhand has not signed it');
  });

  it('holds for removed lines whose key was retired, and not for such that somebody signed with that key afterwards', async () => {
    await fill();
    const late = new Date(Date.now() + 200 * day);
    const removing = createChainer({ ...deckhand, secretBox: box, keepMs: 90 * day, clock: { now: () => late }, logger });
    expect(await removing.forget()).toBeGreaterThan(0);
    const [old] = box.keyIds();
    const leaked = createSecretBox(source.ring());
    await rotate();
    await retire(old);
    expect((await problems()).filter(({ problem }) => problem !== undefined)).toEqual([]);
    await deckhand.database.transaction((tx) =>
      recordAudit(tx, {
        workspace: world.workspace,
        action: 'audit.removed',
        subject: world.workspace,
        data: {
          first: 1,
          last: 99,
          hash: 'x',
          count: 99,
          signature: leaked.sign(`deckhand audit removed\n${world.workspace}\n99\nx`),
        },
      }),
    );
    await chainer().chain();
    const [own] = (await problems()).filter(({ workspace }) => workspace === world.workspace);
    expect(own?.problem?.what).toBe('it says that lines were removed, but Deckhand has not signed it');
  });
});

describe('a former key', () => {
  it('is not retired while it seals, while something is sealed with it, nor within the hour, unless that is asked for', async () => {
    await fill();
    const [old] = box.keyIds();
    await expect(retire(old)).rejects.toMatchObject({ code: 'DH-131', params: { why: 'it is the one that seals' } });
    await expect(retire('zz')).rejects.toMatchObject({ params: { why: 'there is no such key' } });
    const old_ = source.ring();
    const { key } = await rotate();
    await expect(retire(old, { now: false })).rejects.toMatchObject({ params: { why: expect.stringContaining('only') } });
    // As by a process that has sealed before it looked at the file again.
    const [account] = await deckhand.db.agentAccount.findMany({ take: 1 });
    const id = account?.id ?? '';
    await deckhand.db.agentAccount.update({
      where: { id },
      data: { sealed: createSecretBox(old_).seal('late', keyContext(id)) },
    });
    await expect(retire(old)).rejects.toMatchObject({
      params: { why: '1 row are sealed with it (keys of accounts of agents: 1)' },
    });
    expect(await rotate()).toMatchObject({ made: false, key });
    await retire(old);
    expect((await standing()).keys.find((one) => one.id === old)).toMatchObject({ retiredAt: expect.any(Date) });
  });
});

describe('where variables set the key', () => {
  const [first, second] = [randomBytes(32), randomBytes(32)];
  const env = (key: Buffer, other?: Buffer) => ({
    DECKHAND_DATA_DIR: dataDir,
    DATABASE_URL: deckhand.database.url,
    DECKHAND_SECRET_KEY: key.toString('base64'),
    ...(other === undefined ? {} : { DECKHAND_OTHER_SECRET_KEYS: other.toString('base64') }),
  });
  async function keys(args: string[], variables: Record<string, string>): Promise<{ code: number; text: string }> {
    let text = '';
    const write = (more: string) => {
      text += more;
    };
    return {
      code: await runCommandLine(['keys', ...args], { env: variables, out: write, err: write, interactive: false }),
      text,
    };
  }
  const tell = (id: string, held: readonly Buffer[]) =>
    tellKeys(deckhand.db, { id, host: 'host_a', role: id, source: 'environment', keys: held.map(keyId) });

  beforeEach(async () => {
    await query(deckhand.database.url, 'DELETE FROM "SecretKey"');
    await noteFirstKey(deckhand.db, keyId(first));
    box = createSecretBox([first]);
    await fill();
  });

  it('the key changes with no process left behind: each has the new one for reading first, then for sealing, and the old one goes last', async () => {
    await tell('gateway', [first]);
    await tell('runner', [first]);
    expect(await keys(['rotate'], env(first))).toMatchObject({ code: 1, text: expect.stringContaining('DH-128') });
    // Whoever begins with the second step is told who would be left behind.
    expect(await keys(['rotate'], env(second, first))).toMatchObject({
      code: 1,
      text: expect.stringContaining('gateway on host_a, runner on host_a'),
    });
    expect((await keys(['rotate'], env(second))).text).toContain('DH-130');
    // All know the new key, one seals with it, the other does not yet.
    await tell('gateway', [first, second]);
    await tell('runner', [second, first]);
    const early = await keys(['rotate'], env(second, first));
    expect(early).toMatchObject({
      code: 1,
      text: expect.stringContaining(`gateway on host_a still seals with key ${keyId(first)}`),
    });
    expect((await keys(['list'], env(second, first))).text).toContain('`deckhand keys rotate` goes on with it');
    await tell('gateway', [second, first]);
    expect(await keys(['rotate'], env(second, first))).toMatchObject({ code: 0, text: expect.stringContaining('keys retire') });
    await allOpens(createSecretBox([second]));
    expect((await keys(['retire', keyId(first)], env(second, first))).text).toContain('DH-131');
    const retired = await keys(['retire', keyId(first), '--now'], env(second, first));
    expect(retired).toMatchObject({ code: 0, text: expect.stringContaining('DECKHAND_OTHER_SECRET_KEYS of gateway on host_a') });
    await tell('gateway', [second]);
    await tell('runner', [second]);
    const { text } = await keys(['list'], env(second));
    expect(text).toContain(`● ${keyId(second)}  seals`);
    expect(text).toContain(`○ ${keyId(first)}  retired`);
    expect((await problems(createSecretBox([second]).check)).filter(({ problem }) => problem !== undefined)).toEqual([]);
  });

  it('a key that nobody has any more is given up only when that is said, and what it had sealed stays as it is', async () => {
    expect((await keys(['retire', keyId(first)], env(second))).text).toContain('rows are sealed with it');
    expect(await keys(['retire', keyId(first), '--lose', '--now'], env(second))).toMatchObject({ code: 0 });
    const rotated = await keys(['rotate'], env(second));
    expect(rotated).toMatchObject({ code: 1, text: expect.stringContaining('Does not open, and stays as it is') });
    expect(await tablesWith(keyId(first))).toContain('AgentAccount');
  });

  it('a mistyped flag begins nothing', async () => {
    for (const args of [['rotate', '--agian'], ['retire'], ['retire', 'a', 'b'], ['list', '--now'], ['rotate', 'now']])
      expect(await keys(args, env(first))).toMatchObject({ code: 64 });
  });
});

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'deckhand-key-file-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

it('the key file is taken over from one with a single key, is read by its owner only, and a broken one is refused', async () => {
  const dir = join(scratch, 'data');
  await mkdir(dir);
  const only = randomBytes(32);
  writeSecretKeys(dir, [only]);
  const held = openDataDir(dir, ['runner']);
  expect(held.secretKeys()).toEqual([only]);
  const next = randomBytes(32);
  writeSecretKeys(dir, [next, only]);
  expect(held.secretKeys()).toEqual([next, only]);
  held.release();
  const { mode } = await stat(join(dir, 'secret-key'));
  expect(mode & 0o077).toBe(0);
  await writeFile(join(dir, 'secret-key'), 'c2hvcnQ=\n');
  expect(() => storedSecretKeys(dir)).toThrow(expect.objectContaining({ code: 'DH-107' }));
});

it('a backup from after a change of the key is restored with all keys, and its chain verifies there and goes on', async () => {
  await deckhand.tx((tx) => recordAudit(tx, { workspace: world.workspace, action: 'test.done', subject: 'before', data: {} }));
  await chainer().chain();
  await rotate();
  expect(source.ring()).toHaveLength(2);
  box = createSecretBox(source.ring());
  await deckhand.tx((tx) => recordAudit(tx, { workspace: world.workspace, action: 'test.done', subject: 'after', data: {} }));
  await chainer().chain();
  const sealed = box.seal('of the account', viewSecretContext);
  const there = await createTestDatabase({ empty: true });
  const place = await mkdtemp(join(tmpdir(), 'deckhand-restored-'));
  let said = '';
  const command = async (args: string[], env: Record<string, string>) => {
    const out = (text: string) => {
      said += text;
    };
    return runCommandLine(args, { env, out, err: out, interactive: false });
  };
  const secret = { DECKHAND_BACKUP_PASSPHRASE: 'correct horse battery staple' };
  try {
    const file = join(place, 'whole.backup');
    const variables = (keys: readonly Buffer[]) => {
      const [first = '', ...others] = keys.map((key) => key.toString('base64'));
      return { DECKHAND_SECRET_KEY: first, DECKHAND_OTHER_SECRET_KEYS: others.join(',') };
    };
    const here = { DECKHAND_DATA_DIR: dataDir, DATABASE_URL: deckhand.url, ...secret, ...variables(source.ring()) };
    expect(await command(['backup', file], here), said).toBe(0);
    const restored = { DECKHAND_DATA_DIR: join(place, 'data'), DATABASE_URL: there.url, ...secret };
    expect(await command(['restore', file], restored), said).toBe(0);
    const keys = storedSecretKeys(restored.DECKHAND_DATA_DIR) ?? expect.unreachable('no keys came with it');
    expect(keyIds(keys)).toEqual(keyIds(source.ring()));
    expect(createSecretBox(keys).open(sealed, viewSecretContext)).toBe('of the account');
    said = '';
    const withKeys = { ...restored, ...variables(keys) };
    expect(await command(['audit', 'verify'], withKeys), said).toBe(0);
    expect(said).toContain(world.workspace);
    await query(there.url, `UPDATE "Audit" SET "subject" = 'else' WHERE "subject" = 'before'`);
    expect(await command(['audit', 'verify'], withKeys), said).toBe(1);
  } finally {
    await there.close();
    await rm(place, { recursive: true, force: true });
  }
});
