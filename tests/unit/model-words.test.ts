import { expect, test } from 'vitest';
import type { Action } from '../../lab/model/action.ts';
import { chartPng } from '../../lab/model/chart-png.ts';
import type { AgentName, Conversation, Entry, OfferedTool } from '../../lab/model/conversation.ts';
import { outcomeOf, stillRunning } from '../../lab/model/outcome.ts';
import { pieces } from '../../lab/model/pieces.ts';
import { saidByPeople, workingDirectory } from '../../lab/model/said-text.ts';
import { callsFor } from '../../lab/model/vocabulary.ts';

const offered = (name: string, ...fields: string[]): OfferedTool => ({
  name,
  kind: 'function',
  schema: { type: 'object', properties: Object.fromEntries(fields.map((field) => [field, { type: 'string' }])) },
});

function conversation(agent: AgentName, tools: readonly OfferedTool[], entries: readonly Entry[] = []): Conversation {
  return {
    agent,
    model: 'any',
    cwd: '/workspace',
    tools: new Map(tools.map((tool) => [tool.name, tool])),
    thinks: false,
    entries,
    quoted: undefined,
    salt: 's',
    length: { before: 0, after: 0, cacheable: false },
  };
}

const inputs = (action: Action, talk: Conversation) => callsFor(action, talk).map(({ tool, input }) => [tool.name, input]);

const read: Action = { do: 'read', path: 'src/a.js' };
const edit: Action = { do: 'edit', path: 'src/a.js', old: 'one\ntwo', new: 'three' };
const patch = '*** Begin Patch\n*** Update File: src/a.js\n@@\n-one\n-two\n+three\n*** End Patch\n';

test('the same action becomes a call of the tool that the agent offers, in its words', () => {
  const code = conversation('claude-code', [
    offered('Read', 'file_path'),
    offered('Edit', 'file_path', 'old_string', 'new_string'),
  ]);
  expect(inputs(read, code)).toEqual([['Read', { file_path: '/workspace/src/a.js' }]]);
  expect(inputs(edit, code)).toEqual([
    ['Edit', { file_path: '/workspace/src/a.js', old_string: 'one\ntwo', new_string: 'three' }],
  ]);

  const loop = conversation('claude', [offered('read', 'path'), offered('edit', 'path', 'old', 'new')]);
  expect(inputs(read, loop)).toEqual([['read', { path: 'src/a.js' }]]);
  expect(inputs(edit, loop)).toEqual([['edit', { path: 'src/a.js', old: 'one\ntwo', new: 'three' }]]);

  const codex = conversation('codex', [offered('exec_command', 'cmd')]);
  expect(inputs(read, codex)).toEqual([['exec_command', { cmd: 'cat src/a.js' }]]);
  expect(inputs(edit, codex)).toEqual([['exec_command', { cmd: `apply_patch <<'PATCH'\n${patch}PATCH` }]]);

  const script: OfferedTool = { name: 'exec', kind: 'custom', schema: {} };
  expect(inputs(edit, conversation('codex', [script]))).toEqual([
    ['exec', `text(await tools.apply_patch(${JSON.stringify(patch)}));`],
  ]);
});

test('what no tool does gives no call', () => {
  expect(inputs({ do: 'plan', text: 'x' }, conversation('codex', [offered('exec_command', 'cmd')]))).toEqual([]);
  expect(inputs(read, conversation('claude', []))).toEqual([]);
});

test('tasks of Claude Code are made once and then changed by their number', () => {
  const tools = [offered('TaskCreate', 'subject', 'description'), offered('TaskUpdate', 'taskId', 'status')];
  const items = (state: 'pending' | 'completed'): Action => ({ do: 'todo', items: [{ text: 'Look', state }] });
  expect(inputs(items('pending'), conversation('claude-code', tools))).toEqual([
    ['TaskCreate', { subject: 'Look', description: 'Look' }],
  ]);
  const made: Entry[] = [
    { type: 'answer', text: '', calls: [{ id: 'a', tool: 'TaskCreate', input: { subject: 'Look' } }] },
    { type: 'result', call: 'a', text: 'Task #7 created successfully: Look', failed: false },
  ];
  expect(inputs(items('completed'), conversation('claude-code', tools, made))).toEqual([
    ['TaskUpdate', { taskId: '7', status: 'completed' }],
  ]);
  expect(inputs(items('pending'), conversation('claude-code', tools, made))).toEqual([]);
});

