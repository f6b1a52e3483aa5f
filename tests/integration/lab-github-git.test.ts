import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createPlainGit } from '../../lab/github/plain-git.ts';
import { temporaryDirectory } from '../support/git-repository.ts';
import { api, appJwt, gitAs, startGithubLab, withLogin } from '../support/github-lab.ts';

async function workplace(): Promise<string> {
  const directory = await temporaryDirectory('lab-github');
  onTestFinished(() => directory[Symbol.asyncDispose]());
  return directory.path;
}

describe('git over HTTP', () => {
  test('a token as password clones and pushes with any user name; protected branches and second histories are refused', async () => {
    const github = await startGithubLab();
    const repository = await github.repository({ name: 'shop', files: { 'README.md': 'hello\n' }, protect: true });
    const at = await workplace();
    expect(
      await gitAs(at, 'clone', '--quiet', withLogin(repository.cloneUrl, github.token('ben'), 'whoever'), '.'),
    ).toMatchObject({ ok: true });
    await gitAs(at, 'checkout', '--quiet', '-b', 'fix');
    await writeFile(join(at, 'README.md'), 'hello you\n');
    await gitAs(at, 'commit', '--quiet', '-am', 'Greet');
    const head = (await gitAs(at, 'rev-parse', 'HEAD')).text.trim();
    expect(await gitAs(at, 'push', 'origin', 'fix')).toMatchObject({ ok: true });
    expect(repository.sha('fix')).toBe(head);
    expect(await repository.read('README.md', 'fix')).toBe('hello you');

    const refused = await gitAs(at, 'push', 'origin', 'fix:main');
    expect(refused.text).toContain('GH006: Protected branch update failed for refs/heads/main.');
    expect(refused.text).toContain('! [remote rejected] fix -> main (protected branch hook declined)');

    await gitAs(at, 'commit', '--quiet', '--amend', '-m', 'Greet better');
    expect((await gitAs(at, 'push', 'origin', 'fix')).text).toContain('non-fast-forward');
    expect((await gitAs(at, 'push', `--force-with-lease=fix:${'1'.repeat(40)}`, 'origin', 'fix')).text).toContain('stale info');
    expect(await gitAs(at, 'push', `--force-with-lease=fix:${head}`, 'origin', 'fix')).toMatchObject({ ok: true });
    const transfers = github.callsOf('git-receive-pack').filter(({ verb }) => verb === 'POST');
    expect(transfers.map(({ as, status }) => `${as} ${status}`)).toEqual(['ben 200', 'ben 200', 'ben 200']);
    expect((await gitAs(at, 'push', 'origin', 'fix:refs/pull/1/head')).text).toContain('hidden ref');
  });

  test('without rights a private repository does not exist, without a login there is only 401', async () => {
    const github = await startGithubLab();
    const hidden = await github.repository({ name: 'hidden' });
    const open = await github.repository({ name: 'open', private: false });
    const at = await workplace();
    const list = (url: string) => gitAs(at, 'ls-remote', url);
    expect((await list(hidden.cloneUrl)).text).toContain('could not read Username');
    expect((await list(withLogin(hidden.cloneUrl, 'ghp_wrong'))).text).toContain('Authentication failed');
    expect((await list(withLogin(hidden.cloneUrl, github.token('gus')))).text).toContain('Repository not found.');
    expect((await list(withLogin(hidden.cloneUrl, github.token('ben', { scopes: ['public_repo'] })))).text).toContain(
      'Write access to repository not granted.',
    );
    expect((await list(withLogin(`${github.url}/acme/nothing.git`, github.token('ada')))).text).toContain(
      'Repository not found.',
    );
    expect(await list(open.cloneUrl)).toMatchObject({ ok: true });
    expect(await list(withLogin(hidden.cloneUrl, github.fineGrainedToken('ben', { contents: 'read' })))).toMatchObject({
      ok: true,
    });

    await gitAs(at, 'clone', '--quiet', open.cloneUrl, 'open');
    const push = (token: string) => gitAs(join(at, 'open'), 'push', withLogin(open.cloneUrl, token), 'HEAD:refs/heads/mine');
    expect((await push(github.token('gus'))).text).toContain('Permission to acme/open.git denied to gus.');
    expect((await push(github.fineGrainedToken('ben', { contents: 'read' }))).text).toContain(
      'Write access to repository not granted.',
    );
    expect((await gitAs(join(at, 'open'), 'push', open.cloneUrl, 'HEAD:refs/heads/mine')).text).toContain(
      'could not read Username',
    );
    expect(open.branches()).toEqual(['main']);
  });

  test('workflow files need a right of their own', async () => {
    const github = await startGithubLab();
    const repository = await github.repository({ name: 'shop' });
    github.app.install('acme');
    const jwt = appJwt(github);
    const installation = (await api(github, jwt, 'GET', '/repos/acme/shop/installation')).json.id;
    const { json } = await api(github, jwt, 'POST', `/app/installations/${String(installation)}/access_tokens`, {
      repositories: ['shop'],
    });
    const at = await workplace();
    await gitAs(at, 'clone', '--quiet', withLogin(repository.cloneUrl, github.token('ben')), '.');
    await mkdir(join(at, '.github/workflows'), { recursive: true });
    await writeFile(join(at, '.github/workflows/ci.yml'), 'on: push\n');
    await gitAs(at, 'add', '.');
    await gitAs(at, 'commit', '--quiet', '-m', 'Check');
    const push = (token: string, branch: string) =>
      gitAs(at, 'push', withLogin(repository.cloneUrl, token), `HEAD:refs/heads/${branch}`);
    expect((await push(String(json.token), 'a')).text).toContain(
      'refusing to allow a GitHub App to create or update workflow `.github/workflows/ci.yml` without `workflows` permission',
    );
    expect((await push(github.token('ben', { scopes: ['repo'] }), 'a')).text).toContain(
      'refusing to allow a Personal Access Token to create or update workflow `.github/workflows/ci.yml` without `workflow` scope',
    );
    expect(repository.branches()).toEqual(['main']);
    expect(await push(github.token('ben'), 'a')).toMatchObject({ ok: true });
    // What is there already may be passed on by anybody who may push.
    expect(await push(String(json.token), 'b')).toMatchObject({ ok: true });
  });

  test('objects that are not well formed are refused', async () => {
    const github = await startGithubLab();
    const repository = await github.repository({ name: 'shop' });
    const at = await workplace();
    await gitAs(at, 'clone', '--quiet', withLogin(repository.cloneUrl, github.token('ben')), '.');
    const blob = (await gitAs(at, 'hash-object', '-w', 'README.md')).text.trim();
    await writeFile(join(at, 'tree'), `100644 blob ${blob}\t.git\n`);
    const made = await gitAs(at, '-c', 'alias.bad=!git mktree < tree', 'bad');
    const commit = (await gitAs(at, 'commit-tree', made.text.trim(), '-m', 'bad')).text.trim();
    expect((await gitAs(at, 'push', 'origin', `${commit}:refs/heads/bad`)).text).toContain('hasDotgit');
    expect(repository.branches()).toEqual(['main']);
  });

  test('faults hit git too: before its effect, and after it', async () => {
    const github = await startGithubLab();
    const repository = await github.repository({ name: 'shop' });
    const at = await workplace();
    await gitAs(at, 'clone', '--quiet', withLogin(repository.cloneUrl, github.token('ben')), '.');
    github.controls.failNext('git-receive-pack', { status: 503 });
    expect((await gitAs(at, 'push', 'origin', 'HEAD:refs/heads/a')).text).toContain('503');
    github.controls.failNext('git-receive-pack', { dropConnectionAfterEffect: true, when: ({ verb }) => verb === 'POST' });
    expect(await gitAs(at, 'push', 'origin', 'HEAD:refs/heads/b')).toMatchObject({ ok: false });
    expect(repository.branches()).toEqual(['b', 'main']);
    const held = github.controls.hold('git-receive-pack', { after: true, when: ({ verb }) => verb === 'POST' });
    const pushing = gitAs(at, 'push', 'origin', 'HEAD:refs/heads/c');
    await held.reached;
    expect(repository.branches()).toEqual(['b', 'c', 'main']);
    expect(await gitAs(at, 'push', 'origin', 'HEAD:refs/heads/d')).toMatchObject({ ok: true });
    held.release();
    expect(await pushing).toMatchObject({ ok: true });
  });

  test('a renamed repository is found under its old name, by git and by the API', async () => {
    const github = await startGithubLab();
    const repository = await github.repository({ name: 'shop' });
    const ben = github.token('ben');
    const renamed = repository.rename('acme/store');
    const at = await workplace();
    expect((await gitAs(at, 'ls-remote', withLogin(repository.cloneUrl, ben))).text).toContain(String(renamed.sha()));
    expect((await gitAs(at, 'ls-remote', withLogin(repository.cloneUrl, github.token('gus')))).text).toContain(
      'Repository not found.',
    );
    const moved = await api(github, ben, 'GET', '/repos/acme/shop/pulls?state=all');
    expect(moved).toMatchObject({ status: 301, json: { message: 'Moved Permanently' } });
    const location = moved.headers.get('location') ?? '';
    expect(location).toContain(`/repositories/${repository.id}/pulls?state=all`);
    expect((await api(github, ben, 'GET', location)).status).toBe(200);
    expect((await api(github, ben, 'POST', '/repos/acme/shop/issues', { title: 'x' })).status).toBe(307);
  });

  test('a plain git server has users with passwords, and no words of GitHub', async () => {
    const host = await createPlainGit({ users: { ben: { password: 'secret' }, gus: { password: 'other', write: false } } });
    onTestFinished(() => host.close());
    const repository = await host.repository('team/tools/shop', { 'README.md': 'hello\n' }, { protect: ['main'] });
    const at = await workplace();
    expect((await gitAs(at, 'ls-remote', repository.cloneUrl)).text).toContain('could not read Username');
    expect((await gitAs(at, 'ls-remote', withLogin(repository.cloneUrl, 'secret'))).text).toContain('Authentication failed');
    expect(await gitAs(at, 'clone', '--quiet', withLogin(repository.cloneUrl, 'other', 'gus'), '.')).toMatchObject({ ok: true });
    const push = (url: string, ref: string) => gitAs(at, 'push', url, `HEAD:refs/heads/${ref}`);
    expect((await push(withLogin(repository.cloneUrl, 'other', 'gus'), 'fix')).text).toContain('gus may not push here.');
    await gitAs(at, 'commit', '--quiet', '--allow-empty', '-m', 'Change');
    const own = withLogin(repository.cloneUrl, 'secret', 'ben');
    expect((await push(own, 'main')).text).toContain('[remote rejected] HEAD -> main (protected branch)');
    host.failNext({ dropConnectionAfterEffect: true, service: 'git-receive-pack', transfer: true });
    expect(await push(own, 'fix')).toMatchObject({ ok: false });
    expect(await repository.sha('fix')).toBe((await gitAs(at, 'rev-parse', 'HEAD')).text.trim());
    expect(await push(own, 'fix')).toMatchObject({ ok: true });
    host.redirect('old/shop', 'team/tools/shop');
    expect(await gitAs(at, 'ls-remote', own.replace('team/tools', 'old'))).toMatchObject({ ok: true });
    expect(host.seen).toContain('gus git-receive-pack 403');
  });
});
