import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chainLines } from '../../src/audit/chain-lines.ts';
import { type Chainer, type ChainerDeps, createChainer } from '../../src/audit/chainer.ts';
import { exportChain } from '../../src/audit/export.ts';
import { verifyDatabase } from '../../src/audit/verify-database.ts';
import { NoExport, verifyFile } from '../../src/audit/verify-file.ts';
import { newId } from '../../src/runtime/ids.ts';
import { createSecretBox } from '../../src/runtime/secret-box.ts';
import { recordAudit } from '../../src/store/audit.ts';
import { chainedLines } from '../../src/store/audit-chain.ts';
import { createDatabase, type Database } from '../../src/store/database.ts';
import { createForgetting } from '../../src/tasks/forget.ts';
import { openPolicy, TestEngine, type TestWorld } from '../support/test-engine.ts';

const key = randomBytes(32);
const box = createSecretBox([key]);
const day = 24 * 60 * 60_000;

let deckhand: TestEngine;
let world: TestWorld;
let chainer: Chainer;

function another(deps: Partial<ChainerDeps> = {}): Chainer {
  return createChainer({ ...deckhand, secretBox: box, keepMs: 90 * day, ...deps });
}

beforeEach(async () => {
  deckhand = await TestEngine.start();
  world = await deckhand.world();
  chainer = another();
});
afterEach(() => deckhand.close());

const write = (database: Pick<Database, 'transaction'>, subjects: readonly string[], workspace = world.workspace) =>
  database.transaction(async (tx) => {
    for (const subject of subjects) await recordAudit(tx, { workspace, action: 'test.done', subject, data: { of: subject } });
  });
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => `s${from + at}`);
const verify = (options: Partial<Parameters<typeof verifyDatabase>[1]> = {}) =>
  verifyDatabase(deckhand.database, { check: box.check, ...options });
const stored = (workspace = world.workspace) => chainedLines(deckhand.db, workspace, { after: 0, most: 10_000 });
/** What the verification says about the chain of the world. */
async function found(options: Partial<Parameters<typeof verifyDatabase>[1]> = {}) {
  const { chains } = await verify(options);
  const own = chains.find(({ workspace }) => workspace === world.workspace);
  if (own === undefined) throw new Error('the world has no chain');
  return own;
}

describe('lines', () => {
  it('get their places without gaps and forks, whoever writes and chains at once, and nothing of what was rolled back', async () => {
    const databases = Array.from({ length: 3 }, () =>
      createDatabase({ url: deckhand.database.url, connections: 4, onEffectError: () => undefined }),
    );
    const chainers = databases.map((database) => another({ database }));
    let writing = true;
    const chaining = chainers.map(async (one) => {
      while (writing) await one.chain();
    });
    await Promise.all(
      databases.flatMap((database, process) =>
        Array.from({ length: 4 }, async (_, writer) => {
          for (let act = 0; act < 10; act += 1) {
            await write(database, [`${process}.${writer}.${act}`]);
            const broken = database.transaction(async (tx) => {
              await recordAudit(tx, { workspace: world.workspace, action: 'test.done', subject: 'rolled back', data: {} });
              throw new Error('not after all');
            });
            await expect(broken).rejects.toThrow('not after all');
          }
        }),
      ),
    );
    writing = false;
    await Promise.all(chaining);
    await chainer.chain();
    await Promise.all(databases.map((database) => database.close()));
    const lines = await stored();
    expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, at) => at + 1));
    expect(lines.filter(({ action }) => action === 'test.done')).toHaveLength(120);
    expect(new Set(lines.map(({ subject }) => subject)).size).toBe(121);
    expect(await found()).toMatchObject({ problems: 0, lines: 121, waiting: 0, signature: 'good' });
  });

  it('wait for another process when one dies while it chains them', async () => {
    await write(deckhand.database, numbers(1, 3));
    const dying = another({
      secretBox: {
        ...box,
        sign() {
          throw new Error('killed');
        },
      },
    });
    await expect(dying.chain()).rejects.toThrow('killed');
    expect(await stored()).toEqual([]);
    expect(await chainer.chain()).toBe(3);
    await write(deckhand.database, numbers(4, 4));
    expect((await found()).waiting).toBe(1);
    expect(await another().chain()).toBe(1);
    expect(await found()).toMatchObject({ problems: 0, lines: 5 });
  });

  it('from before there were chains are chained first, and the chain says so', async () => {
    await write(deckhand.database, numbers(1, 4));
    // As the migration does.
    await deckhand.db.$executeRaw`INSERT INTO "AuditChain" ("workspaceId", "seq", "hash", "earlier")
      SELECT "workspaceId", 0, repeat('0', 64), max("id") FROM "Audit" GROUP BY "workspaceId"`;
    await write(deckhand.database, numbers(5, 5));
    await chainer.chain();
    expect(await found()).toMatchObject({ problems: 0, lines: 6, earlier: 4 });
  });

  it('of one workspace are in no chain of another', async () => {
    const other = await deckhand.world();
    await write(deckhand.database, numbers(1, 3));
    await write(deckhand.database, numbers(4, 5), other.workspace);
    await chainer.chain();
    expect((await stored(other.workspace)).map(({ subject }) => subject)).toEqual([other.workspace, 's4', 's5']);
    await deckhand.db.audit.updateMany({ where: { subject: 's4' }, data: { subject: 's9' } });
    expect((await verify()).chains.map(({ workspace, problems }) => [workspace, problems])).toEqual(
      [
        [world.workspace, 0],
        [other.workspace, 1],
      ].toSorted(),
    );
  });
});

