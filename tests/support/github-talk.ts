import { createGithubTalk } from '../../adapters/github/talk.ts';
import type { PullHint } from '../../adapters/github/webhook.ts';
import { createGithubEmulator, type GithubEmulator, type GithubEmulatorOptions } from '../../lab/github/emulator.ts';
import type { LabRepository } from '../../lab/github/repositories.ts';
import type { ChatAdapter } from '../../src/contracts/chat-adapter.ts';
import type { Conversation, IdentityRef } from '../../src/contracts/platform.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { type RecordingSink, recordingSink, serveWebhooks } from './adapter-parts.ts';

/** Both logins and both ways in which it is heard what people say. */
const githubModes = ['app, told by webhook', 'token, asking'] as const;
export type GithubMode = (typeof githubModes)[number];

export const hookPath = '/hooks/events/github';

export interface GithubTalkSetup {
  github: GithubEmulator;
  repository: LabRepository;
  adapter: ChatAdapter;
  inbox: RecordingSink;
  /** What the webhook told of pull requests. */
  hints: PullHint[];
  hookUrl: string;
  /** `@deckhand` */
  mention: string;
  conversation(number: number, repository?: LabRepository): Conversation;
  identity(login: 'ada' | 'ben' | 'gus'): IdentityRef;
  /** A second adapter with the same login, as after a restart; not started. */
  another(): ChatAdapter;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The real adapter against the emulator, with one repository. Asks every 50 ms where it asks. */
export async function startGithubTalk(
  mode: GithubMode,
  options: GithubEmulatorOptions & { started?: boolean; since?: Date; everyMs?: number } = {},
): Promise<GithubTalkSetup> {
  const { started = true, since = new Date(Date.now() - 60_000), everyMs, ...emulator } = options;
  const github = await createGithubEmulator(emulator);
  const repository = await github.repository({ name: 'web', files: { 'a.ts': 'let a = 1;\n' }, roles: { deckhand: 'write' } });
  const inbox = recordingSink();
  const hints: PullHint[] = [];
  const isApp = mode === 'app, told by webhook';
  const hooked = isApp;
  const made: ChatAdapter[] = [];
  const hooks: ChatAdapter['webhooks'][number][] = [];
  const server = await serveWebhooks({ webhooks: hooks });
  const hookUrl = `${server.url}${hookPath}`;
  if (isApp) github.app.install('acme');
  const make = (): ChatAdapter => {
    const adapter = createGithubTalk(
      {
        apiUrl: github.apiUrl,
        login: isApp
          ? { type: 'app', id: String(github.app.id), privateKey: github.app.privateKey }
          : { type: 'token', token: github.token('deckhand') },
        webhook: hooked
          ? { path: hookPath, secret: github.app.webhookSecret, hint: async (hint) => void hints.push(hint) }
          : undefined,
        repositories: async () => [{ owner: 'acme', name: 'web', since }],
      },
      {
        logger: createLogger({ level: 'silent' }),
        clock: { now: () => new Date(github.core.now()) },
        startWithinMs: 5_000,
        everyMs: everyMs ?? (hooked ? undefined : 50),
      },
    );
    made.push(adapter);
    return adapter;
  };
  const adapter = make();
  hooks.push(...adapter.webhooks);
  if (started) await adapter.start(inbox.sink);
  if (hooked) github.app.webhook(hookUrl);
  const tenant = new URL(github.url).host;
  let isClosed = false;
  return {
    github,
    repository,
    adapter,
    inbox,
    hints,
    hookUrl,
    mention: '@deckhand',
    conversation: (number, at = repository) => ({
      platform: 'github',
      tenant,
      channel: at.fullName,
      thread: String(number),
      kind: 'channel',
    }),
    identity: (login) => ({
      platform: 'github',
      tenant,
      user: String(github.core.accounts.get(login)?.id),
    }),
    another: make,
    async [Symbol.asyncDispose]() {
      if (isClosed) return;
      isClosed = true;
      await Promise.all(made.map((one) => one.stop()));
      await server.close();
      await github.close();
    },
  };
}
