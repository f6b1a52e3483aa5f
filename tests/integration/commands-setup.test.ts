import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newClaimCode } from '../../src/access/claim-code.ts';
import { createLoginUses } from '../../src/access/login-uses.ts';
import { createRepositoryLogins, sealStoredLogins } from '../../src/access/repository-logins.ts';
import { projectSyncedReply } from '../../src/commands/project-card.ts';
import { policySchema } from '../../src/contracts/policy.ts';
import { createAlerts } from '../../src/observe/alerts.ts';
import { withOpenLogins } from '../../src/open-logins.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import type { Standing } from '../../src/store/standing.ts';
import { accounts, type Desk, mention, openDesk, type Said, slash } from '../support/desk.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk[Symbol.asyncDispose]());

const text = async (event: Parameters<Desk['act']>[0]) => (await desk.act(event))[0]?.text ?? '';
const project = (name: string) => desk.database.db.project.findFirstOrThrow({ where: { name, archivedAt: null } });
const demoChannel = () => desk.database.db.channel.findFirstOrThrow({ where: { externalId: 'CDEMO' } });

describe('project add', () => {
  const synced = async (id: string, found: Parameters<Desk['engine']['runs']['projectSynced']>[1]) => {
    await desk.engine.runs.projectSynced(id, found);
    await desk.database.transaction((tx) => projectSyncedReply(tx, id));
  };
  const card = (id: string) => desk.database.db.outbox.findFirstOrThrow({ where: { key: `project:${id}` } });

  it('answers for everybody, has the repository checked after the commit, and writes what was found on the same message', async () => {
    const [said] = await desk.act(slash('mia', 'project add web https://example.com/acme/web.git branch=develop'));
    const { id, policy } = await project('web');
    expect(said).toMatchObject({
      key: `project:${id}`,
      only: undefined,
      text: expect.stringContaining('● checking the repository'),
    });
    expect(desk.syncs).toContain(id);
    expect(policySchema.parse(policy).mode).toBe('ask');

    await synced(id, { ok: false, code: 'DH-502', detail: 'there is no branch develop' });
    const failed = await card(id);
    expect(failed.version).toBe(2);
    expect(JSON.stringify(failed.payload)).toContain('✖ not reachable');
    expect(JSON.stringify(failed.payload)).toContain('there is no branch develop');

    await synced(id, { ok: true, defaultBranch: 'main', head: '0123456789abcdef0123456789abcdef01234567' });
    const ready = await card(id);
    expect(JSON.stringify(ready.payload)).toContain('✔ ready');
    expect(JSON.stringify(ready.payload)).toContain('@0123456');

    await synced(id, { ok: true, defaultBranch: 'main', head: 'ffffffffffabcdef0123456789abcdef01234567' });
    expect((await card(id)).version).toBe(ready.version);
    await synced(desk.demo.id, { ok: true, defaultBranch: 'main', head: '0123456789abcdef0123456789abcdef01234567' });
    expect(await desk.database.db.outbox.count({ where: { key: `project:${desk.demo.id}` } })).toBe(0);
  });

  it('`project test` has it checked again with what may be done there, and answers with a message of its own', async () => {
    const { id } = await project('web');
    expect(await desk.engine.runs.projectSource(id)).toMatchObject({ access: true });
    const found = { ok: true, defaultBranch: 'main', head: 'a'.repeat(40) } as const;
    await synced(id, { ...found, access: { push: { ok: true }, problems: [] } });
    expect(await desk.engine.runs.projectSource(id)).toMatchObject({ access: false });
    const [said] = await desk.act(slash('mia', 'project test web'));
    expect(said).toMatchObject({ only: undefined, text: expect.stringContaining('● checking the repository') });
    expect(said?.key).not.toBe(`project:${id}`);
    expect(await desk.engine.runs.projectSource(id)).toMatchObject({ access: true });
    const problem = 'deckhand-bot may not push. Give it write access.';
    await synced(id, {
      ...found,
      access: { as: 'deckhand-bot', push: { ok: false }, pulls: { ok: false }, problems: [problem] },
    });
    const row = await desk.database.db.outbox.findFirstOrThrow({ where: { key: said?.key ?? '' } });
    for (const text of ['✔ ready', '✖ cannot push', '✖ cannot open pull requests', 'as deckhand-bot', problem]) {
      expect(JSON.stringify(row.payload)).toContain(text);
    }
    expect(await text(slash('gus', 'project test web'))).toContain('DH-202');
  });

  it('takes a name once, whatever its case, also when two come at once', async () => {
    expect(await text(slash('mia', 'project add WEB https://example.com/x/y.git'))).toContain('DH-213');
    const both = await Promise.all(
      ['a', 'b'].map((path) => desk.act(slash('mia', `project add twice https://example.com/x/${path}.git`))),
    );
    expect(await desk.database.db.project.count({ where: { name: 'twice' } })).toBe(1);
    expect(both.flat().some(({ text: said }) => said.includes('DH-213'))).toBe(true);
  });

  it.each([
    ['relative/path', 'DH-505'],
    ['~/web', 'DH-505'],
    ['ext::sh -c x', 'DH-201'],
    ['ext::sh', 'DH-505'],
    ['file:///etc', 'DH-505'],
    ['https://', 'DH-505'],
    ['--upload-pack=x', 'DH-505'],
    ['ftp://example.com/x', 'DH-505'],
  ])('refuses %j', async (source, code) => {
    expect(await text(slash('ada', `project add odd ${source}`))).toContain(code);
    expect(await desk.database.db.project.count({ where: { name: 'odd' } })).toBe(0);
  });

  it('takes an address with a password in a direct message only, and never shows the password', async () => {
    const use = 'project add private https://bot:hunter2@example.com/acme/private.git';
    const refused = await text(slash('ada', use));
    expect(refused).toContain('DH-218');
    expect(refused).not.toContain('hunter2');
    expect(await text(mention('ada', use, { direct: true }))).toContain('https://example.com/acme/private.git');
    for (const show of ['project list', 'settings project=private'])
      expect(await text(slash('ada', show))).not.toContain('hunter2');
    const { id, source } = await project('private');
    expect(source).toMatch(/^https:\/\/sealed:v1\.[\w.-]+@example\.com\/acme\/private\.git$/);
    const logins = createRepositoryLogins(desk.secretBox);
    expect(await text(slash('ada', 'project list'))).toContain('login never used');
    const uses = createLoginUses({ database: desk.database, clock: systemClock, logger: { warn: () => undefined } });
    const forRunner = withOpenLogins(desk.engine.runs, { logins, uses });
    const address = 'https://bot:hunter2@example.com/acme/private.git';
    expect(await forRunner.projectSource(id)).toMatchObject({ source: { kind: 'git', url: address } });
    await uses.settled();
    expect(await text(slash('ada', 'project list'))).toContain('login used just now');
    // What an earlier version has stored as it was typed is sealed at the next start, once.
    await desk.database.db.project.update({ where: { id }, data: { source: address } });
    expect([await sealStoredLogins(desk.database, logins), await sealStoredLogins(desk.database, logins)]).toEqual([1, 0]);
    expect(await forRunner.projectSource(id)).toMatchObject({ source: { url: address } });
    const { db } = desk.database;
    const stored = [
      await db.audit.findMany(),
      await db.outbox.findMany(),
      await db.project.findMany(),
      await db.inbox.findMany(),
    ];
    expect(JSON.stringify(stored, (_, value) => (typeof value === 'bigint' ? String(value) : value))).not.toContain('hunter2');
  });
});

