import { createGithubHost } from '../adapters/github/host.ts';
import { githubWebhook } from '../adapters/github/webhook.ts';
import type { CodeHostConfig } from './config-code-host.ts';
import type { AdapterWebhook } from './contracts/chat-adapter.ts';
import type { CodeHost } from './contracts/code-host.ts';
import type { Infrastructure } from './infrastructure.ts';
import { systemClock } from './runtime/clock.ts';
import type { Part } from './runtime/lifecycle.ts';
import type { Logger } from './runtime/logger.ts';
import { createRedactor } from './runtime/redact-patterns.ts';
import { pullsChanged } from './store/pull-watch.ts';
import type { Engine } from './tasks/task-engine.ts';
import { createPullWatch } from './triggers/pull-watch.ts';

/** Where GitHub tells of news. */
export const codeHostHook = '/hooks/events/github';

/** The code host that is configured, if any. No request is made before it is used. */
export function createCodeHost(config: CodeHostConfig | undefined): CodeHost | undefined {
  return config === undefined ? undefined : createGithubHost(config);
}

/** What follows pull requests: the part that asks, and the endpoint that is told of news. */
export function pullWatch(input: {
  codeHost: CodeHost | undefined;
  /** Undefined: it does not tell of news by itself. */
  webhookSecret: string | undefined;
  /** Values that never show. */
  secrets: readonly string[];
  infrastructure: Infrastructure;
  engine: Engine;
  logger: Logger;
}): { parts: Part[]; webhooks: AdapterWebhook[] } {
  const { codeHost, webhookSecret, secrets, infrastructure, engine, logger } = input;
  if (codeHost === undefined) return { parts: [], webhooks: [] };
  const { database, wakeups } = infrastructure;
  const watch = createPullWatch({
    database,
    wakeups,
    clock: systemClock,
    logger: logger.child({ part: 'pull requests' }),
    codeHost,
    tasks: engine.tasks,
    redact: createRedactor(secrets),
    hooks: webhookSecret !== undefined,
  });
  const told = async ({ repository, numbers, head }: { repository: string; numbers: number[]; head: string | undefined }) => {
    await database.transaction((tx) => pullsChanged(tx, { repository, numbers, head, now: systemClock.now() }));
  };
  return {
    parts: [{ name: 'pull requests', start: async () => watch.start(), stop: () => watch.stop() }],
    webhooks: webhookSecret === undefined ? [] : [githubWebhook(codeHostHook, webhookSecret, told)],
  };
}