describe('verification finds', () => {
  beforeEach(async () => {
    await write(deckhand.database, numbers(1, 9));
    await chainer.chain();
  });
  const sql = (text: string) => deckhand.db.$executeRawUnsafe(text.replaceAll('$W', `'${world.workspace}'`));

  it.each([
    ['a line whose content was changed', `UPDATE "Audit" SET "data" = '{"of":"s0"}' WHERE "seq" = 5`, 5],
    ['a line whose time was changed', `UPDATE "Audit" SET "at" = "at" + interval '1 ms' WHERE "seq" = 5`, 5],
    ['a line whose actor was changed', `UPDATE "Audit" SET "actorId" = 'usr_x' WHERE "seq" = 5`, 5],
    ['a line that was said to come from somewhere', `UPDATE "Audit" SET "via" = '{}' WHERE "seq" = 5`, 5],
    ['a line that is missing', `DELETE FROM "Audit" WHERE "seq" = 5`, 6],
    ['a beginning that is missing', `DELETE FROM "Audit" WHERE "seq" < 5`, 4],
    ['an end that is missing', `DELETE FROM "Audit" WHERE "seq" > 8`, 9],
    ['an end without its signature', `UPDATE "AuditChain" SET "signature" = NULL`, 10],
    [
      'an end that was put back',
      `WITH gone AS (DELETE FROM "Audit" WHERE "seq" > 8) UPDATE "AuditChain" SET "seq" = 8, "hash" = (SELECT "hash" FROM "Audit" WHERE "seq" = 8)`,
      8,
    ],
    [
      'a line that was put in at the end',
      `INSERT INTO "Audit" ("id", "workspaceId", "action", "subject", "data", "seq", "prev", "hash")
       SELECT 'aud_x', $W, 'test.done', 'x', '{}', 11, "hash", "hash" FROM "Audit" WHERE "seq" = 10`,
      11,
    ],
  ])('%s', async (_what, change, seq) => {
    await sql(change);
    expect((await found()).problem).toMatchObject({ seq });
  });

  it('two lines that were swapped', async () => {
    await sql(`UPDATE "Audit" SET "seq" = 100 WHERE "seq" = 3`);
    await sql(`UPDATE "Audit" SET "seq" = 3 WHERE "seq" = 4`);
    await sql(`UPDATE "Audit" SET "seq" = 4 WHERE "seq" = 100`);
    expect((await found()).problem).toMatchObject({ seq: 3 });
  });

  /** What somebody does who can write the database and knows how chains are made, but not the key. */
  async function rebuild(): Promise<string> {
    const lines = await stored();
    const at = lines.findIndex(({ subject }) => subject === 's5');
    const rebuilt = chainLines(
      lines[at - 1] ?? { seq: 0, hash: '' },
      lines.slice(at).map(({ v: _v, seq: _seq, prev: _prev, hash: _hash, ...line }) => ({
        ...line,
        ...(line.subject === 's5' ? { subject: 'forged' } : {}),
      })),
    );
    for (const { id, subject, prev, hash } of rebuilt)
      await deckhand.db.audit.update({ where: { id }, data: { subject, prev, hash } });
    const hash = rebuilt.at(-1)?.hash ?? '';
    await deckhand.db.auditChain.updateMany({ data: { hash } });
    return hash;
  }

  it('a chain that was made anew without the key, and remembers it when it goes on', async () => {
    const [before] = (await verify()).chains;
    await rebuild();
    expect((await found()).problem).toMatchObject({ seq: 10, what: expect.stringContaining('not signed by Deckhand') });
    await write(deckhand.database, numbers(10, 10));
    await another().chain();
    expect(await found()).toMatchObject({
      signature: 'good',
      problems: 1,
      problem: { seq: 11, what: expect.stringContaining('not signed by Deckhand') },
    });
    expect((await verify({ head: before?.end.hash })).headFound).toBe(false);
  });

  it('a chain that somebody with the key has made anew, by an end that was noted before', async () => {
    const [before] = (await verify()).chains;
    const hash = await rebuild();
    const signature = box.sign(`deckhand audit head\n${world.workspace}\n10\n${hash}`);
    await deckhand.db.auditChain.updateMany({ data: { signature } });
    expect((await found()).problems).toBe(0);
    expect(await verify({ head: hash })).toMatchObject({ headFound: true });
    expect(await verify({ head: before?.end.hash })).toMatchObject({ headFound: false });
  });

  it('an older state of the database that was put back while Deckhand runs', async () => {
    const old = await deckhand.db.auditChain.findFirstOrThrow();
    await write(deckhand.database, numbers(10, 12));
    await chainer.chain();
    await sql(`DELETE FROM "Audit" WHERE "seq" > 10`);
    await deckhand.db.auditChain.updateMany({ data: { seq: old.seq, hash: old.hash, signature: old.signature } });
    expect((await found()).problems).toBe(0);
    await write(deckhand.database, numbers(13, 13));
    await chainer.chain();
    expect((await found()).problem).toMatchObject({ seq: 11, what: expect.stringContaining('older than Deckhand had left it') });
  });

  it('nothing from a place on when only what is before it was changed', async () => {
    await sql(`UPDATE "Audit" SET "subject" = 'x' WHERE "seq" = 4`);
    expect(await found({ since: 4 })).toMatchObject({ problem: { seq: 4 }, first: 4 });
    expect(await found({ since: 5 })).toMatchObject({ problems: 0, first: 5, lines: 6 });
  });

  it('that a chain whose end was removed goes on', async () => {
    await sql(`DELETE FROM "AuditChain"`);
    await write(deckhand.database, numbers(10, 10));
    await another().chain();
    expect((await found()).problem).toMatchObject({ seq: 11 });
    expect((await stored()).map(({ seq }) => seq)).toEqual(numbers(1, 12).map((_, at) => at + 1));
  });
});

