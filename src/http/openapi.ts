import { z } from 'zod';
import { apiProblemSchema, apiSchemas } from '../contracts/api.ts';
import { permissions } from '../contracts/permissions.ts';
import type { ApiRoute } from './api-routes.ts';

const streamText = 'Server-sent events. `id` is the number of an event, `event` its type, `data` a RunEvent as JSON.';
const refOf = (id: string) => `#/components/schemas/${id}`;

/** The OpenAPI document of these routes, made from the schemas that their requests are read with and their answers are of. */
export function openApi(routes: readonly ApiRoute[], about: { version: string; prefix: string }): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Deckhand',
      version: about.version,
      description: 'Reads tasks, runs and their events. Errors are problems of RFC 9457.',
    },
    security: [{ token: [] }],
    paths: Object.fromEntries(
      routes.map((route) => [`${about.prefix}${route.path.replace(/:(\w+)/g, '{$1}')}`, { get: operation(route) }]),
    ),
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'An access token: `token create` in chat.' } },
      schemas: schemas(),
    },
  };
}

function operation(route: ApiRoute): object {
  const { summary, need, params, query, answer, stream } = route;
  return {
    summary,
    description: `Takes a token with the scope \`${need.scope}\` and somebody who may ${permissions[need.permission].may}.`,
    parameters: [
      ...parameters(params, 'path'),
      ...parameters(query, 'query'),
      ...(stream === true
        ? [{ name: 'Last-Event-ID', in: 'header', description: 'Goes on after this event', schema: { type: 'integer' } }]
        : []),
    ],
    responses: {
      200: {
        description: answer.description ?? summary,
        content: {
          'application/json': { schema: reference(answer) },
          ...(stream === true ? { 'text/event-stream': { schema: { type: 'string', description: streamText } } } : {}),
        },
      },
      ...(stream === true ? { 204: { description: 'The run is over, and the caller has all of its events' } } : {}),
      default: {
        description: 'What went wrong',
        content: { 'application/problem+json': { schema: reference(apiProblemSchema) } },
      },
    },
  };
}

function parameters(schema: z.ZodObject, place: 'path' | 'query'): object[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'output' });
  return Object.entries(properties).map(([name, of]) => ({
    name,
    in: place,
    // What has a default may be left out.
    required: place === 'path' || (required.includes(name) && !(typeof of === 'object' && 'default' in of)),
    schema: of,
  }));
}

function reference(schema: z.ZodType): object {
  const id = apiSchemas.get(schema)?.id;
  if (id === undefined) throw new Error('a schema of the API has no name');
  return { $ref: refOf(id) };
}

function schemas(): Record<string, object> {
  // As input: that something new may be added is part of what callers are told.
  const made = z.toJSONSchema(apiSchemas, { uri: refOf, io: 'input' }).schemas;
  return Object.fromEntries(Object.entries(made).map(([id, { $schema: _, $id: __, id: ___, ...schema }]) => [id, schema]));
}
