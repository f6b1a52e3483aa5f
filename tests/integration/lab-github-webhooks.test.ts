import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { verify } from '@octokit/webhooks-methods';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Json } from '../../lab/slack/json.ts';
import { api, startGithubLab } from '../support/github-lab.ts';

const NAME = 'acme/shop';

interface Received {
  headers: IncomingHttpHeaders;
  raw: string;
  body: Json;
}

/** A receiver that answers with `status`, or never when it is 0. */
async function receiver(status = () => 202) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const raw = Buffer.concat(chunks).toString();
    received.push({ headers: request.headers, raw, body: JSON.parse(raw) });
    const code = status();
    if (code > 0) response.writeHead(code).end('heard');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const names = () => received.map(({ headers, body }) => [headers['x-github-event'], body.action].filter(Boolean).join(' '));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`, received, names };
}

describe('webhooks', () => {
  test('a delivery is signed over its exact bytes and says what it is', async () => {
    const github = await startGithubLab();
    const repository = await github.repository({ name: 'shop' });
    const { url, received } = await receiver();
    repository.hook({ url, secret: 'secret', events: ['issues'] });
    github.person('ben').openIssue(NAME, { title: 'Brökn' });
    await github.controls.deliveriesSettled();
    expect(received.map(({ headers }) => headers['x-github-event'])).toEqual(['ping', 'issues']);
    const { headers, raw, body } = received[1] ?? { headers: {}, raw: '', body: {} };
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': expect.stringMatching(/^GitHub-Hookshot\//),
    });
    expect(headers['x-github-delivery']).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    expect(await verify('secret', raw, String(headers['x-hub-signature-256']))).toBe(true);
    expect(await verify('other', raw, String(headers['x-hub-signature-256']))).toBe(false);
    expect(body).toMatchObject({
      action: 'opened',
      issue: { number: 1, title: 'Brökn' },
      repository: { full_name: NAME },
      sender: { login: 'ben' },
    });
  });

  test('a pull request tells of its whole life', async () => {
    const github = await startGithubLab();
    const repository = await github.repository({ name: 'shop' });
    const { url, received, names } = await receiver();
    repository.hook({ url });
    const [ada, ben] = [github.person('ada'), github.person('ben')];
    const first = await ben.push(NAME, 'fix', { 'a.txt': 'one\ntwo\n' });
    await ben.openPull(NAME, { head: 'fix', base: 'main', title: 'Fix', draft: true });
    const second = await ben.push(NAME, 'fix', { 'a.txt': 'one\n2\n', 'b.txt': 'b\n' });
    await ben.draft(NAME, 1, false);
    await ben.draft(NAME, 1, true);
    await ben.draft(NAME, 1, false);
    await ben.change(NAME, 1, { title: 'Fix it' });
    const said = ben.comment(NAME, 1, '@deckhand look');
    ben.editComment(NAME, said.id, 'never mind');
    ben.deleteComment(NAME, said.id);
    const review = await ada.review(NAME, 1, {
      verdict: 'REQUEST_CHANGES',
      body: 'no',
      comments: [{ path: 'a.txt', line: 2, body: 'why?' }],
    });
    const comment = [...(github.core.repositories.get(NAME)?.reviewComments.values() ?? [])].find(
      (entry) => entry.review === review.id,
    );
    ben.replyToComment(NAME, comment?.id ?? 0, 'because');
    const run = await ben.startChecks(NAME, { branch: 'fix', jobs: ['test'] });
    await run.finish('test', 'failure', 'no');
    await ben.status(NAME, { branch: 'fix', context: 'docs', state: 'success' });
    await ben.change(NAME, 1, { state: 'closed' });
    await ben.change(NAME, 1, { state: 'open' });
    await ada.merge(NAME, 1);
    await github.controls.deliveriesSettled();
    expect(names()).toEqual([
      ...['ping', 'create', 'push', 'pull_request opened', 'push', 'pull_request synchronize'],
      ...[
        'pull_request ready_for_review',
        'pull_request converted_to_draft',
        'pull_request ready_for_review',
        'pull_request edited',
      ],
      ...['issue_comment created', 'issue_comment edited', 'issue_comment deleted'],
      ...['pull_request_review submitted', 'pull_request_review_comment created'],
      ...['pull_request_review submitted', 'pull_request_review_comment created'],
      ...[
        'workflow_run requested',
        'check_run created',
        'workflow_job queued',
        'workflow_job in_progress',
        'workflow_run in_progress',
      ],
      ...['check_run completed', 'check_suite completed', 'workflow_job completed', 'workflow_run completed', 'status'],
      ...['pull_request closed', 'pull_request reopened', 'pull_request closed', 'push'],
    ]);
    const of = (name: string) => received.filter((_, at) => names()[at] === name).map(({ body }) => body);
    expect(of('push')).toMatchObject([
      {
        ref: 'refs/heads/fix',
        created: true,
        after: first,
        commits: [{ id: first, added: ['a.txt'], author: { username: 'ben' } }],
      },
      { before: first, after: second, forced: false, commits: [{ added: ['b.txt'], modified: ['a.txt'] }] },
      { ref: 'refs/heads/main', pusher: { name: 'ada' } },
    ]);
    expect(of('pull_request synchronize')).toMatchObject([
      { number: 1, before: first, after: second, pull_request: { head: { sha: second } } },
    ]);
    expect(of('pull_request edited')).toMatchObject([{ changes: { title: { from: 'Fix' } } }]);
    expect(of('pull_request closed')).toMatchObject([
      { pull_request: { merged: false } },
      { pull_request: { merged: true, merged_by: { login: 'ada' }, merge_commit_sha: repository.sha() } },
    ]);
    expect(of('issue_comment created')).toMatchObject([
      { issue: { pull_request: { url: expect.stringContaining('/pulls/1') } } },
    ]);
    expect(of('pull_request_review submitted')).toMatchObject([
      { review: { state: 'changes_requested' } },
      { review: { state: 'commented' } },
    ]);
    expect(of('check_run completed')).toMatchObject([{ check_run: { conclusion: 'failure', pull_requests: [{ number: 1 }] } }]);
  });

  test('the app hears of repositories it is installed on, of its events, and of its installation', async () => {
    const github = await startGithubLab({ app: { permissions: { metadata: 'read', issues: 'write' }, events: ['issues'] } });
    await github.repository({ name: 'shop' });
    await github.repository({ name: 'other' });
    const { url, received, names } = await receiver();
    github.app.webhook(url);
    const installation = github.app.install('acme', { repositories: ['shop'] });
    const ben = github.person('ben');
    const issue = ben.openIssue(NAME, { title: 'heard' });
    ben.comment(NAME, issue.number, 'not asked for');
    ben.openIssue('acme/other', { title: 'elsewhere' });
    github.app.uninstall('acme');
    await github.controls.deliveriesSettled();
    expect(names()).toEqual(['installation created', 'issues opened', 'installation deleted']);
    expect(received[1]?.body).toMatchObject({ issue: { title: 'heard' }, installation: { id: installation } });
    expect(received[1]?.headers['x-github-hook-installation-target-type']).toBe('integration');
    expect(
      await verify(github.app.webhookSecret, received[1]?.raw ?? '', String(received[1]?.headers['x-hub-signature-256'])),
    ).toBe(true);
  });

  test('nothing is sent again by itself: failures are recorded, and can be delivered again under the same id', async () => {
    const github = await startGithubLab();
    const repository = await github.repository({ name: 'shop' });
    let status = 500;
    const { url, received } = await receiver(() => status);
    const hook = repository.hook({ url, events: ['issues'] });
    const ben = github.person('ben');
    ben.openIssue(NAME, { title: 'one' });
    await github.controls.deliveriesSettled();
    const [failed] = github.controls.delivered('issues');
    expect(failed).toMatchObject({ statusCode: 500, responseText: 'heard', redelivery: false });
    github.controls.deliveryTimeout(50);
    status = 0;
    ben.openIssue(NAME, { title: 'two' });
    await github.controls.deliveriesSettled();
    expect(github.controls.delivered('issues')[1]).toMatchObject({ status: 'timed out', statusCode: 504 });
    status = 202;
    github.controls.deliveryTimeout(10_000);
    const ada = github.token('ada');
    const path = `/repos/${NAME}/hooks/${hook}/deliveries`;
    const { list } = await api(github, ada, 'GET', `${path}?status=failure`);
    expect(list.map(({ event, status_code }) => `${event} ${status_code}`)).toEqual(['issues 504', 'issues 500', 'ping 500']);
    const [late] = list;
    expect((await api(github, ada, 'GET', `${path}/${String(late?.id)}`)).json).toMatchObject({
      request: { payload: { issue: { title: 'two' } } },
    });
    expect((await api(github, ada, 'POST', `${path}/${String(late?.id)}/attempts`)).status).toBe(202);
    await expect.poll(() => github.controls.delivered('issues')[2]?.statusCode).toBe(202);
    expect(received.at(-1)?.headers['x-github-delivery']).toBe(late?.guid);
    expect((await api(github, github.token('ben'), 'GET', path)).json.message).toBe('Must have admin rights to Repository.');
  });

  test('faults: deliveries come twice, not at all, or in the wrong order', async () => {
    const github = await startGithubLab();
    const repository = await github.repository({ name: 'shop' });
    const { url, received } = await receiver();
    const ada = github.token('ada');
    const hooks = `/repos/${NAME}/hooks`;
    const config = { url, content_type: 'json', secret: 's' };
    expect((await api(github, ada, 'POST', hooks, { events: ['issues'], config: { url } })).status).toBe(422);
    expect((await api(github, ada, 'POST', hooks, { events: ['issues'], config })).json).toMatchObject({
      config: { secret: '********' },
    });
    expect((await api(github, ada, 'POST', hooks, { events: ['issues'], config })).json.errors).toMatchObject([
      { message: 'Hook already exists on this repository' },
    ]);
    const ben = github.person('ben');
    const open = (title: string) => ben.openIssue(NAME, { title });
    github.controls.deliveries.duplicate('issues');
    open('twice');
    await github.controls.deliveriesSettled();
    github.controls.deliveries.lose('issues');
    open('lost');
    await github.controls.deliveriesSettled();
    const release = github.controls.deliveries.reverse();
    open('first');
    open('second');
    release();
    await github.controls.deliveriesSettled();
    const issues = received.filter(({ headers }) => headers['x-github-event'] === 'issues');
    expect(issues.map(({ body }) => (body.issue as Json).title)).toEqual(['twice', 'twice', 'second', 'first']);
    expect(issues[0]?.headers['x-github-delivery']).toBe(issues[1]?.headers['x-github-delivery']);
    const lost = github.controls.delivered().find(({ status }) => status === 'lost');
    if (!lost) throw new Error('nothing was lost');
    expect(await github.controls.redeliver(lost)).toMatchObject({ statusCode: 202, redelivery: true, guid: lost.guid });
    expect(repository.branches()).toEqual(['main']);
  });
});