describe('project remove', () => {
  it('waits for tasks that are not over, then unbinds channels and frees the name', async () => {
    await desk.act(slash('mia', 'bind twice', { channel: 'CTWICE' }));
    await desk.act(slash('ben', 'sh sleep', { channel: 'CTWICE' }));
    expect(await text(slash('mia', 'project remove twice'))).toMatch(/1 task that is not over.*DH-300/s);
    const task = await desk.database.db.task.findFirstOrThrow({ orderBy: { number: 'desc' } });
    await desk.act(slash('ben', `stop ${task.number}`));
    expect(await text(slash('mia', 'project remove Twice'))).toBe(
      'Project twice is removed. 1 channel had it; it is unbound now.',
    );
    expect(await desk.database.db.channel.findFirstOrThrow({ where: { externalId: 'CTWICE' } })).toMatchObject({
      projectId: null,
    });
    expect(await text(slash('ben', `show ${task.number}`))).toContain('sleep');
    expect(await text(slash('ben', 'sh x', { channel: 'CTWICE' }))).toContain('DH-203');
    expect(await text(slash('ada', 'project add twice /srv/twice'))).toContain('Project twice');
  });
});

describe('bind', () => {
  it('says in the channel what holds from now on, keeps the default role unless told, and ends with none', async () => {
    const [said] = await desk.act(slash('mia', 'bind demo role=developer'));
    expect(said).toMatchObject({ only: undefined, channel: 'CDEMO', text: expect.stringContaining('are developers here') });
    await desk.act(slash('mia', 'bind demo'));
    expect((await demoChannel()).defaultRole).toBe('developer');
    await desk.act(slash('mia', 'bind web'));
    expect(await demoChannel()).toMatchObject({ projectId: (await project('web')).id, defaultRole: null });
    await desk.act(slash('mia', 'bind none'));
    expect(await demoChannel()).toMatchObject({ projectId: null, defaultRole: null });
    await desk.act(slash('mia', 'bind demo role=none'));
    expect(await demoChannel()).toMatchObject({ projectId: desk.demo.id, defaultRole: null });
    expect(await desk.database.db.audit.count({ where: { action: 'channel.bind' } })).toBe(6);
  });

  it('refuses what would give the right to change rights, and a direct conversation', async () => {
    for (const role of ['owner', 'maintainer']) expect(await text(slash('ada', `bind demo role=${role}`))).toContain('DH-245');
    expect(await text(mention('ada', 'bind demo', { direct: true }))).toContain('DH-300');
  });
});

