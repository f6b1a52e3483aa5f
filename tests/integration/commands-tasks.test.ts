import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DoctorCheck } from '../../src/commands/command.ts';
import { createExaminations } from '../../src/commands/examinations.ts';
import { changeVerbs, encodePress } from '../../src/contracts/press.ts';
import type { RunEventData, RunResult } from '../../src/contracts/run-event.ts';
import { plainText } from '../../src/delivery/plain-text.ts';
import { newId } from '../../src/runtime/ids.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { createHousekeeping } from '../../src/tasks/housekeeping.ts';
import { accounts, type Desk, mention, offerSandbox, openDesk, press, type Said, slash, tokenOf } from '../support/desk.ts';
import { waitFor } from '../support/wait-for.ts';

let desk: Desk;
let runner: string;
/** What artifacts hold, by id. */
const patches = new Map<string, Buffer>();
beforeAll(async () => {
  desk = await openDesk({ readArtifact: async (id) => patches.get(id) });
  runner = await offerSandbox(desk, 10);
  await desk.act(slash('ada', 'settings concurrency=1'));
});
afterAll(() => desk[Symbol.asyncDispose]());

const text = async (event: Parameters<Desk['act']>[0]) => (await desk.act(event))[0]?.text ?? '';

/** Starts a read-only command, which needs no approval, in a thread of its own; returns the task with its run. */
async function start(command: string, thread: string) {
  await desk.act(mention('ben', `sh ${command}`, { message: thread }));
  return desk.database.db.task.findFirstOrThrow({
    orderBy: { number: 'desc' },
    include: { runs: { orderBy: { attempt: 'desc' } } },
  });
}

/** Runs the newest run of the task as a runner would, up to its output. */
async function execute(task: Awaited<ReturnType<typeof start>>, output: string): Promise<string> {
  const run = task.runs[0]?.id ?? expect.unreachable();
  const { runs } = desk.engine;
  await desk.database.db.run.update({ where: { id: run }, data: { dispatchedAt: new Date() } });
  const claimed = await runs.claim(run, runner);
  if (!claimed.ok) throw new Error(claimed.reason);
  const offer = { cwd: '/workspace', sandbox: 'docker', image: 'deckhand/sandbox', network: 'none' } as const;
  const action = {
    type: 'command',
    command: task.command,
    project: task.projectId,
    timeoutMs: claimed.spec.timeoutMs,
    ...offer,
  } as const;
  expect(await runs.authorise(run, runner, action)).toEqual({ verdict: 'run' });
  expect(await runs.executing(run, runner, { kind: 'docker', ref: 'box', isolated: true })).toBe(true);
  const bytes = Buffer.byteLength(output);
  const events: RunEventData[] = output === '' ? [] : [{ type: 'output', stream: 'stdout', from: 0, to: bytes, text: output }];
  if (events.length > 0) await runs.append(run, runner, events, { stdout: bytes, stderr: 0 });
  return run;
}

async function finish(run: string, result: Partial<RunResult> = {}): Promise<void> {
  await desk.engine.runs.finishing(run, runner);
  const whole: RunResult = {
    outcome: 'succeeded',
    message: 'It ended with exit code 0.',
    durationMs: 1000,
    files: [],
    artifacts: [],
    ...result,
  };
  expect(await desk.engine.runs.finish(run, runner, whole)).toBe(true);
}

async function leaveFile(run: string, kind: 'log' | 'patch', name: string): Promise<string> {
  const id = newId('art');
  await desk.database.db.artifact.create({
    data: { id, workspaceId: desk.workspace, runId: run, name, kind, bytes: 2048n, path: `x/${id}` },
  });
  return id;
}

const files = (said: Said | undefined) =>
  said?.payload.type === 'message' ? said.payload.view.files : said?.payload.type === 'files' ? said.payload.files : undefined;

