import { isRecord, type Json } from '../slack/json.ts';
import type { Action } from './action.ts';
import { codeModeCall, isCodeMode } from './code-mode.ts';
import type { Conversation, OfferedTool } from './conversation.ts';
import { addPatch, editPatch } from './patch-text.ts';
import { todoCalls } from './todo-calls.ts';

export interface PlannedCall {
  tool: OfferedTool;
  /** An object for a function, text for a custom tool. */
  input: Json | string;
}

/** Names of tools that do it, the best first. Which of them a request offers decides. */
export const names: Readonly<Record<Exclude<Action['do'], 'wait'>, readonly string[]>> = {
  run: ['Bash', 'bash', 'exec_command', 'shell_command', 'shell', 'exec'],
  read: ['Read', 'read', 'read_file'],
  edit: ['Edit', 'edit', 'edit_file', 'str_replace', 'apply_patch'],
  write: ['Write', 'write', 'write_file', 'apply_patch'],
  todo: ['TodoWrite', 'todo', 'todo_write', 'update_plan', 'TaskCreate'],
  ask: ['AskUserQuestion', 'ask_user_question', 'ask_user', 'ask', 'question', 'request_user_input'],
  'enter-plan': ['EnterPlanMode'],
  plan: ['ExitPlanMode', 'exit_plan_mode', 'present_plan', 'propose_plan', 'submit_plan', 'plan'],
  delegate: ['Agent', 'Task', 'agent', 'subagent', 'spawn_agent'],
  'wait-agent': ['wait_agent'],
};

/** Outcomes of these say nothing that a script wants to know. */
export const isTodoTool = (name: string) => names.todo.includes(name) || name === 'TaskUpdate';

/** The tool that is offered for it. */
export function toolFor(kind: Exclude<Action['do'], 'wait'>, { tools }: Conversation): OfferedTool | undefined {
  const name = names[kind].find((candidate) => tools.has(candidate));
  return name === undefined ? undefined : tools.get(name);
}

/** The calls that carry out `action` with the tools that are offered; none when no tool does it. */
export function callsFor(action: Action, conversation: Conversation): PlannedCall[] {
  if (action.do === 'wait') {
    const tool = conversation.tools.get(action.tool);
    return tool ? [{ tool, input: { ...action.input } }] : [];
  }
  if (action.do === 'todo') return todoCalls(action.items, toolFor('todo', conversation), conversation);
  const tool = toolFor(action.do, conversation);
  if (tool !== undefined && !(tool.kind === 'custom' && isCodeMode(tool))) return [direct(action, tool, conversation)];
  const command = asCommand(action);
  const shell = toolFor('run', conversation);
  if (command === undefined || shell === undefined) return [];
  if (isCodeMode(shell)) return [codeModeCall(action, command, shell)];
  return [direct(command, shell, conversation)];
}

/** The same, done by a shell: Codex has no other tools for files. */
function asCommand(action: Action): Extract<Action, { do: 'run' }> | undefined {
  if (action.do === 'run') return action;
  if (action.do === 'read') return { do: 'run', command: `cat ${quoted(action.path)}`, why: `Read ${action.path}` };
  const patch =
    action.do === 'edit' ? editPatch(action) : action.do === 'write' ? addPatch(action.path, action.content) : undefined;
  return patch === undefined ? undefined : { do: 'run', command: `apply_patch <<'PATCH'\n${patch}PATCH`, why: 'Change a file' };
}

const quoted = (text: string) => (/^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

type Direct = Exclude<Action, { do: 'todo' | 'wait' }>;

function direct(action: Direct, tool: OfferedTool, conversation: Conversation): PlannedCall {
  if (tool.name === 'apply_patch' && (action.do === 'edit' || action.do === 'write')) {
    const patch = action.do === 'edit' ? editPatch(action) : addPatch(action.path, action.content);
    return { tool, input: tool.kind === 'custom' ? patch : fitted(tool.schema, [[['input', 'patch'], patch]]) };
  }
  return { tool, input: fitted(tool.schema, argumentsOf(action, tool, conversation)) };
}

type Argument = [candidates: readonly string[], value: unknown];

function argumentsOf(action: Direct, tool: OfferedTool, { agent, cwd }: Conversation): Argument[] {
  const path = (name: string) => (agent === 'claude-code' && !name.startsWith('/') ? `${cwd}/${name}` : name);
  const paths = ['file_path', 'path', 'file', 'filename'];
  switch (action.do) {
    case 'run': {
      const argv = isList(tool.schema, 'command') ? ['bash', '-lc', action.command] : action.command;
      return [
        [['command', 'cmd'], argv],
        [['description', 'why'], action.why],
      ];
    }
    case 'read':
      return [[paths, path(action.path)]];
    case 'edit':
      return [
        [paths, path(action.path)],
        [['old_string', 'old_str', 'old_text', 'old', 'find', 'search'], action.old],
        [['new_string', 'new_str', 'new_text', 'new', 'replace', 'replacement'], action.new],
      ];
    case 'write':
      return [
        [paths, path(action.path)],
        [['content', 'text', 'contents'], action.content],
      ];
    case 'ask':
      return [[['questions'], [question(action, tool)]], ...flatQuestion(action)];
    case 'plan':
      return [[['plan', 'text', 'markdown', 'content'], action.text]];
    case 'delegate':
      return [
        [['description', 'title'], action.title],
        [['prompt', 'message', 'task'], action.prompt],
        [['task_name'], action.title.toLowerCase().replace(/\W+/g, '_')],
        [['fork_turns'], 'none'],
        [['subagent_type'], 'general-purpose'],
        [['run_in_background'], false],
      ];
    case 'wait-agent':
      return [
        [['targets'], [action.agent]],
        [['timeout_ms'], 60_000],
      ];
    case 'enter-plan':
      return [];
  }
}

function question(action: Extract<Action, { do: 'ask' }>, tool: OfferedTool): Json {
  const { properties = {} } = itemSchema(tool.schema, 'questions');
  const known = isRecord(properties) ? properties : {};
  const all: Json = {
    id: 'choice',
    header: action.header,
    question: action.question,
    text: action.question,
    options: action.options,
  };
  const fields = { ...all, multiSelect: false, multiple: false };
  return Object.fromEntries(Object.entries(fields).filter(([name]) => name in known));
}

function flatQuestion(action: Extract<Action, { do: 'ask' }>): Argument[] {
  return [
    [['question', 'text'], action.question],
    [['header'], action.header],
    [['options', 'choices'], action.options],
  ];
}

/**
 * Gives each value the first of its names that the schema knows. A plan goes in under its first name even where the schema leaves it open:
 * Claude Code reads `plan` from an input that does not list it.
 */
function fitted(schema: Json, given: readonly Argument[]): Json {
  const properties = isRecord(schema.properties) ? schema.properties : {};
  const isOpen = isRecord(schema.additionalProperties) && Object.keys(schema.additionalProperties).length === 0;
  return Object.fromEntries(
    given.flatMap(([candidates, value]) => {
      const name = candidates.find((candidate) => candidate in properties) ?? (isOpen ? candidates[0] : undefined);
      return name === undefined ? [] : [[name, value]];
    }),
  );
}

function propertyOf(schema: Json, name: string): Json {
  const { properties } = schema;
  const found = isRecord(properties) ? properties[name] : undefined;
  return isRecord(found) ? found : {};
}

const isList = (schema: Json, name: string) => propertyOf(schema, name).type === 'array';

function itemSchema(schema: Json, name: string): Json {
  const { items } = propertyOf(schema, name);
  return isRecord(items) ? items : {};
}
