import { generateKeyPairSync } from 'node:crypto';
import { createAppAuth } from '@octokit/auth-app';
import { Octokit } from '@octokit/core';
import { paginateRest } from '@octokit/plugin-paginate-rest';
import { describe, expect, test } from 'vitest';
import { githubSchema } from '../../lab/github/schema.ts';
import { api, appJwt, startGithubLab } from '../support/github-lab.ts';

const NAME = '/repos/acme/shop';

describe('the REST API', () => {
  test('what is not well said is refused: user agent, version, accept, login, path, body', async () => {
    const github = await startGithubLab();
    await github.repository({ name: 'shop' });
    const ada = github.token('ada');
    const get = (path: string, headers: Record<string, string> = {}, token: string | undefined = ada) =>
      api(github, token, 'GET', path, undefined, headers);
    expect(await get(NAME, { 'user-agent': '' })).toMatchObject({ status: 403, text: expect.stringContaining('User-Agent') });
    expect(await get(NAME, { 'x-github-api-version': '2019-01-01' })).toMatchObject({
      status: 400,
      json: { message: expect.stringContaining('not a supported version') },
    });
    expect((await get(NAME, { 'x-github-api-version': '2026-03-10' })).headers.get('x-github-api-version-selected')).toBe(
      '2026-03-10',
    );
    expect((await get(NAME, { accept: 'text/plain' })).status).toBe(415);
    expect(await get(NAME, {}, 'ghp_wrong')).toMatchObject({ status: 401, json: { message: 'Bad credentials' } });
    expect(await get('/nothing')).toMatchObject({
      status: 404,
      json: { message: 'Not Found', status: '404', documentation_url: 'https://docs.github.com/rest' },
    });
    expect((await get(`${NAME}/pulls/one`)).status).toBe(404);
    expect((await get(`${NAME}/pulls?state=half`)).status).toBe(422);
    expect((await api(github, undefined, 'GET', '/user')).json).toMatchObject({ message: 'Requires authentication' });
    const post = (body: unknown) => api(github, ada, 'POST', `${NAME}/issues`, body);
    expect((await post('{')).json).toMatchObject({ message: 'Problems parsing JSON', status: '400' });
    expect((await post('[]')).json).toMatchObject({ message: 'Body should be a JSON object' });
    expect((await post({ titel: 'x' })).json.message).toBe(
      'Invalid request.\n\n"title" wasn\'t supplied.\n"titel" is not a permitted key.',
    );
    expect((await post({ title: 'x', body: 5 })).json.message).toBe(
      "Invalid request.\n\nFor 'properties/body', 5 is not a string.",
    );
    expect(github.callsOf('issues/create').map(({ status }) => status)).toEqual([400, 400, 422, 422]);
  });

  test('tokens reach as far as their owner, scopes and permissions do', async () => {
    let clock = Date.UTC(2026, 0, 1);
    const github = await startGithubLab({ now: () => clock });
    await github.repository({ name: 'shop' });
    await github.repository({ name: 'open', private: false });
    const status = async (token: string | undefined, verb: string, path: string, body?: unknown) =>
      (await api(github, token, verb, path, body)).status;
    expect(await status(undefined, 'GET', NAME)).toBe(404);
    expect(await status(github.token('gus'), 'GET', NAME)).toBe(404);
    expect(await status(github.token('ada', { scopes: ['public_repo'] }), 'GET', NAME)).toBe(404);
    expect(await status(undefined, 'GET', '/repos/acme/open')).toBe(200);
    expect(await status(undefined, 'POST', '/repos/acme/open/issues', { title: 'x' })).toBe(401);
    expect(await status(github.token('gus'), 'POST', '/repos/acme/open/issues', { title: 'x' })).toBe(201);
    expect(await status(github.token('gus', { scopes: [] }), 'POST', '/repos/acme/open/issues', { title: 'x' })).toBe(404);
    const refused = await api(github, github.token('gus'), 'POST', '/repos/acme/open/git/refs', {
      ref: 'refs/heads/x',
      sha: '1'.repeat(40),
    });
    expect(refused).toMatchObject({ status: 403, json: { message: 'Must have push access to repository' } });
    const fine = github.fineGrainedToken('ben', { metadata: 'read', issues: 'write' }, { repositories: ['acme/shop'] });
    expect(await status(fine, 'POST', `${NAME}/issues`, { title: 'x' })).toBe(201);
    const ben = github.person('ben');
    await ben.push('acme/shop', 'fix', { 'a.txt': 'a\n' });
    const { number } = await ben.openPull('acme/shop', { head: 'fix', base: 'main', title: 'Fix' });
    expect(await status(fine, 'POST', `${NAME}/issues/1/comments`, { body: 'x' })).toBe(201);
    expect(await status(fine, 'POST', `${NAME}/issues/${number}/comments`, { body: 'x' })).toBe(403);
    const denied = await api(github, fine, 'GET', `${NAME}/branches`);
    expect(denied).toMatchObject({ status: 403, json: { message: 'Resource not accessible by personal access token' } });
    expect(denied.headers.get('x-accepted-github-permissions')).toBe('contents=read');
    const brief = github.token('ada', { expiresAt: clock + 1_000 });
    expect(await status(brief, 'GET', NAME)).toBe(200);
    clock += 1_000;
    expect(await status(brief, 'GET', NAME)).toBe(401);
    const level = async (login: string, repository = 'shop') =>
      (await api(github, github.token('ada'), 'GET', `/repos/acme/${repository}/collaborators/${login}/permission`)).json
        .permission;
    expect([await level('ada'), await level('ben'), await level('gus'), await level('gus', 'open')]).toEqual([
      'admin',
      'write',
      'none',
      'read',
    ]);
  });

  test('an app proves itself with a short JWT, and gets tokens for what it asks for', async () => {
    let clock = Date.now();
    const github = await startGithubLab({ now: () => clock });
    await github.repository({ name: 'shop' });
    await github.repository({ name: 'other' });
    const installation = github.app.install('acme');
    const now = Math.floor(clock / 1000);
    const app = async (claims: Record<string, unknown>, key?: string) =>
      (await api(github, appJwt(github, claims, key), 'GET', '/app')).json;
    expect(await app({})).toMatchObject({ slug: 'deckhand', id: github.app.id });
    expect(await app({ iss: github.app.clientId })).toMatchObject({ slug: 'deckhand' });
    expect((await app({ exp: now + 1_200 })).message).toContain('too far in the future');
    expect((await app({ exp: now - 1 })).message).toContain("'exp'");
    expect((await app({ iat: now + 120 })).message).toContain("'iat'");
    expect((await app({ iss: '7' })).message).toBe('Integration not found');
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    expect((await app({}, privateKey)).message).toBe('A JSON web token could not be decoded');
    expect((await api(github, github.token('ada'), 'GET', '/app')).status).toBe(401);

    const jwt = appJwt(github);
    expect((await api(github, jwt, 'GET', `${NAME}/installation`)).json).toMatchObject({
      id: installation,
      account: { login: 'acme' },
      permissions: { contents: 'write' },
    });
    expect((await api(github, jwt, 'GET', '/repos/else/where/installation')).status).toBe(404);
    expect((await api(github, jwt, 'GET', NAME)).status).toBe(404);
    const ask = (body: unknown) => api(github, jwt, 'POST', `/app/installations/${installation}/access_tokens`, body);
    expect((await ask({ permissions: { administration: 'write' } })).json.message).toContain('not granted to this installation');
    expect((await ask({ repositories: ['nothing'] })).json.message).toContain('not accessible to the parent installation');
    const { json } = await ask({ repositories: ['shop'], permissions: { contents: 'read', pull_requests: 'write' } });
    expect(json).toMatchObject({
      permissions: { metadata: 'read', contents: 'read', pull_requests: 'write' },
      repository_selection: 'selected',
    });
    expect(Date.parse(String(json.expires_at)) - clock).toBeGreaterThan(3_598_000);
    const token = String(json.token);
    expect(token).toMatch(/^ghs_/);
    const status = async (verb: string, path: string, body?: unknown) => (await api(github, token, verb, path, body)).status;
    expect(await status('GET', NAME)).toBe(200);
    expect(await status('GET', '/repos/acme/other')).toBe(404);
    expect(await status('POST', `${NAME}/issues`, { title: 'x' })).toBe(403);
    expect((await api(github, token, 'GET', '/user')).json.message).toBe('Resource not accessible by integration');
    expect((await api(github, token, 'GET', '/installation/repositories')).json).toMatchObject({
      total_count: 1,
      repositories: [{ name: 'shop' }],
    });
    clock += 3_600_000;
    expect(await status('GET', NAME)).toBe(401);
  });

  test('lists come in pages that lead to each other; what has not changed is not sent again', async () => {
    const github = await startGithubLab();
    await github.repository({ name: 'shop' });
    const ben = github.person('ben');
    for (let count = 0; count < 7; count += 1) ben.openIssue('acme/shop', { title: `Issue ${count}` });
    const token = github.token('ben');
    const first = await api(github, token, 'GET', `${NAME}/issues?per_page=3&direction=asc`);
    expect(first.list.map(({ number }) => number)).toEqual([1, 2, 3]);
    const [, next = ''] = /<([^>]+)>; rel="next"/.exec(first.headers.get('link') ?? '') ?? [];
    expect(first.headers.get('link')).toContain('page=3>; rel="last"');
    const second = await api(github, token, 'GET', next);
    expect(second.list.map(({ number }) => number)).toEqual([4, 5, 6]);
    const etag = second.headers.get('etag') ?? '';
    const used = Number(second.headers.get('x-ratelimit-used'));
    const again = await api(github, token, 'GET', next, undefined, { 'if-none-match': etag });
    expect(again).toMatchObject({ status: 304, text: '' });
    expect(Number(again.headers.get('x-ratelimit-used'))).toBe(used);
    ben.comment('acme/shop', 5, 'changed');
    expect((await api(github, token, 'GET', next, undefined, { 'if-none-match': etag })).status).toBe(200);
  });

  test('limits: the hourly one, and faults that look like the others', async () => {
    let clock = Date.now();
    const github = await startGithubLab({ now: () => clock });
    await github.repository({ name: 'shop' });
    github.controls.hourlyLimit(2);
    const token = github.token('ben');
    const get = () => api(github, token, 'GET', NAME);
    expect([(await get()).status, (await get()).status]).toEqual([200, 200]);
    const over = await get();
    expect(over).toMatchObject({
      status: 403,
      json: { message: expect.stringMatching(/^API rate limit exceeded for user ID \d+\.$/) },
    });
    expect(over.headers.get('x-ratelimit-remaining')).toBe('0');
    expect((await api(github, token, 'GET', '/rate_limit')).json).toMatchObject({ rate: { limit: 2, remaining: 0 } });
    clock += 3_600_000;
    expect((await get()).status).toBe(200);
    github.controls.hourlyLimit(5_000);
    github.controls.failNext('repos/get', { limit: 'secondary', retryAfter: 7 });
    const second = await get();
    expect(second).toMatchObject({ status: 403, json: { message: expect.stringContaining('secondary rate limit') } });
    expect(second.headers.get('retry-after')).toBe('7');
    github.controls.failNext('repos/get', { limit: 'primary' });
    expect((await get()).headers.get('x-ratelimit-remaining')).toBe('0');
    github.controls.hourlyLimit(5_000);
    github.controls.failNext('repos/get', { status: 502, times: 2 });
    expect([(await get()).status, (await get()).status, (await get()).status]).toEqual([502, 502, 200]);
    github.controls.failNext('repos/get', { dropConnectionBeforeEffect: true });
    await expect(get()).rejects.toThrow();
    github.controls.failNext('issues/create', { dropConnectionAfterEffect: true });
    await expect(api(github, token, 'POST', `${NAME}/issues`, { title: 'kept' })).rejects.toThrow();
    expect(github.person('ben').look('acme/shop', 1).title).toBe('kept');
    const held = github.controls.hold('repos/get');
    const waiting = get();
    await held.reached;
    held.release();
    expect((await waiting).status).toBe(200);
    github.controls.outage(true);
    expect((await get()).status).toBe(503);
  });

  test('issues, comments and reactions; only who wrote it, or may write, changes it', async () => {
    const github = await startGithubLab();
    await github.repository({ name: 'shop', private: false });
    const [ada, gus, ben] = [github.token('ada'), github.token('gus'), github.token('ben')];
    const made = await api(github, gus, 'POST', `${NAME}/issues`, { title: 'Broken', body: 'it is', labels: ['bug'] });
    expect(made.json).toMatchObject({ number: 1, user: { login: 'gus' }, author_association: 'NONE', labels: [{ name: 'bug' }] });
    const said = await api(github, gus, 'POST', `${NAME}/issues/1/comments`, { body: '@deckhand help' });
    expect((await api(github, gus, 'POST', `${NAME}/issues/1/comments`, { body: ' ' })).json.errors).toMatchObject([
      { field: 'body' },
    ]);
    const path = `${NAME}/issues/comments/${String(said.json.id)}`;
    const own = await api(github, ada, 'POST', `${NAME}/issues/1/comments`, { body: 'on it' });
    expect((await api(github, gus, 'PATCH', `${NAME}/issues/comments/${String(own.json.id)}`, { body: 'x' })).status).toBe(403);
    expect((await api(github, ben, 'PATCH', path, { body: 'edited' })).json).toMatchObject({
      body: 'edited',
      user: { login: 'gus' },
    });
    const react = (token: string) => api(github, token, 'POST', `${path}/reactions`, { content: 'eyes' });
    expect([(await react(ada)).status, (await react(ada)).status]).toEqual([201, 200]);
    expect((await api(github, ada, 'POST', `${path}/reactions`, { content: 'wow' })).status).toBe(422);
    const [reaction] = (await api(github, ada, 'GET', `${path}/reactions`)).list;
    expect((await api(github, ben, 'GET', path)).json).toMatchObject({ reactions: { eyes: 1, total_count: 1 } });
    expect((await api(github, ben, 'DELETE', `${path}/reactions/${String(reaction?.id)}`)).status).toBe(403);
    expect((await api(github, ada, 'DELETE', `${path}/reactions/${String(reaction?.id)}`)).status).toBe(204);
    expect(
      (await api(github, gus, 'PATCH', `${NAME}/issues/1`, { state: 'closed', state_reason: 'not_planned' })).json,
    ).toMatchObject({ state: 'closed', state_reason: 'not_planned' });
    expect((await api(github, gus, 'GET', `${NAME}/issues?state=closed&labels=bug`)).list).toHaveLength(1);
    expect((await api(github, ben, 'DELETE', path)).status).toBe(204);
    expect((await api(github, gus, 'GET', `${NAME}/issues/1/comments`)).list.map(({ body }) => body)).toEqual(['on it']);
  });

  test('statuses, checks, runs and logs of jobs; failed jobs run again', async () => {
    let clock = Date.now();
    const github = await startGithubLab({
      now: () => clock,
      app: { permissions: { metadata: 'read', contents: 'read', checks: 'write', statuses: 'write', actions: 'write' } },
    });
    const repository = await github.repository({ name: 'shop' });
    const sha = repository.sha();
    const ben = github.token('ben');
    const get = (path: string) => api(github, ben, 'GET', `${NAME}${path}`);
    expect((await get('/commits/main/status')).json).toMatchObject({ state: 'pending', total_count: 0, sha });
    for (const state of ['pending', 'success'])
      await api(github, ben, 'POST', `${NAME}/statuses/${sha}`, { state, context: 'lint' });
    await github.person('ben').status('acme/shop', { branch: 'main', context: 'docs', state: 'failure' });
    expect((await get('/commits/main/status')).json).toMatchObject({ state: 'failure', total_count: 2 });
    expect((await get(`/commits/${sha}/statuses`)).list.map(({ state }) => state)).toEqual(['failure', 'success', 'pending']);
    expect((await api(github, ben, 'POST', `${NAME}/check-runs`, { name: 'x', head_sha: sha })).json.message).toBe(
      'You must authenticate via a GitHub App.',
    );

    const installation = github.app.install('acme');
    const token = String(
      (await api(github, appJwt(github), 'POST', `/app/installations/${installation}/access_tokens`)).json.token,
    );
    const annotation = { path: 'README.md', start_line: 1, end_line: 1, annotation_level: 'warning', message: 'hm' };
    const output = { title: 'Two', summary: 'Two problems', annotations: [annotation] };
    const check = await api(github, token, 'POST', `${NAME}/check-runs`, {
      name: 'deckhand',
      head_sha: sha,
      status: 'in_progress',
      output,
    });
    expect(check).toMatchObject({ status: 201, json: { status: 'in_progress', app: { slug: 'deckhand' } } });
    const done = await api(github, token, 'PATCH', `${NAME}/check-runs/${String(check.json.id)}`, { conclusion: 'neutral' });
    expect(done.json).toMatchObject({ status: 'completed', conclusion: 'neutral', output: { annotations_count: 1 } });
    expect((await get(`/check-runs/${String(check.json.id)}/annotations`)).list).toMatchObject([
      { message: 'hm', start_line: 1 },
    ]);

    const run = await github.person('ben').startChecks('acme/shop', { branch: 'main', jobs: ['test', 'lint'] });
    const [queued] = run.jobs();
    expect((await get(`/actions/jobs/${queued?.id}/logs`)).status).toBe(404);
    await run.finish('lint', 'success');
    await run.finish('test', 'failure', 'Error: 1 is not 2\n');
    expect((await get(`/actions/runs?head_sha=${sha}`)).json).toMatchObject({
      total_count: 1,
      workflow_runs: [{ id: run.id, conclusion: 'failure', run_attempt: 1 }],
    });
    expect((await get(`/commits/${sha}/check-runs`)).json).toMatchObject({ total_count: 3 });
    expect((await get(`/commits/${sha}/check-suites`)).json).toMatchObject({
      total_count: 2,
      check_suites: [{ conclusion: 'neutral' }, { conclusion: 'failure' }],
    });
    const { json: jobs } = await get(`/actions/runs/${run.id}/jobs`);
    expect(jobs).toMatchObject({
      jobs: [
        { name: 'test', conclusion: 'failure' },
        { name: 'lint', conclusion: 'success' },
      ],
    });
    const redirect = await get(`/actions/jobs/${queued?.id}/logs`);
    const address = redirect.headers.get('location') ?? '';
    expect(redirect.status).toBe(302);
    expect(await (await fetch(address)).text()).toMatch(/^\d{4}-\S+Z Error: 1 is not 2\n$/);
    expect((await fetch(address, { headers: { authorization: `Bearer ${ben}` } })).status).toBe(401);
    clock += 61_000;
    expect((await fetch(address)).status).toBe(403);

    expect((await api(github, ben, 'POST', `${NAME}/actions/runs/${run.id}/rerun-failed-jobs`)).status).toBe(201);
    expect((await api(github, ben, 'POST', `${NAME}/actions/runs/${run.id}/rerun-failed-jobs`)).json.message).toContain(
      'already running',
    );
    expect(run.jobs().map(({ name, status }) => `${name} ${status}`)).toEqual(['test queued', 'lint completed']);
    await run.finish('test', 'success');
    expect((await get(`/actions/runs/${run.id}`)).json).toMatchObject({ conclusion: 'success', run_attempt: 2 });
  });

  test('the official client works against it: app login, pages, conditions, errors', async () => {
    const github = await startGithubLab();
    const repository = await github.repository({ name: 'shop' });
    const installationId = github.app.install('acme');
    const ben = github.person('ben');
    for (let count = 0; count < 5; count += 1) ben.openIssue('acme/shop', { title: `Issue ${count}` });
    const Client = Octokit.plugin(paginateRest);
    const auth = { appId: github.app.id, privateKey: github.app.privateKey, installationId };
    const client = new Client({
      baseUrl: github.apiUrl,
      authStrategy: createAppAuth,
      auth,
      log: { debug() {}, info() {}, warn() {}, error() {} },
    });
    const { data } = await client.request('GET /repos/{owner}/{repo}', { owner: 'acme', repo: 'shop' });
    expect(data).toMatchObject({ full_name: 'acme/shop', permissions: { push: true } });
    const issues = await client.paginate('GET /repos/{owner}/{repo}/issues', { owner: 'acme', repo: 'shop', per_page: 2 });
    expect(issues.map(({ number }) => number)).toEqual([5, 4, 3, 2, 1]);
    await ben.push('acme/shop', 'feature/one', { 'x.txt': 'x\n' });
    const branch = await client.request('GET /repos/{owner}/{repo}/branches/{branch}', {
      owner: 'acme',
      repo: 'shop',
      branch: 'feature/one',
    });
    expect(branch.data.commit.sha).toBe(repository.sha('feature/one'));
    const made = await client.request('POST /repos/{owner}/{repo}/pulls', {
      owner: 'acme',
      repo: 'shop',
      head: 'feature/one',
      base: 'main',
      title: 'One',
      draft: true,
    });
    expect(made.data.user.login).toBe('deckhand[bot]');
    const ready =
      'mutation ($id: ID!) { markPullRequestReadyForReview(input: { pullRequestId: $id }) { pullRequest { isDraft } } }';
    expect(await client.graphql(ready, { id: made.data.node_id })).toEqual({
      markPullRequestReadyForReview: { pullRequest: { isDraft: false } },
    });
    await expect(client.request('GET /repos/{owner}/{repo}', { owner: 'acme', repo: 'none' })).rejects.toMatchObject({
      status: 404,
    });
    const run = await ben.startChecks('acme/shop', { branch: 'feature/one', jobs: ['test'] });
    await run.finish('test', 'failure', 'no\n');
    const [job] = run.jobs();
    const logs = await client.request('GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs', {
      owner: 'acme',
      repo: 'shop',
      job_id: job?.id ?? 0,
    });
    expect(String(logs.data)).toContain(' no\n');
  });

  test('answers that do not fit the description are mistakes of the emulator', () => {
    const schema = githubSchema();
    const merge = schema.operations.get('pulls/merge')?.responses['200'] ?? {};
    expect(schema.check(merge, { sha: 'x', merged: true, message: 'done' })).toEqual([]);
    expect(schema.check(merge, { sha: 'x', merged: 'yes' }).map(({ message }) => message)).toEqual([
      '"message" wasn\'t supplied.',
      'For \'properties/merged\', "yes" is not a boolean.',
    ]);
  });
});
