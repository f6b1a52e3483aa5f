import { type AdapterHealth, DeliveryError } from '../../src/contracts/chat-adapter.ts';
import type { GithubLogin } from './logins.ts';
import type { Client } from './requests.ts';
import type { Me } from './talk-events.ts';
import { delivering } from './talk-failures.ts';
import { askWhoWeAre } from './talk-sign-in.ts';

const patienceMs = 2_500;

export interface HealthState {
  client: Client;
  login: GithubLogin;
  me: Me | undefined;
  /** GitHub tells of news by itself. */
  hooks: boolean;
  /** Why the last look failed. */
  trouble: string | undefined;
}

/** Whether GitHub answers, as whom, and how soon it is heard what people say. */
export async function githubHealth({ client, login, me, hooks, trouble }: HealthState): Promise<AdapterHealth> {
  try {
    const found = await delivering(false, () => askWhoWeAre(client, login, AbortSignal.timeout(patienceMs)));
    const name = `@${found.mention}`;
    if (me === undefined) return bad(`GitHub answers for ${name}, the adapter is not started.`, 'Start Deckhand.');
    if (trouble !== undefined)
      return bad(
        `GitHub answers for ${name}, but what people say there cannot be read: ${trouble}`,
        'It is tried again by itself.',
      );
    return { ok: true, detail: `GitHub answers for ${name}, which is heard ${hooks ? 'at once' : 'within a minute'}.` };
  } catch (error) {
    const failure = error instanceof DeliveryError ? error.failure : undefined;
    if (failure?.kind === 'not_permitted') {
      return bad(
        'GitHub refuses the login of Deckhand.',
        login.type === 'token'
          ? 'Set GITHUB_TOKEN to a token that is good.'
          : 'Set GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY to those of the app.',
      );
    }
    if (failure?.kind === 'rate_limited') {
      return bad(
        'GitHub limits the rate of requests at the moment.',
        'It passes by itself; look for another program with the same login.',
      );
    }
    const why = failure !== undefined && 'detail' in failure ? failure.detail : 'no answer within 2.5 s';
    return bad(`GitHub cannot be reached: ${why}`, 'Check the network, and GITHUB_API_URL when it is set.');
  }
}

function bad(detail: string, remedy: string): AdapterHealth {
  return { ok: false, detail, remedy };
}
