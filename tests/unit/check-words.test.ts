import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fixCheckPrompt } from '../../src/changes/errand-prompt.ts';
import type { PublishAction } from '../../src/contracts/policy.ts';
import type { CheckResult } from '../../src/contracts/run-event.ts';
import { changeButtons } from '../../src/delivery/change-buttons.ts';
import { checkBlocks, checkWords } from '../../src/delivery/check-words.ts';
import { endCard } from '../../src/delivery/end-card.ts';
import { liveCard } from '../../src/delivery/live-card.ts';
import { plainText, spansText } from '../../src/delivery/plain-text.ts';
import { publishBody } from '../../src/delivery/publish-body.ts';
import { pullText } from '../../src/tasks/pull-text.ts';
import { context, ended, executing, find, runAfter, text } from '../support/cards.ts';

const log = { id: 'art_check', name: 'check.log', kind: 'check' as const, bytes: 900 };
const passed: CheckResult = { command: 'npm test', outcome: 'passed', exitCode: 0, durationMs: 3000, summary: '214 passed', log };
const failed: CheckResult = {
  command: 'npm test',
  outcome: 'failed',
  exitCode: 1,
  durationMs: 3000,
  summary: '213 passed, 1 failed',
  output: 'first\n\u001b[31mexpected 1\u001b[0m\n',
  log,
};
const files = [{ path: 'a.txt', added: 1, removed: 0 }];

describe('the check of a change', () => {
  it.each<[Partial<CheckResult>, string]>([
    [passed, '✔ 214 passed'],
    [{ outcome: 'passed', summary: undefined }, '✔ passed'],
    [failed, '✖ 213 passed, 1 failed'],
    [{ outcome: 'failed', exitCode: 127, summary: undefined }, '✖ failed with exit code 127'],
    [
      { outcome: 'failed', exitCode: undefined, summary: 'it needed more than 2 GiB of memory' },
      '✖ it needed more than 2 GiB of memory',
    ],
    [{ outcome: 'timed_out', durationMs: 600_000, summary: undefined }, '✖ stopped after 10m, its time limit'],
    [{ outcome: 'not_run', summary: 'it was stopped on request' }, '○ not run: it was stopped on request'],
  ])('is told in one line (%#)', (change, words) => {
    expect(checkWords({ ...passed, ...change })).toBe(words);
  });

  it('is a stage of the run, and then a line of the card of its end, with the last lines of one that failed', () => {
    const collected = { type: 'stage', stage: 'results', detail: 'collecting the changes' } as const;
    const checking = [...executing, collected, { type: 'stage', stage: 'checks', detail: 'running npm test' } as const];
    const live = liveCard(runAfter(...checking, { type: 'lifecycle', from: 'executing', to: 'finishing' }), context());
    expect(text(live)).toContain('checking the changes');
    expect(find(live, 'steps')[0]?.items.at(-1)).toEqual({ state: 'active', text: 'running npm test' });
    expect(text(liveCard(runAfter(...executing), context()))).not.toMatch(/check/);
    const ends = (check: CheckResult) => runAfter(...checking, ended({ files, commit: 'c'.repeat(40), check }));
    expect(
      ends(failed)
        .steps.map(({ stage, state }) => [stage, state])
        .slice(-2),
    ).toEqual([
      ['results', 'done'],
      ['checks', 'failed'],
    ]);
    expect(text(endCard(ends(passed), context()))).toContain('\ntests: npm test ✔ 214 passed\n');
    expect(endCard(ends(passed), context()).files).toBeUndefined();
    const card = endCard(ends(failed), context());
    expect(text(card)).toContain('\ntests: npm test ✖ 213 passed, 1 failed\nfirst\nexpected 1\n');
    expect(card.files).toEqual([{ from: 'artifact', name: 'check.log', artifact: 'art_check' }]);
  });

  it('can be mended by an agent where it has failed', () => {
    const stand = { run: 'run_1', commit: 'c', repository: undefined, busy: false, pushed: false, pull: undefined };
    const labels = (agent: boolean, checkFailed: boolean) =>
      changeButtons({ run: 'run_1', newest: true, where: 'end', stand, agent, checkFailed }).map(({ label }) => label);
    expect(labels(true, true)).toContain('Fix checks');
    expect(labels(true, false)).not.toContain('Fix checks');
    expect(labels(false, true)).not.toContain('Fix checks');
  });

  it('is told with the decision about exactly its commit, and in the pull request', () => {
    const action: PublishAction = {
      type: 'publish',
      project: 'prj_1',
      remote: 'https://git.test/web',
      branch: 'deckhand/1',
      baseBranch: 'main',
      base: 'b',
      commit: 'c',
      tree: 't',
      what: 'push',
    };
    const result = {
      outcome: 'succeeded' as const,
      message: '',
      durationMs: 1,
      files,
      artifacts: [],
      commit: 'c',
      check: failed,
    };
    const told = (commit: string) =>
      publishBody({ ...action, commit }, result).fields.map(({ label, spans }) => `${label}: ${spansText(spans)}`);
    expect(told('c')).toContain('tests: npm test ✖ 213 passed, 1 failed');
    expect(told('d').join()).not.toContain('tests');
    const input = {
      number: 1,
      title: 'x',
      requests: ['x'],
      kind: 'agent' as const,
      requester: 'Ada',
      approver: 'Ben',
      origin: undefined,
    };
    const check = { ...passed, command: 'npm test -- @ben #12' };
    const { body } = pullText({ ...input, result: { files, check }, issue: null });
    expect(body).toContain('\n\n**Tests**: npm test ');
    expect(body).toContain('✔ 214 passed\n');
    expect(body).not.toMatch(/@ben|#12/);
  });

  it('shows nothing of its output that acts on a screen, and quotes all of it to an agent', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (output) => {
        const shown = checkBlocks({ ...failed, output })
          .map(plainText)
          .join('\n');
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not come through
        expect(shown).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/);
        const prompt = fixCheckPrompt({ command: 'npm test', how: '1 failed', output });
        const quotation = prompt.split('\n\n').slice(2).join('\n\n');
        for (const line of quotation.split(/\r\n|[\n\r\u2028\u2029\u0085\v\f]/)) expect(line.startsWith('> ')).toBe(true);
      }),
    );
  });
});
