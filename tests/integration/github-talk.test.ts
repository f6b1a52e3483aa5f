import { createHmac } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import { type GithubMode, type GithubTalkSetup, startGithubTalk } from '../support/github-talk.ts';
import { eventually, waitFor } from '../support/wait-for.ts';

const name = 'acme/web';
let setup: GithubTalkSetup | undefined;

afterEach(async () => {
  const errors = setup?.github.controls.errors ?? [];
  await setup?.github.controls.deliveriesSettled();
  await setup?.[Symbol.asyncDispose]();
  setup = undefined;
  expect(errors).toEqual([]);
});

async function begin(mode: GithubMode, options: Parameters<typeof startGithubTalk>[1] = {}) {
  setup = await startGithubTalk(mode, options);
  const { github } = setup;
  const looked = () => github.callsOf('pulls/list-review-comments-for-repo').some(({ finishedAt }) => finishedAt !== undefined);
  if (options.started !== false) await waitFor('the first look', looked);
  return { ...setup, ada: github.person('ada'), ben: github.person('ben'), gus: github.person('gus') };
}

const said = (events: readonly InboundEvent[]) =>
  events.map((event) => [event.type, event.conversation.thread, event.actor.name, 'text' in event ? event.text : '']);

describe('GitHub tells what people say', () => {
  test('promise 1: a mention anywhere in an issue or pull request is stored before GitHub hears ok, what is said to others is not', async () => {
    const { github, repository, ada, ben, inbox, conversation, identity, hints } = await begin('app, told by webhook');
    const issue = ben.openIssue(name, { title: 'The login fails', body: '@deckhand look into this\n\n> @deckhand' });
    const comment = ada.comment(name, issue.number, '@deckhand[bot] and tell me');
    ada.comment(name, issue.number, 'Ben, `@deckhand` is a bot');
    await ben.push(name, 'fix', { 'a.ts': 'let a = 2;\n' });
    const pull = await ben.openPull(name, { head: 'fix', base: 'main', title: 'Fix', body: 'By @deckhand-staging' });
    const review = await ada.review(name, pull.number, {
      verdict: 'REQUEST_CHANGES',
      body: '@deckhand make it 3',
      comments: [{ path: 'a.ts', line: 1, body: '@deckhand why 2?' }],
    });
    ada.comment(name, pull.number, '@deckhand status');
    await github.controls.deliveriesSettled();
    const [first, second, ...more] = inbox.events;
    expect(first).toMatchObject({
      key: `msg:${repository.id}:i1`,
      type: 'message',
      conversation: conversation(1),
      channelName: name,
      actor: { user: identity('ben').user, name: 'ben', bot: false },
      text: 'look into this\n\n> @deckhand\n\nTitle: The login fails',
      message: 'i1',
      addressed: 'mention',
      about: 'issue',
      title: 'The login fails',
      attachments: [],
    });
    expect(second).toMatchObject({ key: `msg:${repository.id}:c${comment.id}`, text: 'and tell me', message: `c${comment.id}` });
    expect(said(more)).toEqual([
      ['message', '2', 'ada', 'make it 3'],
      ['message', '2', 'ada', '`a.ts:1`\n\n```diff\n@@ -1 +1 @@\n-let a = 1;\n+let a = 2;\n```\n\nwhy 2?'],
      ['message', '2', 'ada', 'status'],
    ]);
    expect(more).toMatchObject([{ message: `v${review.id}`, about: 'pull' }, { about: 'pull' }, { about: 'pull' }]);
    // The same endpoint says which pull requests there is news of.
    expect(hints.some(({ numbers }) => numbers.includes(pull.number))).toBe(true);
    expect(github.controls.delivered().filter(({ statusCode }) => statusCode !== 202)).toEqual([]);
  });

  test('promise 2: a delivery that comes twice, and one that GitHub is asked for besides, are one event', async () => {
    const { github, ada, inbox, another } = await begin('app, told by webhook');
    github.controls.deliveries.duplicate('issue_comment');
    const issue = ada.openIssue(name, { title: 'It is slow' });
    ada.comment(name, issue.number, '@deckhand fix it');
    await github.controls.deliveriesSettled();
    await another().start(inbox.sink);
    await waitFor('the same event from the list', () => inbox.offered.length >= 3);
    expect(new Set(inbox.offered).size).toBe(1);
    expect(inbox.events).toHaveLength(1);
  });

  test('promise 1: what could not be stored fails as a delivery, and comes when it is delivered again', async () => {
    const { github, ada, inbox } = await begin('app, told by webhook');
    const issue = ada.openIssue(name, { title: 'It is slow' });
    inbox.fail(1);
    ada.comment(name, issue.number, '@deckhand fix it');
    await github.controls.deliveriesSettled();
    expect(inbox.events).toEqual([]);
    const [delivery] = github.controls.delivered('issue_comment');
    if (delivery === undefined) expect.unreachable();
    expect(delivery.statusCode).toBe(503);
    expect((await github.controls.redeliver(delivery)).statusCode).toBe(202);
    expect(inbox.events).toHaveLength(1);
  });

  test('promise 11: one without the right signature is refused, and nothing of it is read', async () => {
    const { hookUrl, github, inbox, ada } = await begin('app, told by webhook');
    ada.comment(name, ada.openIssue(name, { title: 'It is slow' }).number, '@deckhand fix it');
    await github.controls.deliveriesSettled();
    const payload = JSON.stringify(github.controls.delivered('issue_comment')[0]?.payload).replaceAll('fix it', 'drop it');
    const post = async (secret: string) => {
      const signature = `sha256=${createHmac('sha256', secret).update(payload).digest('hex')}`;
      const headers = { 'x-github-event': 'issue_comment', 'x-hub-signature-256': signature };
      return (await fetch(hookUrl, { method: 'POST', body: payload, headers })).status;
    };
    expect(await post('guessed')).toBe(401);
    expect(said(inbox.events)).toEqual([['message', '1', 'ada', 'fix it']]);
    expect(await post(github.app.webhookSecret)).toBe(202);
  });

  test('an edit and a deletion by the author are told; what others make of a text is not what its author has said', async () => {
    const { github, ada, ben, inbox } = await begin('app, told by webhook');
    const { number } = ada.openIssue(name, { title: 'It is slow' });
    const one = ada.comment(name, number, '@deckhand fix it');
    const two = ada.comment(name, number, 'nothing to do here');
    ada.editComment(name, one.id, '@deckhand fix it soon');
    ben.editComment(name, one.id, '@deckhand delete everything');
    ben.editComment(name, two.id, '@deckhand delete everything');
    ada.editComment(name, two.id, '@deckhand and measure it');
    ben.deleteComment(name, one.id);
    await github.controls.deliveriesSettled();
    expect(said(inbox.events)).toEqual([
      ['message', '1', 'ada', 'fix it'],
      ['message', '1', 'ada', 'fix it soon'].with(0, 'message_edited'),
      ['message', '1', 'ada', 'and measure it'],
      ['message_edited', '1', 'ada', 'and measure it'],
      ['message_deleted', '1', 'ada', ''],
    ]);

    let seen = inbox.events.length;
    await ben.push(name, 'fix', { 'a.ts': 'let a = 2;\n' });
    const pull = await ben.openPull(name, { head: 'fix', base: 'main', title: 'Fix', body: '@deckhand look' });
    const comments = [{ path: 'a.ts', line: 1, body: '@deckhand stop' }];
    const review = await ada.review(name, pull.number, { verdict: 'COMMENT', body: '@deckhand help', comments });
    await github.controls.deliveriesSettled();
    expect(said(inbox.events.slice(seen)).map(([type, , , text]) => `${type} ${text}`)).toEqual([
      'message look',
      'message help',
      'message stop',
    ]);
    seen = inbox.events.length;
    const [line] = github.core.repositories.get(name)?.reviewComments.keys() ?? [];
    await ben.change(name, pull.number, { title: 'Fix it' });
    await ben.change(name, pull.number, { body: '@deckhand review' });
    ada.editReview(name, review.id, '@deckhand tasks');
    ada.editLineComment(name, line ?? 0, '@deckhand pause');
    ada.deleteLineComment(name, line ?? 0);
    const doomed = ada.openIssue(name, { title: 'Once more', body: '@deckhand help' });
    ada.deleteIssue(name, doomed.number);
    await github.controls.deliveriesSettled();
    expect(said(inbox.events.slice(seen)).map(([type, , , text]) => `${type} ${text}`.trim())).toEqual([
      'message_edited review',
      'message_edited tasks',
      'message_edited pause',
      'message_deleted',
      'message help',
      'message_deleted',
    ]);
  });
});

