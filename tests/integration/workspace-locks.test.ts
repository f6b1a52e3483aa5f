import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createExclusive } from '../../runner/mirror-lock.ts';
import { createWorkspace, type Workspace } from '../../runner/workspace.ts';
import { emptyRepository, git, type TestRepository, temporaryDirectory } from '../support/git-repository.ts';
import { runHelper } from '../support/run-helper.ts';

let place: Awaited<ReturnType<typeof temporaryDirectory>>;
let source: TestRepository;
let first: string;
let workspace: Workspace;
let mirror: string;
const project = () => ({
  id: 'prj_1',
  name: 'web',
  source: { kind: 'path', path: source.path } as const,
  baseBranch: null,
});

beforeEach(async () => {
  place = await temporaryDirectory('locks');
  source = await emptyRepository(join(place.path, 'source'));
  first = await source.commit({ 'README.md': 'hello\n' });
  const dataDir = join(place.path, 'data');
  workspace = createWorkspace({ dataDir, environment: process.env });
  mirror = join(dataDir, 'mirrors', 'prj_1.git');
});
afterEach(() => place[Symbol.asyncDispose]());

const isGone = (file: string) => expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });

describe('promise 8: a lock left by a process that was killed is taken over', () => {
  it('the lock of the mirror', async () => {
    await workspace.sync(project());
    await writeFile(`${mirror}.lock`, '999999999');
    await source.commit({ b: 'b' });
    await workspace.sync(project());
    await isGone(`${mirror}.lock`);
  });

  it('but not the lock of another machine that shares the mirrors, whose processes have numbers of their own', async () => {
    const exclusively = createExclusive();
    const [theirs, left] = [join(place.path, 'theirs.lock'), join(place.path, 'left.lock')];
    await writeFile(theirs, '999999999 elsewhere');
    await writeFile(left, '999999999');
    let taken = false;
    const waiting = exclusively(theirs, async () => {
      taken = true;
    });
    await exclusively(left, async () => undefined);
    expect(taken).toBe(false);
    await rm(theirs);
    await waiting;
    expect(taken).toBe(true);
  });

  it('and whoever was taken for dead and wakes up leaves the lock to who has it now', async () => {
    const lock = join(place.path, 'followed.lock');
    await createExclusive()(lock, () => writeFile(lock, '999999999 elsewhere'));
    expect(await readFile(lock, 'utf8')).toBe('999999999 elsewhere');
  });

  it('and is removed by one alone, unless that one was killed too', async () => {
    const lock = join(place.path, 'removed.lock');
    const text = '999999999 elsewhere';
    const removing = `${lock}.${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
    await writeFile(lock, text);
    await writeFile(removing, `${process.ppid}`);
    const waiting = createExclusive({ staleMs: 100 })(lock, () => readFile(lock, 'utf8'));
    await writeFile(removing, '999999999');
    expect(await waiting).not.toBe(text);
    await isGone(removing);
  });

  it('the lock of a machine that is gone, whatever its clock was: nobody touches it while others wait', async () => {
    const lock = join(place.path, 'gone.lock');
    await writeFile(lock, '999999999 elsewhere');
    const ahead = new Date(Date.now() + 600_000);
    await utimes(lock, ahead, ahead);
    await createExclusive({ staleMs: 100 })(lock, async () => undefined);
    await isGone(lock);
  });

  it('but not one that is touched, by a machine whose clock is behind', async () => {
    const [lock, end] = [join(place.path, 'behind.lock'), join(place.path, 'end.lock')];
    await writeFile(lock, '999999999 elsewhere');
    await writeFile(end, '999999999 elsewhere');
    let behind = Date.now() - 600_000;
    const touching = setInterval(() => {
      behind += 10;
      utimes(lock, new Date(behind), new Date(behind)).catch(() => undefined);
    }, 10);
    const exclusively = createExclusive({ staleMs: 1500 });
    let taken = false;
    const waiting = exclusively(lock, async () => {
      taken = true;
    });
    // Nobody touches this one: by the time it is left over, the other would be too.
    await exclusively(end, async () => undefined);
    expect(taken).toBe(false);
    clearInterval(touching);
    await waiting;
  });

  it.each(['base', 'head'])("git's lock of the %s of a task: its changes are not lost", async (name) => {
    const base = await workspace.resolveBase(project());
    const lock = join(mirror, `refs/deckhand/tasks/tsk_1/${name}.lock`);
    await mkdir(dirname(lock), { recursive: true });
    await writeFile(lock, '');
    const minuteAgo = new Date(Date.now() - 60_000);
    await utimes(lock, minuteAgo, minuteAgo);
    await workspace.prepare({ run: 'run_1', task: 'tsk_1', project: project(), branch: 'deckhand/7-fix', base, head: null });
    const tree = join(place.path, 'data', 'work', 'run_1');
    await writeFile(join(tree, 'new.txt'), 'new');
    const result = { run: 'run_1', task: 'tsk_1', project: 'prj_1', parent: first, message: 'npm test (#7)' };
    const imported = await workspace.collect(result, (helper) => runHelper(tree, helper));
    expect(await git(mirror, 'rev-parse', 'refs/deckhand/tasks/tsk_1/head')).toBe(imported?.commit);
    await isGone(lock);
  });
});