describe('logs', () => {
  it('of a run that goes on show its last lines and carry what there is so far', async () => {
    const task = await start('cat lines', '40.001');
    expect(await text(mention('ben', 'logs', { thread: '40.001' }))).toContain('It has written nothing so far.');
    const output = Array.from({ length: 30 }, (_, n) => `line ${n + 1}\n`).join('');
    const run = await execute(task, output);
    const [said] = await desk.act(mention('gus', 'logs', { thread: '40.001' }));
    expect(said?.thread).toBe('40.001');
    expect(said?.text).toContain('the last 20 lines');
    expect(said?.text).toContain('line 11\n');
    expect(said?.text).not.toContain('line 10\n');
    expect(files(said)).toEqual([{ from: 'text', name: `${task.number}-run1.log`, text: output }]);
    await finish(run);
  });

  it('of a run that ended carry the file it left: in the answer to a message, else in the thread of the task', async () => {
    const task = await desk.database.db.task.findFirstOrThrow({
      where: { command: 'cat lines' },
      include: { runs: true, threads: true },
    });
    const artifact = await leaveFile(task.runs[0]?.id ?? '', 'log', 'run-1.log');
    const [here] = await desk.act(mention('ben', `logs #${task.number}`, { message: '40.900' }));
    expect(here?.thread).toBe('40.900');
    expect(files(here)).toEqual([{ from: 'artifact', name: 'run-1.log', artifact }]);

    const said = await desk.act(slash('ben', `logs #${task.number}`));
    const [inThread, personal] = [
      said.find(({ payload }) => payload.type === 'files'),
      said.find(({ only }) => only === accounts.ben),
    ];
    expect(inThread?.thread).toBe('40.001');
    expect(files(inThread)).toEqual([{ from: 'artifact', name: 'run-1.log', artifact }]);
    expect(personal?.text).toContain('the file is in the thread of the task');
    const [direct] = await desk.act(mention('ben', `logs ${task.number}`, { direct: true }));
    expect(files(direct)).toEqual([{ from: 'artifact', name: 'run-1.log', artifact }]);
  });

  it('of an earlier run are asked for by number; a run that is not there is named', async () => {
    const task = await desk.database.db.task.findFirstOrThrow({ where: { command: 'cat lines' } });
    const said = await desk.act(slash('ben', `logs #${task.number} run=1`));
    expect(said.find(({ only }) => only === accounts.ben)?.text).toContain('run 1 · succeeded');
    expect(await text(slash('ben', `logs #${task.number} run=7`))).toMatch(/has no run 7.*Its runs are 1 to 1.*DH-300/);
  });

  it('promise 11: escape sequences and direction marks in the output are not passed on to the chat', async () => {
    const task = await start('cat evil', '41.001');
    const run = await execute(task, '\u001b[31mred\u001b[0m \u202ereversed\u202c <@U1> <!channel>\n');
    const shown = await text(mention('ben', 'logs', { thread: '41.001' }));
    expect(shown).toContain('red reversed <@U1> <!channel>');
    await finish(run);
  });
});

