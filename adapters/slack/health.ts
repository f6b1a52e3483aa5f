import { type AdapterHealth, DeliveryError } from '../../src/contracts/chat-adapter.ts';
import { neededScopes, optionalScopes } from './methods.ts';
import { authAnswer } from './sign-in.ts';
import type { SlackSocket } from './socket.ts';
import type { Web } from './web.ts';

const patienceMs = 2_500;

/** Token, scopes and connection, each failure with what to do about it. `account`: token and scopes alone, for a look from outside. */
export async function slackHealth(state: {
  web: Web;
  mode: 'socket' | 'http' | 'account';
  running: boolean;
  socket: SlackSocket | undefined;
}): Promise<AdapterHealth> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(late.resolve, patienceMs, undefined);
  try {
    const auth = await Promise.race([state.web.call('auth.test', {}, authAnswer), late.promise]);
    if (auth === undefined) return bad('Slack does not answer within 2.5 s.', 'Check the network, and status.slack.com.');
    const granted = auth.response_metadata?.scopes;
    const missing =
      granted === undefined ? [] : neededScopes().filter((scope) => !granted.includes(scope) && !optionalScopes.has(scope));
    if (missing.length > 0) {
      return bad(
        `The Slack app in ${auth.team} lacks the scopes ${missing.join(', ')}.`,
        'Update the app with `deckhand slack manifest`, then install it again.',
      );
    }
    if (state.mode === 'account') return { ok: true, detail: `Slack answers for ${auth.team}; the token has every scope.` };
    if (!state.running) return bad(`Slack answers for ${auth.team}, the adapter is not started.`, 'Start Deckhand.');
    return state.mode === 'http'
      ? { ok: true, detail: `Slack answers for ${auth.team}; events come over HTTP.` }
      : socketHealth(auth.team, state.socket);
  } catch (error) {
    return authFailure(error);
  } finally {
    clearTimeout(timer);
  }
}

function socketHealth(team: string, socket: SlackSocket | undefined): AdapterHealth {
  const status = socket?.status();
  if (status?.connected === true) return { ok: true, detail: `Slack answers for ${team}; the socket is connected.` };
  const why = status?.problem === undefined ? '' : ` (${status.problem})`;
  return bad(
    `Slack answers for ${team}, but the socket is not connected${why}.`,
    'It reconnects by itself. If that lasts: check SLACK_APP_TOKEN (xapp-…, scope connections:write) and that Socket Mode is on.',
  );
}

function authFailure(error: unknown): AdapterHealth {
  const failure = error instanceof DeliveryError ? error.failure : undefined;
  if (failure?.kind === 'not_permitted') {
    return bad(`Slack refuses the bot token: ${failure.detail}.`, 'Set SLACK_BOT_TOKEN to the token under OAuth & Permissions.');
  }
  if (failure?.kind === 'rate_limited') {
    return bad(
      'Slack limits the rate of calls at the moment.',
      'It passes by itself; look for another program with the same token.',
    );
  }
  return bad(
    `Slack cannot be reached: ${failure?.detail ?? 'unknown error'}.`,
    'Check the network, and SLACK_API_URL when it is set.',
  );
}

function bad(detail: string, remedy: string): AdapterHealth {
  return { ok: false, detail, remedy };
}
