import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGithubHost, type GithubConfig } from '../../adapters/github/host.ts';
import { createGithubEmulator, type GithubEmulator } from '../../lab/github/emulator.ts';
import type { LabRepository } from '../../lab/github/repositories.ts';
import type { CodeHost, PullSpec } from '../../src/contracts/code-host.ts';
import { CodeHostError } from '../../src/contracts/code-host.ts';
import { pushBranch } from '../support/github-push.ts';

const execFileAsync = promisify(execFile);
let github: GithubEmulator;
beforeAll(async () => {
  github = await createGithubEmulator();
  github.app.install('acme');
});
afterAll(async () => {
  expect(github?.controls.errors).toEqual([]);
  await github?.close();
});

const logins: Record<string, () => GithubConfig['login']> = {
  'a token': () => ({ type: 'token', token: github.token('ben') }),
  'an app': () => ({ type: 'app', id: String(github.app.id), privateKey: github.app.privateKey }),
};

const specOf = (repository: LabRepository, head: string, more: Partial<PullSpec> = {}): PullSpec => ({
  repository,
  head,
  base: 'main',
  title: 'Fix the login',
  body: 'Asked for by Ada.',
  draft: false,
  ...more,
});

const reasonOf = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  if (!(error instanceof CodeHostError)) throw new Error(`no CodeHostError but ${String(error)}`);
  return error.reason;
};

describe.each(Object.keys(logins))('GitHub by %s', (name) => {
  let host: CodeHost;
  let repository: LabRepository;
  beforeAll(async () => {
    const login = logins[name];
    if (login === undefined) throw new Error('no such login');
    host = createGithubHost({ apiUrl: github.apiUrl, login: login() });
    repository = await github.repository({ name: `web-${name.replace(' ', '-')}`, files: { 'a.txt': 'one\n' } });
  });

  test('knows its repositories by any address of git, and no others', () => {
    const at = { owner: 'acme', name: 'web' };
    expect(host.repositoryOf(`${github.url}/acme/web.git`)).toEqual(at);
    expect(host.repositoryOf('git@127.0.0.1:acme/web.git')).toEqual(at);
    expect(host.repositoryOf('ssh://git@127.0.0.1/acme/web')).toEqual(at);
    for (const other of [
      'https://example.com/acme/web.git',
      `${github.url}/acme/web/more`,
      `${github.url}/acme`,
      `${github.url}/acme/..`,
      'http://127.0.0.1:1/acme/web.git',
      '/srv/acme/web',
    ]) {
      expect([other, host.repositoryOf(other)]).toEqual([other, undefined]);
    }
  });

  test('says what it may do in a repository', async () => {
    const access = await host.access(repository);
    expect(access).toEqual({
      as: name === 'an app' ? 'Deckhand' : 'ben',
      private: true,
      defaultBranch: 'main',
      read: true,
      push: true,
      pulls: true,
      problems: [],
    });
  });

  test('opens one pull request of a branch, however often it is asked, also when the answer was lost', async () => {
    const { branch, commit } = await pushBranch(host, repository, { 'b.txt': 'two\n' });
    github.controls.failNext('pulls/create', { dropConnectionAfterEffect: true });
    expect(await reasonOf(host.openPull(specOf(repository, branch)))).toBe('unreachable');
    const first = await host.openPull(specOf(repository, branch));
    expect(first).toMatchObject({
      made: false,
      pull: {
        title: 'Fix the login',
        state: 'open',
        draft: false,
        head: { branch, commit },
        base: 'main',
        checks: [],
        reviews: [],
      },
    });
    expect(first.pull.url).toBe(`${github.url}/${repository.fullName}/pull/${first.pull.number}`);
    expect(await host.pull(repository, first.pull.number)).toMatchObject({ number: first.pull.number, state: 'open' });
    const second = await pushBranch(host, repository, { 'c.txt': 'three\n' });
    expect(await host.openPull(specOf(repository, second.branch))).toMatchObject({ made: true });
  });

  test('takes a draft out of draft, once', async () => {
    const { branch } = await pushBranch(host, repository, { 'd.txt': 'four\n' });
    const { pull } = await host.openPull(specOf(repository, branch, { draft: true }));
    expect(pull).toMatchObject({ draft: true });
    await host.ready(repository, pull.number);
    await host.ready(repository, pull.number);
    expect(await host.pull(repository, pull.number)).toMatchObject({ draft: false });
  });

  test('merges exactly the commit that is named, once, and deletes a branch that has not moved', async () => {
    const { branch, commit } = await pushBranch(host, repository, { 'e.txt': 'five\n' });
    const { pull } = await host.openPull(specOf(repository, branch));
    const merge = { repository, number: pull.number };
    expect(await reasonOf(host.merge({ ...merge, head: '1'.repeat(40) }))).toBe('moved');
    github.controls.failNext('pulls/merge', { dropConnectionAfterEffect: true });
    expect(await reasonOf(host.merge({ ...merge, head: commit }))).toBe('unreachable');
    const merged = await host.merge({ ...merge, head: commit });
    expect(merged.commit).toBe(repository.sha('main'));
    expect(await host.pull(repository, pull.number)).toMatchObject({ state: 'merged', mergeCommit: merged.commit });
    expect(await host.deleteBranch(repository, branch, '1'.repeat(40))).toBe(false);
    expect(repository.sha(branch)).toBe(commit);
    expect(await host.deleteBranch(repository, branch, commit)).toBe(true);
    expect(await host.deleteBranch(repository, branch, commit)).toBe(true);
    expect(repository.sha(branch)).toBeUndefined();
  });

  test('merges in the way that the repository allows', async () => {
    const strict = await github.repository({ name: `rebased-${name.replace(' ', '-')}`, methods: ['rebase'] });
    const { branch, commit } = await pushBranch(host, strict, { 'g.txt': 'seven\n' });
    const { pull } = await host.openPull(specOf(strict, branch));
    const merged = await host.merge({ repository: strict, number: pull.number, head: commit });
    expect(merged.commit).toBe(strict.sha('main'));
    expect(await strict.git('log', '--format=%s', 'main')).toBe('Change\nBegin');
  });

  test('gives what reviewers ask for and what has failed, however much there was before', async () => {
    const { branch, commit } = await pushBranch(host, repository, { 'reviewed.txt': 'one\n' });
    const { pull } = await host.openPull(specOf(repository, branch));
    const ada = github.person('ada');
    for (let nth = 1; nth <= 101; nth += 1) {
      await ada.review(repository.fullName, pull.number, { verdict: 'COMMENT', body: `${nth}` });
    }
    const all = await host.reviewComments(repository, pull.number, undefined);
    expect(all.map(({ text }) => text)).toEqual(Array.from({ length: 101 }, (_, at) => `${at + 1}`));
    // Said in the same second as somebody had the agent given the others, perhaps after that.
    const since = new Date((all.at(-1)?.at.getTime() ?? 0) + 999);
    expect((await host.reviewComments(repository, pull.number, since)).at(-1)).toMatchObject({ text: '101', by: 'ada' });
    expect(await host.reviewComments(repository, pull.number, new Date(since.getTime() + 1))).toEqual([]);

    const jobs = Array.from({ length: 101 }, (_, at) => `job ${at}`);
    const run = await ada.startChecks(repository.fullName, { branch, jobs });
    for (const job of ['job 0', 'job 100']) await run.finish(job, 'failure');
    expect((await host.failedChecks(repository, commit)).map(({ name: job }) => job).toSorted()).toEqual(['job 0', 'job 100']);
  });

  test('says what a refusal means', async () => {
    const { branch } = await pushBranch(host, repository, { 'f.txt': 'six\n' });
    expect(await reasonOf(host.openPull(specOf(repository, 'nothing/here')))).toBe('invalid');
    expect(await reasonOf(host.pull(repository, 9999))).toBe('missing');
    const elsewhere = await reasonOf(host.pull({ owner: 'acme', name: 'no-such' }, 1));
    expect(elsewhere).toBe(name === 'an app' ? 'forbidden' : 'missing');
    github.controls.failNext('pulls/create', { limit: 'secondary', retryAfter: 30 });
    const limited = await host.openPull(specOf(repository, branch)).catch((error: unknown) => error);
    expect(limited).toMatchObject({ reason: 'unreachable', retryAfterMs: 30_000 });
    github.controls.failNext('pulls/create', { status: 502 });
    expect(await reasonOf(host.openPull(specOf(repository, branch)))).toBe('unreachable');
    await expect(host.pull(repository, 1, AbortSignal.abort(new Error('over')))).rejects.toThrow('over');
  });

  test('knows what people may do there', async () => {
    expect(await Promise.all(['ada', 'ben', 'gus', 'nobody-at-all'].map((who) => host.permission(repository, who)))).toEqual([
      'admin',
      'write',
      'none',
      'none',
    ]);
  });
});

