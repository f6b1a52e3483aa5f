import { z } from 'zod';
import { DeliveryError } from '../../src/contracts/chat-adapter.ts';
import type { Conversation, IdentityRef } from '../../src/contracts/platform.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { defaultRetryAfterSeconds, networkFailure } from './failures.ts';
import type { MessageContent } from './outbound.ts';
import { openReply } from './reply.ts';
import { anyAnswer, type Web } from './web.ts';

interface EphemeralDeps {
  web: Web;
  clock: Clock;
  logger: Logger;
  open(token: string): string | undefined;
}

const timeoutMs = 10_000;
const thread = z.object({ messages: z.array(z.looseObject({ ts: z.string() })) });

/**
 * Shows a message to one person. The handle of the act comes first: it works where the bot is no member. Then
 * `chat.postEphemeral`; in a direct conversation a plain message, which outlives a reload. `replaces`: the message that was pressed is
 * gone when somebody has dismissed it; then it is shown anew.
 */
export async function sendEphemeral(
  deps: EphemeralDeps,
  to: Conversation,
  user: IdentityRef,
  content: MessageContent,
  { reply, replaces = false }: { reply: string | undefined; replaces?: boolean | undefined },
): Promise<void> {
  const url = reply === undefined ? undefined : openReply(reply, deps.open, deps.clock.now());
  if (url !== undefined && replaces && (await respond(deps, url, to, content, true))) return;
  if (url !== undefined && (await respond(deps, url, to, content, false))) return;
  if (to.kind === 'direct') {
    const args = { ...content, channel: to.channel, ...inThread(to.thread), unfurl_links: false, unfurl_media: false };
    await deps.web.call('chat.postMessage', args, anyAnswer);
    return;
  }
  const shown = to.thread !== undefined && (await hasReplies(deps.web, to.channel, to.thread)) ? to.thread : undefined;
  const args = { ...content, channel: to.channel, user: user.user, ...inThread(shown) };
  await deps.web.call('chat.postEphemeral', args, anyAnswer);
}

/** False when the address is used up or does not fit: then another way may still work. */
async function respond(
  deps: EphemeralDeps,
  url: string,
  to: Conversation,
  content: MessageContent,
  replaces: boolean,
): Promise<boolean> {
  let response: Response;
  let answer: string;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify({ ...content, ...inThread(to.thread), response_type: 'ephemeral', replace_original: replaces }),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    answer = (await response.text()).slice(0, 200);
  } catch (error) {
    const failure = networkFailure(error instanceof Error ? error : new Error(String(error)), 'response_url');
    if (failure.kind === 'unknown') throw new DeliveryError(failure, { cause: error });
    return false;
  }
  if (response.ok) return true;
  if (response.status === 429) {
    const seconds = Number(response.headers.get('retry-after')) || defaultRetryAfterSeconds;
    throw new DeliveryError({ kind: 'rate_limited', retryAfterMs: seconds * 1000 });
  }
  if (response.status >= 500) throw new DeliveryError({ kind: 'unknown', detail: `response_url: HTTP ${response.status}` });
  deps.logger.info({ status: response.status, answer }, 'slack response_url refused, trying chat.postEphemeral');
  return false;
}

/**
 * Slack accepts an ephemeral message for a thread without replies and never shows it. Where the thread cannot be read, the
 * message goes to the channel.
 */
async function hasReplies(web: Web, channel: string, ts: string): Promise<boolean> {
  try {
    const { messages } = await web.read('conversations.replies', { channel, ts, limit: 2 }, thread);
    return messages.some((message) => message.ts !== ts);
  } catch (error) {
    if (error instanceof DeliveryError && ['gone', 'not_permitted'].includes(error.failure.kind)) return false;
    throw error;
  }
}

function inThread(ts: string | undefined) {
  return ts === undefined ? {} : { thread_ts: ts };
}