/** The tests below count versions from here. */
async function backToVersionTwo(): Promise<void> {
  await desk.database.db.policyVersion.deleteMany({ where: { projectId: desk.demo.id, version: { gt: 2 } } });
  await desk.database.db.project.update({ where: { id: desk.demo.id }, data: { policyVersion: 2 } });
}

describe('settings', () => {
  it('a change of the policy raises its version, is audited and says so to everybody; tasks keep theirs', async () => {
    await desk.act(slash('ben', 'sh before'));
    const use =
      'settings policy=custom allow+="npm test" allow+="npm run *" deny="rm *" approvers=developer expires=30m remind=5m not-requester=on';
    const [said] = await desk.act(slash('mia', use));
    expect(said).toMatchObject({ only: undefined, text: expect.stringContaining('The policy is at version 2.') });
    const row = await project('demo');
    expect(row.policyVersion).toBe(2);
    expect(row.policy).toEqual({
      mode: 'custom',
      allow: ['npm test', 'npm run *'],
      deny: ['rm *'],
      approvers: { role: 'developer', people: [], notRequester: true },
      expiresMs: 1_800_000,
      remindMs: 300_000,
    });
    const task = await desk.database.db.task.findFirstOrThrow({ where: { command: 'before' } });
    expect(task).toMatchObject({ policyVersion: 1, policy: { mode: 'safe' } });
    const audit = await desk.database.db.audit.findFirstOrThrow({ where: { action: 'project.policy' } });
    expect(audit.data).toMatchObject({ version: 2, from: { mode: 'safe' }, to: { mode: 'custom' } });
  });

  it('asks for two people, says when there are not enough, and lets nobody grant alone what two must approve', async () => {
    const before = (await project('demo')).policy;
    const [said] = await desk.act(slash('mia', 'settings approvals=5'));
    expect(said?.text).toContain('There are not enough people who can approve');
    const [two] = await desk.act(slash('mia', 'settings approvals=2'));
    expect(two?.text).not.toContain('There are not enough');
    expect(two?.text).toContain('; 2 people must approve');
    expect((await project('demo')).policy).toMatchObject({ approvers: { count: 2 } });
    const [wrong] = await desk.act(slash('mia', 'settings approvals=6'));
    expect(wrong?.text).toContain('`6` is not a whole number from 1 to 5.');
    await desk.act(slash('mia', 'settings approvals=1'));
    expect((await project('demo')).policy).toEqual(before);
    await backToVersionTwo();
  });

  it('asks others besides after a while, and never again with `none`', async () => {
    expect(await text(slash('mia', 'settings escalate-to=owner'))).toContain('When others are asked is missing.');
    expect(await text(slash('mia', 'settings escalate=soon'))).toContain('`soon` is not a length of time');
    expect(await text(slash('mia', 'settings escalate=30m'))).toContain('escalate: Owners are asked after 30m');
    expect((await project('demo')).policy).toMatchObject({ escalate: { afterMs: 1_800_000, to: 'owner' } });
    expect(await text(slash('mia', 'settings escalate=none'))).not.toContain('are asked after');
    await backToVersionTwo();
  });

  it('lists change by adding, taking away and emptying; what stays the same changes no version', async () => {
    await desk.act(slash('mia', 'settings allow+="npm test" allow-="npm run *" deny=none'));
    expect((await project('demo')).policy).toMatchObject({ allow: ['npm test'], deny: [] });
    await desk.act(slash('mia', 'settings allow+="npm test" policy=custom'));
    expect((await project('demo')).policyVersion).toBe(3);
  });

  it('names people who alone may decide, by mention or name, and nobody who is not known', async () => {
    await desk.act(slash('mia', `settings people=<@${accounts.ada}> people+=Mia`));
    const users = await desk.database.db.user.findMany({ where: { name: { in: ['Ada', 'Mia'] } }, orderBy: { name: 'asc' } });
    expect((await project('demo')).policy).toMatchObject({ approvers: { people: users.map(({ id }) => id) } });
    expect(await text(slash('gus', 'who'))).toContain('Ada or Mia decides, but not who asked');
    expect(await text(slash('mia', 'settings people+=Zoe'))).toContain('DH-210');
    await desk.act(slash('mia', 'settings people=none'));
    expect((await project('demo')).policy).toMatchObject({ approvers: { people: [] } });
  });

  it('names the hosts whose addresses are links on cards', async () => {
    expect(await text(slash('mia', 'settings links=docs.example.org,*.acme.dev'))).toContain(
      'links: docs.example.org, *.acme.dev',
    );
    expect(await text(slash('mia', 'settings links-=docs.example.org'))).toMatch(/links: \*\.acme\.dev$/m);
    expect(await text(slash('mia', 'settings links+=https://x'))).toContain('`https://x` is not the name of a host.');
    expect(await text(slash('mia', 'settings links=none'))).toContain('links: none');
  });

  it('a check of changes is a part of the policy, with a time of its own', async () => {
    const { policyVersion, policy } = await project('demo');
    const said = await text(slash('mia', 'settings check="npm run check -- --all"'));
    expect(said).toContain('npm run check -- --all, at most 10m');
    const check = { command: 'npm run check -- --all', timeoutMs: 600_000 };
    expect(await project('demo')).toMatchObject({ policyVersion: policyVersion + 1, policy: { check } });
    await desk.act(slash('mia', 'settings check-timeout=2h'));
    expect((await project('demo')).policy).toMatchObject({ check: { ...check, timeoutMs: 7_200_000 } });
    expect(await text(slash('gus', 'settings'))).toContain('npm run check -- --all, at most 30m');
    await desk.act(slash('mia', 'settings check=none'));
    expect((await project('demo')).policy).toEqual(policy);
    expect(await text(slash('mia', 'settings check-timeout=5m'))).toContain('DH-201');
    expect(await text(slash('ben', 'settings check="rm -rf /"'))).toContain('DH-202');
  });

  it('limits, base branch, verbosity and default role change without touching the policy', async () => {
    const { policyVersion } = await project('demo');
    desk.syncs.length = 0;
    await desk.act(slash('mia', 'settings timeout=20m concurrency=3 branch=develop verbosity=quiet role=guest'));
    expect(await project('demo')).toMatchObject({
      limits: { timeoutMs: 1_200_000, concurrency: 3 },
      baseBranch: 'develop',
      syncState: 'checking',
      policyVersion,
    });
    expect(await demoChannel()).toMatchObject({ verbosity: 'quiet', defaultRole: 'guest' });
    expect(desk.syncs).toEqual([desk.demo.id]);
    await desk.act(slash('mia', 'settings branch=default'));
    expect((await project('demo')).baseBranch).toBeNull();
    const shown = await text(slash('gus', 'settings'));
    for (const part of ['custom', 'npm test', '20m', '3 at once', 'quiet', 'guest', '30m, reminder after 5m'])
      expect(shown).toContain(part);
  });

  it.each([
    ['settings approvers=guest', 'DH-201'],
    ['settings allow+="a\nb"', 'DH-201'],
    ['settings expires=10s', 'DH-201'],
    ['settings policy=fast', 'DH-201'],
    ['settings check="a\nb"', 'DH-201'],
    ['settings project=nowhere policy=safe', 'DH-205'],
  ])('%j changes nothing', async (use, code) => {
    const before = await project('demo');
    expect(await text(slash('ada', use))).toContain(code);
    expect(await project('demo')).toEqual(before);
  });

  it('settings of a channel are refused in a direct conversation', async () => {
    expect(await text(mention('ada', 'settings project=demo verbosity=quiet', { direct: true }))).toContain('DH-300');
  });
});

