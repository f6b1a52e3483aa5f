import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Caller, TokenNeed } from '../access/token-access.ts';
import { apiEventsSchema, apiRunSchema, apiTaskSchema, apiTasksSchema } from '../contracts/api.ts';
import { taskColumnSchema } from '../contracts/states.ts';
import type { ApiReads } from './api-reads.ts';

/** One thing that programs can ask for. The routes and the OpenAPI document are made from these. */
export interface ApiRoute {
  /** Below `/api/v1`, as Fastify has it. */
  path: string;
  /** One line, without a full stop. */
  summary: string;
  need: TokenNeed;
  params: z.ZodObject;
  query: z.ZodObject;
  answer: z.ZodType;
  /** Also answers with a stream, to those who ask for `text/event-stream`. */
  stream?: true;
  /** `input`: what `params` and `query` have made of the request. Undefined: it has answered by itself. */
  handle(caller: Caller, input: unknown, request: FastifyRequest, reply: FastifyReply): Promise<unknown>;
}

function route<P extends z.ZodObject, Q extends z.ZodObject>(
  spec: Omit<ApiRoute, 'handle' | 'params' | 'query'> & {
    params: P;
    query: Q;
    handle(caller: Caller, input: z.infer<P> & z.infer<Q>, request: FastifyRequest, reply: FastifyReply): Promise<unknown>;
  },
): ApiRoute {
  // The group has parsed the input with these very schemas.
  return {
    ...spec,
    handle: (caller, input, ...rest) => spec.handle(caller, input as z.infer<P> & z.infer<Q>, ...rest),
  };
}

export type StreamEvents = (
  caller: Caller,
  run: string,
  after: number | undefined,
  request: FastifyRequest,
  reply: FastifyReply,
) => Promise<void>;

/** What streams of events ask of their callers: at their beginning, and again and again while they are open. */
export const readRuns: TokenNeed = { scope: 'read', permission: 'task.see', action: 'read runs' };
const readTasks: TokenNeed = { scope: 'read', permission: 'task.see', action: 'read tasks' };
const natural = z.coerce.number().int().nonnegative();
const upTo = (most: number) => z.coerce.number().int().min(1).max(most);
/** Longer than every id; what is none names nothing. */
const id = z.string().max(100);

export function apiRoutes(reads: ApiReads, stream: StreamEvents): readonly ApiRoute[] {
  return [
    route({
      path: '/tasks',
      summary: 'Tasks of the workspace, newest first',
      need: readTasks,
      params: z.object({}),
      query: z.object({
        column: taskColumnSchema.optional(),
        project: z.string().max(100).optional(),
        page: upTo(10_000).default(1),
        limit: upTo(100).default(20),
      }),
      answer: apiTasksSchema,
      handle: (caller, input) => reads.tasks(caller, input),
    }),
    route({
      path: '/tasks/:number',
      summary: 'One task, by its number',
      need: readTasks,
      params: z.object({ number: z.string().max(20) }),
      query: z.object({}),
      answer: apiTaskSchema,
      handle: (caller, { number }) => reads.task(caller, number),
    }),
    route({
      path: '/runs/:id',
      summary: 'One run',
      need: readRuns,
      params: z.object({ id }),
      query: z.object({}),
      answer: apiRunSchema,
      handle: (caller, input) => reads.run(caller, input.id),
    }),
    route({
      path: '/runs/:id/events',
      summary: 'Events of a run: a page of them, or a stream of those that are there and those that come',
      need: readRuns,
      params: z.object({ id }),
      query: z.object({ after: natural.max(2_147_483_647).optional(), limit: upTo(200).default(100) }),
      answer: apiEventsSchema,
      stream: true,
      async handle(caller, { id: run, after, limit }, request, reply) {
        if (/\btext\/event-stream\b/i.test(request.headers.accept ?? '')) return stream(caller, run, after, request, reply);
        return reads.events(caller, run, after ?? 0, limit);
      },
    }),
  ];
}
