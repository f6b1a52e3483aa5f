import { type ChatAdapter, DeliveryError, type InboundSink } from '../../src/contracts/chat-adapter.ts';
import type { Repository } from '../../src/contracts/code-host.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { createLoop, type Loop } from '../../src/runtime/loop.ts';
import type { GithubConfig } from './host.ts';
import { createLogins } from './logins.ts';
import { createAt } from './place.ts';
import { webOrigin } from './repositories.ts';
import { createClient } from './requests.ts';
import { githubCapabilities } from './talk-capabilities.ts';
import { createComments } from './talk-comments.ts';
import { deliveredEvents, isTalk } from './talk-deliveries.ts';
import type { Me } from './talk-events.ts';
import { rejected } from './talk-failures.ts';
import { githubHealth } from './talk-health.ts';
import { readHistory } from './talk-history.ts';
import { createLooking } from './talk-look.ts';
import { createPeople } from './talk-people.ts';
import { pageOf } from './talk-places.ts';
import { react } from './talk-reactions.ts';
import { signIn } from './talk-sign-in.ts';
import { githubWebhook, NotReady, type PullHint } from './webhook.ts';

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
  /** How often GitHub is asked what was said, in milliseconds. Default: a minute, five where it tells of news by itself. */
  everyMs?: number | undefined;
}

const everyMs = { alone: 60_000, withHooks: 5 * 60_000 } as const;

/**
 * GitHub as a conversation: issues and pull requests behind the `ChatAdapter` port. A conversation is `{platform: 'github', tenant: <host of the
 * pages, e.g. github.com>, channel: 'acme/web', thread: '12', kind: 'channel'}`. Only what mentions the bot is handed over. Messages are `i12`
 * (the body of issue or pull request 12), `c<id>` (a comment), `r<id>` (a comment on a line) and `v<id>` (the body of a review); a person is the
 * number of the account as text, the name is the login. Makes no request before `start`, which rejects with `not_permitted` for a refused login and
 * with `unreachable` when GitHub was not reached in time; it may be called again then.
 */
export function createGithubTalk(config: GithubTalkConfig, deps: GithubTalkDeps): ChatAdapter {
  const { clock } = deps;
  const logger = deps.logger.child({ platform: 'github' });
  const client = createClient(config.apiUrl);
  const at = createAt(createLogins(client, config.login));
  const web = webOrigin(config.apiUrl);
  const tenant = web.host;
  const people = createPeople({ client, at, now: () => clock.now().getTime() });
  const comments = createComments({ client, at, people });
  const stopping = new AbortController();
  const storing = new Set<Promise<unknown>>();
  let me: Me | undefined;
  let sink: InboundSink | undefined;
  let looks: Loop | undefined;
  let trouble: string | undefined;

  /** What is known after `start`. */
  function started(): Me {
    if (me === undefined) throw new DeliveryError({ kind: 'unreachable', detail: 'the adapter is not started' });
    return me;
  }

  async function take(events: Parameters<InboundSink>[0]): Promise<void> {
    if (sink === undefined || stopping.signal.aborted) throw new NotReady('Deckhand is not listening at the moment.');
    const stored = sink(events);
    storing.add(stored);
    try {
      await stored;
    } finally {
      storing.delete(stored);
    }
  }

  async function told(event: string, payload: unknown): Promise<void> {
    if (!isTalk(event)) return;
    if (me === undefined) throw new NotReady('Deckhand is not listening yet.');
    const events = deliveredEvents(event, payload, me, tenant);
    if (events.length === 0) return;
    try {
      await take(events);
    } catch (error) {
      if (error instanceof NotReady) throw error;
      logger.error({ err: error }, 'a delivery of github could not be stored');
      throw new NotReady('This could not be stored. Deliver it again.');
    }
  }

  const { webhook } = config;
  const lacking = (what: string) => Promise.reject(rejected(`GitHub has no ${what}`));

  return {
    platform: 'github',
    capabilities: githubCapabilities,
    webhooks: webhook === undefined ? [] : [githubWebhook(webhook.path, webhook.secret, webhook.hint, told)],
    tenants: () => (me === undefined ? [] : [{ tenant, name: tenant === 'github.com' ? 'GitHub' : tenant, botUser: me.account }]),
    async start(into) {
      const inTime = AbortSignal.any([stopping.signal, AbortSignal.timeout(deps.startWithinMs ?? 30_000)]);
      const found = await signIn(client, config.login, logger, inTime);
      sink = into;
      me = found;
      const looking = createLooking({ ...config, client, at, me: found, tenant, clock, logger, take });
      looks = createLoop({
        name: 'github talk',
        idleMs: deps.everyMs ?? (webhook === undefined ? everyMs.alone : everyMs.withHooks),
        async run(signal) {
          await looking.look(signal);
          trouble = undefined;
          return false;
        },
        onError(error, failures) {
          trouble = error instanceof Error ? error.message : 'unknown';
          logger.warn({ err: error, failures }, 'what people say at github could not be read');
        },
      });
      if (!stopping.signal.aborted) looks.start();
    },
    async stop() {
      stopping.abort();
      await looks?.stop();
      await Promise.allSettled(storing);
    },
    health: () => githubHealth({ client, login: config.login, me, hooks: webhook !== undefined, trouble }),
    send: (to, view, key) => comments.send(to, view, key),
    edit: (ref, view) => comments.edit(ref, view),
    find: async (to, key, since) => comments.find(started(), to, key, since),
    ephemeral: () =>
      Promise.reject(new DeliveryError({ kind: 'not_permitted', detail: 'GitHub shows every comment to all who may read it' })),
    async linkTo({ channel, thread }) {
      return pageOf(web, channel, thread);
    },
    async nameOf({ user }) {
      const [first] = await config.repositories();
      return first === undefined ? undefined : await people.login(first, user);
    },
    direct: () => Promise.reject(new DeliveryError({ kind: 'not_permitted', detail: 'GitHub has no direct conversations' })),
    openForm: () => lacking('forms; fields are asked for one by one'),
    upload: () => lacking('files in comments for programs'),
    react: async (ref, mark, on) => react({ client, at, me: started() }, ref, mark, on),
    publishHome: () => lacking('home surface'),
    history: async (to, before, limit) => readHistory({ client, at, me: started() }, to, before, limit),
  };
}