describe('members', () => {
  it('a role is given to a mention of somebody never seen, who is told', async () => {
    // Whether somebody never seen is of this organisation is not known: only owners give them more than guest.
    expect(await text(slash('mia', 'member add <@UNEW|nele> developer'))).toContain('ask an owner to give the role. DH-300');
    const [said] = await desk.act(slash('ada', 'member add <@UNEW|nele> developer'));
    expect(said).toMatchObject({ only: undefined, text: 'nele is a developer now: may run, stop and retry commands.' });
    expect(JSON.stringify(said?.payload)).toContain('"user":"UNEW","notify":true');
    expect(await text(slash('gus', 'who'))).toContain('nele');
  });

  it('is changed and taken by those who may, and each change is audited', async () => {
    expect(await text(slash('mia', 'member role @nele guest'))).toContain('nele is a guest now');
    expect(await text(slash('mia', 'member add nele developer'))).toContain('nele is a guest already. member role changes that.');
    expect(await text(slash('mia', 'member role nele maintainer'))).toContain('DH-202');
    expect(await text(slash('mia', 'member role Ada developer'))).toContain('DH-202');
    expect(await text(slash('ada', 'member role nele maintainer'))).toContain('nele is a maintainer now');
    expect(await text(slash('mia', 'member remove nele'))).toContain('DH-202');
    expect(await text(slash('ada', 'member remove nele'))).toContain('nele has no role of their own any more.');
    expect(await text(slash('ada', 'member remove nele'))).toBe('nele has no role of their own.');
    const nele = await desk.database.db.user.findFirstOrThrow({ where: { name: 'nele' } });
    expect(
      (await desk.database.db.audit.findMany({ where: { subject: nele.id }, orderBy: { at: 'asc' } })).map(({ data }) => data),
    ).toEqual([
      { from: 'none', to: 'developer' },
      { from: 'developer', to: 'guest' },
      { from: 'guest', to: 'maintainer' },
      { from: 'maintainer', to: 'none' },
    ]);
  });

  it('the last owner can neither be demoted nor removed, not even by themselves', async () => {
    for (const use of ['member role Ada guest', 'member remove Ada', `member remove <@${accounts.ada}>`]) {
      expect(await text(slash('ada', use))).toContain('DH-211');
    }
  });

  it('a name that is nobody’s or that of several people is asked about', async () => {
    expect(await text(slash('ada', 'member add Zoe guest'))).toContain('DH-210');
    await desk.act(slash('ada', 'member add <@UTWO1|Sam> guest'));
    await desk.act(slash('ada', 'member add <@UTWO2|Sam> guest'));
    expect(await text(slash('ada', 'member role Sam developer'))).toContain('There are several people named `Sam`.');
  });
});

