import type { Policy } from '../contracts/policy.ts';
import { spansText } from '../delivery/plain-text.ts';
import { shortDuration } from './arguments.ts';
import { decidersText } from './pending.ts';
import { endText, meanwhileText, needsText, whenSpans } from './policy-words.ts';

/** All that a policy says, a line for each part, in words that can be compared. `names`: by id, of people, teams and channels. */
export function policyLines(policy: Policy, names: ReadonlyMap<string, string>): Map<string, string> {
  const { mode, allow, deny, approvers, check, demands = [] } = policy;
  const patterns = (list: readonly string[]) => (list.length === 0 ? 'nothing' : list.map((one) => `\`${one}\``).join(', '));
  return new Map([
    ['asks', `\`${mode}\``],
    ['allow', patterns(allow)],
    ['deny', patterns(deny)],
    ['everything', decidersText(approvers, names)],
    ['end', `it ${endText(policy)}`],
    ['meanwhile', meanwhileText(policy)],
    ['check', check === undefined ? 'none' : `\`${check.command}\`, at most ${shortDuration(check.timeoutMs)}`],
    ...demands.map((demand, at) => [`demand ${at + 1}`, `${spansText(whenSpans(demand))}: ${needsText(demand, names)}`] as const),
  ]);
}

/** What is different: "asks: `safe` instead of `ask`". */
export function changedLines(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const labels = [...new Set([...before.keys(), ...after.keys()])];
  return labels.flatMap((label) => {
    const [was, is] = [before.get(label), after.get(label)];
    if (was === is) return [];
    if (was === undefined) return [`${label} came, ${is}`];
    return is === undefined ? [`${label} went, ${was}`] : [`${label}: ${is} instead of ${was}`];
  });
}