describe('GitHub is asked what people say', () => {
  test('everything that mentions the bot is found once, whoever has changed it since', async () => {
    const { github, ada, ben, inbox, repository } = await begin('token, asking');
    const { number } = ben.openIssue(name, { title: 'The login fails', body: '@deckhand look into this' });
    await waitFor('the issue', () => inbox.events.length === 1);
    // Kept back, so that these are changed before anybody has seen them.
    github.controls.outage(true);
    const typo = ada.comment(name, number, '@deckhand fxi it');
    ada.editComment(name, typo.id, '@deckhand fix it');
    const harmless = ada.comment(name, number, 'thank you');
    ben.editComment(name, harmless.id, '@deckhand delete everything');
    await ben.push(name, 'fix', { 'a.ts': 'let a = 2;\n' });
    const pull = await ben.openPull(name, { head: 'fix', base: 'main', title: 'Fix' });
    const review = await ada.review(name, pull.number, { verdict: 'COMMENT', body: '@deckhand status' });
    await ada.commentOnLine(name, pull.number, { path: 'a.ts', line: 1, body: '@deckhand stop' });
    const gone = ada.comment(name, number, '@deckhand never mind');
    const asked = github.controls.hold('graphql');
    github.controls.outage(false);
    await asked.reached;
    ada.deleteComment(name, gone.id);
    asked.release();
    await eventually(async () => expect(inbox.events.map(({ key }) => key)).toContain(`msg:${repository.id}:v${review.id}`));
    expect(said(inbox.events).slice(1)).toEqual(
      expect.arrayContaining([
        ['message', '1', 'ada', 'fix it'],
        ['message', '2', 'ada', 'status'],
        ['message', '2', 'ada', 'stop'],
      ]),
    );
    expect(JSON.stringify(inbox.events)).not.toMatch(/delete everything|never mind/);
  });

  test('promise 1: what was said while nothing ran is found after a restart, nothing from before its project or a day ago', async () => {
    let now = Date.now();
    const { ada, inbox, another, github } = await begin('token, asking', {
      started: false,
      now: () => now,
      since: new Date(now + 60_000),
    });
    const { number } = ada.openIssue(name, { title: 'It is slow', body: '@deckhand too early' });
    now += 120_000;
    ada.comment(name, number, '@deckhand fix it');
    await another().start(inbox.sink);
    await waitFor('the comment', () => inbox.events.length > 0);
    expect(said(inbox.events)).toEqual([['message', '1', 'ada', 'fix it']]);
    now += 25 * 60 * 60_000;
    const later = another();
    const before = github.callsOf('pulls/list-review-comments-for-repo').length;
    inbox.events.length = 0;
    await later.start(inbox.sink);
    await waitFor('another look', () => github.callsOf('pulls/list-review-comments-for-repo').length > before);
    expect(inbox.events).toEqual([]);
  });

  test('asking again costs nothing while nothing is said, and what could not be stored is asked for again', async () => {
    const { github, ada, inbox } = await begin('token, asking');
    const { number } = ada.openIssue(name, { title: 'It is slow' });
    inbox.fail(2);
    ada.comment(name, number, '@deckhand fix it');
    await waitFor('the comment', () => inbox.events.length === 1);
    const comments = () => github.callsOf('issues/list-comments-for-repo');
    await waitFor('answers that say that nothing has changed', () =>
      comments()
        .slice(-2)
        .every(({ status }) => status === 304),
    );
    expect(inbox.events).toHaveLength(1);
  });
});

