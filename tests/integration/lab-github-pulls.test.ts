import { describe, expect, test } from 'vitest';
import type { GithubEmulator } from '../../lab/github/emulator.ts';
import type { Json } from '../../lab/slack/json.ts';
import { api, startGithubLab } from '../support/github-lab.ts';
import { waitFor } from '../support/wait-for.ts';

const NAME = 'acme/shop';

async function shop(github: GithubEmulator, options: Partial<Parameters<GithubEmulator['repository']>[0]> = {}) {
  const repository = await github.repository({ name: 'shop', files: { 'a.txt': 'one\ntwo\nthree\n' }, ...options });
  const ada = github.token('ada');
  const ben = github.token('ben');
  const call = (verb: string, path: string, body?: unknown, token = ben) =>
    api(github, token, verb, `/repos/${NAME}${path}`, body);
  const settled = (number: number) =>
    waitFor('mergeability', async () => {
      const { json } = await call('GET', `/pulls/${number}`);
      return json.mergeable_state === 'unknown' ? undefined : json;
    });
  return { repository, ada, ben, call, settled };
}

/** `message`, and what `errors` say. */
const complaints = ({ message, errors }: Json) => [
  message,
  ...(Array.isArray(errors)
    ? errors.map((entry) => (typeof entry === 'string' ? entry : (entry.message ?? `${entry.field} ${entry.code}`)))
    : []),
];

