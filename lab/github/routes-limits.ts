import type { HourlyLimits } from './hourly-limits.ts';
import { ok, onAccount, type Route } from './route.ts';

/** What is left of the hourly limit. Asking does not count. */
export function limitRoutes(limits: HourlyLimits): Route[] {
  return [
    onAccount('rate-limit/get', 'anybody', ({ core, caller }) => {
      const { limit, used, reset } = limits.look(caller, core.now());
      const rate = { limit, used, remaining: Math.max(0, limit - used), reset };
      const other = { limit: 30, used: 0, remaining: 30, reset };
      return ok({ resources: { core: rate, search: other, graphql: { ...other, limit: 5_000, remaining: 5_000 } }, rate });
    }),
  ];
}
