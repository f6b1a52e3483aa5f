import type { Question, ToolCall } from '../../src/contracts/agent.ts';
import { canonicalJson } from '../../src/runtime/canonical-json.ts';
import { inWorkingCopy, isOwn, replacement } from './touched.ts';

export type ToolInput = Readonly<Record<string, unknown>>;

/** Tools that change nothing but the agent's own notes: nobody need be asked. */
const ownNotes: ReadonlySet<string> = new Set([
  'TaskCreate',
  'TaskUpdate',
  'TaskGet',
  'TaskList',
  'TaskOutput',
  'TaskStop',
  'TodoWrite',
  'Task',
  'Agent',
  'SendMessage',
  'ToolSearch',
  'ReportFindings',
  'BashOutput',
  'KillShell',
]);
const readers: ReadonlySet<string> = new Set(['Read', 'Glob', 'Grep', 'LS', 'NotebookRead']);
const writers: ReadonlySet<string> = new Set(['Edit', 'MultiEdit', 'Write', 'NotebookEdit']);

/** Tools that make no sense in a sandbox or would leave it: they are not offered. */
export const withheldTools = [
  'WebFetch',
  'WebSearch',
  'CronCreate',
  'CronDelete',
  'CronList',
  'ScheduleWakeup',
  'EnterWorktree',
  'ExitWorktree',
  'Workflow',
  'Skill',
  // Planning is a mode that people choose.
  'EnterPlanMode',
] as const;

export function needsNobody(tool: string): boolean {
  return ownNotes.has(tool);
}

/** A call as people are asked about it. */
export function toolCallOf(tool: string, input: ToolInput, cwd: string): ToolCall {
  const call: ToolCall = { tool, title: titleOf(tool, input, cwd), input: canonicalJson(input), readOnly: false };
  if (tool === 'Bash') return { ...call, command: text(input.command) };
  const path = text(input.file_path) || text(input.notebook_path) || text(input.path);
  if (readers.has(tool)) {
    const file = path === '' ? '' : inWorkingCopy(path, cwd);
    if (file === '' || file === cwd || isOwn(file)) return { ...call, readOnly: true };
    return { ...call, files: [{ path: file, change: 'read' }] };
  }
  if (!writers.has(tool) || path === '') return call;
  const change = tool === 'Write' ? 'create' : 'edit';
  return { ...call, files: [{ path: inWorkingCopy(path, cwd), change, diff: diffOf(tool, input) }] };
}

/** Why the agent makes the call, where the tool has room for that: commands are described for people. */
export function reasonOf(tool: string, input: ToolInput): string | undefined {
  return tool === 'Bash' && text(input.description).trim() !== '' ? text(input.description) : undefined;
}

/** One line for people. */
export function titleOf(tool: string, input: ToolInput, cwd: string): string {
  const path = text(input.file_path) || text(input.notebook_path) || text(input.path);
  const place = path === '' ? '' : inWorkingCopy(path, cwd);
  switch (tool) {
    case 'Bash':
      return `$ ${text(input.command).split('\n')[0] ?? ''}`;
    case 'Glob':
    case 'Grep':
      return `${tool} ${text(input.pattern)}${place === '' ? '' : ` in ${place}`}`;
    case 'Task':
    case 'Agent':
      return `Sub-agent: ${text(input.description) || text(input.subagent_type)}`;
    case 'TaskCreate':
      return `Plan a step: ${text(input.subject)}`;
    case 'AskUserQuestion':
      return 'Ask a question';
    case 'ExitPlanMode':
      return 'Present the plan';
    default:
      return place === '' ? tool : `${tool} ${place}`;
  }
}

function diffOf(tool: string, input: ToolInput): string {
  switch (tool) {
    case 'Edit':
      return replacement(text(input.old_string), text(input.new_string));
    case 'MultiEdit':
      return list(input.edits)
        .map((edit) => replacement(text(edit.old_string), text(edit.new_string)))
        .join('\n…\n');
    case 'NotebookEdit':
      return replacement('', text(input.new_source));
    default:
      return replacement('', text(input.content));
  }
}

/** What `AskUserQuestion` asks. The wording is the name by which the answer is given back. */
export function questionsOf(input: ToolInput): Question[] {
  return list(input.questions).map((question) => ({
    id: text(question.question),
    header: text(question.header),
    text: text(question.question),
    options: list(question.options).map((option) => ({
      label: text(option.label),
      ...(text(option.description) === '' ? {} : { description: text(option.description) }),
    })),
    multiple: question.multiSelect === true,
    free: true,
  }));
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function list(value: unknown): ToolInput[] {
  return Array.isArray(value) ? value.filter((item): item is ToolInput => typeof item === 'object' && item !== null) : [];
}
