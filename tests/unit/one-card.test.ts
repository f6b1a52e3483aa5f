import { describe, expect, it } from 'vitest';
import type { PullFacts } from '../../src/contracts/code-host.ts';
import type { RunEventData } from '../../src/contracts/run-event.ts';
import { viewSchema } from '../../src/contracts/view.ts';
import { liveCard } from '../../src/delivery/live-card.ts';
import { oneCards, toldApart } from '../../src/delivery/one-card.ts';
import type { CardInput } from '../../src/delivery/run-cards.ts';
import type { RunView } from '../../src/delivery/run-view.ts';
import { context, decision, ended, executing, output, queued, runAfter, start, text } from '../support/cards.ts';

const issue = context({ thread: { thread: 'thr_issue', platform: 'github' } });
const chat = context({ thread: { thread: 'thr_chat', platform: 'slack' } });
const files = [{ path: 'src/session.ts', added: 28, removed: 5 }];
const pull: PullFacts = {
  number: 12,
  url: 'https://github.test/acme/web/pull/12',
  title: 'npm test',
  state: 'open',
  draft: false,
  head: { branch: 'deckhand/142-npm-test', commit: 'c'.repeat(40) },
  base: 'main',
  mergeable: 'unknown',
  checks: [],
  reviews: [],
};
const opened: RunEventData = { type: 'pull_request', repository: 'acme/web', pull };

function input(view: RunView, change: Partial<CardInput> = {}): CardInput {
  return { workspace: 'wsp_1', view, decisions: [], contexts: [issue, chat], ...change };
}

function cards(view: RunView, change: Partial<CardInput> = {}) {
  const { one, many } = toldApart(input(view, change), new Set(['github']));
  return oneCards(one, many.contexts);
}

function only(view: RunView, change: Partial<CardInput> = {}) {
  const [put, ...others] = cards(view, change);
  expect(others).toEqual([]);
  if (put?.payload.type !== 'message') throw new Error('no card');
  viewSchema.parse(put.payload.view);
  return { key: put.key, view: put.payload.view, text: text(put.payload.view) };
}

describe('the one message of a run where every message notifies all', () => {
  it('is the same message from the queue to the pull request, with nothing that could be pressed or attached', () => {
    const shown = [
      only(runAfter(...queued)),
      only(runAfter(...executing, output('compiling\n'))),
      only(runAfter(...executing, ended({ files }))),
      only(runAfter(...executing, ended({ files }), opened)),
    ];
    expect(new Set(shown.map(({ key }) => key))).toEqual(new Set(['live:run_1:thr_issue']));
    for (const { view } of shown) {
      expect(view.files).toBeUndefined();
      expect(view.blocks.some(({ type }) => type === 'buttons' || type === 'select')).toBe(false);
    }
    expect(shown.map(({ view }) => view.fallback.replace(/^.*: /, ''))).toEqual([
      'queued',
      'running',
      'done in 6m 12s',
      'done in 6m 12s',
    ]);
    expect(shown[3]?.text).toContain('Pull request acme/web#12 (https://github.test/acme/web/pull/12) is open');
    expect(shown[3]?.text).toContain('1 file +28 −5');
  });

  it('does not change while nothing but output and time go on: each edit is one that somebody learns something from', () => {
    const before = only(runAfter(...executing));
    const later = context({ thread: { thread: 'thr_issue', platform: 'github' }, now: new Date(start + 3_600_000) });
    const after = only(runAfter(...executing, output('a\nb\n')), { contexts: [later, chat] });
    expect(after.view).toEqual(before.view);
  });

  it('says where a decision is waited for and does not show what it is about', () => {
    const view = runAfter(...executing);
    const waits = only(view, { decisions: [decision()] });
    expect(waits.view.fallback).toContain('waits for a decision');
    expect(waits.text).toContain('Waits for a decision in the thread of the task on Slack.');
    expect(waits.text).not.toContain('npm install');
    const other = (platform: 'discord' | 'telegram') => context({ thread: { thread: platform, platform } });
    const everywhere = only(view, { decisions: [decision()], contexts: [issue, chat, other('telegram'), other('discord')] });
    expect(everywhere.text).toContain('on Slack, Telegram and Discord.');
    expect(waits.text).not.toContain('can decide');
  });

  it('says how to get a place to decide where there is none', () => {
    const waits = only(runAfter(...executing), { decisions: [decision()], contexts: [issue] });
    expect(waits.text).toContain(
      'which nobody can make here. bind web in a chat channel, then mirror #142 here, shows it there.',
    );
  });

  it('tells why a run has failed, with its last lines', () => {
    const failed = ended({ outcome: 'failed', message: 'The command ended with exit code 1.', exitCode: 1 });
    const { text: told } = only(runAfter(...executing, output('1 test failed\n'), failed));
    expect(told).toContain('The command ended with exit code 1.');
    expect(told).toContain('1 test failed');
  });

  it('is not made for a run that was over when the thread began to follow the task, and kept where there is one', () => {
    const view = runAfter(...executing, ended({ files }));
    const since = new Date(start + 3_600_000);
    const mirror = (keys: string[]) =>
      context({ thread: { thread: 'thr_pull', platform: 'github', mirror: { since, keys: new Set(keys) } } });
    expect(cards(view, { contexts: [mirror([]), chat] })).toEqual([]);
    expect(cards(view, { contexts: [mirror(['live:run_1:thr_pull']), chat] })).toHaveLength(1);
  });

  it('does not name the issue that it stands in; cards in chat do', () => {
    const fromIssue = (platform: 'github' | 'slack') => context({ task: { issue: 'acme/web#7' }, thread: { platform } });
    const view = runAfter(...executing);
    expect(only(view, { contexts: [fromIssue('github')] }).text).not.toContain('#7');
    expect(text(liveCard(view, fromIssue('slack')))).toContain('asked by Ada in acme/web#7');
  });

  it('leaves the other threads of the task as they are', () => {
    const { many } = toldApart(input(runAfter(...executing)), new Set(['github']));
    expect(many.contexts).toEqual([chat]);
    expect(toldApart(input(runAfter(...executing)), new Set()).many.contexts).toEqual([issue, chat]);
  });
});