describe('pull requests', () => {
  test('a pull request needs a head, new commits and no other one; it is found by its head', async () => {
    const github = await startGithubLab();
    const { call } = await shop(github);
    const open = (head: string, more: Json = {}) => call('POST', '/pulls', { title: 'Fix', head, base: 'main', ...more });
    expect(complaints((await open('fix')).json)).toEqual(['Validation Failed', 'head invalid']);
    expect(complaints((await open('main')).json)).toEqual(['Validation Failed', 'No commits between main and main']);
    await github.person('ben').push(NAME, 'fix', { 'a.txt': 'one\n2\nthree\n' });
    expect(complaints((await open('fix', { base: 'nothing' })).json)).toEqual(['Validation Failed', 'base invalid']);
    expect(complaints((await open('else:fix')).json)).toEqual(['Validation Failed', 'head invalid']);
    expect(complaints((await call('POST', '/pulls', { head: 'fix', base: 'main' })).json)).toEqual([
      'Validation Failed',
      'title missing_field',
    ]);
    const made = await open('acme:fix', { body: 'why', draft: true });
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({
      number: 1,
      draft: true,
      mergeable: null,
      mergeable_state: 'unknown',
      commits: 1,
      additions: 1,
      deletions: 1,
    });
    expect(complaints((await open('fix')).json)).toEqual(['Validation Failed', 'A pull request already exists for acme:fix.']);
    expect((await call('GET', '/pulls?head=acme:fix&state=all')).list.map(({ number }) => number)).toEqual([1]);
    expect((await call('GET', '/pulls?head=acme:other')).list).toEqual([]);
    expect((await call('GET', '/pulls/1/files')).list).toMatchObject([
      { filename: 'a.txt', status: 'modified', patch: '@@ -1,3 +1,3 @@\n one\n-two\n+2\n three' },
    ]);
    expect((await call('GET', '/compare/main...fix')).json).toMatchObject({
      status: 'ahead',
      ahead_by: 1,
      behind_by: 0,
      total_commits: 1,
    });
    const read = await api(github, github.token('ben'), 'GET', `/repos/${NAME}/pulls/1`, undefined, {
      accept: 'application/vnd.github.diff',
    });
    expect(read.text).toContain('diff --git a/a.txt b/a.txt');
  });

  test('mergeability is unknown at first, then what git and the rules say', async () => {
    const github = await startGithubLab();
    const { repository, call, settled } = await shop(github, {
      protect: { main: { approvals: 1, checks: ['test'], upToDate: true } },
    });
    const [ada, ben] = [github.person('ada'), github.person('ben')];
    await ben.push(NAME, 'fix', { 'b.txt': 'b\n' });
    await ben.openPull(NAME, { head: 'fix', base: 'main', title: 'Fix', draft: true });
    expect((await call('GET', '/pulls/1')).json).toMatchObject({ mergeable: null, mergeable_state: 'unknown' });
    expect(await settled(1)).toMatchObject({ mergeable: true, mergeable_state: 'draft' });
    await ben.draft(NAME, 1, false);
    expect(await settled(1)).toMatchObject({ mergeable_state: 'blocked' });
    const merge = async (body: Json = {}) => complaints((await call('PUT', '/pulls/1/merge', body)).json)[0];
    expect(await merge()).toBe('Required status check "test" is expected.');
    const checks = await ben.startChecks(NAME, { branch: 'fix', jobs: ['test', 'extra'] });
    await checks.finish('test', 'success');
    expect(await merge()).toBe('At least 1 approving review is required by reviewers with write access.');
    await ada.review(NAME, 1, { verdict: 'APPROVE' });
    expect(await settled(1)).toMatchObject({ mergeable_state: 'unstable' });
    await checks.finish('extra', 'failure');
    expect(await settled(1)).toMatchObject({ mergeable_state: 'unstable' });

    // The base moves on, first beside and then against the head.
    repository.protect('main', undefined);
    await ada.push(NAME, 'main', { 'c.txt': 'c\n' });
    repository.protect('main', { upToDate: true });
    expect(await settled(1)).toMatchObject({ mergeable: true, mergeable_state: 'behind' });
    expect(await merge()).toBe('Head branch is out of date. Review and try the merge again.');
    await ben.updateBranch(NAME, 1);
    expect(await settled(1)).toMatchObject({ mergeable_state: 'clean', commits: 2 });
    repository.protect('main', undefined);
    await ada.push(NAME, 'main', { 'b.txt': 'other\n' });
    expect(await settled(1)).toMatchObject({ mergeable: false, mergeable_state: 'dirty' });
    expect((await call('PUT', '/pulls/1/merge')).status).toBe(405);
    expect(await merge()).toBe('Pull Request has merge conflicts');
  });

  test.each(['merge', 'squash', 'rebase'] as const)(
    '%s brings the commits into the base, guarded by the head',
    async (method) => {
      const github = await startGithubLab();
      const { repository, call } = await shop(github, { methods: [method], deleteBranchOnMerge: method === 'squash' });
      const ben = github.person('ben');
      await ben.push(NAME, 'fix', { 'b.txt': 'b\n' }, { message: 'First' });
      const head = await ben.push(NAME, 'fix', { 'c.txt': 'c\n' }, { message: 'Second' });
      await github.person('ada').push(NAME, 'main', { 'd.txt': 'd\n' }, { message: 'Meanwhile' });
      const issue = github.person('gus');
      expect(() => issue.openIssue(NAME, { title: 'x' })).toThrow('does not find');
      const { number } = ben.openIssue(NAME, { title: 'Broken' });
      const pull = await ben.openPull(NAME, { head: 'fix', base: 'main', title: 'Fix', body: `Closes #${number}` });
      const merge = (body: Json) => call('PUT', `/pulls/${pull.number}/merge`, body);
      expect((await merge({ sha: '0'.repeat(40) })).status).toBe(409);
      const other = method === 'merge' ? 'squash' : 'merge';
      expect((await merge({ merge_method: other })).json.message).toBe(
        `${other === 'merge' ? 'Merge commits' : 'Squash merges'} are not allowed on this repository.`,
      );
      const done = await merge({ sha: head, merge_method: method });
      expect(done).toMatchObject({ status: 200, json: { merged: true, sha: repository.sha() } });
      const subjects = (await repository.git('log', '--format=%s', '--first-parent', 'main')).split('\n');
      expect(subjects).toEqual(
        {
          merge: ['Merge pull request #2 from acme/fix', 'Meanwhile', 'Begin'],
          squash: ['Fix (#2)', 'Meanwhile', 'Begin'],
          rebase: ['Second', 'First', 'Meanwhile', 'Begin'],
        }[method],
      );
      expect(await repository.read('c.txt')).toBe('c');
      expect((await call('GET', `/pulls/${pull.number}`)).json).toMatchObject({
        state: 'closed',
        merged: true,
        merged_by: { login: 'ben' },
        merge_commit_sha: repository.sha(),
      });
      expect(github.person('ben').look(NAME, number)).toMatchObject({ state: 'closed', stateReason: 'completed' });
      expect(repository.branches()).toEqual(method === 'squash' ? ['main'] : ['fix', 'main']);
      expect((await merge({})).json.message).toBe('Pull Request is not mergeable');
    },
  );

  test('a pull request follows its branch: pushes, deletion, reopening; edits are told', async () => {
    const github = await startGithubLab();
    const { repository, call } = await shop(github);
    const ben = github.person('ben');
    const first = await ben.push(NAME, 'fix', { 'b.txt': 'b\n' });
    await ben.openPull(NAME, { head: 'fix', base: 'main', title: 'Fix' });
    const second = await ben.push(NAME, 'fix', { 'b.txt': 'bb\n' });
    expect((await call('GET', '/pulls/1')).json).toMatchObject({ head: { sha: second }, commits: 2 });
    await ben.moveBranch(NAME, 'fix', first);
    expect((await call('GET', '/pulls/1/commits')).list.map(({ sha }) => sha)).toEqual([first]);
    await ben.moveBranch(NAME, 'fix', undefined);
    expect((await call('GET', '/pulls/1')).json).toMatchObject({ state: 'closed', merged: false, head: { sha: first } });
    expect((await call('PATCH', '/pulls/1', { state: 'open' })).status).toBe(422);
    expect((await call('POST', '/git/refs', { ref: 'refs/heads/fix', sha: first })).status).toBe(201);
    expect((await call('PATCH', '/pulls/1', { state: 'open', title: 'Better' })).json).toMatchObject({
      state: 'open',
      title: 'Better',
    });
    expect((await call('PATCH', '/pulls/1', { base: 'nothing' })).status).toBe(422);
    expect((await call('PATCH', '/git/refs/heads/main', { sha: first })).status).toBe(200);
    expect(ben.look(NAME, 1)).toMatchObject({ state: 'closed', pull: { mergeCommit: first } });
    expect((await call('DELETE', '/git/refs/heads/fix')).status).toBe(204);
    expect((await call('DELETE', '/git/refs/heads/fix')).json).toMatchObject({
      message: 'Reference does not exist',
      status: '422',
    });
    expect(await repository.git('rev-parse', 'refs/pull/1/head')).toBe(first);
  });

  test('reviews: not of oneself, lines must be in the diff, replies hang on the first comment', async () => {
    const github = await startGithubLab();
    const { ada, call } = await shop(github);
    const ben = github.person('ben');
    await ben.push(NAME, 'fix', { 'a.txt': 'one\n2\nthree\n' });
    await ben.openPull(NAME, { head: 'fix', base: 'main', title: 'Fix' });
    expect((await call('POST', '/pulls/1/requested_reviewers', { reviewers: ['ben'] })).json.message).toContain(
      'pull request author',
    );
    expect((await call('POST', '/pulls/1/requested_reviewers', { reviewers: ['gus'] })).json.message).toContain(
      'not a collaborator',
    );
    expect((await call('POST', '/pulls/1/requested_reviewers', { reviewers: ['ada'] })).json.requested_reviewers).toMatchObject([
      { login: 'ada' },
    ]);
    expect(complaints((await call('POST', '/pulls/1/reviews', { event: 'APPROVE' })).json)).toEqual([
      'Unprocessable Entity',
      'Can not approve your own pull request',
    ]);
    const review = (body: Json) => call('POST', '/pulls/1/reviews', body, ada);
    const comment = (line: number, path = 'a.txt') => ({ event: 'REQUEST_CHANGES', comments: [{ path, line, body: 'why?' }] });
    expect(complaints((await review(comment(7))).json)).toEqual(['Unprocessable Entity', 'Line could not be resolved']);
    expect(complaints((await review(comment(2, 'z.txt'))).json)).toEqual(['Unprocessable Entity', 'Path could not be resolved']);
    expect((await review({ event: 'NO' })).json.message).toContain('is not a member of ["APPROVE","REQUEST_CHANGES","COMMENT"]');
    expect((await review(comment(2))).json).toMatchObject({ state: 'CHANGES_REQUESTED', user: { login: 'ada' } });
    expect((await call('GET', '/pulls/1/requested_reviewers')).json.users).toEqual([]);
    const [first] = (await call('GET', '/pulls/1/comments')).list;
    expect(first).toMatchObject({
      path: 'a.txt',
      line: 2,
      side: 'RIGHT',
      body: 'why?',
      diff_hunk: '@@ -1,3 +1,3 @@\n one\n-two\n+2',
    });
    const reply = await call('POST', `/pulls/1/comments/${String(first?.id)}/replies`, { body: 'because' });
    expect(reply.json).toMatchObject({ in_reply_to_id: first?.id, user: { login: 'ben' } });
    const late = await call('POST', `/pulls/1/comments/${String(reply.json.id)}/replies`, { body: 'really' });
    expect(late.json.in_reply_to_id).toBe(first?.id);
    const head = String((await call('GET', '/pulls/1')).json.head && ben.look(NAME, 1).pull?.headSha);
    const alone = await call('POST', '/pulls/1/comments', { body: 'x', path: 'a.txt', line: 2, side: 'LEFT', commit_id: head });
    expect(alone.status).toBe(201);
    expect(
      complaints((await call('POST', '/pulls/1/comments', { body: 'x', path: 'a.txt', line: 9, commit_id: head })).json)[1],
    ).toContain('must be part of the diff');
    const reviews = (await call('GET', '/pulls/1/reviews')).list;
    expect(reviews.map(({ state }) => state)).toEqual(['CHANGES_REQUESTED', 'COMMENTED', 'COMMENTED', 'COMMENTED']);
    expect((await review({ body: 'later' })).json.state).toBe('PENDING');
    expect(complaints((await review({ event: 'COMMENT', body: 'x' })).json)[1]).toContain('only have one pending review');
    expect((await call('GET', '/pulls/1/reviews')).list).toHaveLength(reviews.length);
    const dismissed = await call('PUT', `/pulls/1/reviews/${String(reviews[0]?.id)}/dismissals`, { message: 'done' });
    expect(dismissed.json.state).toBe('DISMISSED');
  });

  test('drafts change by GraphQL alone', async () => {
    const github = await startGithubLab();
    const { call, ben } = await shop(github);
    await github.person('ben').push(NAME, 'fix', { 'b.txt': 'b\n' });
    const { json } = await call('POST', '/pulls', { title: 'Fix', head: 'fix', base: 'main', draft: true });
    expect((await call('PATCH', '/pulls/1', { draft: false })).json.message).toContain('"draft" is not a permitted key.');
    expect((await call('PUT', '/pulls/1/merge')).json.message).toBe('Pull Request is still a draft');
    const ask = (query: string, variables: Json = {}, token = ben) =>
      api(github, token, 'POST', `${github.url}/api/graphql`, { query, variables });
    const ready =
      'mutation Ready($id: ID!) { markPullRequestReadyForReview(input: { pullRequestId: $id }) { pullRequest { id isDraft number } } }';
    const answer = await ask(ready, { id: json.node_id });
    expect(answer.json).toEqual({
      data: { markPullRequestReadyForReview: { pullRequest: { id: json.node_id, isDraft: false, number: 1 } } },
    });
    const back = await ask(
      `mutation { again: convertPullRequestToDraft(input: { pullRequestId: "${String(json.node_id)}" }) { pullRequest { state isDraft } } }`,
    );
    expect(back.json).toEqual({ data: { again: { pullRequest: { state: 'OPEN', isDraft: true } } } });
    expect((await ask(ready, { id: 'PR_nothing' })).json).toMatchObject({ errors: [{ type: 'NOT_FOUND' }] });
    expect((await ask(ready, { id: json.node_id }, github.token('gus'))).json).toMatchObject({ errors: [{ type: 'NOT_FOUND' }] });
    expect(
      (await ask(ready, { id: json.node_id }, github.fineGrainedToken('ben', { pull_requests: 'read' }))).json,
    ).toMatchObject({ errors: [{ type: 'FORBIDDEN' }] });
    expect((await ask('mutation { mergePullRequest(input: {}) { x } }')).json).toMatchObject({
      errors: [{ message: expect.stringContaining("doesn't exist") }],
    });
    expect((await ask('mutation {')).json).toMatchObject({ errors: [{ message: expect.stringContaining('Parse error') }] });
    expect((await api(github, undefined, 'POST', `${github.url}/api/graphql`, { query: ready })).status).toBe(401);
  });
});
