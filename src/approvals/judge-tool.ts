import type { AgentMode } from '../contracts/agent.ts';
import type { Policy, ToolAction, Verdict } from '../contracts/policy.ts';
import { askedBy, demandedBy, demandsOn, demandText, type Numbered } from './demands.ts';
import { judgeCommand } from './judge.ts';
import { risksOf } from './risks.ts';
import { analyseShell } from './shell-analysis.ts';
import { filePlace, isOwnPlan } from './touched-files.ts';

/** What rules of the task allow without asking: exact command lines, exact paths to change, names of tools. */
export interface TaskRules {
  commands: readonly string[];
  paths: readonly string[];
  tools: readonly string[];
}

export const noRules: TaskRules = { commands: [], paths: [], tools: [] };

/** Told to the agent, so that it knows what to do instead. */
const onlyReading =
  'this task is in plan mode, where only reading is possible: finish the plan and present it; after its approval you can make changes';

/**
 * May an agent make this call of a tool? In this order:
 *
 * 1. A command that a deny pattern of the policy meets is denied, in every mode.
 * 2. The agent may write its own plan file. In mode `plan` only reading runs; everything else is denied with a reason for the agent.
 * 3. Files outside of the working copy, or of its git repository, ask: no mode and no rule lets them pass.
 * 4. What a demand of the policy meets asks, unless a rule of the task names it. Mode `bypass` in an isolated sandbox runs everything else; a command that may hide a denied one asks.
 * 5. Commands follow the policy and the rules of the task; in mode `ask` only reading ones and those of a rule run.
 * 6. Reading runs. Changes of files run in modes `acceptEdits` and `auto`, or by rules for every one of them.
 * 7. Any other tool asks, unless a rule names it.
 *
 * Nothing is taken from the word of the model: `readOnly` of a call with a command counts for nothing, the command itself is looked at.
 */
export function judgeTool(policy: Policy, mode: AgentMode, action: ToolAction, rules: TaskRules): Verdict {
  const { call } = action;
  const command = call.command === undefined ? undefined : judgeCommand(policy, call.command, rules.commands, 'tool');
  if (command?.verdict === 'deny') return command;
  if (command === undefined && isOwnPlan(call)) return { verdict: 'run', because: 'it is the plan of the agent' };
  const apart = (call.files ?? []).find(({ path }) => filePlace(path) !== 'inside');
  const reads = readsOnly(policy, action);
  if (mode === 'plan' && !reads) return { verdict: 'deny', because: onlyReading };
  if (apart !== undefined) {
    const because =
      filePlace(apart.path) === 'git'
        ? `\`${apart.path}\` belongs to the git repository of the working copy`
        : `\`${apart.path}\` is outside of the working copy`;
    return ask(action, because);
  }
  const demand = demandOnFiles(policy, action, rules);
  if (demand !== undefined) return ask(action, demandText(demand));
  if (mode === 'bypass' && action.sandbox === 'docker') return bypassed(policy, action);
  if (command !== undefined) return judgedCommand(mode, action, command, { reads, rules });
  if (reads) return { verdict: 'run', because: 'it only reads' };
  const changes = (call.files ?? []).filter(({ change }) => change !== 'read');
  if (changes.length === 0) {
    if (rules.tools.includes(call.tool)) return { verdict: 'run', because: 'this tool is approved for this task' };
    return ask(action, 'what this tool does is not known');
  }
  if (mode === 'acceptEdits' || mode === 'auto') return { verdict: 'run', because: 'it changes files of the working copy' };
  if (changes.every(({ path }) => rules.paths.includes(path))) {
    return { verdict: 'run', because: 'changes of these files are approved for this task' };
  }
  return ask(action, modeText(mode));
}

/** Reading, as far as it can be told: by the nature of the tool, or by the analysis of the command. */
function readsOnly(policy: Policy, { call }: ToolAction): boolean {
  const changes = (call.files ?? []).some(({ change }) => change !== 'read');
  if (changes) return false;
  if (call.command === undefined) return call.readOnly;
  return judgeCommand({ ...policy, mode: 'safe', allow: [], demands: [] }, call.command, []).verdict === 'run';
}

/** A demand that a call meets by the files it changes, or by what else it is; commands are judged by their line. */
function demandOnFiles(policy: Policy, action: ToolAction, rules: TaskRules): Numbered | undefined {
  const { command, files = [], tool } = action.call;
  const changed = files.filter(({ change }) => change !== 'read');
  const isKnown = changed.length === 0 ? rules.tools.includes(tool) : changed.every(({ path }) => rules.paths.includes(path));
  if (isKnown || (command !== undefined && changed.length === 0)) return undefined;
  return askedBy(demandsOn(policy, demandedBy(action)));
}

/** Nothing asks, except where a command that the policy denies may be hidden. */
function bypassed(policy: Policy, action: ToolAction): Verdict {
  const { command } = action.call;
  const verdict = command === undefined ? undefined : judgeCommand({ ...policy, mode: 'yolo' }, command, [], 'tool');
  if (verdict?.verdict === 'ask') return verdict;
  return { verdict: 'run', because: 'a maintainer lets this task run without asking' };
}

function judgedCommand(
  mode: AgentMode,
  action: ToolAction,
  judged: Exclude<Verdict, { verdict: 'deny' }>,
  { reads, rules }: { reads: boolean; rules: TaskRules },
): Verdict {
  if (judged.verdict === 'ask') return { ...judged, risks: [...isolation(action), ...judged.risks] };
  const line = action.call.command ?? '';
  const careful = mode === 'ask' || mode === 'bypass';
  if (careful && !reads && !rules.commands.includes(line)) return ask(action, modeText(mode));
  return judged;
}

function modeText(mode: AgentMode): string {
  return mode === 'bypass'
    ? 'without an isolated sandbox everything but reading asks'
    : 'this task asks before everything but reading';
}

function ask(action: ToolAction, because: string): Verdict {
  return { verdict: 'ask', because, risks: toolRisks(action) };
}

/** Short words for what could go wrong, for the card. */
function toolRisks(action: ToolAction): string[] {
  const { command, files = [] } = action.call;
  const changes = files.filter(({ change }) => change !== 'read');
  return [
    ...isolation(action),
    ...(changes.some(({ change }) => change === 'delete') ? ['deletes files'] : []),
    ...(changes.some(({ path }) => filePlace(path) === 'outside') ? ['writes outside the working copy'] : []),
    ...(changes.some(({ path }) => filePlace(path) === 'git') ? ['changes the git repository'] : []),
    ...(files.length > changes.length && files.some(({ path }) => filePlace(path) === 'outside')
      ? ['reads outside the working copy']
      : []),
    ...(command === undefined ? [] : risksOf(analyseShell(command))),
  ];
}

function isolation({ sandbox }: ToolAction): string[] {
  return sandbox === 'local' ? ['not isolated'] : [];
}
