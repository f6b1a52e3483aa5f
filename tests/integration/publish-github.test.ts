import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGithubHost } from '../../adapters/github/host.ts';
import { createGithubEmulator, type GithubEmulator } from '../../lab/github/emulator.ts';
import type { LabRepository } from '../../lab/github/repositories.ts';
import { recordPull } from '../../src/tasks/pull-life.ts';
import { git } from '../support/git-repository.ts';
import { createRunnerWorld, ofType, type RunnerWorld } from '../support/runner-world.ts';
import { waitFor } from '../support/wait-for.ts';

let github: GithubEmulator;
let world: RunnerWorld;
let repositories = 0;

beforeAll(async () => {
  github = await createGithubEmulator();
  world = await createRunnerWorld('local', { github: { apiUrl: github.apiUrl, token: github.token('ben') } });
  await world.startRunner();
});

afterAll(async () => {
  await world.close();
  await github.close();
  expect(github.controls.errors).toEqual([]);
});

async function changed(command = 'echo fixed > fix.txt', given: { protect?: Record<string, object> } = {}) {
  repositories += 1;
  const repository: LabRepository = await github.repository({ name: `web${repositories}`, ...given });
  const project = await world.project({ source: { kind: 'git', url: repository.cloneUrl } });
  const task = await world.sh(command, project);
  const result = await world.resultOf(task.run);
  return { repository, project, result, ...task };
}

