import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ends, reasonGiven } from '../support/chaos-ends.ts';
import { type DatabaseFacts, keptIn, openRuns, readFacts, type TaskFacts } from '../support/chaos-facts.ts';
import { ChaosLife, type Death, deaths } from '../support/chaos-life.ts';
import { actOnAll, postAll } from '../support/chaos-people.ts';
import { asks, chancesOf, chosenSeed, type Kind, ordersOf, type Posted } from '../support/chaos-plan.ts';
import { type StartWatch, watchStarts } from '../support/chaos-starts.ts';
import { newDataDir } from '../support/deckhand-process.ts';
import { git } from '../support/git-repository.ts';
import { waiting } from '../support/health.ts';
import type { Told } from '../support/lab-client.ts';
import { leftOfRuns, processesOf } from '../support/machine-traces.ts';
import { eventually } from '../support/wait-for.ts';

/**
 * The whole program is killed with SIGKILL again and again while people work with it: alone or with its database, during its start,
 * while it accepts a request and in the moment after, and its database alone: each of these in one of the two sandboxes. What the lab has
 * accepted must come to its one right end. The chances come from a seed that a failure names; CHAOS_SEED repeats them.
 */
const patience = { timeoutMs: 120_000, everyMs: 250 };

interface Chaos {
  sandbox: 'docker' | 'local';
  kinds: Partial<Record<Kind, number>>;
  deaths: readonly Death[];
}

const seed = chosenSeed();
const shuffled = chancesOf(seed, 'deaths').shuffled(deaths);

test.concurrent.each<Chaos>([
  {
    sandbox: 'docker',
    kinds: { quick: 1, counter: 2, fails: 1, approved: 1, denied: 1, contested: 1, stopped: 1, commits: 1 },
    deaths: shuffled.slice(0, 3),
  },
  {
    sandbox: 'local',
    kinds: { quick: 1, counter: 2, fails: 1, approved: 1, denied: 1, contested: 1, stopped: 1, commits: 1 },
    deaths: shuffled.slice(3),
  },
])(
  'promises 2, 4, 5 and 8: $sandbox runs end as if nothing had happened while Deckhand is killed again and again',
  { timeout: 600_000 },
  async ({ sandbox, kinds, deaths: own }) => {
    const dataDir = await newDataDir();
    const temporary = join(dataDir.path, 'tmp');
    await mkdir(temporary);
    const life = new ChaosLife(
      dataDir.path,
      { SANDBOX: sandbox, SANDBOX_WARM: '1', TMPDIR: temporary },
      chancesOf(seed, `${sandbox} deaths`),
    );
    const starts = sandbox === 'docker' ? watchStarts(dataDir.path) : undefined;
    try {
      await endure(life, { sandbox, kinds, deaths: own }, starts);
    } catch (error) {
      if (error instanceof Error)
        error.message = `CHAOS_SEED=${seed}: ${error.message}\n${life.story.join('\n')}\n${life.warnings().join('\n')}`;
      throw error;
    } finally {
      starts?.end();
      await life.end();
      await dataDir.remove();
    }
  },
);

