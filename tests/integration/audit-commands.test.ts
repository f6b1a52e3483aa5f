import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createChainer } from '../../src/audit/chainer.ts';
import { verifyFile } from '../../src/audit/verify-file.ts';
import { encodePress } from '../../src/contracts/press.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { newId } from '../../src/runtime/ids.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { type Account, type Desk, offerSandbox, openDesk, press, slash, tokenOf } from '../support/desk.ts';

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk[Symbol.asyncDispose]());

const ask = async (who: Account, line: string, where: Parameters<typeof slash>[2] = {}) =>
  (await desk.act(slash(who, line, where)))[0];
const text = async (who: Account, line: string, where: Parameters<typeof slash>[2] = {}) =>
  (await ask(who, line, where))?.text ?? '';
const chain = () =>
  createChainer({
    database: desk.database,
    wakeups: { subscribe: () => () => undefined },
    secretBox: desk.secretBox,
    keepMs: 90 * 24 * 60 * 60_000,
    clock: systemClock,
    logger: createLogger({ level: 'warn', readable: true }),
  }).chain();

describe('audit', () => {
  it('says in plain words who did what where, newest first, and where the chain ends', async () => {
    await ask('ada', 'project add web https://example.com/acme/web.git');
    await ask('ada', 'member role Gus developer');
    await ask('ada', 'member role Gus guest', { direct: true });
    await ask('gus', 'sh ls');
    expect(await text('mia', 'audit')).toContain('No line has a place in the chain yet · 4 lines wait for a place');
    await chain();
    const said = await ask('mia', 'audit');
    const lines = said?.text.split('\n') ?? [];
    expect(lines[0]).toBe('Audit');
    expect(lines[1]).toMatch(/^5 · Gus wanted to run commands and may not · on Slack in #demo · just now$/);
    expect(lines[2]).toMatch(
      /^4 · Ada changed the role of Gus from developer to guest · on Slack in a direct message · just now$/,
    );
    expect(lines[4]).toMatch(/^2 · Ada added the project web, .*example\.com\/acme\/web.* · on Slack in #demo · just now$/);
    const head = await desk.database.db.auditChain.findUniqueOrThrow({ where: { workspaceId: desk.workspace } });
    expect(lines.at(-1)).toBe(`The chain ends at line 5, hash ${head.hash.slice(0, 10)}, just now`);
    expect(said?.payload.type).toBe('ephemeral');
  });

  it('is narrowed by person, kind, task and time, and shows older lines with a button', async () => {
    expect(await text('mia', 'audit kind=refused')).toMatch(/^Audit about refused\n5 · Gus wanted [^\n]*\nThe chain/);
    expect(await text('mia', 'audit person=Ada kind=member')).not.toContain('Gus wanted');
    const before = new Date(Date.now() - 3 * 24 * 60 * 60_000);
    const added = await desk.database.db.audit.findMany({ where: { action: 'project.add' } });
    await desk.database.db.audit.updateMany({ where: { action: 'project.add' }, data: { at: before } });
    expect(await text('mia', 'audit kind=project since=2d')).toContain('There is no such line.');
    expect(await text('mia', 'audit kind=project since=4d')).toContain('Ada added the project web');
    for (const { id, at } of added) await desk.database.db.audit.update({ where: { id }, data: { at } });
    await ask('ben', 'sh make');
    expect(await text('mia', 'audit #1')).toMatch(
      /^Audit of #1\n– · Ben asked for run 1 of #1, with version 1 of the policy · on Slack/,
    );
    expect(await text('mia', 'audit #77')).toContain('DH-204');
    expect(await text('mia', 'audit person=Nobody')).toContain('DH-210');
    // The same within a minute is one line.
    const earlier = { at: new Date(Date.now() - 10 * 60_000) };
    for (let n = 0; n < 12; n += 1) {
      await ask('gus', 'doctor');
      await desk.database.db.audit.updateMany({ where: { action: 'refused', seq: null }, data: earlier });
    }
    const first = await ask('mia', 'audit kind=refused since=1h');
    expect(first?.text).toContain('· page 1');
    const [older] = await desk.act(press('mia', tokenOf(first, 'Older')));
    expect(older?.text).toContain('· page 2');
    expect(older?.text.split('\n').filter((line) => line.includes('Gus wanted'))).toHaveLength(3);
    expect(() => tokenOf(older, 'Older')).toThrow('no button');
    const long = await text('mia', `audit #1 person="${'Ada'}" kind=approval since=3649d23h59m page=998`);
    expect(long).toContain('There are no older lines.');
  });

  it('is sent as a file to its owner alone, which verifies by itself; that is a line, too', async () => {
    await ask('ben', 'sh make');
    await chain();
    const answer = await text('ada', 'audit export');
    expect(answer).toContain('sent to you alone');
    const [row] = await desk.database.db.outbox.findMany({
      orderBy: { id: 'desc' },
      where: { payloadType: 'ephemeral' },
      take: 1,
    });
    const { view } = z
      .object({ view: z.object({ files: z.array(z.object({ name: z.string(), text: z.string() })) }) })
      .parse(row?.payload);
    const [file] = view.files;
    const lines = Readable.from((file?.text ?? '').trimEnd().split('\n'));
    const { chains } = await verifyFile(lines, { check: desk.secretBox.check });
    expect(chains).toMatchObject([{ workspace: row?.workspaceId, problems: 0, signature: 'good' }]);
    expect(await text('mia', 'audit export')).toContain('DH-202');
    expect(await text('ada', 'audit kind=audit')).toMatch(/Ada exported \d+ lines from chat/);
  });

  it('promise 12: shows nothing of another workspace', async () => {
    const other = newId('wsp');
    await desk.database.db.workspace.create({ data: { id: other, name: 'Other' } });
    await desk.database.db.audit.create({
      data: { id: newId('aud'), workspaceId: other, action: 'owner.claim', subject: 'x', data: { result: 'foreign' } },
    });
    expect(await text('mia', 'audit')).not.toContain('claimed');
  });
});

describe('why', () => {
  const commit = '3f2a91c0de'.padEnd(40, '0');
  const merged = 'beef00beef'.padEnd(40, '1');

  it('says who asked, what was given, who decided for which reason, and what was pushed and merged', async () => {
    const { db } = desk.database;
    await offerSandbox(desk);
    await ask('ben', 'sh npm run deploy');
    const task = await db.task.findFirstOrThrow({ where: { command: 'npm run deploy' } });
    const interaction = await db.interaction.findFirstOrThrow({ where: { taskId: task.id } });
    await desk.act(press('mia', encodePress({ kind: 'decide', secret: interaction.secret, verb: 'approve_task' })));
    const run = await db.run.findFirstOrThrow({ where: { taskId: task.id } });
    const of = { workspaceId: desk.workspace, projectId: desk.demo.id, taskId: task.id, runId: run.id };
    const at = new Date();
    await db.publication.create({
      data: {
        ...of,
        id: newId('pub'),
        hostId: 'host',
        what: 'pull_request',
        state: 'done',
        remote: 'https://example.com/acme/demo.git',
        branch: 'deckhand/2-deploy',
        baseBranch: 'main',
        base: '0'.repeat(40),
        commit,
        tree: '1'.repeat(40),
        interactionId: newId('int'),
        requestedById: run.requestedById,
        pushedAt: at,
        dueAt: at,
        createdAt: at,
      },
    });
    const facts = {
      number: 7,
      url: 'https://example.com/acme/demo/pull/7',
      title: 'Deploy',
      state: 'merged',
      draft: false,
      head: { branch: 'deckhand/2-deploy', commit },
      base: 'main',
      mergeable: 'clean',
      checks: [],
      reviews: [],
      mergeCommit: merged,
    };
    const pull = { repository: 'acme/demo', number: 7, facts, state: 'merged', head: commit, createdAt: at, updatedAt: at };
    await db.pullRequest.create({ data: { ...of, id: newId('pul'), ...pull } });

    const said = await text('gus', `why ${commit.slice(0, 7)}`);
    expect(said).toContain(`Why #${task.number} · ${commit.slice(0, 7)} · demo\nnpm run deploy`);
    expect(said).toMatch(/Run 1 by Ben, on Slack in #demo, just now, with version 1 of the policy · given: text [0-9a-f]{10}/);
    expect(said).toMatch(
      /✔ Command or call npm run deploy · approved by Mia, on Slack in #demo, just now · asked because .+ · action [0-9a-f]{10}/,
    );
    expect(said).toMatch(/Allowed from then on\nnpm run deploy by Mia, just now/);
    expect(said).toContain(
      '3f2a91c0de pushed to deckhand/2-deploy of https://example.com/acme/demo.git, asked for by Ben, just now',
    );
    expect(said).toContain('merged as beef00beef');
    expect(await text('gus', 'why beef00b')).toContain(`Why #${task.number}`);
    expect(await text('gus', `why #${task.number}`)).toContain('npm run deploy');
    const buttons = await ask('mia', `why #${task.number}`);
    expect((await desk.act(press('mia', tokenOf(buttons, 'Audit'))))[0]?.text).toContain(`Audit of #${task.number}`);
    const guests = await ask('gus', `why #${task.number}`);
    expect(() => tokenOf(guests, 'Audit')).toThrow('no button');
  });

  it('promise 12: answers alike for a commit of another workspace, of a project that is not for the asker, and for none', async () => {
    const { db } = desk.database;
    const unknown = async (who: Account, name: string) =>
      (await text(who, `why ${name}`)).replaceAll(name.slice(0, 10), 'COMMIT');
    const none = await unknown('ada', 'abcdef1');
    expect(none).toContain('No task that you may see has led to a commit `COMMIT`');
    const [workspaceId, projectId, taskId] = [newId('wsp'), newId('prj'), newId('tsk')];
    const own = await db.publication.findFirstOrThrow({ where: { commit } });
    const project = await db.project.findUniqueOrThrow({ where: { id: desk.demo.id } });
    const task = await db.task.findFirstOrThrow({ where: { id: own.taskId } });
    await db.workspace.create({ data: { id: workspaceId, name: 'Foreign' } });
    const json = { policy: project.policy ?? {}, limits: project.limits ?? {} };
    await db.project.create({
      data: { id: projectId, workspaceId, name: 'secret', sourceKind: 'git', source: 'https://example.com/x.git', ...json },
    });
    const { number, title, kind, command, column, rank, branch, policyVersion, requesterId, originKey } = task;
    const same = { number, title, kind, command, column, rank, branch, policyVersion, requesterId, originKey };
    await db.task.create({ data: { ...same, id: taskId, workspaceId, projectId, policy: json.policy } });
    const foreign = 'cafecafe00'.padEnd(40, '2');
    const { origin: _origin, error: _error, ...row } = own;
    const copied = { id: newId('pub'), workspaceId, projectId, taskId, interactionId: newId('int'), commit: foreign };
    await db.publication.create({ data: { ...row, ...copied } });
    expect(await unknown('ada', foreign.slice(0, 9))).toBe(none);
    expect(await text('ada', `why ${foreign}`)).toContain('No task that you may see has led to a commit');
    // Somebody whose role comes from this channel sees its project alone.
    await ask('ada', 'project add hidden https://example.com/acme/hidden.git');
    await ask('ada', 'bind hidden role=guest', { channel: 'COTHER' });
    expect(await unknown('nobody', commit.slice(0, 7))).toContain('DH-202');
    const [elsewhere] = await desk.act(slash('nobody', `why ${commit.slice(0, 7)}`, { channel: 'COTHER' }));
    expect(elsewhere?.text.replaceAll(commit.slice(0, 7), 'COMMIT')).toBe(none);
  });

  it('takes nothing else', async () => {
    expect(await text('gus', 'why nonsense')).toContain('neither a task nor the first seven digits of a commit');
    expect(await text('gus', 'why')).toContain('DH-207');
  });
});
