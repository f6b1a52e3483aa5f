import type { PublishAction } from '../contracts/policy.ts';
import { type RunResult, totalsOf } from '../contracts/run-event.ts';
import { code, plain, type Span } from '../contracts/view.ts';
import { checkWords } from './check-words.ts';
import type { DecisionBody } from './decision-body.ts';
import { oneLine, reveal } from './neutralise.ts';
import { count, digits } from './units.ts';

const asks = {
  push: 'wants to push its change',
  pull_request: 'wants to open a pull request',
  draft: 'wants to open a draft of a pull request',
} as const;
const asked = {
  push: 'wanted to push its change',
  pull_request: 'wanted to open a pull request',
  draft: 'wanted to open a draft of a pull request',
} as const;

const hashLength = 12;

/** A change to bring out: where to, and exactly what. Details has the whole names of commit and tree. */
export function publishBody(action: PublishAction, result: RunResult | undefined): DecisionBody {
  const { what, remote, branch, baseBranch, commit } = action;
  const into: Span[] = what === 'push' ? [] : [plain(' into '), name(baseBranch)];
  return {
    asks: asks[what],
    asked: asked[what],
    says: `${asks[what]} to ${oneLine(reveal(remote).text)}`,
    blocks: [],
    files: [],
    fields: [
      { label: 'repository', spans: [name(remote)] },
      { label: 'branch', spans: [name(branch), ...into] },
      { label: 'commit', spans: [name(commit.slice(0, hashLength)), ...size(action, result)] },
      ...checked(action, result),
    ],
  };
}

function size({ commit }: PublishAction, result: RunResult | undefined): Span[] {
  if (result === undefined || result.commit !== commit) return [];
  const { files, added, removed } = totalsOf(result);
  return [plain(`, ${count(files, 'file')} +${digits(added)} −${digits(removed)}`)];
}

/** How the project's check went over exactly this commit. */
function checked({ commit }: PublishAction, result: RunResult | undefined): DecisionBody['fields'] {
  const check = result?.commit === commit ? result.check : undefined;
  return check === undefined ? [] : [{ label: 'tests', spans: [name(check.command), plain(` ${checkWords(check)}`)] }];
}

function name(text: string): Span {
  return code(oneLine(reveal(text).text));
}
