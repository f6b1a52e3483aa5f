import { isRecord } from '../slack/json.ts';
import type { Todo } from './action.ts';
import { codeModeChecklist } from './code-mode.ts';
import type { Conversation, OfferedTool } from './conversation.ts';
import type { PlannedCall } from './vocabulary.ts';

/** The checklist in the tool that is offered for it; no call where there is none, or nothing changes. */
export function todoCalls(items: readonly Todo[], tool: OfferedTool | undefined, conversation: Conversation): PlannedCall[] {
  if (tool === undefined) {
    const script = conversation.tools.get('exec');
    return script?.checklist === true ? [codeModeChecklist(stepsOf(items), script)] : [];
  }
  if (tool.name === 'TaskCreate') return taskCalls(items, tool, conversation);
  if (tool.name === 'update_plan') {
    return [{ tool, input: { plan: stepsOf(items) } }];
  }
  const key = isRecord(tool.schema.properties) && 'items' in tool.schema.properties ? 'items' : 'todos';
  const todos = items.map(({ text, state }) => ({ content: text, text, status: state, state, activeForm: text }));
  const known = itemNames(tool, key);
  return [{ tool, input: { [key]: todos.map((todo) => only(todo, known)) } }];
}

const stepsOf = (items: readonly Todo[]) => items.map(({ text, state }) => ({ step: text, status: state }));

function itemNames(tool: OfferedTool, key: string): readonly string[] {
  const list = isRecord(tool.schema.properties) ? tool.schema.properties[key] : undefined;
  const item = isRecord(list) ? list.items : undefined;
  return isRecord(item) && isRecord(item.properties) ? Object.keys(item.properties) : ['content', 'status', 'activeForm'];
}

const only = (fields: Record<string, unknown>, names: readonly string[]) =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => names.includes(name)));

/** Claude Code numbers its tasks when they are made: made once, then changed by number. */
function taskCalls(items: readonly Todo[], create: OfferedTool, { entries, tools }: Conversation): PlannedCall[] {
  const update = tools.get('TaskUpdate');
  const results = new Map(entries.flatMap((entry) => (entry.type === 'result' ? [[entry.call, entry.text] as const] : [])));
  const calls = entries.flatMap((entry) => (entry.type === 'answer' ? entry.calls : []));
  return items.flatMap(({ text, state }): PlannedCall[] => {
    const made = calls.findLast((call) => call.tool === 'TaskCreate' && call.input.subject === text);
    const number = made && /#(\d+)/.exec(results.get(made.id) ?? '')?.[1];
    if (made === undefined) return [{ tool: create, input: { subject: text, description: text } }];
    if (number === undefined || update === undefined) return [];
    const last = calls.findLast((call) => call.tool === 'TaskUpdate' && call.input.taskId === number);
    const known = last?.input.status ?? 'pending';
    return known === state ? [] : [{ tool: update, input: { taskId: number, status: state } }];
  });
}