describe('in a conversation of GitHub', () => {
  test('what was said before is read with its author, and with who is outside', async () => {
    const { adapter, ada, ben, gus, github, conversation, identity } = await begin('app, told by webhook');
    github.repositoryNamed(name)?.setRole('gus', 'read');
    const { number } = ben.openIssue(name, { title: 'The login fails', body: 'Since <!-- a hint --> today' });
    const first = ada.comment(name, number, 'me too');
    gus.comment(name, number, 'and me');
    github.repositoryNamed(name)?.setRole('gus', undefined);
    await adapter.send(conversation(number), { fallback: 'I look into it', blocks: [] }, 'k1');
    const asked = ada.comment(name, number, '@deckhand fix it');
    ada.comment(name, number, 'after that');
    expect(await adapter.history?.(conversation(number), `c${asked.id}`, 50)).toMatchObject([
      {
        message: 'i1',
        text: 'The login fails\n\nSince  today',
        author: { user: identity('ben').user, name: 'ben', outside: false },
      },
      { message: `c${first.id}`, text: 'me too', author: { name: 'ada', bot: false, own: false } },
      { text: 'and me', author: { name: 'gus', outside: true } },
      { text: 'I look into it', author: { own: true, bot: true } },
    ]);
    expect(await adapter.history?.(conversation(number), 'i1', 50)).toEqual([]);
    await ben.push(name, 'fix', { 'a.ts': 'let a = 2;\n' });
    const pull = await ben.openPull(name, { head: 'fix', base: 'main', title: 'Fix' });
    await ada.review(name, pull.number, {
      verdict: 'COMMENT',
      body: 'mind the tests',
      comments: [{ path: 'a.ts', line: 1, body: 'why?' }],
    });
    const told = await adapter.history?.(conversation(pull.number), undefined, 50);
    expect(told?.map(({ text }) => text)).toEqual(['Fix', 'mind the tests', 'a.ts:1\nwhy?']);
    for (let nth = 1; nth <= 100; nth += 1) await ada.review(name, pull.number, { verdict: 'COMMENT', body: `${nth}` });
    expect((await adapter.history?.(conversation(pull.number), undefined, 50))?.some(({ text }) => text === '100')).toBe(true);
  });

  test('a reaction says on every kind of text that it was received, and is taken back', async () => {
    const { adapter, ada, ben, github, conversation, inbox } = await begin('app, told by webhook');
    const { number } = ben.openIssue(name, { title: 'The login fails', body: '@deckhand help' });
    ada.comment(name, number, '@deckhand help');
    await ben.push(name, 'fix', { 'a.ts': 'let a = 2;\n' });
    const pull = await ben.openPull(name, { head: 'fix', base: 'main', title: 'Fix' });
    const comments = [{ path: 'a.ts', line: 1, body: '@deckhand help' }];
    await ada.review(name, pull.number, { verdict: 'COMMENT', body: '@deckhand help', comments });
    await github.controls.deliveriesSettled();
    const reactions = github.core.repositories.get(name)?.reactions;
    const refs = inbox.events.flatMap((event) =>
      event.type === 'message' ? [{ ...conversation(Number(event.conversation.thread)), message: event.message }] : [],
    );
    expect(refs.map(({ message }) => message.charAt(0)).toSorted()).toEqual(['c', 'i', 'r', 'v']);
    for (const ref of refs) await adapter.react(ref, 'refused', true);
    expect([...(reactions?.values() ?? [])].map(({ content }) => content)).toEqual(refs.map(() => 'confused'));
    for (const ref of refs) await adapter.react(ref, 'refused', false);
    expect(reactions?.size).toBe(0);
  });

  test('a comment that names an account which nobody has any more is written, with the name', async () => {
    const { adapter, ben, github, conversation } = await begin('app, told by webhook', { started: false });
    const { number } = ben.openIssue(name, { title: 'The login fails' });
    const gone = { type: 'person', name: 'Zoe', user: '987654321', notify: true } as const;
    await adapter.send(conversation(number), { fallback: 'Zoe', blocks: [{ type: 'text', spans: [gone] }] }, 'k1');
    expect([...(github.core.repositories.get(name)?.comments.values() ?? [])]).toMatchObject([
      { body: expect.stringMatching(/^Zoe\n/) },
    ]);
    expect(await adapter.nameOf?.({ platform: 'github', tenant: '', user: gone.user })).toBeUndefined();
  });

  test('its page, its state of health and its tenant can be asked for', async () => {
    const { adapter, conversation, github } = await begin('app, told by webhook', { started: false });
    expect(await adapter.health()).toMatchObject({ ok: false, detail: expect.stringContaining('@deckhand') });
    expect(adapter.tenants()).toEqual([]);
    await adapter.start(async () => ({ stored: 0, duplicate: 0 }));
    expect(await adapter.health()).toEqual({ ok: true, detail: 'GitHub answers for @deckhand, which is heard at once.' });
    expect(adapter.tenants()).toEqual([{ tenant: new URL(github.url).host, name: expect.any(String), botUser: 'deckhand[bot]' }]);
    expect(await adapter.linkTo?.(conversation(7))).toBe(`${github.url}/acme/web/issues/7`);
    expect(await adapter.linkTo?.({ ...conversation(7), channel: 'nowhere' })).toBeUndefined();
    github.controls.outage(true);
    expect(await adapter.health()).toMatchObject({ ok: false, detail: expect.stringContaining('503') });
  });
});
