import fc from 'fast-check';
import { expect, test } from 'vitest';
import { coAuthor, commitMessage, revertMessage } from '../../runner/commit-message.ts';
import { revertBranch, revertTitle } from '../../src/changes/revert-words.ts';
import { markdownBlock, markdownLine, neutralLine, neutralText } from '../../src/runtime/host-text.ts';
import { type PullTextInput, pullText } from '../../src/tasks/pull-text.ts';

/** What would call somebody, refer to something, close or link it at a code host. */
const powers = [/@[\p{L}\p{N}_-]/u, /#\d/, /\bGH-\d/i, /:\/\//, /\bwww\./i];
const hostile = fc.string({
  unit: fc.constantFrom(
    'Closes ',
    'fixes: ',
    '#12',
    'acme/web#1',
    '@ben',
    '@acme/all',
    'GH-7',
    'https://x.test/a',
    'www.x.test',
    '`',
    '```',
    '~~~',
    '\n',
    '\r\n',
    '<!--',
    '-->',
    '](',
    '[',
    '|',
    '\u200b',
    '\u202e',
    '\u0000',
    '\u2060',
    ' ',
    'ж',
    '😀',
    '#',
    '@',
    '1',
  ),
  maxLength: 40,
});

const input: PullTextInput = {
  number: 142,
  title: 'Fix the login',
  requests: ['fix the login'],
  kind: 'agent',
  requester: 'Ada',
  approver: 'Ben',
  origin: undefined,
  result: { files: [{ path: 'a.ts', added: 1, removed: 0 }] },
  issue: null,
};

test('neutral text keeps its words and has no power', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      for (const made of [neutralText(text), neutralLine(text, 80), markdownLine(text, 80)]) {
        for (const power of powers) expect(made).not.toMatch(power);
      }
    }),
  );
  expect(neutralText('Closes #12').replaceAll('\u2060', '')).toBe('Closes #12');
});

test('a block cannot be left from inside', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const lines = markdownBlock(text).split('\n');
      const fence = lines.at(-1) ?? '';
      expect(lines[0]).toBe(`${fence}text`);
      for (const line of lines.slice(1, -1)) expect(line.includes(fence)).toBe(false);
    }),
  );
});

test('a pull request refers to nothing but the issue its task came from', () => {
  fc.assert(
    fc.property(hostile, hostile, hostile, hostile, (one, two, three, four) => {
      const { title, body } = pullText({
        ...input,
        title: one,
        requests: [two, three],
        requester: four,
        approver: one,
        result: { files: [{ path: two, added: 1, removed: 1 }] },
        issue: ` ${three}`,
      });
      for (const power of powers) {
        expect(title).not.toMatch(power);
        expect(body).not.toMatch(power);
      }
      expect(title).not.toMatch(/[\n\r]/);
      expect(title.length).toBeGreaterThan(0);
    }),
  );
  expect(pullText({ ...input, issue: 'acme/web#12' }).body).toMatch(/\n\nCloses acme\/web#12\n$/);
});

test('says who asked, who approved, from which thread, what was asked and what changed', () => {
  const origin = { platform: 'slack', url: 'https://acme.slack.com/archives/C1/p1' };
  expect(pullText({ ...input, origin })).toEqual({
    title: 'Fix the login',
    body: [
      'Asked by Ada, approved by Ben: task 142 of Deckhand, from [its thread on Slack](https://acme.slack.com/archives/C1/p1).',
      '**What was asked**',
      '```text\nfix the login\n```',
      '**What changed**: 1 file +1 −0',
      '```text\na.ts  +1\n```\n',
    ].join('\n\n'),
  });
  expect(pullText({ ...input, origin: { platform: 'telegram' } }).body).toContain('of Deckhand, from Telegram.');
  expect(
    pullText({ ...input, origin: { platform: 'slack', url: 'https://x.test/a) [b](https://evil.test' } }).body,
  ).not.toContain('evil');
});

test('what looks like a secret in what was asked stays out', () => {
  const { title, body } = pullText({ ...input, title: `use ghp_${'a'.repeat(36)}`, requests: [`use ghp_${'a'.repeat(36)}`] });
  expect(title + body).not.toContain('ghp_a');
});

test('the message of a commit ends with the co-author, whatever was asked', () => {
  fc.assert(
    fc.property(hostile, hostile, (what, name) => {
      const requester = { user: 'usr_1', name };
      const message = commitMessage({ title: what, taskNumber: 7, attempt: 1, what, requester });
      expect(message.split('\n\n').at(-1)).toMatch(/^Co-authored-by: [^<>\n]+ <usr_1@users\.noreply\.deckhand\.invalid>$/);
      const own = message.slice(0, message.lastIndexOf('Co-authored-by'));
      for (const power of powers) expect(own).not.toMatch(power);
    }),
  );
  expect(coAuthor({ user: 'usr_1', name: 'Ada <x@y>\nSigned-off-by: Eve' })).toBe(
    'Ada xy Signed-off-by: Eve <usr_1@users.noreply.deckhand.invalid>',
  );
});

test('the commit of a further run is called after what that was asked', () => {
  const first = { title: 'Fix the login', taskNumber: 7, attempt: 1, what: 'fix the login', requester: undefined };
  expect(commitMessage(first)).toMatch(/^Fix the login\n\nTask 7 of Deckhand, run 1: fix the login$/);
  const next = { ...first, attempt: 2, subject: 'And test it, @ben', what: 'And test it, @ben\nplease' };
  expect(commitMessage(next)).toMatch(/^And test it, @\u2060ben\n\nTask 7 of Deckhand, run 2: And test it/);
});

test('what undoes a pull request says which, closes no issue, and is named as git names it', () => {
  const undone = { repository: 'acme/web', number: 12, title: 'Fix the login, closes #7' };
  const { title, body } = pullText({ ...input, issue: 'acme/web#7', reverts: undone });
  expect(title).toBe('Revert "Fix the login, closes #\u20607"');
  expect(body).toMatch(/^Reverts acme\/web#12\.\n\nAsked by Ada, approved by Ben/);
  expect(body).not.toMatch(/Closes|What was asked|fix the login/);
  const odd = { ...undone, repository: 'acme/web closes x', title: 'Revert "Fix"' };
  expect(pullText({ ...input, reverts: odd })).toMatchObject({
    title: 'Reapply "Fix"',
    body: expect.stringMatching(/^Reverts pull request 12\.\n/),
  });
  expect(revertBranch(12, 'deckhand/142-fix-the-login')).toBe('deckhand/revert-12-fix-the-login');
  expect(revertBranch(13, 'deckhand/revert-12-fix-the-login')).toBe('deckhand/revert-13-fix-the-login');
  const message = revertMessage(
    { ...undone, title: revertTitle('Fix @ben'), base: 'main', merged: 'c'.repeat(40), head: 'd'.repeat(40) },
    { taskNumber: 142, attempt: 3, requester: { user: 'usr_1', name: 'Ada' } },
  );
  expect(message).toMatch(
    /^Revert "Fix @\u2060ben"\n\nUndoes pull request 12 of acme\/web, which was merged as c{40}\.\n\nTask 142/,
  );
  expect(message).toMatch(/\n\nCo-authored-by: Ada <usr_1@users\.noreply\.deckhand\.invalid>$/);
});