test('an app asks for tokens that are good for one repository and no more than is needed', async () => {
  const host = createGithubHost({
    apiUrl: github.apiUrl,
    login: { type: 'app', id: String(github.app.id), privateKey: github.app.privateKey },
  });
  const one = await github.repository({ name: 'narrow' });
  const other = await github.repository({ name: 'other' });
  const { authorization, expiresAt } = await host.login(one, 'read');
  expect(expiresAt?.getTime()).toBeGreaterThan(Date.now() + 50 * 60_000);
  const lsRemote = (repository: LabRepository) =>
    execFileAsync('git', ['-c', `http.extraHeader=Authorization: ${authorization}`, 'ls-remote', repository.cloneUrl], {
      env: { PATH: process.env.PATH, GIT_TERMINAL_PROMPT: '0' },
    });
  expect((await lsRemote(one)).stdout).toContain('refs/heads/main');
  await expect(lsRemote(other)).rejects.toThrow();
  const token =
    Buffer.from(authorization.split(' ')[1] ?? '', 'base64')
      .toString()
      .split(':')[1] ?? '';
  expect(github.core.tokens.get(token)?.permissions).toEqual({ contents: 'read', metadata: 'read' });
  expect((await host.login(one, 'read')).authorization).toBe(authorization);
});

test('an app that lacks rights, or is not installed, says which and what to do', async () => {
  const bare = await createGithubEmulator({ app: { permissions: { metadata: 'read', contents: 'read' } } });
  try {
    const repository = await bare.repository({ name: 'web' });
    const host = createGithubHost({
      apiUrl: bare.apiUrl,
      login: { type: 'app', id: String(bare.app.id), privateKey: bare.app.privateKey },
    });
    await expect(host.access(repository)).rejects.toThrow('The GitHub app is not installed for acme/web.');
    bare.app.install('acme');
    expect(await host.access(repository)).toMatchObject({
      read: true,
      push: false,
      pulls: false,
      problems: [/Contents: write/, /Pull requests: write/].map((text) => expect.stringMatching(text)),
    });
    expect(await reasonOf(host.openPull(specOf(repository, 'main')))).toBe('forbidden');
  } finally {
    await bare.close();
  }
});

test('a login that is refused is called so', async () => {
  const repository = await github.repository({ name: 'revoked' });
  const token = github.token('ben');
  const host = createGithubHost({ apiUrl: github.apiUrl, login: { type: 'token', token } });
  github.revoke(token);
  expect(await reasonOf(host.access(repository))).toBe('unauthorised');
});
