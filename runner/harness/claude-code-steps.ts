import { z } from 'zod';
import type { ClaudeState } from './claude-code-state.ts';

type StepList = ClaudeState['steps'];

export function isStepTool(tool: string): boolean {
  return /^(?:TaskCreate|TaskUpdate|TaskGet|TaskList|TodoWrite)$/.test(tool);
}

/** The agent's list of steps, from the calls by which it keeps it. */
export function takeStep(steps: StepList, call: string, tool: string, input: Record<string, unknown>): StepList {
  if (tool === 'TodoWrite' && Array.isArray(input.todos)) {
    return input.todos.map((todo, at) => ({
      id: String(at + 1),
      call,
      text: String(todo?.content ?? ''),
      state: stateOf(todo?.status),
    }));
  }
  if (tool === 'TaskCreate') {
    return [...steps, { id: String(steps.length + 1), call, text: String(input.subject ?? ''), state: 'open' }];
  }
  if (tool !== 'TaskUpdate') return steps;
  if (input.status === 'deleted') return steps.filter(({ id }) => id !== input.taskId);
  return steps.map((step) => {
    if (step.id !== input.taskId) return step;
    const text = typeof input.subject === 'string' ? input.subject : step.text;
    return { ...step, text, state: input.status === undefined ? step.state : stateOf(input.status) };
  });
}

/** The program numbers the steps; usually as they come. */
export function nameStep(steps: StepList, call: string, result: unknown): StepList {
  const task = z.object({ task: z.object({ id: z.string() }) }).safeParse(result).data;
  if (task === undefined) return steps;
  return steps.map((step) => (step.call === call ? { ...step, id: task.task.id } : step));
}

function stateOf(status: unknown): StepList[number]['state'] {
  if (status === 'completed') return 'done';
  return status === 'in_progress' ? 'active' : 'open';
}
