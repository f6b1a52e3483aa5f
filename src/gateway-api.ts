import { type GithubLoginConfig, githubServer, oidcServer } from './access/login-server.ts';
import { createSessions } from './access/session.ts';
import { createTokenAccess } from './access/token-access.ts';
import type { Config } from './config.ts';
import { viewSecretContext } from './delivery/view-secret.ts';
import { accountGroup } from './http/account-routes.ts';
import { apiGroups } from './http/api.ts';
import type { RouteGroup } from './http/server.ts';
import { signinGroup } from './http/signin-routes.ts';
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

export function gatewayApi(deps: {
  infrastructure: Pick<Infrastructure, 'database' | 'wakeups' | 'secretBox'>;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  config: Pick<Config, 'http' | 'signin' | 'corsOrigins'>;
  /** The lab's GitHub stands in for one that is not configured. */
  lab: { githubLogin: GithubLoginConfig } | undefined;
  localToken: string | undefined;
}): GatewayApi {
  const { database, wakeups, secretBox } = deps.infrastructure;
  const logger = deps.logger.child({ part: 'api' });
  const { now } = deps.clock;
  const signinLogger = deps.logger.child({ part: 'sign-in' });
  const { config, lab } = deps;
  const { oidc, passwords } = config.signin;
  const github = config.signin.github ?? lab?.githubLogin;
  const tokens = createTokenAccess({ database, now, log: logger });
  const site = {
    logins: [
      ...(github === undefined ? [] : [githubServer(github, signinLogger)]),
      ...(oidc === undefined ? [] : [oidcServer(oidc, signinLogger)]),
    ],
    allowedDomains: oidc?.allowedDomains ?? [],
    passwords,
    box: secretBox,
    database,
    sessions: createSessions({ database, now }),
    tokens,
    now,
    publicUrl: config.http.publicUrl,
    logger: signinLogger,
  };
  const api = apiGroups({
    database,
    wakeups,
    log: createEventLog(database, wakeups),
    tokens,
    logger,
    version: programVersion(),
    corsOrigins: config.corsOrigins,
    localToken: deps.localToken,
    metrics: deps.metrics,
  });
  return {
    groups: [...api, signinGroup(site), accountGroup(site)],
    sealSecret: (secret) => secretBox.seal(secret, viewSecretContext),
    openSecret: (sealed) => secretBox.open(sealed, viewSecretContext),
  };
}