async function endure(life: ChaosLife, { sandbox, kinds, deaths: own }: Chaos, starts: StartWatch | undefined) {
  const { dataDir } = life;
  // The very first start is killed too: when there is half a database.
  await life.cutShort();
  await setUp(life);

  const outside = sandbox === 'local' ? join(dataDir, 'outside.txt') : undefined;
  const orders = ordersOf(kinds, chancesOf(seed, `${sandbox} orders`));
  const posted: Posted[] = [];
  let allPosted = false;
  const posting = postAll(life, orders, posted, chancesOf(seed, `${sandbox} posts`), outside).then(() => {
    allPosted = true;
  });
  const dying = (async () => {
    await life.kill();
    for (const [at, death] of own.entries()) {
      if (at === 2) await life.cutShort();
      await life.liveAndDie(death);
    }
    await life.start();
  })();
  const acting = actOnAll(life, posted, () => allPosted, dying);
  await Promise.all([posting, acting, dying]);
  try {
    await eventually(async () => {
      // Jobs that a killed worker held become free a minute later. They are only hints: everything has ended without them.
      const { jobs_active: _held, ...rows } = await waiting(life.running());
      expect(rows).toEqual({});
    }, patience);
  } catch (error) {
    for (const run of await openRuns(await keptIn(dataDir))) life.tell(run);
    throw error;
  }
  life.tell('nothing waits any more');

  const facts = await readFacts(await keptIn(dataDir));
  expectConsistent(facts);
  const tasks = expectOneTaskEach(posted, facts);
  const messages = await life.as('ada').messages();
  for (const [one, task] of tasks) {
    expectRightEnd(one, task);
    expectRightThread(one, task, messages);
    await expectOneEffect(one, task, dataDir, outside);
  }
  if (starts !== undefined) {
    for (const [{ kind, marker }, { runs }] of tasks) {
      expect([marker, starts.count(runs[0]?.id ?? '')]).toEqual([marker, kind === 'denied' ? 0 : 1]);
    }
  }

  await eventually(async () => expect(await leftOfRuns(dataDir, { butProbes: true })).toEqual([]), {
    timeoutMs: 90_000,
    everyMs: 250,
  });
  life.tell('nothing is left of the runs');
  expect(await life.running().end('SIGTERM')).toBe(0);
  expect(processesOf(dataDir)).toEqual([]);
  expect(await strayFiles(dataDir)).toEqual([]);
  expect(life.complaints()).toEqual([]);
}

/** What needs no decision runs in `demo`; everything in `careful` asks, and Ada and Ben may decide. */
async function setUp(life: ChaosLife): Promise<void> {
  await life.start();
  const ada = life.as('ada');
  await ada.slash('/deckhand settings policy=yolo concurrency=8 verbosity=quiet');
  const { text } = await ada.waitFor(/^Settings of .*yolo/, patience);
  const [address] = /http:\S+\/demo\.git/.exec(text) ?? [];
  await ada.slash(`/deckhand project add careful ${address}`);
  await ada.waitFor(/^Project careful ✔ ready/, patience);
  await ada.slash('/deckhand bind careful', 'ops');
  await ada.slash('/deckhand settings policy=ask approvers=developer concurrency=8 verbosity=quiet', 'ops');
  await ada.waitFor(/^Settings of careful .*policy: ask.*verbosity: quiet/, patience);
}

function expectConsistent({ inbox, outbox, tasks }: DatabaseFacts): void {
  expect(Object.keys(inbox)).toEqual(['done']);
  expect(Object.keys(outbox).filter((what) => /^(message|direct|reaction|home) /.test(what) && !what.endsWith(' sent'))).toEqual(
    [],
  );
  // What opens a form is good for one life of the lab: the person is told to press again.
  expect(Object.keys(outbox).filter((what) => / (pending|failed)$/.test(what) && what !== 'form failed')).toEqual([]);
  for (const { runs, command } of tasks) {
    expect([command, runs]).toEqual([
      command,
      [expect.objectContaining({ gapless: true, terminals: 1, numbered: true, projected: true })],
    ]);
  }
}

/** Every accepted request has made one task, one without an answer at most one, and nothing else has made any. */
function expectOneTaskEach(posted: readonly Posted[], { tasks }: DatabaseFacts): [Posted, TaskFacts][] {
  const made = posted.map((one) => ({ ...one, made: tasks.filter(({ command }) => command.includes(one.marker)).length }));
  expect(made.filter((one) => one.made !== 1 && (one.accepted || one.made !== 0))).toEqual([]);
  expect(made.filter((one) => one.made === 1).length).toBe(tasks.length);
  return posted.flatMap((one) => {
    const task = tasks.find(({ command }) => command.includes(one.marker));
    return task === undefined ? [] : [[one, task] satisfies [Posted, TaskFacts]];
  });
}

