import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { GithubEmulator } from '../../lab/github/emulator.ts';
import { startGithubLab } from '../support/github-lab.ts';
import { waitFor } from '../support/wait-for.ts';

const NAME = 'acme/shop';
const PULL = `/${NAME}/pull/1`;

/** A repository with one pull request of Ben's, and a browser without a script. */
async function shop(options: Partial<Parameters<GithubEmulator['repository']>[0]> = {}) {
  const github = await startGithubLab();
  const files = { 'a.txt': 'one\ntwo\nthree\n', 'README.md': '# shop\n' };
  const repository = await github.repository({ name: 'shop', private: false, files, ...options });
  const [ada, ben] = [github.person('ada'), github.person('ben')];
  await ben.push(NAME, 'fix/it', { 'a.txt': 'one\n2\nthree\n' }, { message: 'Count by digits' });
  await ben.openPull(NAME, { head: 'fix/it', base: 'main', title: 'Fix it', body: 'For **all**.' });

  const get = async (path: string, as = 'ada') => {
    const response = await fetch(`${github.url}${path}`, { headers: { cookie: `lab_github_as=${as}` }, redirect: 'manual' });
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  /** Sends a form and follows where it leads. */
  const post = async (path: string, fields: Record<string, string>, as = 'ada', headers: Record<string, string> = {}) => {
    const response = await fetch(`${github.url}${path}`, {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie: `lab_github_as=${as}`, 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams(fields),
    });
    const location = response.headers.get('location');
    if (location === null) return { status: response.status, text: await response.text(), location };
    return { status: response.status, text: (await get(location, as)).text, location };
  };
  /** Why the last form was refused. */
  const complaint = ({ text }: { text: string }) => /<p class="flash" role="alert">([^<]*)</.exec(text)?.[1];
  return { github, repository, ada, ben, get, post, complaint };
}

describe('looking', () => {
  test('a repository has pages for its files, branches, commits, issues and pull requests', async () => {
    const { github, get, ben, repository } = await shop();
    const issue = ben.openIssue(NAME, { title: 'It is slow', body: 'Since #1' });
    const run = await ben.startChecks(NAME, { branch: 'fix/it', jobs: ['test'] });
    await run.finish('test', 'failure', 'Error: 1 is not 2\n');
    const job = run.jobs()[0]?.id;
    const sha = repository.sha('fix/it') ?? '';
    const pages: [path: string, ...shown: string[]][] = [
      ['/', 'acme/shop'],
      [`/${NAME}`, 'a.txt', '<h1>shop</h1>', 'fix/it', 'Fix it'],
      [`/${NAME}/tree/fix/it`, 'Count by digits'],
      [`/${NAME}/blob/fix/it/a.txt`, '>2</td>'],
      [`/${NAME}/commits/fix/it`, 'Count by digits', sha.slice(0, 7)],
      [`/${NAME}/commit/${sha}`, '<i>-</i>two', '<i>+</i>2'],
      [`/${NAME}/pulls`, 'Fix it', 'by ben'],
      [`/${NAME}/issues`, 'It is slow'],
      [`/${NAME}/issues/${issue.number}`, `<a href="/${NAME}/issues/1">#1</a>`],
      [PULL, 'For <strong>all</strong>.', 'wants to merge 1 commit', 'Merging can be performed', 'All checks have failed'],
      [`${PULL}/commits`, 'Count by digits'],
      [`${PULL}/checks`, 'Error: 1 is not 2'],
      [`${PULL}/files`, '<i>-</i>two', '<i>+</i>2'],
      [`/${NAME}/runs/${job}`, 'Error: 1 is not 2'],
      [`/${NAME}/actions/runs/${run.id}`, 'Error: 1 is not 2'],
      [`/${NAME}/actions/runs/${run.id}/job/${job}`, 'Error: 1 is not 2'],
    ];
    for (const [path, ...shown] of pages) {
      const { status, text } = await get(path);
      expect({ path, status }).toEqual({ path, status: 200 });
      for (const part of shown) expect(text).toContain(part);
    }
    for (const path of ['/acme/none', `/${NAME}/pull/9`, `/${NAME}/tree/none`, `/${NAME}/blob/main/none`, '/%ff', '/-/x'])
      expect({ path, status: (await get(path)).status }).toEqual({ path, status: 404 });
    expect(github.controls.errors).toEqual([]);
  });

  test('nothing that a repository holds becomes markup', async () => {
    const evil = `"><img src=x onerror=alert(1)><script>alert('x')</script>`;
    const file = '"><img src=x onerror=alert(2)>.md';
    const branch = '"><script>alert(3)</script>';
    const files = { [file]: `${evil}\n`, 'README.md': `${evil}\n\n[x](javascript:alert(4))\n` };
    const { github, get, ada, ben } = await shop({ description: evil, files });
    await ben.push(
      NAME,
      branch,
      { [file]: `${evil}\nmore ${evil}\n`, [`d<b>/${file}`]: evil },
      { message: `${evil}\n\n${evil}` },
    );
    const { number } = await ben.openPull(NAME, { head: branch, base: 'main', title: evil, body: evil });
    ben.openIssue(NAME, { title: evil, body: `${evil} @ben ${evil}` });
    ben.comment(NAME, number, `\`${evil}\` ${evil}\n\n- ${evil}\n\n| ${evil} |\n|---|\n| ${evil} |`);
    const comments = [{ path: file, line: 1, body: evil }];
    await ada.review(NAME, number, { verdict: 'REQUEST_CHANGES', body: evil, comments });
    await ben.status(NAME, { branch, context: evil, state: 'failure', description: evil, targetUrl: 'javascript:alert(5)' });
    const run = await ben.startChecks(NAME, { branch, workflow: evil, jobs: [evil] });
    await run.finish(evil, 'failure', evil);
    const at = `/${NAME}/pull/${number}`;
    const inBranch = `/${NAME}/tree/${encodeURIComponent(branch)}`;
    const sha = github.repositoryNamed(NAME)?.sha(branch);
    const paths = [
      ...['/', `/${NAME}`, inBranch, `${inBranch}/d%3Cb%3E`, `/${NAME}/blob/main/${encodeURIComponent(file)}`],
      ...[`/${NAME}/commits/${encodeURIComponent(branch)}`, `/${NAME}/commit/${sha}`, `/${NAME}/pulls`, `/${NAME}/issues`],
      ...[`/${NAME}/issues/3`, at, `${at}/commits`, `${at}/checks`, `${at}/files`, `/${NAME}/runs/${run.jobs()[0]?.id}`],
      `${at}/files?${new URLSearchParams({ on: `RIGHT:1:${file}` })}`,
      `/${NAME}/none/${encodeURIComponent(evil)}?said=${encodeURIComponent(evil)}&state=${encodeURIComponent(evil)}`,
    ];
    for (const path of paths) {
      const { text, headers } = await get(path);
      const own = text.replace('<script type="module" src="/-/pages.js"></script>', '');
      const tag = /<\/?([\w!]+)((?:\s+[\w-]+(?:="[^"<>]*")?)*)\s*\/?>/g;
      for (const [, name = '', attributes = ''] of own.matchAll(tag)) {
        expect(['script', 'img', 'iframe', 'style', 'object'], path).not.toContain(name.toLowerCase());
        expect(attributes, path).not.toMatch(/\son\w+="|="\s*javascript:/i);
      }
      expect(own.replace(tag, ''), path).not.toMatch(/[<>]/);
      expect(headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
    }
    expect((await get(at)).text).toContain('&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;');
  });

  test('a private repository is not there for whoever may not see it', async () => {
    const { get, post } = await shop({ private: true });
    for (const path of [`/${NAME}`, PULL, `/${NAME}/changes`]) expect((await get(path, 'gus')).status).toBe(404);
    expect((await get('/', 'gus')).text).not.toContain('shop');
    expect((await post(`${PULL}/comment`, { body: 'hi', also: '' }, 'gus')).status).toBe(404);
    expect((await get(PULL, 'ben')).status).toBe(200);
  });

  test('one acts as Ada, until another is chosen', async () => {
    const { get } = await shop();
    const chosen = await get(`${PULL}?as=gus`);
    expect([chosen.status, chosen.headers.get('location')]).toEqual([303, PULL]);
    expect(chosen.headers.get('set-cookie')).toMatch(/^lab_github_as=gus; Path=\/; HttpOnly; SameSite=Lax/);
    expect((await get(PULL, 'gus')).text).toContain('Only those with write access to this repository can merge');
    expect((await get(PULL, 'mallory')).text).toMatch(/class="here" aria-current="true"><span[^>]*>A</);
  });

  test('pages hear of what changes in their repository, also of what has changed since they were made', async () => {
    const { github, get, ada } = await shop();
    await github.repository({ name: 'other' });
    const seen = Number(/changes\?after=(\d+)/.exec((await get(PULL)).text)?.[1]);
    let told = '';
    const stream = request(`${github.url}/${NAME}/changes?after=${seen}`, (response) => {
      response.setEncoding('utf8').on('data', (text: string) => {
        told += text;
      });
    });
    stream.end();
    await waitFor('the stream', () => told.includes(': connected') || undefined);
    ada.openIssue('acme/other', { title: 'elsewhere' });
    expect(told).not.toContain('data:');
    ada.comment(NAME, 1, 'hello');
    await waitFor('the change', () => told.includes('data: changed') || undefined);
    stream.destroy();
    const late = await fetch(`${github.url}/${NAME}/changes?after=${seen}`);
    const reader = late.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes('data: changed')) text += (await reader?.read())?.value ?? 'ended data: changed';
    expect(text).not.toContain('ended');
    await reader?.cancel();
  });
});

describe('acting', () => {
  test('comments, line comments, answers and reviews are those of the person', async () => {
    const { github, get, post, complaint } = await shop();
    const said = () => [...(github.core.repositories.get(NAME)?.reviewComments.values() ?? [])];
    expect((await post(`${PULL}/comment`, { body: 'First\r\nsecond', also: '' }, 'gus')).text).toContain('First<br>second');
    expect(github.person('ada').comments(NAME, 1)).toMatchObject([{ author: 'gus', body: 'First\nsecond' }]);
    const line = { path: 'a.txt', side: 'RIGHT', line: '2', body: 'Why?' };
    expect((await get(`${PULL}/files?on=RIGHT%3A2%3Aa.txt`)).text).toContain('<textarea name="body" rows="3"');
    expect((await post(`${PULL}/line`, { ...line, verdict: 'COMMENT' })).location).toBe(`${PULL}/files`);
    await post(`${PULL}/reply`, { to: String(said()[0]?.id), body: 'Because.' }, 'ben');
    await post(`${PULL}/line`, { ...line, side: 'LEFT', body: 'No.', verdict: 'REQUEST_CHANGES' });
    expect(said().map(({ author, body, side, inReplyTo }) => [author, body, side, inReplyTo !== null])).toEqual([
      ['ada', 'Why?', 'RIGHT', false],
      ['ben', 'Because.', 'RIGHT', true],
      ['ada', 'No.', 'LEFT', false],
    ]);
    const conversation = (await get(PULL)).text;
    for (const part of ['Why?', 'Because.', 'requested changes', 'Changes requested']) expect(conversation).toContain(part);
    await post(`${PULL}/review`, { verdict: 'APPROVE', body: '' });
    expect((await get(PULL)).text).toContain('Changes approved');

    // What GitHub does not take is said, and what was written is still there.
    const outside = await post(`${PULL}/line`, { ...line, line: '99', body: 'typed before', verdict: 'COMMENT' });
    expect(complaint(outside)).toMatch(/part of the diff/);
    const own = await post(`${PULL}/review`, { verdict: 'APPROVE', body: 'typed before' }, 'ben');
    expect(complaint(own)).toBe('Can not approve your own pull request');
    expect(own.text).toContain('typed before</textarea>');
    expect(complaint(await post(`${PULL}/comment`, { body: ' ', also: '' }))).toMatch(/blank/);
    expect(complaint(await post(`${PULL}/review`, { verdict: 'LOVE' }))).toMatch(/verdict must be one of/);
    expect(complaint(await post(`${PULL}/comment`, { body: 'x'.repeat(300_000), also: '' }))).toBe('That is too long.');
    expect((await post(`${PULL}/dance`, {})).status).toBe(404);
  });

  test('texts show reactions, and are changed and deleted by their author and by whoever may write', async () => {
    const { github, post, complaint, ada, ben } = await shop();
    const shown = await post(`${PULL}/comment`, { body: 'First', also: '' }, 'gus');
    const { id } = ada.comments(NAME, 1)[0] ?? { id: 0 };
    const subject = `comment/${id}`;
    expect(shown.text).toContain(`value="${subject}"`);
    expect((await post(`${PULL}/edit`, { subject, body: 'Second' }, 'gus')).text).toMatch(/edited .*<p>Second<\/p>/s);
    await ada.review(NAME, 1, { verdict: 'COMMENT', body: 'Third', comments: [{ path: 'a.txt', line: 2, body: 'Fourth' }] });
    const held = github.core.repositories.get(NAME);
    const [line] = held?.reviewComments.keys() ?? [];
    const [review] = held?.reviews.keys() ?? [];
    for (const [what, body] of [
      [`review_comment/${line}`, 'Fifth'],
      [`review/${review}`, 'Sixth'],
      ['issue/1', 'Seventh'],
    ] as const) {
      expect(complaint(await post(`${PULL}/edit`, { subject: what, body }, 'gus'))).toMatch(/not triage|Only own/);
      expect((await post(`${PULL}/edit`, { subject: what, body }, 'ben')).text).toContain(`<p>${body}</p>`);
    }
    ben.react(NAME, `review_comment/${line}`, 'eyes');
    expect((await post(`${PULL}/delete`, { subject }, 'ada')).text).toContain('title="ben reacted with eyes">👀 1</span>');
    expect(ada.comments(NAME, 1)).toEqual([]);
    expect(complaint(await post(`${PULL}/edit`, { subject, body: 'again' }))).toMatch(/not there any more/);
    expect(complaint(await post(`${PULL}/delete`, { subject: 'issue/1' }))).toMatch(/Only comments/);
  });

  test('checks are started and end as a person says, with a log', async () => {
    const { github, get, post, complaint } = await shop();
    expect(complaint(await post(`${PULL}/checks/start`, { jobs: 'test' }, 'gus'))).toMatch(/gus is not write/);
    expect(complaint(await post(`${PULL}/checks/start`, { jobs: ' , ' }))).toBe('Name at least one check.');
    await post(`${PULL}/checks/start`, { jobs: 'test, lint' });
    const jobs = [...(github.core.repositories.get(NAME)?.jobs.values() ?? [])];
    expect(jobs.map(({ name }) => name)).toEqual(['test', 'lint']);
    const finish = (index: number, conclusion: string, as = 'ada') =>
      post(`${PULL}/checks/finish`, { job: String(jobs[index]?.id), conclusion, log: 'line 1\r\nline 2' }, as);
    expect(complaint(await finish(0, 'failure', 'gus'))).toMatch(/Gus may not/);
    await finish(0, 'failure');
    expect((await get(PULL)).text).toContain('2 checks: 1 failing, 1 queued');
    await finish(1, 'success');
    expect(jobs.map(({ conclusion, log }) => [conclusion, log.split('\n').length])).toEqual([
      ['failure', 3],
      ['success', 3],
    ]);
    expect((await get(`${PULL}/checks`)).text).toMatch(/Z line 1\n.*Z line 2\n/);
  });

  test('a draft is made ready, closed, opened again and merged by whoever may', async () => {
    const { github, repository, get, post, complaint, ben } = await shop({ protect: { main: { approvals: 1 } } });
    await ben.draft(NAME, 1, true);
    expect((await get(PULL)).text).toContain('still a work in progress');
    await post(`${PULL}/ready`, {}, 'ben');
    expect(complaint(await post(`${PULL}/comment`, { body: '', also: 'close' }, 'gus'))).toMatch(/gus is not triage/);
    expect((await post(`${PULL}/comment`, { body: 'Not now.', also: 'close' }, 'ben')).text).toContain(
      'Closed with unmerged commits',
    );
    expect((await post(`${PULL}/comment`, { body: '', also: 'reopen' }, 'ben')).text).toContain('Merging is blocked');
    expect(complaint(await post(`${PULL}/merge`, { method: 'squash' }))).toBe(
      'At least 1 approving review is required by reviewers with write access.',
    );
    await post(`${PULL}/review`, { verdict: 'APPROVE', body: 'Good.' });
    expect(complaint(await post(`${PULL}/merge`, { method: 'squash' }, 'gus'))).toMatch(/gus is not write/);
    const merged = await post(`${PULL}/merge`, { method: 'squash' });
    expect(merged.text).toContain('Pull request successfully merged and closed');
    expect(await repository.read('a.txt')).toBe('one\n2\nthree');
    expect(github.person('ada').look(NAME, 1)).toMatchObject({ state: 'closed', pull: { mergedBy: 'ada' } });
  });

  test('issues are opened, closed and opened again', async () => {
    const { post, complaint, ada } = await shop();
    const opened = await post(`/${NAME}/issues/new`, { title: 'It is slow', body: 'Very.' }, 'gus');
    expect([opened.status, opened.location]).toEqual([303, `/${NAME}/issues/2`]);
    expect(complaint(await post(`/${NAME}/issues/new`, { title: ' ', body: 'kept' }))).toBe('An issue has a title.');
    await post(`/${NAME}/issues/2/comment`, { body: 'Done.', also: 'close' });
    expect(ada.look(NAME, 2)).toMatchObject({ author: 'gus', state: 'closed' });
    await post(`/${NAME}/issues/2/comment`, { body: '', also: 'reopen' }, 'gus');
    expect(ada.look(NAME, 2).state).toBe('open');
  });

  test('forms of other sites and requests under other names are refused', async () => {
    const { github, post, ada } = await shop();
    for (const origin of ['http://evil.example', 'null', 'http://127.0.0.1:1'])
      expect((await post(`${PULL}/comment`, { body: 'hi', also: '' }, 'ada', { origin })).status).toBe(403);
    expect((await post(`${PULL}/comment`, { body: 'own', also: '' }, 'ada', { origin: github.url })).status).toBe(303);
    expect(ada.comments(NAME, 1).map(({ body }) => body)).toEqual(['own']);
    const status = await new Promise((resolve, reject) => {
      request(`${github.url}${PULL}`, { headers: { host: 'rebound.example' } }, ({ statusCode }) => resolve(statusCode))
        .on('error', reject)
        .end();
    });
    expect(status).toBe(403);
  });
});