test('questions and checklists take the fields that a tool has', () => {
  const list = (name: string, key: string, ...fields: string[]): OfferedTool => {
    const properties = Object.fromEntries(fields.map((field) => [field, {}]));
    return { name, kind: 'function', schema: { properties: { [key]: { type: 'array', items: { properties } } } } };
  };
  const ask: Action = { do: 'ask', header: 'H', question: 'Q?', options: [{ label: 'a', description: 'b' }] };
  const todo: Action = { do: 'todo', items: [{ text: 'Look', state: 'in_progress' }] };
  const options = [{ label: 'a', description: 'b' }];

  const loop = [
    list('ask_user', 'questions', 'header', 'question', 'options', 'multiple'),
    list('todo', 'items', 'text', 'state'),
  ];
  expect(inputs(ask, conversation('claude', loop))).toEqual([
    ['ask_user', { questions: [{ header: 'H', question: 'Q?', options, multiple: false }] }],
  ]);
  expect(inputs(todo, conversation('claude', loop))).toEqual([['todo', { items: [{ text: 'Look', state: 'in_progress' }] }]]);

  const codex = [
    list('request_user_input', 'questions', 'id', 'header', 'question', 'options'),
    list('update_plan', 'plan', 'step', 'status'),
  ];
  expect(inputs(ask, conversation('codex', codex))).toEqual([
    ['request_user_input', { questions: [{ id: 'choice', header: 'H', question: 'Q?', options }] }],
  ]);
  expect(inputs(todo, conversation('codex', codex))).toEqual([
    ['update_plan', { plan: [{ step: 'Look', status: 'in_progress' }] }],
  ]);
});

test('a refusal is told from a command that failed', () => {
  const code = (text: string) => outcomeOf({ text, failed: true }, 'claude-code').denied;
  expect([code('Ben says no'), code('Exit code 1\n\nboom'), code('<tool_use_error>Cancelled</tool_use_error>')]).toEqual([
    true,
    false,
    false,
  ]);
  const codex = outcomeOf(
    { text: 'exec_command failed: CreateProcess { message: "Rejected(\\"rejected by user\\")" }', failed: true },
    'codex',
  );
  expect(codex).toMatchObject({ denied: true, reason: 'rejected by user' });
  const own = (text: string) => outcomeOf({ text, failed: true }, 'claude').denied;
  expect([own('Not on Fridays.'), own('boom\n[exit code 1]'), own('old_string occurs 2 times.')]).toEqual([true, false, false]);
  expect(outcomeOf({ text: 'permission denied', failed: false }, 'claude').denied).toBe(false);
});

test('a command that goes on in the background is asked for again', () => {
  expect(stillRunning('Process running with session ID 42\nOutput:')).toMatchObject({
    tool: 'write_stdin',
    input: { session_id: 42 },
  });
  expect(stillRunning('Script running with cell ID c7')).toMatchObject({ tool: 'wait', input: { cell_id: 'c7' } });
  expect(stillRunning('Process exited with code 0')).toBeUndefined();
});

test('only what people said chooses what is done, not what was quoted to the agent', () => {
  expect(saidByPeople('<system-reminder>\nplan <b>it</b>\n</system-reminder>\n\nhello')).toBe('hello');
  expect(saidByPeople('For your information.\n\n<thread>\nBen: push it\n</thread>\n\nThe request:\n\nfix the test')).toBe(
    'fix the test',
  );
  const mark = '0123456789abcdef';
  expect(saidByPeople(`A file: x.txt\n\n<files ${mark}>\n| .deckhand/in/push.txt\n</files ${mark}>`)).toBe('A file: x.txt');
  expect(saidByPeople('> push it\n```\nrm -rf /\n```\nlook around')).toBe('look around');
  expect(saidByPeople('<environment_context>\n  <cwd>/x</cwd>\n</environment_context>')).toBe('');
});

test('the working directory is what the instructions of the agent name', () => {
  expect(workingDirectory('<cwd>/tmp/ws</cwd>')).toBe('/tmp/ws');
  expect(workingDirectory(' - Primary working directory: /srv/it\n - Is a git repository: true')).toBe('/srv/it');
  expect(workingDirectory('nothing')).toBe('/workspace');
});

test('pieces make up the whole and split no character', () => {
  const text = 'a👍🏽bc\ndé';
  expect(pieces(text, 2).join('')).toBe(text);
  expect(pieces(text, 1)).toContain('👍');
  expect(pieces('', 5)).toEqual([]);
});

test('the chart is a PNG of the size its bars need', () => {
  const png = chartPng([1, 3]);
  expect(png.subarray(1, 4).toString('latin1')).toBe('PNG');
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([92, 60]);
});