/** A run comes to its own end, never to that of a kill; its output is whole, and a decision is made and used once. */
function expectRightEnd({ kind, marker }: Posted, task: TaskFacts): void {
  const { state, stdout } = ends[kind];
  const [run] = task.runs;
  expect([marker, run?.state, run?.stdout, run?.log]).toEqual([marker, state, stdout, stdout === '' ? undefined : stdout]);
  const decision =
    kind === 'denied' ? { state: 'denied', reason: reasonGiven, consumed: false } : { state: 'approved', consumed: true };
  expect([marker, task.interactions]).toEqual([marker, asks(kind) ? [expect.objectContaining({ ...decision, decided: 1 })] : []]);
}

/** One thread with the live card, the decision and the end, each once and in its last state. */
function expectRightThread({ kind, marker, how }: Posted, { number, runs }: TaskFacts, messages: readonly Told[]): void {
  const own = messages.filter(({ text, message }) => message.is_bot && text.startsWith(`#${number} `));
  const roleOf = ({ text, buttons }: Told) =>
    buttons.includes('Retry') ? 'end' : /wante?d?s? to run a command/.test(text) ? 'decision' : 'live';
  expect([marker, own.map(roleOf).toSorted()]).toEqual([marker, [...(asks(kind) ? ['decision'] : []), 'end', 'live']]);
  const told = (role: string) => own.find((one) => roleOf(one) === role);

  const first = own[0]?.message;
  expect([marker, new Set(own.map(({ message }) => message.thread_ts ?? message.ts)).size]).toEqual([marker, 1]);
  expect([marker, told('end')?.text]).toEqual([marker, expect.stringMatching(ends[kind].end)]);
  expect([marker, told('live')?.text, told('live')?.buttons]).toEqual([
    marker,
    expect.stringMatching(/(✔ done|✖ failed|○ cancelled)/),
    [],
  ]);
  if (asks(kind)) {
    const outcome = kind === 'denied' ? `Ben denied it on Slack.*${reasonGiven}` : '(Ada|Ben) approved it on Slack';
    expect([marker, told('decision')?.text, told('decision')?.buttons]).toEqual([marker, expect.stringMatching(outcome), []]);
  }
  const inThread = messages.filter(({ message }) => message.thread_ts === (first?.thread_ts ?? first?.ts));
  const patches = inThread.flatMap(({ message }) => message.files).filter(({ name }) => name.endsWith('.patch'));
  const patch = runs[0]?.result?.commit === undefined ? [] : [expect.stringMatching(/\.patch$/)];
  expect([marker, patches.map(({ name }) => name)]).toEqual([marker, patch]);
  if (how === 'mention') {
    const request = messages.find(({ message, text }) => !message.is_bot && text.includes(marker));
    expect([marker, request?.message.reactions.map(({ users }) => users.length)]).toEqual([marker, [1]]);
  }
}

/** What the command has done stands once on the branch of the task, and once outside. */
async function expectOneEffect({ kind, marker }: Posted, task: TaskFacts, dataDir: string, outside?: string): Promise<void> {
  const lines = (text: string) => text.split('\n').filter((line) => line === marker);
  const { commit } = task.runs[0]?.result ?? {};
  if (commit !== undefined) {
    const mirror = join(dataDir, 'mirrors', `${task.project}.git`);
    expect([marker, lines(await git(mirror, 'show', `${commit}:effects.txt`))]).toEqual([marker, [marker]]);
    expect(await git(mirror, 'rev-parse', `refs/deckhand/tasks/${task.id}/head`)).toBe(commit);
  }
  expect([marker, commit !== undefined]).toEqual([marker, kind !== 'denied']);
  if (outside !== undefined) {
    const expected = kind === 'denied' ? [] : [marker];
    expect([marker, lines(await readFile(outside, 'utf8'))]).toEqual([marker, expected]);
  }
}

/** Files that only somebody who was interrupted leaves. */
async function strayFiles(dataDir: string): Promise<string[]> {
  const all = await readdir(dataDir, { recursive: true });
  return all.filter(
    (path) => /^tmp\/|\.(new|tmp|lock|part)$|tmp_(pack|obj|idx)|\.draft/.test(path) && !/^(gateway|runner)\.lock$/.test(path),
  );
}