describe('claim', () => {
  it('is answered to the person alone and counts wrong tries; the right code makes an owner', async () => {
    expect(await desk.act(slash('nobody', 'claim X'))).toMatchObject([
      { only: accounts.nobody, text: expect.stringContaining('has an owner already') },
    ]);
    await desk.database.db.user.updateMany({ where: { role: 'owner' }, data: { role: 'developer' } });
    const code = await desk.database.transaction((tx) => newClaimCode(tx, desk.workspace));
    for (let n = 0; n < 8; n += 1) expect(await text(slash('nobody', 'claim WRONG'))).toContain('This is not the code.');
    const said: Said[] = await desk.act(mention('nobody', `claim ${code}`));
    expect(said).toMatchObject([{ only: accounts.nobody, text: expect.stringContaining('You are the owner of Deckhand now.') }]);
    expect(await text(slash('nobody', 'member role Ada owner'))).toContain('Ada is an owner now');
    expect(await desk.database.db.audit.count({ where: { action: 'owner.claim' } })).toBe(10);
  });
});

describe('alerts', () => {
  const calm: Standing = {
    inboxOldest: 0,
    lanesWaiting: 0,
    deadLetters: { inbound: 0, outbound: 0 },
    outbox: [],
    runs: [],
    queueOldest: 0,
    decisions: [],
    runners: [],
    disks: [],
  };
  const stuck: Standing = { ...calm, outbox: [{ platform: 'telegram', waiting: 3, oldest: 400 }] };
  let now = new Date();
  let stands = async () => calm;
  const minutes = (count: number) => {
    now = new Date(now.getTime() + count * 60_000);
  };
  const gateway = () =>
    createAlerts({
      database: desk.database,
      clock: { now: () => now },
      logger: createLogger({ level: 'silent' }),
      queue: { counts: async () => undefined },
      standing: () => stands(),
    });
  const told = async () => {
    const rows = await desk.database.db.outbox.findMany({ where: { key: { startsWith: 'alert/' } }, orderBy: { id: 'asc' } });
    return rows.map(({ payload, version, channel }) => `${channel} v${version} ${JSON.stringify(payload)}`);
  };

  it('are told where an owner wants them: once, by however many gateways, with their end; what comes back changes what was said', async () => {
    expect(await text(slash('mia', 'settings alerts on'))).toContain('DH-202');
    expect(await text(slash('ada', 'settings alerts on'))).toMatch(/are told in (#\w+|a channel) on Slack\./);
    const [one, other] = [gateway(), gateway()];
    const look = async () => {
      await Promise.all([one.look(), other.look()]);
      await one.look();
    };
    stands = async () => stuck;
    await look();
    expect(await told()).toEqual([]); // a hiccup is nothing to tell
    minutes(1);
    await look();
    await look();
    expect(await told()).toEqual([expect.stringMatching(/^CDEMO v1 .*Alert.*3 messages to Telegram wait, the first for 6m 40s/)]);
    expect(await text(slash('ada', 'settings alerts'))).toContain('3 messages to Telegram wait');

    stands = async () => calm;
    minutes(1);
    await look();
    expect(await told()).toHaveLength(1);
    minutes(2);
    await look();
    expect(await told()).toEqual([
      expect.stringMatching(/v2 .*It is over/),
      expect.stringContaining('Messages to Telegram are sent again.'),
    ]);

    stands = async () => stuck;
    minutes(5);
    await look();
    expect(await told()).toEqual([expect.stringMatching(/v3 .*Alert, again/), expect.any(String)]);
  });

  it('tell of a database that was away when it is back, and of a key that is refused until it works', async () => {
    stands = async () => calm;
    minutes(60);
    const [one, other] = [gateway(), gateway()];
    await one.look();
    const before = (await told()).length;
    stands = async () => {
      throw new Error('no connection');
    };
    for (const gate of [one, other]) await expect(gate.look()).rejects.toThrow('no connection');
    minutes(3);
    stands = async () => calm;
    one.figures([{ what: 'ended', worker: 'codex', outcome: 'failed', cause: 'agent', trouble: 'key_refused', seconds: 1 }]);
    await one.look();
    await other.look();
    const [refused, away, ...more] = (await told()).slice(before);
    expect(away).toMatch(/v1 .*did not answer for 3m\. It is back/);
    expect(refused).toContain('refuses the key');
    expect(more).toEqual([]);
    one.figures([{ what: 'ended', worker: 'codex', outcome: 'succeeded', cause: undefined, trouble: undefined, seconds: 1 }]);
    minutes(16);
    await other.look();
    expect((await told()).at(-1)).toContain('No key of');
    await desk.act(slash('ada', 'settings alerts off'));
  });
});
