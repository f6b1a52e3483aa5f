import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { git } from '../support/git-repository.ts';
import { createRunnerWorld, ofType, outputText, type RunnerWorld } from '../support/runner-world.ts';

const mebibyte = 1024 * 1024;

/** Commits whose history holds an entry `.git`. */
const forbidden = [
  'blob=$(git hash-object -w README.md)',
  'printf "100644 .git\\0" > entry; printf "%s" "$blob" | sed "s/../\\\\\\\\x&/g" | xargs -0 printf >> entry',
  'tree=$(git hash-object -w -t tree --literally entry); rm entry',
  'evil=$(git commit-tree "$tree" -p HEAD -m evil)',
  'good=$(git commit-tree "HEAD^{tree}" -p "$evil" -m good)',
  'git update-ref HEAD "$good"',
].join(' && ');

describe.each(['local', 'docker'] as const)('commands that go too far on %s', (kind) => {
  let world: RunnerWorld;
  let project: string;
  beforeAll(async () => {
    world = await createRunnerWorld(kind);
    project = await world.project();
    const limits = { outputBytes: 2 * mebibyte, diskBytes: 96 * mebibyte, memoryBytes: 128 * mebibyte };
    await world.startRunner({ limits });
  });
  afterAll(() => world.close());

  async function complete(command: string) {
    const created = await world.sh(command, project);
    const result = await world.resultOf(created.run, 60_000);
    const events = await world.eventsOf(created.run);
    expect(ofType(events, 'terminal').length).toBe(1);
    return { ...created, result, events };
  }

  /** After whatever happened, the next command runs as if nothing had; where a test ends without, that of the next one does. */
  async function expectWell(): Promise<void> {
    const { result, events } = await complete('echo well');
    expect(result.outcome).toBe('succeeded');
    expect(outputText(events, 'stdout')).toBe('well\n');
  }

  it('endless output ends at its limit, with everything up to it kept', async () => {
    const { result, events } = await complete('yes deckhand');
    expect(result).toMatchObject({
      outcome: 'failed',
      cause: 'output_limit',
      message: 'The command wrote more than 2 MiB of output and was stopped.',
    });
    const text = outputText(events, 'stdout');
    expect(text.length).toBe(2 * mebibyte);
    expect(text).toBe('deckhand\n'.repeat(Math.ceil(text.length / 9)).slice(0, text.length));
    expect(result.artifacts).toMatchObject([{ kind: 'log', bytes: text.length }]);
  });

  it('1 MB of output per second streams live and keeps the log in few events', async () => {
    const script = 'i=0; while [ $i -lt 15 ]; do i=$((i+1)); head -c 100000 /dev/zero | tr "\\0" x; echo; sleep 0.1; done';
    const { result, events } = await complete(script);
    expect(result.outcome).toBe('succeeded');
    expect(outputText(events, 'stdout')).toBe(`${'x'.repeat(100_000)}\n`.repeat(15));
    const output = events.filter(({ data }) => data.type === 'output');
    expect(output.length).toBeLessThan(120);
    expect((output.at(-1)?.at.getTime() ?? 0) - (output[0]?.at.getTime() ?? 0)).toBeGreaterThan(800);
  });

  it('promise 11: a command that poisons its .git gets nothing run on the host, and its files are still taken', async () => {
    const marker = join(world.place.path, `marker-${kind}`);
    const trap = join(world.place.path, `trap-${kind}.sh`);
    await writeFile(trap, `#!/bin/sh\ntouch ${marker}\n`, { mode: 0o755 });
    const settings = [
      'core.fsmonitor',
      'core.sshCommand',
      'core.pager',
      'core.editor',
      'diff.external',
      'filter.x.clean',
      'filter.x.smudge',
      'gpg.program',
      'uploadpack.packObjectsHook',
      'credential.helper',
    ];
    const { result, task } = await complete(
      [
        ...settings.map((name) => `git config ${name} ${trap}`),
        'git config commit.gpgSign true',
        'git config core.hooksPath hooks',
        `mkdir -p hooks; for h in pre-commit post-commit reference-transaction post-index-change; do cp ${kind === 'local' ? trap : '/bin/true'} hooks/$h; done`,
        'echo "* filter=x diff=x" > .gitattributes',
        'echo "*" > .git/info/exclude',
        'mkdir -p .git/objects/info; echo /etc > .git/objects/info/alternates',
        'echo changed > README.md',
        'ln -sfn /etc/passwd link',
      ].join('; '),
    );
    expect(result.outcome).toBe('succeeded');
    expect(await git(world.mirror(project), 'show', `refs/deckhand/tasks/${task}/head:README.md`)).toBe('changed');
    expect(await git(world.mirror(project), 'show', `refs/deckhand/tasks/${task}/head:link`)).toBe('/etc/passwd');
    await expect(stat(marker)).rejects.toMatchObject({ code: 'ENOENT' });
    const again = await world.retry(task);
    expect((await world.resultOf(again.run)).outcome).toBe('succeeded');
    await expect(stat(marker)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('files that nobody may read any more are taken over', async () => {
    const { result } = await complete('mkdir deep; echo new > deep/new.txt; chmod -R 000 .; true');
    expect(result).toMatchObject({ outcome: 'succeeded', files: [{ path: 'deep/new.txt', added: 1 }] });
  });

  it('promise 10: a history with a forbidden entry is refused, said so, and leaves the branch as it was', async () => {
    const { result, task } = await complete(forbidden);
    expect(result).toMatchObject({
      outcome: 'failed',
      cause: 'result_invalid',
      uncollected: true,
      message: expect.stringContaining('could not be taken over'),
    });
    expect(await git(world.mirror(project), 'for-each-ref', `refs/deckhand/tasks/${task}/head`)).toBe('');
  });

  it('a command that failed and whose changes were refused too says both', async () => {
    const { result } = await complete(`${forbidden}; exit 3`);
    expect(result).toMatchObject({ outcome: 'failed', cause: 'exit_code', exitCode: 3, uncollected: true, files: [] });
    await expectWell();
  });

  if (kind === 'docker') {
    it('a full disk in the working copy is named, and hurts nobody else', async () => {
      const { result } = await complete('head -c 150000000 /dev/zero > big; echo $? >&2; exit 1');
      expect(result).toMatchObject({
        outcome: 'failed',
        cause: 'disk_limit',
        message: 'The working copy is full: it may hold 96 MiB, the repository included.',
      });
    });

    it('changes that there is no room to collect are refused, said so, and hurt nobody else', async () => {
      const { result } = await complete('head -c 75000000 /dev/urandom > noise');
      expect(result).toMatchObject({
        outcome: 'failed',
        cause: 'result_invalid',
        exitCode: 0,
        uncollected: true,
        message: 'The changes of the command could not be taken over: there is no room to collect them, they are too large.',
        files: [],
      });
      await expectWell();
    });

    it('a repository that does not fit into its working copy is named', async () => {
      const commit = await world.source.commit({ 'large.bin': Buffer.alloc(110 * mebibyte, 'x') });
      const { result } = await complete('true');
      expect(result).toMatchObject({
        outcome: 'failed',
        cause: 'disk_limit',
        message: expect.stringContaining('There is no room for the working copy.'),
      });
      await world.source.git('reset', '--quiet', '--hard', `${commit}^`);
      await expectWell();
    });

    it('too much memory is named', async () => {
      const { result } = await complete('head -c 400000000 /dev/zero | tail -c 300000000 > /dev/null');
      expect(result).toMatchObject({
        outcome: 'failed',
        cause: 'memory_limit',
        message: 'The command needed more than 128 MiB of memory.',
      });
      await expectWell();
    });
  }
});
