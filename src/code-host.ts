import { createGithubHost } from '../adapters/github/host.ts';
import { createGithubTalk } from '../adapters/github/talk.ts';
import type { RepositoryTalk } from './access/repository-access.ts';
import type { CodeHostConfig } from './config-code-host.ts';
import type { ChatAdapter } from './contracts/chat-adapter.ts';
import type { CodeHost } from './contracts/code-host.ts';
import type { Infrastructure } from './infrastructure.ts';
import { connectWithinMs } from './platforms.ts';
import type { Clock } from './runtime/clock.ts';
import type { Part } from './runtime/lifecycle.ts';
import type { Logger } from './runtime/logger.ts';
import { createRedactor } from './runtime/redact-patterns.ts';
import type { Database } from './store/database.ts';
import { pullsChanged } from './store/pull-watch.ts';
import { repositoriesOfProjects } from './store/repositories.ts';
import type { Engine } from './tasks/task-engine.ts';
import { createPullWatch } from './triggers/pull-watch.ts';

/** Where GitHub tells of news. */
export const codeHostHook = '/hooks/events/github';

/** The code host that is configured, if any. No request is made before it is used. */
export function createCodeHost(config: CodeHostConfig | undefined): CodeHost | undefined {
  return config === undefined ? undefined : createGithubHost(config);
}

/** Issues and pull requests as conversations, with the endpoint that is told of news; undefined without a code host. */
export function codeHostTalk(input: {
  config: CodeHostConfig | undefined;
  codeHost: CodeHost | undefined;
  database: Database;
  clock: Clock;
  logger: Logger;
}): { adapter: ChatAdapter; talk: RepositoryTalk } | undefined {
  const { config, codeHost, database, clock, logger } = input;
  if (config === undefined || codeHost === undefined) return undefined;
  const { apiUrl, login, webhookSecret } = config;
  const adapter = createGithubTalk(
    {
      apiUrl,
      login,
      webhook:
        webhookSecret === undefined ? undefined : { path: codeHostHook, secret: webhookSecret, hint: pullHints(database, clock) },
      async repositories() {
        const found = await repositoriesOfProjects(database);
        return found.flatMap(({ address, since }) => {
          const repository = codeHost.repositoryOf(address);
          return repository === undefined ? [] : [{ ...repository, since }];
        });
      },
    },
    { logger, clock, startWithinMs: connectWithinMs },
  );
  return { adapter, talk: { platform: adapter.platform, host: codeHost } };
}

/** Keeps what the code host tells of pull requests. */
function pullHints(database: Database, clock: Clock) {
  return async ({ repository, numbers, head }: { repository: string; numbers: number[]; head: string | undefined }) => {
    await database.transaction((tx) => pullsChanged(tx, { repository, numbers, head, now: clock.now() }));
  };
}

/** The part that follows pull requests: it asks when it is time, or when it is told of news. */
export function pullWatch(input: {
  codeHost: CodeHost | undefined;
  /** Undefined: it does not tell of news by itself. */
  webhookSecret: string | undefined;
  /** Values that never show. */
  secrets: readonly string[];
  infrastructure: Infrastructure;
  engine: Engine;
  logger: Logger;
}): Part[] {
  const { codeHost, webhookSecret, secrets, infrastructure, engine, logger } = input;
  if (codeHost === undefined) return [];
  const { database, wakeups, clock } = infrastructure;
  const watch = createPullWatch({
    database,
    wakeups,
    clock,
    logger: logger.child({ part: 'pull requests' }),
    codeHost,
    tasks: engine.tasks,
    redact: createRedactor(secrets),
    hooks: webhookSecret !== undefined,
  });
  return [{ name: 'pull requests', start: async () => watch.start(), stop: () => watch.stop() }];
}
