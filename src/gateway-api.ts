import { createTokenAccess } from './access/token-access.ts';
import { viewSecretContext } from './delivery/view-secret.ts';
import { apiGroups } from './http/api.ts';
import type { RouteGroup } from './http/server.ts';
import type { Infrastructure } from './infrastructure.ts';
import type { Metrics } from './observe/metrics.ts';
import type { Clock } from './runtime/clock.ts';
import type { Logger } from './runtime/logger.ts';
import { programVersion } from './runtime/version.ts';
import { createEventLog } from './store/event-log.ts';

/** What programs read over HTTP, and how the tokens for it get to the people who ask for them. */
export interface GatewayApi {
  groups: RouteGroup[];
  sealSecret(secret: string): string;
  openSecret(sealed: string): string;
}

export function gatewayApi(deps: { infrastructure: Infrastructure; clock: Clock; logger: Logger; metrics: Metrics }): GatewayApi {
  const { database, wakeups, secretBox } = deps.infrastructure;
  const logger = deps.logger.child({ part: 'api' });
  return {
    groups: apiGroups({
      database,
      wakeups,
      log: createEventLog(database, wakeups),
      tokens: createTokenAccess({ database, now: deps.clock.now, log: logger }),
      logger,
      version: programVersion(),
      metrics: deps.metrics,
    }),
    sealSecret: (secret) => secretBox.seal(secret, viewSecretContext),
    openSecret: (sealed) => secretBox.open(sealed, viewSecretContext),
  };
}
