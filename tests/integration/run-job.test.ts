import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDrawing } from '../../runner/picture.ts';
import { git } from '../support/git-repository.ts';
import { createRunnerWorld, ofType, outputText, type RunnerWorld } from '../support/runner-world.ts';
import { waitFor } from '../support/wait-for.ts';

const exec = promisify(execFile);

describe.each(['local', 'docker'] as const)('a run on %s', (kind) => {
  let world: RunnerWorld;
  let project: string;
  beforeAll(async () => {
    world = await createRunnerWorld(kind);
    project = await world.project();
    await world.startRunner({
      limits: { diskBytes: 16 * 1024 ** 2, memoryBytes: 512 * 1024 ** 2 },
      // Pictures are drawn in front of either sandbox; one is enough.
      ...(kind === 'local' ? { draw: createDrawing() } : {}),
    });
  });
  afterAll(() => world.close());

  /** Runs a command to its end; the run must end exactly once. */
  async function complete(command: string, inProject = project) {
    const created = await world.sh(command, inProject);
    const result = await world.resultOf(created.run);
    const events = await world.eventsOf(created.run);
    expect(ofType(events, 'terminal').length).toBe(1);
    expect(events.at(-1)?.data.type).toBe('terminal');
    return { ...created, result, events };
  }

  const started = (run: string, text: string) =>
    world.told(`output ${text}`, run, (events) => outputText(events, 'stdout').includes(text));

  it('streams its output, brings its changes to the mirror and leaves log and patch', async () => {
    const command = 'echo hi; echo oops >&2; echo changed >> README.md; echo new > new.txt';
    const { run, task, number, result, events } = await complete(command);
    expect(result).toMatchObject({
      outcome: 'succeeded',
      message: 'The command succeeded.',
      exitCode: 0,
      files: [
        { path: 'README.md', added: 1, removed: 0 },
        { path: 'new.txt', added: 1, removed: 0, status: 'added' },
      ],
    });
    expect(outputText(events, 'stdout')).toBe('hi\n');
    expect(outputText(events, 'stderr')).toBe('oops\n');
    expect(ofType(events, 'stage').map(({ stage }) => stage)).toEqual([
      'repository',
      'workspace',
      'sandbox',
      'command',
      'results',
    ]);
    expect(ofType(events, 'git')).toMatchObject([{ baseBranch: 'main', baseCommit: world.first }]);
    expect(ofType(events, 'sandbox')).toMatchObject([{ kind, isolated: kind === 'docker', ref: `${kind}:${run}` }]);
    expect(await git(world.mirror(project), 'rev-parse', `refs/deckhand/tasks/${task}/head`)).toBe(result.commit);
    const drawn = kind === 'local' ? ['diff.png'] : [];
    expect(result.artifacts.map(({ name }) => name).sort()).toEqual([`${number}.log`, `${number}.patch`, ...drawn]);
    const [patch, log, picture] = ['patch', 'log', 'picture'].map((of) => result.artifacts.find((one) => one.kind === of));
    const png = Buffer.from((await world.artifacts.read(picture?.id ?? '')) ?? []);
    expect([png.subarray(1, 4).toString(), png.length]).toEqual(kind === 'local' ? ['PNG', picture?.bytes] : ['', 0]);
    expect(Buffer.from((await world.artifacts.read(patch?.id ?? '')) ?? []).toString()).toContain('+changed');
    expect((await world.artifacts.read(log?.id ?? ''))?.length).toBe(log?.bytes);
    await waitFor('the sandbox to be removed', async () => (await world.sandbox.list()).length === 0, { everyMs: 100 });
    await expect(readFile(join(world.installation.dataDir, 'work', run))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('tells how the command failed, and keeps what it changed', async () => {
    const failed = await complete('echo half > half.txt; exit 3');
    expect(failed.result).toMatchObject({
      outcome: 'failed',
      cause: 'exit_code',
      exitCode: 3,
      message: 'The command ended with exit code 3.',
    });
    expect(failed.result.files.map(({ path }) => path)).toEqual(['half.txt']);
    expect(failed.result.risks).toBeUndefined();
    expect((await complete('kill -SEGV $$')).result).toMatchObject({ outcome: 'failed', cause: 'signal', signal: 'SIGSEGV' });
    expect((await complete('no-such-program')).result).toMatchObject({ outcome: 'failed', cause: 'exit_code', exitCode: 127 });
  });

  it('stops when a person asks, with the changes so far', async () => {
    const { run, task } = await world.sh('echo so far > so-far.txt; echo begun; sleep 1000', project);
    await started(run, 'begun');
    await world.stop(task);
    const result = await world.resultOf(run);
    expect(result).toMatchObject({ outcome: 'cancelled', cause: 'stopped', message: 'The command was stopped by Ada.' });
    expect(result.files.map(({ path }) => path)).toEqual(['so-far.txt']);
  });

  it('checks exactly what was collected, and the check changes nothing of it', async () => {
    const shows = 'cat one.txt dist/dep; git config --get evil.key; ls -A';
    const spoils = 'echo two > one.txt; echo more > more.txt; git add -A; git commit -qm more; echo hunter2-hunter2';
    const counts = 'printf "      Tests  1 failed | 2 passed (3)\\n"; exit 4';
    const checked = await world.project({ policy: { check: { command: `${shows}; ${spoils}; ${counts}`, timeoutMs: 60_000 } } });
    const { result, events, run, task } = await complete(
      'git config evil.key 1; printf "dist/\\n.deckhand\\n" > .gitignore; mkdir -p dist .deckhand; echo x > .deckhand/x; echo dep > dist/dep; echo one > one.txt',
      checked,
    );
    expect(result).toMatchObject({
      outcome: 'succeeded',
      check: { outcome: 'failed', exitCode: 4, summary: '2 passed, 1 failed', log: { kind: 'check', name: 'check.log' } },
    });
    expect(result.check?.output).toMatch(
      /^one\ndep\n\.git\n\.gitignore\nREADME\.md\ndist\none\.txt\n(?:.*\n)*\[redacted\]\n +Tests /,
    );
    const log = Buffer.from((await world.artifacts.read(result.check?.log?.id ?? '')) ?? []).toString();
    expect([log, log.length]).toEqual([result.check?.output, result.check?.log?.bytes]);
    expect(JSON.stringify(events)).not.toContain('hunter2-hunter2');
    expect(result.files.map(({ path }) => path)).toEqual(['.gitignore', 'one.txt']);
    expect(await git(world.mirror(checked), 'rev-parse', `refs/deckhand/tasks/${task}/head`)).toBe(result.commit);
    expect(await git(world.mirror(checked), 'show', `${result.commit}:one.txt`)).toBe('one');
    expect(ofType(events, 'stage').at(-1)?.stage).toBe('checks');
    await waitFor('the sandboxes to be removed', async () => (await world.sandbox.list()).length === 0, { everyMs: 100 });
    expect(await readdir(join(world.installation.dataDir, 'work'))).not.toContain(`${run}-check`);
  });

  it('takes megabytes of output at full speed without losing a byte', async () => {
    const { result, events } = await complete('seq 1 600000');
    expect(outputText(events, 'stdout')).toBe(Array.from({ length: 600_000 }, (_, i) => `${i + 1}\n`).join(''));
    expect(ofType(events, 'output').length).toBeLessThan(400);
    expect(result.artifacts).toMatchObject([{ kind: 'log', bytes: outputText(events, 'stdout').length }]);
  });

  it('is interrupted when its sandbox disappears, and the next run is well', async () => {
    const { run } = await world.sh('echo begun; sleep 1000', project);
    await started(run, 'begun');
    if (kind === 'docker')
      await exec('docker', ['rm', '-f', `deckhand-${world.installation.instance}-${run}`]).catch(() => removeByLabel(run));
    else await world.sandbox.destroy(run);
    expect(await world.resultOf(run)).toMatchObject({ outcome: 'interrupted', cause: 'sandbox_lost' });
    expect((await complete('echo well')).result.outcome).toBe('succeeded');
  });

  async function removeByLabel(run: string): Promise<void> {
    const { stdout } = await exec('docker', ['ps', '-aq', '--filter', `label=deckhand.run=${run}`]);
    await exec('docker', ['rm', '-f', ...stdout.trim().split('\n')]);
  }

  if (kind === 'docker') return;
  // The rest is the runner's, whatever a command runs in: tests/contracts/sandbox-contract.ts holds both kinds of sandbox to the same.

  it('changes nothing when the command changed nothing', async () => {
    const { result } = await complete('true');
    expect(result).toMatchObject({ outcome: 'succeeded', files: [], artifacts: [] });
    expect(result.commit).toBeUndefined();
  });

  it('starts again at what the last run left', async () => {
    const once = await complete('echo one > one.txt; exit 1');
    const { run } = await world.retry(once.task);
    const result = await world.resultOf(run);
    expect(result.outcome).toBe('failed');
    // Nothing new this time: the file was there already.
    expect(result.commit).toBeUndefined();
    const two = await complete('git log --format=%s -2; cat one.txt || true', project);
    expect(outputText(two.events, 'stdout')).not.toContain('one');
  });

  it('ends a command that never ends at its time limit', async () => {
    const short = await world.project({ timeoutMs: 1000 });
    const { result } = await complete("trap '' TERM; echo forever; while :; do sleep 1; done", short);
    expect(result).toMatchObject({
      outcome: 'timed_out',
      cause: 'timed_out',
      message: 'The command ran longer than 1 s and was stopped.',
    });
  });

  it('shows invalid UTF-8 and NUL as replacement characters, at exact positions', async () => {
    const { events } = await complete("printf 'a\\377b\\000c\\342\\202\\254\\n'");
    expect(outputText(events, 'stdout')).toBe('a\uFFFDb\uFFFDc€\n');
    expect(ofType(events, 'output').at(-1)?.to).toBe(9);
  });

  it('shows no secret: not in the events, not in the log, not in the patch', async () => {
    const { result, events } = await complete(
      'printf "key hunter2-"; sleep 0.5; echo "hunter2 end"; echo ghp_abcdefghijklmnopqrstuvwxyz0123456789; echo hunter2-hunter2 > secret.txt; echo x > name-hunter2-hunter2.yarn.lock; mkdir a; echo x > a/hunter2-hunter2.bin',
    );
    const files = await Promise.all(result.artifacts.map(({ id }) => world.artifacts.read(id)));
    const everything = JSON.stringify(events) + files.map((bytes) => Buffer.from(bytes ?? []).toString()).join('');
    expect(everything).not.toMatch(/hunter2-hunter2|ghp_abc/);
    expect(outputText(events, 'stdout')).toBe('key [redacted] end\n[redacted github token]\n');
    expect(
      ofType(events, 'note')
        .map(({ text }) => text)
        .join(),
    ).toContain('The patch contained secrets');
    expect(result.risks).toEqual([{ kind: 'secret', paths: ['secret.txt'], files: 1 }]);
    expect(result.files.map(({ path }) => path)).toEqual(['a/[redacted].bin', 'name-[redacted].yarn.lock', 'secret.txt']);
  });

  it('says why there is no check, and keeps the change', async () => {
    const slow = await world.project({ policy: { check: { command: 'echo begun; sleep 1000', timeoutMs: 60_000 } } });
    const { run, task } = await world.sh('echo one > one.txt', slow);
    await world.told('the check', run, (events) => ofType(events, 'stage').some(({ stage }) => stage === 'checks'), 30_000);
    await world.stop(task);
    const stopped = await world.resultOf(run);
    expect(stopped).toMatchObject({ outcome: 'succeeded', check: { outcome: 'not_run', summary: 'it was stopped on request' } });
    expect(stopped.files.map(({ path }) => path)).toEqual(['one.txt']);

    const { result: large } = await complete('echo dist/ > .gitignore; mkdir dist; truncate -s 20M dist/large', slow);
    const why = 'what git ignores could not be brought along: they are too large';
    expect(large).toMatchObject({ outcome: 'succeeded', check: { outcome: 'not_run', summary: why } });
    expect((await complete('echo hi', slow)).result.check).toBeUndefined();
    expect((await complete('echo two > two.txt; exit 1', slow)).result.check).toBeUndefined();

    const short = await world.project({ policy: { check: { command: 'echo begun; sleep 1000', timeoutMs: 1000 } } });
    expect((await complete('echo one > one.txt', short)).result).toMatchObject({
      outcome: 'succeeded',
      check: { outcome: 'timed_out', output: 'begun\n' },
    });
  });

  it('says why a repository cannot be used', async () => {
    const missing = await world.project({ source: { kind: 'path', path: join(world.place.path, 'nowhere') } });
    expect((await complete('true', missing)).result).toMatchObject({
      outcome: 'failed',
      cause: 'repository_invalid',
      message: expect.stringMatching(/nowhere is not a git repository: .* DH-501$/),
    });
    const unreachable = await world.project({ source: { kind: 'git', url: 'https://127.0.0.1:1/a.git' } });
    expect((await complete('true', unreachable)).result).toMatchObject({
      cause: 'repository_unreachable',
      message: expect.stringMatching(/DH-500$/),
    });
    const broken = await world.project({ source: { kind: 'git', url: 'ext::sh -c touch% /tmp/x' } });
    expect((await complete('true', broken)).result).toMatchObject({
      cause: 'repository_invalid',
      message: expect.stringMatching(/DH-505$/),
    });
    const branch = await world.project({ baseBranch: 'nope' });
    expect((await complete('true', branch)).result).toMatchObject({
      cause: 'base_missing',
      message: expect.stringContaining('no branch `nope`'),
    });
  });

  it('says so when the file of the output cannot be written, and ends well', async () => {
    const asking = await world.project({ policy: { mode: 'ask' } });
    const { run } = await world.sh('echo text', asking);
    // A full disk, as far as this one file is concerned: what is written to it is refused with ENOSPC.
    const file = world.artifacts.outputLog(run);
    await mkdir(dirname(file), { recursive: true });
    await symlink('/dev/full', file);
    await world.approve(run);
    const result = await world.resultOf(run);
    expect(result).toMatchObject({ outcome: 'succeeded', artifacts: [] });
    expect(ofType(await world.eventsOf(run), 'note').map(({ text }) => text)).toContain(
      'The file with the whole output could not be written; the output is in the thread.',
    );
  });
});