describe('a change of a repository at GitHub', () => {
  test('is pushed as exactly the commit that was approved, with whoever asked as co-author, by a login nobody sees', async () => {
    const { repository, run, number, result } = await changed();
    expect(result.tree).toMatch(/^[0-9a-f]{40}$/);
    expect(result.repository).toBe(repository.fullName);
    expect(await world.publish(run)).toEqual({ outcome: 'approved', number });
    const row = await world.published(run);
    expect(row).toMatchObject({ state: 'done', error: null, commit: result.commit, tree: result.tree });
    expect(row.url).toBe(`${github.url}/${repository.fullName}/tree/${row.branch}`);
    expect(repository.sha(row.branch)).toBe(result.commit);
    expect(await repository.read('fix.txt', row.branch)).toBe('fixed');
    const message = await repository.git('log', '-1', '--format=%B', row.branch);
    expect(message.trimEnd()).toMatch(
      new RegExp(`\\n\\nCo-authored-by: Ada <${world.ada.user}@users\\.noreply\\.deckhand\\.invalid>$`),
    );
    const told = JSON.stringify(await world.eventsOf(run));
    expect(told).not.toContain(world.installation.github?.token);
    expect(told).not.toContain('x-access-token');
  });

  test('becomes a pull request that says what was asked, who asked, who approved, from where; and calls nobody and closes nothing', async () => {
    const { repository, run, number, result } = await changed(
      "echo 'Closes acme/web#1, thanks @ben and @acme/admins GH-12 https://example.com/acme/web/issues/3 ```' > fix.txt",
    );
    await world.publish(run, 'pull_request');
    expect(await world.published(run)).toMatchObject({ state: 'done', error: null });
    const pull = await github.core.repositories.get(repository.fullName.toLowerCase())?.issues.get(1);
    const [{ data }] = ofPulls(await world.eventsOf(run));
    expect(data).toMatchObject({
      repository: repository.fullName,
      pull: { number: 1, state: 'open', draft: false, head: { commit: result.commit } },
    });
    const body = String((pull as { body?: unknown } | undefined)?.body);
    expect(body).toContain('Asked by Ada, approved by Ada');
    expect(body).toContain(`task ${number} of Deckhand, from [its thread on Slack](https://slack.test/t/1)`);
    expect(body).toContain('fix.txt  +1');
    for (const power of [/@\w/, /#\d/, /\bGH-\d/i, /https?:\/\/example/]) {
      expect(body.replace('https://slack.test/t/1', '')).not.toMatch(power);
      expect(data.pull.title).not.toMatch(power);
    }
    // The quoted fence does not end the block it stands in.
    expect(body).toMatch(/\n````text\n[\s\S]*```[\s\S]*\n````\n/);
    const commit = await repository.git('log', '-1', '--format=%B', String(result.commit));
    expect(commit).not.toMatch(/#\d|@\w+(?!.*deckhand\.invalid)/);
  });

  test('closes the issue that the task came from, and no other', async () => {
    const { repository, run, task } = await changed();
    await world.database.db.task.update({ where: { id: task }, data: { issue: 'acme/web#77' } });
    await world.publish(run, 'draft');
    await world.published(run);
    const [{ data }] = ofPulls(await world.eventsOf(run));
    expect(data.pull.draft).toBe(true);
    const pull = github.core.repositories.get(repository.fullName.toLowerCase())?.issues.get(data.pull.number);
    expect(String((pull as { body?: unknown } | undefined)?.body)).toMatch(/\n\nCloses acme\/web#77\n$/);
  });

  test('a branch that was pushed is not pushed again for its pull request, nor is a second pull request opened', async () => {
    const { repository, run } = await changed();
    await world.publish(run);
    const { branch } = await world.published(run);
    await world.publish(run, 'pull_request');
    await world.published(run);
    expect(await world.publish(run, 'pull_request')).toMatchObject({
      outcome: 'known',
      what: expect.stringContaining('is open already'),
    });
    const pushes = github
      .callsOf('git-receive-pack')
      .filter(({ verb, path }) => verb === 'POST' && path.includes(repository.name));
    expect(pushes).toHaveLength(1);
    expect(github.callsOf('pulls/create').filter(({ path }) => path.includes(`${repository.fullName}/`))).toHaveLength(1);
    expect(repository.branches()).toEqual([branch, 'main'].toSorted());
  });

  test('a later change of the task moves its branch, and with it its pull request', async () => {
    const { repository, run, task } = await changed('date +%N > fix.txt');
    await world.publish(run, 'pull_request');
    const { branch } = await world.published(run);
    const again = await world.retry(task);
    const second = await world.resultOf(again.run);
    await world.publish(again.run);
    expect(await world.published(again.run)).toMatchObject({ state: 'done' });
    expect(repository.sha(branch)).toBe(second.commit);
  });

  test('a branch that somebody else has made or moved is left alone', async () => {
    const { repository, run, task, result } = await changed('date +%N > fix.txt');
    const { branch } = await world.database.db.task.findUniqueOrThrow({ where: { id: task } });
    await git(repository.directory, 'update-ref', `refs/heads/${branch}`, String(repository.sha('main')));
    await world.publish(run);
    expect(await world.published(run)).toMatchObject({ state: 'failed', error: { code: 'DH-520' } });
    await git(repository.directory, 'update-ref', '-d', `refs/heads/${branch}`);
    await world.publish(run);
    expect(await world.published(run)).toMatchObject({ state: 'done' });
    await git(repository.directory, 'update-ref', `refs/heads/${branch}`, String(repository.sha('main')));
    await world.publish(run, 'pull_request');
    expect(await world.published(run)).toMatchObject({ state: 'failed', error: { code: 'DH-521' } });
    expect(await repository.git('rev-parse', branch)).toBe(repository.sha('main'));
    // Gone, as after a merge: it is made again.
    await git(repository.directory, 'update-ref', '-d', `refs/heads/${branch}`);
    await world.publish(run, 'draft');
    expect(await world.published(run)).toMatchObject({ error: null, commit: result.commit });
  });

  test('promise 10: what was merged is undone by a change that people decide about, once, and that can be undone as well', async () => {
    const { repository, run, task, number } = await changed(
      'echo fixed > fix.txt; git add . && git commit -qm One; echo more > more.txt',
    );
    const { db } = world.database;
    const host = createGithubHost({ apiUrl: github.apiUrl, login: { type: 'token', token: github.token('ben') } });
    /** Opens the pull request of a run, has it merged, and learns of that. */
    const merge = async (of: string, method: 'merge' | 'squash' | 'rebase') => {
      await world.publish(of, 'pull_request');
      expect(await world.published(of)).toMatchObject({ state: 'done', error: null });
      const { id, ...pull } = await db.pullRequest.findFirstOrThrow({ where: { runId: of } });
      await github.person('ada').merge(repository.fullName, pull.number, { method });
      const asked = new Date();
      const facts = await host.pull(repository, pull.number);
      const { workspaceId: workspace, projectId: project } = pull;
      await recordPull(world.database, { id, workspace, project, task, run: of, repository: repository.fullName }, facts, {
        asked,
        at: new Date(),
      });
      return pull.number;
    };
    let presses = 0;
    const revert = (of: string) => {
      const input = { run: of, by: world.ada, originKey: `revert-${++presses}` };
      return world.database.transaction((tx) => world.engine.tasks.revert(tx, input));
    };
    const newest = async () => (await db.run.findFirstOrThrow({ where: { taskId: task }, orderBy: { attempt: 'desc' } })).id;
    await expect(revert(run)).rejects.toThrow(`#${number} has no merged pull request.`);

    expect(await merge(run, 'rebase')).toBe(1);
    await github.person('ada').push(repository.fullName, 'main', { 'later.txt': 'later\n' });
    const [one, other] = await Promise.all([revert(run), revert(run)]);
    expect([one.outcome, other.outcome].sort()).toEqual(['begun', 'known']);
    const undoing = await newest();
    const result = await world.resultOf(undoing);
    const onto = repository.sha('main') ?? '';
    expect(result).toMatchObject({
      outcome: 'succeeded',
      message: `Undoes ${repository.fullName}#1 on main@${onto.slice(0, 7)}.`,
      base: { branch: 'main', commit: onto },
      files: [
        { path: 'fix.txt', status: 'deleted' },
        { path: 'more.txt', status: 'deleted' },
      ],
    });
    expect(result.branch).toMatch(/^deckhand\/revert-1-echo-fixed/);
    // Nothing has moved there, and nothing does before somebody decides about exactly this.
    expect([repository.sha('main'), repository.branches().includes(String(result.branch))]).toEqual([onto, false]);
    expect(await revert(run)).toMatchObject({ outcome: 'known', pull: `${repository.fullName}#1` });
    await expect(world.publish(run)).rejects.toMatchObject({ code: 'DH-533' });

    expect(await merge(undoing, 'squash')).toBe(2);
    const pull = github.core.repositories.get(repository.fullName.toLowerCase())?.issues.get(2);
    expect(pull).toMatchObject({ title: expect.stringMatching(/^Revert "echo fixed/) });
    expect(String((pull as { body?: unknown } | undefined)?.body)).toMatch(new RegExp(`^Reverts ${repository.fullName}#1\\.\n`));
    const files = async () => (await repository.git('ls-tree', '--name-only', 'main')).split('\n');
    expect(await files()).not.toContain('fix.txt');
    expect(await files()).toContain('later.txt');

    await revert(undoing);
    const back = await newest();
    expect(await world.resultOf(back)).toMatchObject({
      outcome: 'succeeded',
      branch: expect.stringMatching(/^deckhand\/revert-2-echo/),
    });
    expect(await merge(back, 'merge')).toBe(3);
    expect(await files()).toEqual(expect.arrayContaining(['fix.txt', 'later.txt', 'more.txt']));
    expect(await repository.git('log', '--format=%s', '--no-merges', 'main')).toMatch(/^Reapply "echo fixed/m);
    expect((await db.task.findUniqueOrThrow({ where: { id: task } })).column).toBe('done');
  });

  test('a host that does not answer is tried again; a lost answer to a push or to a pull request does nothing twice', async () => {
    const { repository, run } = await changed();
    github.controls.failNext('git-receive-pack', { status: 503, times: 1 });
    github.controls.failNext('git-receive-pack', {
      dropConnectionAfterEffect: true,
      when: ({ verb }: { verb: string }) => verb === 'POST',
    });
    github.controls.failNext('pulls/create', { dropConnectionAfterEffect: true });
    await world.publish(run, 'pull_request');
    for (let tries = 0; tries < 6; tries += 1) {
      const row = await world.database.db.publication.findFirstOrThrow({ where: { runId: run } });
      if (row.endedAt !== null) break;
      // Nobody waits for a clock here.
      await world.database.db.publication.updateMany({ where: { runId: run, runnerId: null }, data: { dueAt: new Date(0) } });
      await waitFor('a step', async () => {
        const now = await world.database.db.publication.findFirstOrThrow({ where: { runId: run } });
        return now.endedAt !== null || now.attempts !== row.attempts || now.state !== row.state;
      });
    }
    const row = await world.published(run);
    expect(row).toMatchObject({ state: 'done', error: null });
    expect(github.core.repositories.get(repository.fullName.toLowerCase())?.lastNumber).toBe(1);
    const told = ofType(await world.eventsOf(run), 'publication');
    expect(told.at(-1)).toMatchObject({ state: 'done' });
    expect(told.filter(({ retryAt }) => retryAt !== undefined).length).toBeGreaterThan(0);
  });

  test('what may be done there is found out with the project, without anything being pushed', async () => {
    repositories += 1;
    const repository: LabRepository = await github.repository({ name: `web${repositories}` });
    const project = await world.project({ source: { kind: 'git', url: repository.cloneUrl } });
    const accessNow = async () => {
      await world.database.db.project.update({ where: { id: project }, data: { accessWanted: true } });
      return await waitFor('what may be done', async () => {
        // Taken as the same while the one before is just ending; the sweep asks again, too.
        await world.queue.publish('project.sync', { project }, { id: project });
        const { access, accessWanted } = await world.database.db.project.findUniqueOrThrow({ where: { id: project } });
        return accessWanted ? undefined : (access ?? undefined);
      });
    };
    expect(await accessNow()).toEqual({ as: 'ben', push: { ok: true }, pulls: { ok: true }, problems: [] });
    repository.setRole('ben', 'read');
    expect(await accessNow()).toMatchObject({
      push: { ok: false, why: expect.stringContaining('DH-523') },
      pulls: { ok: false },
      problems: [expect.stringMatching(/ben may not push/), expect.stringMatching(/may not open pull requests/)],
    });
    expect(repository.branches()).toEqual(['main']);
  });

  test('what GitHub refuses says why, and nothing is retried', async () => {
    const { repository, run } = await changed();
    repository.setRole('ben', 'read');
    await world.publish(run);
    expect(await world.published(run)).toMatchObject({ state: 'failed', error: { code: 'DH-523' } });
    repository.setRole('ben', 'write');
    const other = await world.publish(run, 'pull_request');
    expect(other.outcome).toBe('approved');
    expect(await world.published(run)).toMatchObject({ state: 'done' });
  });
});

function ofPulls(events: Awaited<ReturnType<RunnerWorld['eventsOf']>>) {
  const found = events.flatMap(({ data }) => (data.type === 'pull_request' ? [{ data }] : []));
  const [first, ...others] = found;
  if (first === undefined) throw new Error('no pull request was told of');
  return [first, ...others] as const;
}
