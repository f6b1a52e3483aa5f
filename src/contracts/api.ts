import { z } from 'zod';
import { agentKindSchema } from './agent.ts';
import { actorSchema, type RunEvent, type RunResult, runEventDataSchema, runResultSchema } from './run-event.ts';
import { runStateSchema, taskColumnSchema } from './states.ts';

/** What programs read over HTTP. docs/api.md and the OpenAPI document tell of it; what is here is only ever added to. */

/** Names of schemas in the OpenAPI document. */
export const apiSchemas = z.registry<{ id: string }>();

const time = z.iso.datetime();
/** Events that only Deckhand itself has a use for. */
const internal = ['conversation', 'session'];

const [first, ...others] = runEventDataSchema.options.filter(
  ({ shape }) => !internal.some((type) => shape.type.safeParse(type).success),
);
if (first === undefined) throw new Error('there are no events');

export const apiEventSchema = z
  .object({
    run: z.string(),
    seq: z.number().int().positive(),
    at: time,
    actor: actorSchema,
    data: z.discriminatedUnion('type', [first, ...others]),
  })
  .describe('A fact of a run. Facts are numbered in their order and never change.')
  .register(apiSchemas, { id: 'RunEvent' });
export type ApiEvent = z.infer<typeof apiEventSchema>;

/** The event as programs read it; undefined for those that only Deckhand itself has a use for. */
export function apiEvent({ run, seq, at, actor, data }: RunEvent): ApiEvent | undefined {
  if (internal.includes(data.type)) return undefined;
  const shown = data.type === 'terminal' ? { ...data, result: apiResult(data.result) } : data;
  return { run, seq, at: at.toISOString(), actor, data: shown };
}

/** A result without the files that continue an agent's session, which nobody is shown. */
export function apiResult(result: RunResult): RunResult {
  return { ...result, artifacts: result.artifacts.filter(({ kind }) => kind !== 'session') };
}

export const apiEventsSchema = z
  .object({
    events: z.array(apiEventSchema),
    /** What to ask for next with `after`; numbers may be left out of `events`, so it can be more than the last of them. */
    after: z.number().int().nonnegative(),
    more: z.boolean(),
    over: z.boolean(),
  })
  .describe(
    'Events in order. `after`: what to ask for next. `more`: there are further ones already. `over`: the run has ended; what becomes of its change may still follow.',
  )
  .register(apiSchemas, { id: 'RunEvents' });

export const apiRunSchema = z
  .object({
    id: z.string(),
    task: z.number().int().positive(),
    attempt: z.number().int().positive(),
    variant: z.number().int().positive().nullable(),
    state: runStateSchema,
    requestedBy: z.string().nullable(),
    queuedAt: time,
    startedAt: time.nullable(),
    endedAt: time.nullable(),
    lastEvent: z.number().int().nonnegative(),
    result: runResultSchema.nullable(),
  })
  .describe('One attempt at a task. `task`: number of the task. `lastEvent`: number of its last event.')
  .register(apiSchemas, { id: 'Run' });
export type ApiRun = z.infer<typeof apiRunSchema>;

export const apiTaskSchema = z
  .object({
    id: z.string(),
    number: z.number().int().positive(),
    title: z.string(),
    request: z.string(),
    agent: agentKindSchema.nullable(),
    column: taskColumnSchema,
    reason: z.string().nullable(),
    project: z.string(),
    branch: z.string(),
    baseBranch: z.string().nullable(),
    baseCommit: z.string().nullable(),
    head: z.string().nullable(),
    requester: z.string().nullable(),
    createdAt: time,
    spentUsd: z.number(),
    budgetUsd: z.number().nullable(),
    run: apiRunSchema.nullable(),
  })
  .describe(
    'One piece of work. `request`: the command line, or what the agent was asked to do. `run`: its latest run, or of several attempts the chosen one.',
  )
  .register(apiSchemas, { id: 'Task' });
export type ApiTask = z.infer<typeof apiTaskSchema>;

export const apiTasksSchema = z
  .object({ tasks: z.array(apiTaskSchema), page: z.number().int(), pages: z.number().int(), total: z.number().int() })
  .describe('Tasks, newest first.')
  .register(apiSchemas, { id: 'Tasks' });

/** RFC 9457. `code` is permanent; docs/errors.md lists them. */
export const apiProblemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.string().optional(),
    remedy: z.string().optional(),
    reference: z.string(),
  })
  .describe('What went wrong, why, and what to do. `reference` names the request in the log.')
  .register(apiSchemas, { id: 'Problem' });
export type ApiProblem = z.infer<typeof apiProblemSchema>;
