import type { FastifyRequest } from 'fastify';
import type { RouteGroup } from './server.ts';

/** What lets a page of an allowed origin read an answer; nothing for all others. No cookies: a page elsewhere acts with a token of its own. */
export function corsHeaders(request: FastifyRequest, origins: readonly string[]): Record<string, string> {
  const { origin } = request.headers;
  if (origin === undefined || !origins.includes(origin)) return {};
  return {
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'ratelimit-limit, ratelimit-remaining, ratelimit-reset, retry-after, x-request-id',
    'cross-origin-resource-policy': 'cross-origin',
    vary: 'origin',
  };
}

/** What browsers ask before they send a token: answered to anyone, and says nothing but which origins are allowed to the allowed ones. */
export function preflightGroup(prefix: string, origins: readonly string[]): RouteGroup[] {
  if (origins.length === 0) return [];
  return [
    {
      name: 'api preflight',
      access: 'anyone',
      register(scope) {
        scope.options(`${prefix}/*`, async (request, reply) => {
          const allowed = corsHeaders(request, origins);
          if (Object.keys(allowed).length === 0) return reply.code(403).send();
          return reply
            .code(204)
            .headers(allowed)
            .headers({
              'access-control-allow-methods': 'GET',
              'access-control-allow-headers': 'authorization, last-event-id',
              'access-control-max-age': '600',
            })
            .send();
        });
      },
    },
  ];
}
