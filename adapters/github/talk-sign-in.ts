import { setTimeout as sleep } from 'node:timers/promises';
import { createAppAuth } from '@octokit/auth-app';
import { DeliveryError } from '../../src/contracts/chat-adapter.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { GithubLogin } from './logins.ts';
import { asking, type Client, withLogin } from './requests.ts';
import type { Me } from './talk-events.ts';
import { delivering } from './talk-failures.ts';

const firstWaitMs = 1_000;
const maxWaitMs = 30_000;

/** Asks GitHub who we are, once: the account of a token, or the app, whose bot has its own login and is named by the app's. */
export async function askWhoWeAre(client: Client, login: GithubLogin, signal: AbortSignal): Promise<Me> {
  return await asking('say who it is', signal, async () => {
    if (login.type === 'token') {
      const { data } = await client.request('GET /user', withLogin(login.token, signal));
      return { login: data.login, mention: data.login, account: String(data.id) };
    }
    const auth = createAppAuth({ appId: login.id, privateKey: login.privateKey, request: client.request });
    const { token } = await auth({ type: 'app' });
    const { headers, request } = withLogin(token, signal);
    const { data } = await client.request('GET /app', { headers: { ...headers, authorization: `Bearer ${token}` }, request });
    const slug = data?.slug ?? data?.name ?? login.id;
    return { login: `${slug}[bot]`, mention: slug, account: `${slug}[bot]` };
  });
}

/**
 * Asks GitHub who we are. A refused login rejects with `not_permitted`; while GitHub cannot be reached it keeps asking until `signal` ends it, and
 * rejects with what was wrong last.
 */
export async function signIn(client: Client, login: GithubLogin, logger: Logger, signal: AbortSignal): Promise<Me> {
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, maxWaitMs)) {
    try {
      return await delivering(false, () => askWhoWeAre(client, login, signal));
    } catch (error) {
      const failure = error instanceof DeliveryError ? error.failure : undefined;
      if (failure !== undefined && failure.kind !== 'unreachable' && failure.kind !== 'rate_limited') throw error;
      if (failure === undefined && !signal.aborted) throw error;
      const rest = failure?.kind === 'rate_limited' ? failure.retryAfterMs : waitMs;
      if (!signal.aborted) logger.warn({ err: error, rest }, 'github not reachable, trying again');
      // Rejects only when the signal ends it, which the next line looks at.
      await sleep(rest, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) continue;
      const detail = error instanceof DeliveryError ? error.message : 'no answer in time';
      throw new DeliveryError({ kind: 'unreachable', detail }, { cause: error });
    }
  }
}
