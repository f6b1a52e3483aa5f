import type Anthropic from '@anthropic-ai/sdk';
import { z } from 'zod';
import type { AgentMode, Question, ToolCall } from '../../src/contracts/agent.ts';
import type { RunEventData } from '../../src/contracts/run-event.ts';
import { canonicalJson } from '../../src/runtime/canonical-json.ts';
import { inWorkingCopy, isOwn, replacement } from './touched.ts';

const path = z.string().min(1).max(4096).describe('Path, relative to the working copy or absolute');

const why = z.string().max(1000).optional().describe('Why you do this, in one sentence for the people who may have to allow it');

/** Tools of the built-in loop: what each is for, and what it takes. */
const inputs = {
  bash: {
    description:
      'Runs a command with bash in the working copy. stdout and stderr come back together, long output shortened in the middle.',
    schema: z.object({
      command: z.string().min(1).max(60_000),
      timeout_seconds: z.number().int().min(1).max(1800).optional().describe('Default 120'),
      why,
    }),
  },
  read: {
    description: 'Reads a text file, with line numbers.',
    schema: z.object({ path, offset: z.number().int().min(1).optional(), limit: z.number().int().min(1).max(5000).optional() }),
  },
  write: {
    description: 'Writes a whole file, making its directories.',
    schema: z.object({ path, content: z.string().max(1_000_000), why }),
  },
  edit: {
    description: 'Replaces an exact piece of a file. It must occur once, unless `replace_all`. Read the file first.',
    schema: z.object({ path, old_string: z.string().min(1), new_string: z.string(), replace_all: z.boolean().optional(), why }),
  },
  search: {
    description: 'Searches file contents for a regular expression; answers with file, line number and line.',
    schema: z.object({ pattern: z.string().min(1), path: path.optional(), glob: z.string().optional() }),
  },
  list: { description: 'Lists a directory.', schema: z.object({ path: path.optional() }) },
  web_fetch: {
    description: 'Fetches a page over https. Only allowed hosts can be reached.',
    schema: z.object({ url: z.string().regex(/^https:\/\/[^\s]+$/), why }),
  },
  todo: {
    description: 'Shows people the steps of the work and how far it is. Use it for work of several steps, and keep it current.',
    schema: z.object({
      items: z.array(z.object({ text: z.string().min(1), state: z.enum(['pending', 'in_progress', 'completed']) })).max(50),
    }),
  },
  ask_user: {
    description: 'Asks people a question that only they can answer, with choices where there are any. Waits for the answer.',
    schema: z.object({
      questions: z
        .array(
          z.object({
            header: z.string().max(40),
            question: z.string().min(1),
            options: z.array(z.object({ label: z.string().min(1), description: z.string().optional() })).max(20),
            multiple: z.boolean().optional(),
          }),
        )
        .min(1)
        .max(4),
    }),
  },
  present_plan: {
    description: 'Presents your plan to people, in Markdown, and waits until they approve it or say what to change.',
    schema: z.object({ plan: z.string().min(1) }),
  },
} as const;

export type ClaudeTool = keyof typeof inputs;
export type ToolInputs = { [K in ClaudeTool]: z.infer<(typeof inputs)[K]['schema']> };
export type CheckedCall = { [K in ClaudeTool]: { tool: K; input: ToolInputs[K] } }[ClaudeTool];

/** What is offered to the model. A plan can be presented only where people asked for one. */
export function offeredTools(mode: AgentMode): Anthropic.Tool[] {
  return Object.entries(inputs)
    .filter(([name]) => name !== 'present_plan' || mode === 'plan')
    .map(([name, { description, schema }]) => ({
      name,
      description,
      input_schema: z.toJSONSchema(schema) as Anthropic.Tool.InputSchema,
    }));
}

/** Input of a model is hostile until it was checked. `problem`: a sentence for the model. */
export function checkCall(name: string, input: unknown): CheckedCall | { problem: string } {
  if (!Object.hasOwn(inputs, name)) return { problem: `There is no tool ${name}.` };
  const tool = name as ClaudeTool;
  const parsed = inputs[tool].schema.safeParse(input);
  if (parsed.success) return { tool, input: parsed.data } as CheckedCall;
  const issues = parsed.error.issues.map(({ path: at, message }) => `${at.join('.') || 'input'}: ${message}`);
  return { problem: `The input of ${name} is wrong: ${issues.join('; ')}. Call it again with a right one.` };
}

/** Why the model says that it makes the call. */
export function reasonOf({ input }: CheckedCall): string | undefined {
  return 'why' in input ? input.why : undefined;
}

/** The call as people are asked about it. Why it is made changes nothing of what is done, and is told apart from it. */
export function askedCall(call: CheckedCall, cwd: string): ToolCall {
  const { why: _, ...input }: Record<string, unknown> = call.input;
  const whole = { tool: call.tool, title: titleOf(call, cwd), input: canonicalJson(input), readOnly: false };
  switch (call.tool) {
    case 'bash':
      return { ...whole, command: call.input.command };
    case 'read':
    case 'search':
    case 'list': {
      const place = inWorkingCopy(call.input.path ?? '.', cwd);
      if (place === cwd || isOwn(place)) return { ...whole, readOnly: true };
      return { ...whole, files: [{ path: place, change: 'read' }] };
    }
    case 'write':
      return {
        ...whole,
        files: [{ path: inWorkingCopy(call.input.path, cwd), change: 'create', diff: replacement('', call.input.content) }],
      };
    case 'edit': {
      const diff = replacement(call.input.old_string, call.input.new_string);
      return { ...whole, files: [{ path: inWorkingCopy(call.input.path, cwd), change: 'edit', diff }] };
    }
    default:
      return whole;
  }
}

/** One line for people. */
export function titleOf({ tool, input }: CheckedCall, cwd: string): string {
  switch (tool) {
    case 'bash':
      return `$ ${input.command.split('\n')[0] ?? ''}`;
    case 'search':
      return `Search ${input.pattern}${input.path === undefined ? '' : ` in ${inWorkingCopy(input.path, cwd)}`}`;
    case 'web_fetch':
      return `Fetch ${input.url}`;
    case 'todo':
      return 'Plan the steps';
    case 'ask_user':
      return 'Ask a question';
    case 'present_plan':
      return 'Present the plan';
    default: {
      const word = { read: 'Read', write: 'Write', edit: 'Edit', list: 'List' }[tool];
      return `${word} ${inWorkingCopy(input.path ?? '.', cwd)}`;
    }
  }
}

export function questionsOf({ questions }: ToolInputs['ask_user']): Question[] {
  return questions.map(({ header, question, options, multiple }, at) => ({
    id: `q${at + 1}`,
    header,
    text: question,
    options: options.map(({ label, description }) => ({ label, ...(description === undefined ? {} : { description }) })),
    multiple: multiple === true,
    free: true,
  }));
}

/** The list of steps as cards show it. */
export function stepsOf({ items }: ToolInputs['todo']): Extract<RunEventData, { type: 'checklist' }>['items'] {
  const states = { pending: 'open', in_progress: 'active', completed: 'done' } as const;
  return items.map(({ text, state }) => ({ text, state: states[state] }));
}
