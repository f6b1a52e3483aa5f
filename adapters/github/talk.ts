import type { ChatAdapter } from '../../src/contracts/chat-adapter.ts';
import type { Repository } from '../../src/contracts/code-host.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { GithubConfig } from './host.ts';
import type { PullHint } from './webhook.ts';

/** A repository in which people may ask. */
export interface WatchedRepository extends Repository {
  /** Nothing that was said earlier is wanted: when its project was made. */
  since: Date;
}

export interface GithubTalkConfig extends GithubConfig {
  /**
   * Where GitHub tells of news, and the secret that it signs with; undefined: it tells of nothing, and is asked once a minute. The adapter has
   * the one endpoint at this path: a delivery is answered 2xx after `hint` has stored what it says of pull requests and the sink what people said.
   */
  webhook: { path: string; secret: string; hint(hint: PullHint): Promise<void> } | undefined;
  /**
   * Those of the projects, asked for at every look. What was said there within a day, and after `since`, while nothing ran is found by the
   * first look after `start`; what was stored already is harmless.
   */
  repositories(): Promise<readonly WatchedRepository[]>;
}

export interface GithubTalkDeps {
  logger: Logger;
  clock: Clock;
  /** How long `start` tries to reach GitHub, in milliseconds. Default 30 s. */
  startWithinMs?: number | undefined;
}

/**
 * GitHub as a conversation: issues and pull requests behind the `ChatAdapter` port. A conversation is `{platform: 'github', tenant: <host of the
 * pages, e.g. github.com>, channel: 'acme/web', thread: '12', kind: 'channel'}`. Only what mentions the bot is handed over. Messages are `i12`
 * (the body of issue or pull request 12), `c<id>` (a comment), `r<id>` (a comment on a line) and `v<id>` (the body of a review); a person is the
 * number of the account as text, the name is the login. Makes no request before `start`, which rejects with `not_permitted` for a refused login and
 * with `unreachable` when GitHub was not reached in time; it may be called again then.
 */
export type CreateGithubTalk = (config: GithubTalkConfig, deps: GithubTalkDeps) => ChatAdapter;