describe('an export', () => {
  async function* linesOf(text: string) {
    yield* text.split('\n').slice(0, -1);
  }
  const check = (text: string, options: Parameters<typeof verifyFile>[1] = { check: box.check }) =>
    verifyFile(linesOf(text), options);
  async function exported(options: Parameters<typeof exportChain>[2] = {}): Promise<string> {
    let text = '';
    await exportChain(deckhand.database, world.workspace, options, (more) => {
      text += more;
    });
    return text;
  }

  it('is verified by itself, as a whole and from a place on, with its key and without', async () => {
    await write(deckhand.database, ['s1', 'half a pair \u2028', '{"a":1}']);
    await write(deckhand.database, ['elsewhere'], (await deckhand.world()).workspace);
    await chainer.chain();
    const whole = await exported();
    expect(whole).not.toContain('elsewhere');
    expect(await check(whole)).toMatchObject({ chains: [{ problems: 0, lines: 4, first: 1, signature: 'good' }] });
    expect(await check(whole, {})).toMatchObject({ chains: [{ problems: 0, signature: 'unchecked' }] });
    const { hash = '' } = (await stored()).at(-1) ?? {};
    expect(await check(whole, { head: hash })).toMatchObject({ headFound: true });
    expect(await check(await exported({ last: 2 }))).toMatchObject({ chains: [{ problems: 0, lines: 2, first: 3 }] });
    const other = createSecretBox([randomBytes(32)]);
    expect((await check(whole, { check: other.check })).chains[0]?.problem?.what).toContain('another key');
  });

  it('that was changed in any byte, or lacks any line, is refused or wrong', async () => {
    await write(deckhand.database, numbers(1, 3));
    await chainer.chain();
    const whole = await exported();
    const isGood = async (text: string) => {
      try {
        return (await check(text)).chains.every(({ problems }) => problems === 0);
      } catch (error) {
        if (error instanceof NoExport) return false;
        throw error;
      }
    };
    expect(await isGood(whole)).toBe(true);
    // Where an end of base64 has spare bits, another letter stands for the same bytes.
    const spare = whole.lastIndexOf('"},"lines"') - 1;
    for (let at = 0; at < whole.length; at += 1) {
      if (at === spare) continue;
      const other = whole[at] === 'a' ? 'b' : 'a';
      if (await isGood(`${whole.slice(0, at)}${other}${whole.slice(at + 1)}`))
        expect.fail(`byte ${at}: ${whole.slice(at - 20, at + 20)}`);
    }
    const lines = whole.split('\n').slice(0, -1);
    for (let at = 0; at < lines.length; at += 1) expect(await isGood(`${lines.toSpliced(at, 1).join('\n')}\n`)).toBe(false);
  });
});

