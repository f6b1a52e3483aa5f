import type { Policy, Verdict } from '../contracts/policy.ts';
import { askedBy, demandedByLine, demandsOn, demandText } from './demands.ts';
import { deniedBy, matchesPattern, mentionsPattern } from './patterns.ts';
import { notReadOnly } from './read-only.ts';
import { risksOf } from './risks.ts';
import { type Analysis, analyseShell } from './shell-analysis.ts';
import { escapeMeanings } from './shell-escapes.ts';

/**
 * What a policy says about a command line. In this order:
 *
 * 1. A deny pattern that meets any command of the line, however deep inside, denies. This holds in every mode, `yolo` included.
 * 2. A rule of the task for exactly this line runs it.
 * 3. What a demand of the policy meets asks.
 * 4. The mode decides: `ask` asks; `safe` runs what only looks; `custom` runs what the allow patterns name; `yolo` runs.
 * 5. What would run, but mentions the words of a deny pattern, or has deny patterns and hides a command from them, asks.
 *
 * `kind`: a command of a task, or one that an agent wants to run. Whatever the analysis is unsure of asks, except in `yolo` without deny
 * patterns and demands.
 */
export function judgeCommand(
  policy: Policy,
  command: string,
  rules: readonly string[],
  kind: 'command' | 'tool' = 'command',
): Verdict {
  const analysis = analyseShell(command);
  for (const pattern of policy.deny) {
    const denied = analysis.commands.find(({ words }) => deniedBy(pattern, words));
    if (denied !== undefined) {
      const text = denied.words.map((word) => word.text).join(' ');
      return { verdict: 'deny', because: `the project's policy denies \`${pattern}\`, and the command contains \`${text}\`` };
    }
  }
  if (rules.includes(command)) return { verdict: 'run', because: 'this exact command is approved for this task' };
  const doubt = doubtOf(policy, command, analysis, kind);
  if (doubt !== undefined) return { verdict: 'ask', because: doubt, risks: risksOf(analysis) };
  return { verdict: 'run', because: reasons[policy.mode] };
}

const reasons: Record<Policy['mode'], string> = {
  safe: 'it only reads',
  ask: 'the policy asks for everything',
  custom: "the project's policy allows it",
  yolo: 'the project runs every command without asking',
};

/** Why a person is asked; undefined: no need. */
function doubtOf(policy: Policy, command: string, analysis: Analysis, kind: 'command' | 'tool'): string | undefined {
  if (policy.mode === 'ask') return 'this project asks before every command';
  const demand = askedBy(demandsOn(policy, demandedByLine(kind, command, [])));
  if (demand !== undefined) return demandText(demand);
  if (policy.mode !== 'yolo') {
    const escaped = [...analysis.escapes.keys()][0];
    if (escaped !== undefined) return escapeMeanings[escaped].text;
    if (analysis.commands.length === 0) return 'it contains no command';
    const notAllowed = policy.mode === 'safe' ? notReadOnly(analysis.commands) : notNamed(policy.allow, analysis);
    if (notAllowed !== undefined) return notAllowed;
  }
  const mentioned = policy.deny.find((pattern) => mentionsPattern(pattern, command, analysis.commands));
  if (mentioned !== undefined) return `it mentions \`${mentioned}\`, which the project's policy denies`;
  const hiding = [...analysis.escapes.keys()].find((kind) => escapeMeanings[kind].hides);
  return policy.deny.length > 0 && hiding !== undefined ? escapeMeanings[hiding].text : undefined;
}

function notNamed(allow: readonly string[], analysis: Analysis): string | undefined {
  for (const { words, transparent } of analysis.commands) {
    if (transparent || allow.some((pattern) => matchesPattern(pattern, words))) continue;
    return `the project's policy does not allow \`${words.map(({ text }) => text).join(' ')}\``;
  }
  return undefined;
}