describe('diff', () => {
  const section = (path: string, lines: readonly string[]) =>
    `diff --git a/${path} b/${path}\nindex 1..2 100644\n--- a/${path}\n+++ b/${path}\n@@ -1,${lines.length} +1,${lines.length} @@\n${lines.join('\n')}\n`;
  const words = (said: Said | undefined) =>
    said !== undefined && 'view' in said.payload ? said.payload.view.blocks.map(plainText).join('\n') : '';
  const hundred = Array.from({ length: 100 }, (_, n) => `+line ${n}`);

  /** A task in a thread of its own that has changed two files. */
  async function changed(command: string, thread: string) {
    const task = await start(command, thread);
    const run = await execute(task, 'x\n');
    const patch = await leaveFile(run, 'patch', `${task.number}.patch`);
    patches.set(patch, Buffer.from(section('src/a.ts', ['-one', '+two']) + section('docs/b.md', hundred)));
    await finish(run, {
      commit: 'c'.repeat(40),
      files: [
        { path: 'src/a.ts', added: 1, removed: 1 },
        { path: 'docs/b.md', added: 100, removed: 0 },
      ],
      risks: [{ kind: 'ci', paths: ['src/a.ts'], files: 1 }],
      artifacts: [
        { id: 'art_png', name: 'diff.png', kind: 'picture', bytes: 10 },
        { id: patch, name: `${task.number}.patch`, kind: 'patch', bytes: 2048 },
      ],
    });
    return { task, run, patch };
  }

  it('in a thread lists the files, with a picture and the patch, and its buttons lead through the lines in place', async () => {
    const { task, patch } = await changed('cat changed', '60.001');
    const [said] = await desk.act(mention('gus', 'diff', { thread: '60.001' }));
    expect(said?.thread).toBe('60.001');
    expect(words(said)).toContain('2 files +101 −1');
    expect(words(said)).toContain('risk: CI: src/a.ts');
    expect(files(said)).toEqual([
      { from: 'artifact', name: 'diff.png', artifact: 'art_png' },
      { from: 'artifact', name: `${task.number}.patch`, artifact: patch },
    ]);
    await desk.database.db.outbox.updateMany({ where: { key: said?.key ?? '' }, data: { externalId: '60.002', state: 'sent' } });
    const pressed = (token: string, values: string[] = []) =>
      desk.act(press('ben', token, { thread: '60.001', message: '60.002', values }));
    const [file] = await pressed(tokenOf(said, 'Choose a file'), ['2']);
    expect([file?.key, file?.version]).toEqual([said?.key, 2]);
    expect(words(file)).toMatch(/docs\/b\.md · file 2 of 2, page 1 of 3\n\+100\n@@ -1,100 \+1,100 @@\n\+line 0\n/);
    const [next] = await pressed(tokenOf(file, 'Next'));
    expect([next?.key, words(next)]).toEqual([said?.key, expect.stringContaining('page 2 of 3')]);
    const [first] = await pressed(tokenOf(next, 'All files'));
    expect(words(first)).toContain('docs/b.md');
    const [whole] = await pressed(tokenOf(first, 'Patch'));
    expect(files(whole)).toEqual([{ from: 'artifact', name: `${task.number}.patch`, artifact: patch }]);
  });

  it('is shown to whoever presses Review diff alone, also page by page', async () => {
    const { run } = await changed('cat reviewed', '61.001');
    const at = { thread: '61.001', message: '61.009' };
    const [said] = await desk.act(press('gus', `x:${run}:review`, at));
    expect([said?.only, files(said)]).toEqual([accounts.gus, undefined]);
    expect(words(said)).toContain('src/a.ts');
    const [file] = await desk.act(press('gus', tokenOf(said, 'Choose a file'), { thread: '61.001', values: ['1'] }));
    expect([file?.only, words(file)]).toEqual([accounts.gus, expect.stringContaining('-one\n+two')]);
    expect([said?.payload, file?.payload].map((payload) => payload?.type === 'ephemeral' && payload.replaces)).toEqual([
      undefined,
      true,
    ]);
    const [next] = await desk.act(press('gus', tokenOf(file, 'Next file'), { thread: '61.001' }));
    expect([next?.only, words(next)]).toEqual([accounts.gus, expect.stringContaining('file 2 of 2, page 1 of 3')]);
  });

  it('promise 12: of a stranger and of a made-up run is refused, whatever is asked of it', async () => {
    const { run } = await changed('cat walls', '62.001');
    const refused = async (...[who, token]: [Parameters<typeof press>[0], string]) =>
      (await desk.act(press(who, token, { thread: '62.001' })))[0]?.text ?? '';
    expect(await refused('nobody', `x:${run}:review`)).toMatch(/DH-202/);
    for (const verb of changeVerbs) expect(await refused('ada', `x:${newId('run')}:${verb}`), verb).toMatch(/DH-208/);
  });

  it('finds a file by its path, the end of its path or its number, and says what is near', async () => {
    const { task, patch } = await changed('cat named', '63.001');
    const shown = async (what: string) => words((await desk.act(slash('gus', `diff #${task.number} ${what}`)))[0]);
    const [told] = await desk.act(mention('gus', `diff #${task.number} b.md`, { thread: '63.001' }));
    const draws = { title: `#${task.number}`, file: 2 };
    expect(files(told)).toEqual([{ from: 'artifact', name: `${task.number}-file-2.png`, artifact: patch, draws }]);
    for (const name of ['src/a.ts', 'a.ts', '1']) expect(await shown(name)).toContain('file 1 of 2');
    expect(await shown('docs/b.md page=3')).toContain('page 3 of 3');
    expect(await shown('docs/c.md')).toMatch(/has changed no file called docs\/c\.md\.\nDid you mean docs\/b\.md\? DH-300/);
  });

  it('is the change of the newest run that changed something, or of the one asked for', async () => {
    const { task, run } = await changed('cat twice', '64.001');
    expect(await text(slash('gus', `diff #${task.number} run=7`))).toMatch(/Run 7 of #\d+ has changed no files.*DH-300/);
    await desk.act(slash('ben', `retry #${task.number}`));
    const again = await desk.database.db.task.findFirstOrThrow({
      where: { id: task.id },
      include: { runs: { orderBy: { attempt: 'desc' } } },
    });
    await finish(await execute(again, 'y\n'));
    const [said] = await desk.act(slash('gus', `diff #${task.number}`));
    expect(words(said)).toContain('2 files +101 −1');
    expect(tokenOf(said, 'Choose a file')).toBe(`x:${run}:review`);
    const nothing = await start('cat nothing', '65.001');
    await finish(await execute(nothing, 'x\n'));
    expect(await text(mention('gus', 'diff', { thread: '65.001' }))).toMatch(/has changed no files.*DH-300/);
  });
});

describe('show', () => {
  it('tells command, state, branch, runs, result and decisions', async () => {
    const task = await start('cat shown', '42.001');
    const run = await execute(task, 'x\n');
    expect(await text(slash('gus', `show ${task.number}`))).toMatch(new RegExp(`#${task.number} · ● running`));
    await leaveFile(run, 'patch', 'changes.patch');
    await finish(run, {
      outcome: 'failed',
      cause: 'exit_code',
      exitCode: 2,
      message: 'It ended with exit code 2.',
      files: [{ path: 'a', added: 1, removed: 0 }],
    });
    const [said] = await desk.act(mention('gus', 'show', { thread: '42.001' }));
    for (const part of [
      'cat shown',
      '✖ failed',
      'demo',
      task.branch,
      'asked by Ben',
      'Run 1: failed',
      'It ended with exit code 2.',
      '1 file changed',
    ]) {
      expect(said?.text).toContain(part);
    }
    expect(JSON.stringify(said?.payload)).toContain('Patch (2.0 kB)');
    const waiting = await start('touch decided', '43.001');
    await desk.act(slash('ben', `stop ${waiting.number}`));
    expect(await text(slash('ben', `show ${waiting.number}`))).toContain('Cancelled');
  });

  it('needs a task where there is none, and says how to name it', async () => {
    expect(await text(slash('ben', 'show'))).toMatch(/`show` needs a task here.*`show #142`\. DH-207/);
    expect(await text(slash('ben', 'show #4711'))).toContain('There is no task #4711.');
  });
});

describe('lists', () => {
  it('tasks are paged, newest first, and filtered by column, person and project', async () => {
    for (let n = 0; n < 12; n += 1) await desk.act(slash(n < 2 ? 'ada' : 'ben', `sh cat many-${n}`));
    const [first] = await desk.act(mention('ben', 'tasks queued', { message: '44.001' }));
    expect(first?.text).toMatch(/^Queued tasks of demo · \d+ · page 1 of 2\n○ #\d+ cat many-11/);
    expect(first?.text).toContain('many-2 ');
    expect(first?.text).not.toContain('many-1 ');
    const second = await text(slash('ben', 'tasks queued page=2'));
    expect(second).toContain('many-1 · queued · Ada');
    const mine = await text(slash('ada', 'tasks mine'));
    expect(mine).toContain('many-0');
    expect(mine).not.toContain('many-5');
    expect(await text(slash('ben', 'tasks done page=9'))).toContain('There is none.');
    expect(await text(slash('ben', 'tasks project=nowhere'))).toContain('DH-205');
  });

  it('every button of a list fits what platforms carry, also with the longest name of a project', async () => {
    const name = `p${'x'.repeat(27)}`;
    await desk.act(slash('ada', `project add ${name} https://example.com/long/name.git`));
    for (const use of ['tasks cancelled', 'tasks', 'board', 'queue', 'pending']) {
      expect(await text(slash('ben', `${use} project=${name}`)), use).not.toContain('DH-');
    }
    expect(await text(slash('ben', `tasks cancelled project=${name} page=999`))).not.toContain('DH-');
  });

  it('the queue tells places, what runs, and what waits for a decision', async () => {
    const running = await start('cat running', '45.001');
    await execute(running, '');
    await start('touch asks', '46.001');
    const shown = await text(slash('gus', 'queue'));
    expect(shown).toMatch(/Running \(1\)\n● #\d+ cat running · for /);
    expect(shown).toMatch(/Waiting for a decision \(1\)\n⏸ #\d+ touch asks/);
    expect(shown).toMatch(/Waiting \(12\)\n○ #\d+ cat many-0 · starts now\n○ #\d+ cat many-1 · 1st, /);
    expect(shown).toContain('2nd, ');
  });

  it('the board counts columns and shows their first cards', async () => {
    const shown = await text(slash('gus', 'board'));
    expect(shown).toMatch(/Queued \(12\)\n(○ .*\n){5}and 7 more/);
    expect(shown).toMatch(/Running \(1\)\n● /);
    expect(shown).toMatch(/Waiting for a decision \(1\)\n⏸ /);
    expect(shown).toMatch(/Done: \d+ · Cancelled: 1$/);
  });

  it('what is pending shows the whole command, with what is hidden in it made visible', async () => {
    await start('touch a\u200bb', '47.001');
    const shown = await text(slash('gus', 'pending'));
    expect(shown).toContain('touch a⟨U+200B⟩b');
    expect(shown).toContain('Developers, maintainers and owners decide');
  });

  it('rules are listed and revoked', async () => {
    expect(await text(slash('gus', 'rules'))).toContain('There is none.');
    const waiting = await start('touch ruled', '48.001');
    const [interaction] = await desk.database.db.interaction.findMany({ where: { taskId: waiting.id } });
    const event = { ...slash('ada', ''), type: 'press' as const, token: `d:${interaction?.secret}:approve_task`, values: [] };
    await desk.act(event);
    const [list] = await desk.act(slash('gus', 'rules'));
    expect(list?.text).toMatch(new RegExp(`#${waiting.number} may run touch ruled · allowed by Ada`));
    const rule = (await desk.database.db.rule.findFirstOrThrow({ where: { taskId: waiting.id } })).id;
    expect(await text(slash('gus', `rules revoke ${rule}`))).toContain('DH-202');
    expect(await desk.act(slash('ben', `rules revoke ${rule}`))).toMatchObject([
      { only: undefined, text: `#${waiting.number} asks again before it runs touch ruled.` },
    ]);
    expect(await text(slash('ben', `rules revoke ${rule}`))).toContain('DH-300');
  });
});

describe('doctor and about', () => {
  it('doctor says what works and what to do about the rest, to the asker alone', async () => {
    let later = 0;
    const gateway = (doctor: () => Promise<DoctorCheck[]>) =>
      createExaminations({
        database: desk.database,
        wakeups: { subscribe: () => () => undefined },
        now: () => new Date(Date.now() + later),
        logger: createLogger({ level: 'silent' }),
        doctor,
      });
    desk.checks.push(
      { name: 'database', state: 'ok', detail: 'PostgreSQL 18' },
      { name: 'docker', state: 'failed', detail: 'no answer', remedy: 'Start it with `dockerd`.' },
    );
    const answers = () =>
      desk.database.db.outbox.findMany({ where: { payload: { path: ['view', 'fallback'], string_contains: 'docker' } } });
    expect(await desk.act(mention('mia', 'doctor'))).toEqual([]);
    // The first gateway dies while it looks; a second one that asks meanwhile finds nothing to do.
    const dead = gateway(() => Promise.withResolvers<never>().promise);
    void dead.look();
    await waitFor(
      'somebody to look',
      async () => (await desk.database.db.examination.findFirst({ where: { attempts: 1 } })) !== null,
    );
    const other = gateway(async () => desk.checks);
    expect(await other.look()).toBe(false);
    expect(await answers()).toEqual([]);
    later = 61_000;
    expect([await other.look(), await other.look()]).toEqual([true, false]);
    expect(await answers()).toMatchObject([
      {
        payload: {
          type: 'ephemeral',
          user: { user: accounts.mia },
          view: {
            fallback: '1 of 2 parts needs attention\n✖ docker · no answer\n  Start it with dockerd.\n✔ database · PostgreSQL 18',
          },
        },
      },
    ]);

    // One that kills whoever looks is not begun for ever.
    await desk.act(mention('mia', 'doctor'));
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      void dead.look();
      await waitFor(
        'somebody to look',
        async () => await desk.database.db.examination.findFirst({ where: { endedAt: null, attempts: attempt } }),
      );
      later += 61_000;
    }
    expect(await other.look()).toBe(true);
    const given = { payload: { path: ['view', 'fallback'], string_contains: 'ended before it was done' } };
    expect(await desk.database.db.outbox.findMany({ where: given })).toHaveLength(1);
  });

  it('status tells what runs, waits and has ended, and carries it as figures to be drawn', async () => {
    const before = (await desk.act(slash('gus', 'status')))[0]?.text ?? '';
    expect(before).toMatch(
      /● \d+ running · \d+ waiting.*\n✔ 1 runner, \d+ of 10 places taken\n(?:⏸ .*\n)*Last 24 hours: \d+ done, \d+ failed/,
    );
    const done = Number(/(\d+) done/.exec(before)?.[1]);
    await finish(await execute(await start('echo status', 'status-1'), ''));
    await start('echo waits', 'status-2');
    const [said] = await desk.act(slash('gus', 'status'));
    expect(said?.text).toMatch(/· [1-9]\d* waiting \(the first for /);
    expect(said?.text).toContain(`Last 24 hours: ${done + 1} done`);
    const file =
      said?.payload.type === 'message' || said?.payload.type === 'ephemeral' ? said.payload.view.files?.[0] : undefined;
    if (file?.from !== 'chart' || 'of' in file.chart) throw new Error('no figures');
    const { parts } = file.chart;
    expect(parts).toHaveLength(48);
    expect(parts.at(-1)?.done).toBe(done + 1);
    expect(parts.at(-1)?.waiting).toBeGreaterThan(0);
    expect(parts[0]).toEqual({ running: 0, waiting: 0, done: 0, failed: 0 });
  });

  it('about tells the version and whether commands run isolated', async () => {
    const said = await text(slash('nobody', 'about'));
    expect(said).toContain('Deckhand 1.2.3');
    expect(said).toContain('each command in its own container');
  });
});

describe('what is not kept any more', () => {
  it('is said in place of the file: the log still shows its last lines, the diff its files', async () => {
    const task = await start('cat old', '70.001');
    const run = await execute(task, 'the last line\n');
    const patch = await leaveFile(run, 'patch', 'changes.patch');
    await leaveFile(run, 'log', 'output.log');
    await finish(run, {
      files: [{ path: 'a.ts', added: 1, removed: 0 }],
      commit: 'a'.repeat(40),
      artifacts: [{ id: patch, name: 'changes.patch', kind: 'patch', bytes: 2048 }],
    });
    const createdAt = new Date(Date.now() - 30 * 86_400_000);
    await desk.database.db.artifact.updateMany({ where: { runId: run }, data: { createdAt, removedAt: new Date() } });
    const gone = new RegExp(`The patch of #${task.number} was kept for 30d and then deleted\\..*DH-318`, 's');
    expect(await text(press('gus', encodePress({ kind: 'task', task: task.id, verb: 'patch' }), { thread: '70.001' }))).toMatch(
      gone,
    );
    const [logged] = await desk.act(mention('gus', 'logs', { thread: '70.001' }));
    expect(logged?.text).toMatch(/the last line.*The log of #\d+ was kept for 30d and then deleted\. DH-318/s);
    expect(files(logged)).toBeUndefined();
    const [shown] = await desk.act(mention('gus', 'diff', { thread: '70.001' }));
    const blocks = shown?.payload.type === 'message' ? shown.payload.view.blocks.map((block) => plainText(block)).join('\n') : '';
    expect(blocks).toMatch(gone);
    expect(blocks).toContain('a.ts');
    expect(files(shown)).toBeUndefined();
    expect(await text(slash('gus', `show ${task.number}`))).not.toContain('Patch (');
  });
});

describe('copies', () => {
  const control = () =>
    createHousekeeping({
      database: desk.database,
      wakeups: { subscribe: () => () => undefined },
      clock: { now: () => new Date() },
      keeping: { filesMs: 1, changesMs: 1 },
    });
  const disk = { free: 5e9, quota: 2e9 };

  it('lists what is kept, the largest first, with whose it is, and what may be kept', async () => {
    const task = await start('cat copied', '71.001');
    const run = await execute(task, 'x\n');
    await leaveFile(run, 'log', 'copied.log');
    await control().measured('host_1', {
      holdings: [
        { kind: 'mirror', subject: desk.demo.id, bytes: 3e9 },
        { kind: 'sandbox', subject: run, bytes: null },
        { kind: 'mirror', subject: 'prj_of_nobody', bytes: 1e12 },
      ],
      all: true,
      disk,
    });
    const told = await text(slash('mia', 'copies'));
    expect(told).toMatch(/3\.0 GB · mirror of demo · for .*/);
    expect(told).toContain(`sandbox of demo · #${task.number} cat copied executing`);
    expect(told).toMatch(/files of \d+ runs? of demo/);
    expect(told).toMatch(/✖ 3\.0 GB kept, at most 2\.0 GB allowed · 5\.0 GB free on the disk/);
    expect(told).not.toContain('1.0 TB');
    expect(await text(slash('ben', 'copies'))).toContain('DH-202');
    await finish(run);
  });

  it('`prune` is carried out once by every runner that is up, and its answer says what was freed', async () => {
    await desk.database.db.runner.updateMany({ data: { capacity: 0 } });
    expect(await text(slash('mia', 'copies prune'))).toContain('No runner is up');
    const up = { capacity: 1, sandboxes: {}, beatAt: new Date() };
    await desk.database.db.runner.createMany({
      data: ['one', 'two'].map((name) => ({ id: `rnr_${name}`, hostId: `host_${name}`, ...up })),
    });
    expect(await text(slash('ben', 'copies prune'))).toContain('DH-202');
    const [said] = await desk.act(slash('mia', 'copies prune'));
    expect(said).toMatchObject({ only: undefined, text: expect.stringContaining('● 2 runners at work') });
    const order = (await control().order('host_one')) ?? expect.unreachable();
    const answer = async () => {
      const row = await desk.database.db.outbox.findFirstOrThrow({ where: { key: said?.key ?? '' } });
      return JSON.stringify(row.payload);
    };
    const freed = { files: 2, commits: 1, bytes: 5e6 };
    await control().carriedOut(order.id, 'host_one', freed);
    await control().carriedOut(order.id, 'host_one', freed);
    expect(await control().order('host_one')).toBeUndefined();
    expect(await answer()).toContain('5.0 MB freed: files of 2 runs, commits of 1 task.');
    await control().carriedOut(order.id, 'host_two', { files: 1, commits: 0, bytes: 1e6 });
    expect(await answer()).toMatch(/✔ done.*6\.0 MB freed: files of 3 runs, commits of 1 task\./);
  });
});
