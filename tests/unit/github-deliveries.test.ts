import { expect, test } from 'vitest';
import { deliveredEvents, isTalk } from '../../adapters/github/talk-deliveries.ts';

const me = { login: 'deckhand[bot]', mention: 'deckhand', account: 'deckhand[bot]' };
const ada = { id: 7, login: 'ada', type: 'User' };
const times = { created_at: '2026-01-02T03:04:05Z', updated_at: '2026-01-02T03:04:05Z' };
const issue = { ...times, number: 3, title: 'It fails', user: ada, body: 'It does.' };
const comment = { ...times, id: 11, user: ada, body: '@deckhand fix it' };
const delivery = (more: object = {}) => ({
  action: 'created',
  repository: { id: 5, full_name: 'acme/web' },
  sender: ada,
  issue,
  comment,
  ...more,
});
const told = (event: string, payload: unknown) =>
  isTalk(event) ? deliveredEvents(event, payload, me, 'github.com').map(({ type, key }) => `${type} ${key}`) : [];

test('a comment that is created is a message, under a key that is its own in its repository', () => {
  expect(told('issue_comment', delivery())).toEqual(['message msg:5:c11']);
  expect(told('issue_comment', delivery({ repository: { id: 6, full_name: 'acme/web' } }))).toEqual(['message msg:6:c11']);
});

test.each([
  ['what Deckhand has written itself', 'issue_comment', { comment: { ...comment, user: { ...ada, login: 'Deckhand[bot]' } } }],
  ['what another program has written', 'issue_comment', { comment: { ...comment, user: { ...ada, type: 'Bot' } } }],
  ['what nobody has an account for any more', 'issue_comment', { comment: { ...comment, user: null } }],
  ['what is said to others', 'issue_comment', { comment: { ...comment, body: 'Ben, `@deckhand` is a bot' } }],
  [
    'a text that was there when its issue was opened again',
    'issues',
    { action: 'reopened', issue: { ...issue, body: '@deckhand x' } },
  ],
  ['a text of an issue that is labelled', 'issues', { action: 'labeled', issue: { ...issue, body: '@deckhand x' } }],
  ['a text of an issue that was moved here', 'issues', { action: 'transferred', issue: { ...issue, body: '@deckhand x' } }],
  [
    'new commits of a pull request that asks',
    'pull_request',
    { action: 'synchronize', pull_request: { ...issue, body: '@deckhand x' } },
  ],
  [
    'a review that is not sent yet',
    'pull_request_review',
    { action: 'submitted', pull_request: { number: 3 }, review: { id: 1, user: ada, body: '@deckhand x' } },
  ],
  [
    'a change by somebody else',
    'issue_comment',
    { action: 'edited', sender: { ...ada, id: 8 }, changes: { body: { from: 'x' } } },
  ],
  [
    'a change of a title',
    'issues',
    { action: 'edited', issue: { ...issue, body: '@deckhand x' }, changes: { title: { from: 'x' } } },
  ],
  [
    'a mention that is put into an old text',
    'issue_comment',
    { action: 'edited', changes: { body: { from: 'x' } }, comment: { ...comment, updated_at: '2026-01-04T03:04:05Z' } },
  ],
  [
    'what Deckhand has taken back',
    'issue_comment',
    { action: 'deleted', comment: { ...comment, user: { ...ada, login: 'deckhand[bot]' } } },
  ],
  ['another event', 'commit_comment', {}],
  ['an event without an issue', 'issue_comment', { issue: undefined }],
  ['an event of nobody', 'issue_comment', { sender: undefined }],
  ['an event of no repository', 'issue_comment', { repository: null }],
  ['a number that is none', 'issue_comment', { comment: { ...comment, id: '11' } }],
])('%s is not', (_, event, more) => {
  expect(told(event, delivery(more))).toEqual([]);
});

test.each([undefined, null, 7, 'x', [], [delivery()], {}, { __proto__: null }])('%j is nothing that anybody said', (payload) => {
  expect(told('issue_comment', payload)).toEqual([]);
});

test('a change and a deletion are about the message, whoever takes it back', () => {
  const edited = { action: 'edited', changes: { body: { from: '@deckhand x' } } };
  expect(told('issue_comment', delivery(edited))).toEqual([
    'message msg:5:c11',
    'message_edited edit:5:c11:2026-01-02T03:04:05Z',
  ]);
  expect(told('issue_comment', delivery({ action: 'deleted', sender: { ...ada, id: 8 } }))).toEqual([
    'message_deleted del:5:c11',
  ]);
});
