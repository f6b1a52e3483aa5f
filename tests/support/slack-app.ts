import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { App, type AppOptions, HTTPReceiver, LogLevel } from '@slack/bolt';
import { WebClient, type WebClientOptions } from '@slack/web-api';
import { onTestFinished } from 'vitest';
import { createSlackEmulator, type SlackEmulator, type SlackEmulatorOptions } from '../../lab/slack/emulator.ts';

/** The real Slack SDKs against the emulator. Everything started here ends with the test. */

/** An emulator for this test alone. Ends with an error when the emulator itself made a mistake. */
export async function startSlack(options: SlackEmulatorOptions = {}): Promise<SlackEmulator> {
  const slack = await createSlackEmulator(options);
  onTestFinished(async () => {
    await slack.close();
    if (slack.controls.errors.length > 0) throw new AggregateError(slack.controls.errors, 'the emulator failed');
  });
  return slack;
}

/** A WebClient with the bot token that neither retries nor logs. */
export function botClient(slack: SlackEmulator, options: WebClientOptions = {}): WebClient {
  return new WebClient(slack.credentials.botToken, {
    slackApiUrl: slack.apiUrl,
    retryConfig: { retries: 0 },
    logLevel: LogLevel.ERROR,
    logger: silent,
    ...options,
  });
}

/** A Bolt app in Socket Mode, connected. */
export async function startSocketApp(slack: SlackEmulator, register: (app: App) => void): Promise<App> {
  const app = new App({ ...common(slack), appToken: slack.credentials.appToken, socketMode: true });
  register(app);
  await app.start();
  onTestFinished(async () => {
    await app.stop();
  });
  return app;
}

/** A Bolt app behind HTTP; the emulator delivers to it from now on. */
export async function startHttpApp(
  slack: SlackEmulator,
  register: (app: App) => void,
  { signingSecret = slack.credentials.signingSecret } = {},
): Promise<App> {
  const receiver = new HTTPReceiver({ signingSecret, logger: silent });
  const app = new App({ ...common(slack), receiver });
  register(app);
  const server = createServer(receiver.requestListener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  const { port } = server.address() as AddressInfo;
  slack.controls.delivery('http', `http://127.0.0.1:${port}/slack/events`);
  return app;
}

function common(slack: SlackEmulator): AppOptions {
  return {
    token: slack.credentials.botToken,
    clientOptions: { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 } },
    convoStore: false,
    logger: silent,
  };
}

/** The SDKs log refusals that a test causes on purpose. */
export const silent = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  setLevel() {},
  getLevel: () => LogLevel.ERROR,
  setName() {},
};

/** The error code of a Web API call that must fail, with the messages Slack adds. */
export async function refusalOf(call: Promise<unknown>): Promise<{ error: string; messages: string[] }> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Error && 'data' in error) {
      const data = error.data as { error: string; response_metadata?: { messages?: string[] } };
      return { error: data.error, messages: data.response_metadata?.messages ?? [] };
    }
    throw error;
  }
  throw new Error('the call was not refused');
}
