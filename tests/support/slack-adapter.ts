import { createSlackAdapter } from '../../adapters/slack/adapter.ts';
import { slackManifest } from '../../adapters/slack/manifest.ts';
import { createSlackEmulator, type SlackEmulator, type SlackEmulatorOptions } from '../../lab/slack/emulator.ts';
import type { ChatAdapter } from '../../src/contracts/chat-adapter.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { open, type RecordingSink, recordingSink, seal, serveWebhooks } from './adapter-parts.ts';

/** Both ways Slack can reach the adapter. */
export const slackModes = ['socket', 'http'] as const;
export type SlackMode = (typeof slackModes)[number];

export interface SlackSetup {
  slack: SlackEmulator;
  adapter: ChatAdapter;
  inbox: RecordingSink;
  /** Lines of the adapter's log, as JSON. */
  log: string[];
  /** Where HTTP mode listens. */
  requestUrl: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The real adapter against the emulator, started unless `started: false`. Retries come at once unless `timing` says otherwise. */
export async function startSlack(
  options: { mode: SlackMode; started?: boolean; now?: () => Date; startWithinMs?: number } & Pick<
    SlackEmulatorOptions,
    'timing' | 'rateLimiting' | 'mentionOrder' | 'manifest'
  >,
): Promise<SlackSetup> {
  const { mode, now = () => new Date() } = options;
  const manifest = options.manifest ?? slackManifest({ mode: 'socket', usageHint: 'help' });
  const slack = await createSlackEmulator({
    manifest,
    timing: { retryDelays: [0, 20, 20], ...options.timing },
    ...(options.rateLimiting === undefined ? {} : { rateLimiting: options.rateLimiting }),
    ...(options.mentionOrder === undefined ? {} : { mentionOrder: options.mentionOrder }),
  });
  const log: string[] = [];
  const { credentials, apiUrl } = slack;
  const inbox = recordingSink();
  const adapter = createSlackAdapter(
    {
      botToken: credentials.botToken,
      apiUrl,
      ...(mode === 'socket' ? { appToken: credentials.appToken } : { signingSecret: credentials.signingSecret }),
    },
    {
      logger: createLogger({ level: 'debug', destination: { write: (line) => log.push(line) } }),
      clock: { now },
      seal,
      open,
      startWithinMs: options.startWithinMs,
    },
  );
  const server = await serveWebhooks(adapter);
  if (mode === 'http') slack.controls.delivery('http', `${server.url}/slack/events`);
  if (options.started !== false) await adapter.start(inbox.sink);
  return {
    slack,
    adapter,
    inbox,
    log,
    requestUrl: `${server.url}/slack/events`,
    async [Symbol.asyncDispose]() {
      await adapter.stop();
      await server.close();
      await slack.close();
    },
  };
}