describe('old lines', () => {
  /** Lines of each of the last days, the oldest first, all of them chained. */
  async function history(days: number, each = 1): Promise<void> {
    const data = Array.from({ length: days * each }, (_, n) => {
      const at = new Date(deckhand.clock.now().getTime() - (days - Math.floor(n / each)) * day + 1000);
      return { id: newId('aud'), workspaceId: world.workspace, at, action: 'test.done', subject: `s${n}`, data: {} };
    });
    await deckhand.db.audit.createMany({ data });
    while ((await chainer.chain()) > 0);
  }

  it('are removed from the beginning, and what is left can still be verified', async () => {
    await history(100);
    const { end } = await found();
    expect(await chainer.forget()).toBe(11);
    const after = await found({ head: end.hash });
    expect(after).toMatchObject({ problems: 0, first: 12 });
    expect((await stored()).at(-1)).toMatchObject({ action: 'audit.removed', data: { first: 1, last: 11, count: 11 } });
    // Another pass on the same day has nothing to do.
    expect(await chainer.forget()).toBe(0);
    deckhand.clock.advance(2 * day);
    expect(await chainer.forget()).toBe(2);
    expect(await found()).toMatchObject({ problems: 0, first: 14 });
    await deckhand.db.audit.deleteMany({ where: { seq: 14 } });
    expect((await found()).problem).toMatchObject({ seq: 14 });
  });

  it('are removed in parts, whoever removes them at once', async () => {
    await history(1, 4_500);
    deckhand.clock.advance(95 * day);
    const removed = await Promise.all([chainer, another(), another()].map((one) => one.forget()));
    expect(removed.reduce((sum, one) => sum + one, 0)).toBeGreaterThanOrEqual(4_500);
    expect((await found()).problems).toBe(0);
    expect((await stored()).every(({ action }) => action === 'audit.removed' || action === 'audit.began')).toBe(true);
  });

  it('that were not as they had been chained leave a word of that', async () => {
    await history(100);
    await deckhand.db.audit.updateMany({ where: { seq: 5 }, data: { subject: 'x' } });
    await chainer.forget();
    expect((await found()).problem).toMatchObject({ what: expect.stringContaining('line 5') });
  });
});

describe('logs of runs', () => {
  async function ended(): Promise<string> {
    const open = await deckhand.world({ policy: openPolicy });
    world = open;
    const { task, run } = await deckhand.create(open, 'npm test');
    await deckhand.tx((tx) => deckhand.engine.tasks.stop(tx, task, open.people.ada));
    await chainer.chain();
    return run;
  }

  it('are bound into the chain where the run ends', async () => {
    const run = await ended();
    expect((await stored()).map(({ action }) => action)).toEqual([
      'audit.began',
      'run.asked',
      'run.ended',
      'run.log',
      'run.stopped',
    ]);
    expect(await found()).toMatchObject({ problems: 0, logs: { same: 1, gone: 0 } });
    await deckhand.db.$executeRaw`UPDATE "RunEvent" SET "at" = "at" + interval '1 ms' WHERE "runId" = ${run} AND "seq" = 1`;
    expect((await found()).problem).toMatchObject({ seq: 4, what: expect.stringContaining(run) });
    await deckhand.db.$executeRaw`DELETE FROM "RunEvent" WHERE "runId" = ${run}`;
    expect((await found()).problem).toMatchObject({ seq: 4 });
  });

  it('are not missed once they are kept no longer', async () => {
    const run = await ended();
    await deckhand.db.$executeRaw`UPDATE "RunEvent" SET "type" = 'output' WHERE "runId" = ${run} AND "seq" = 1`;
    await createForgetting(deckhand.database, { eventsMs: 30 * day })(new Date(Date.now() + 40 * day));
    expect(await found()).toMatchObject({ problems: 0, logs: { same: 0, gone: 1 }, waiting: 1 });
  });
});
