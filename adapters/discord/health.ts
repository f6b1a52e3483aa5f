import { type AdapterHealth, DeliveryError } from '../../src/contracts/chat-adapter.ts';
import { interactionsPath } from './http.ts';
import { inviteUrl } from './invite.ts';
import type { Listening } from './listener.ts';
import type { Rest } from './rest.ts';
import { type Application, askApplication, mayReadMessages } from './sign-in.ts';

const patienceMs = 2_500;

const grantIntent =
  'Developer portal → the application → Bot → Privileged Gateway Intents: switch on "Message Content Intent", then start Deckhand again. Until then replies in threads have to mention the bot.';

export interface HealthState {
  rest: Rest;
  /** `undefined`: not started, or only looked at from outside. */
  listening: Listening | undefined;
  publicKey: string | undefined;
  guilds: number;
  /** Why the commands could not be registered. */
  commands: string | undefined;
}

/** Token, connection, intent and endpoint, each failure with what to do about it. Answers within three seconds. */
export async function discordHealth(state: HealthState): Promise<AdapterHealth> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(late.resolve, patienceMs, undefined);
  try {
    const application = await Promise.race([askApplication(state.rest), late.promise]);
    if (application === undefined)
      return bad('Discord does not answer within 2.5 s.', 'Check the network, and discordstatus.com.');
    return judged(application, state);
  } catch (error) {
    return unanswered(error, state);
  } finally {
    clearTimeout(timer);
  }
}

function judged(application: Application, state: HealthState): AdapterHealth {
  const { listening, publicKey } = state;
  const known = `Discord answers for ${application.name}`;
  const url = application.interactions_endpoint_url;
  if (url != null && publicKey === undefined) {
    return bad(
      `${known}, but sends commands and presses to ${url}.`,
      `Set DISCORD_PUBLIC_KEY when that is this Deckhand, or empty "Interactions Endpoint URL" in the developer portal.`,
    );
  }
  if (
    publicKey !== undefined &&
    application.verify_key != null &&
    application.verify_key.toLowerCase() !== publicKey.toLowerCase()
  ) {
    return bad(`${known}, but DISCORD_PUBLIC_KEY is the key of another application.`, 'Copy the key from General Information.');
  }
  if (listening === undefined) return bad(`${known}, the adapter is not started.`, 'Start Deckhand.');
  if (listening.state === 'connecting' || listening.state === 'ended') {
    const why = listening.problem === undefined ? '' : ` (${listening.problem})`;
    return bad(
      `${known}, but the gateway is not connected${why}.`,
      'It reconnects by itself. If that lasts: check the network, the token, and discordstatus.com.',
    );
  }
  if (state.commands !== undefined) {
    return bad(`${known}, but the slash commands could not be registered: ${state.commands}.`, 'Start Deckhand again.');
  }
  const over = url == null ? 'the gateway' : `HTTP (${interactionsPath})`;
  const where =
    listening.state === 'standby' ? 'another process listens' : `the gateway is connected; commands come over ${over}`;
  if (state.guilds === 0) {
    return { ok: true, detail: `${known}; ${where}; the bot is in no server.`, remedy: `Add it: ${inviteUrl(application.id)}` };
  }
  // In standby nobody has tried: what the developer portal says has to do.
  if (listening.state === 'standby' ? mayReadMessages(application) : listening.readsMessages)
    return { ok: true, detail: `${known}; ${where}.` };
  return { ok: true, detail: `${known}; ${where}, without the Message Content intent.`, remedy: grantIntent };
}

function unanswered(error: unknown, { listening }: HealthState): AdapterHealth {
  const failure = error instanceof DeliveryError ? error.failure : undefined;
  if (failure?.kind === 'not_permitted') {
    return bad('Discord refuses the bot token.', 'Developer portal → Bot → Reset Token, and set DISCORD_BOT_TOKEN to it.');
  }
  if (failure?.kind === 'rate_limited') {
    if (listening?.state === 'connected')
      return { ok: true, detail: 'Discord limits the rate of calls; the gateway is connected.' };
    return bad(
      'Discord limits the rate of calls at the moment.',
      'It passes by itself; look for another program with the same token.',
    );
  }
  const detail = failure === undefined ? 'unknown error' : failure.detail;
  return bad(`Discord cannot be reached: ${detail}.`, 'Check the network, and DISCORD_API_URL when it is set.');
}

function bad(detail: string, remedy: string): AdapterHealth {
  return { ok: false, detail, remedy };
}
