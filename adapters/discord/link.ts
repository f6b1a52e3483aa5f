import { setTimeout as delay } from 'node:timers/promises';
import { DeliveryError } from '../../src/contracts/chat-adapter.ts';
import type { Conversation } from '../../src/contracts/platform.ts';
import type { Directory } from './directory.ts';
import { channelOf } from './sending.ts';

/** An answer with one link less is better than one that keeps somebody waiting. */
const withinMs = 1_500;

/**
 * Address of a channel or a thread, which names the server it is in. What the gateway has not told of the channel is asked for once;
 * undefined when Discord does not say so now. Direct conversations have none that others could open.
 */
export async function discordLink(directory: Directory, to: Conversation): Promise<string | undefined> {
  if (to.kind === 'direct') return undefined;
  const settled = new AbortController();
  try {
    const late = delay(withinMs, undefined, { signal: settled.signal }).catch(() => undefined);
    const channel = await Promise.race([directory.channel(to.channel), late]);
    return channel?.guild_id == null ? undefined : `https://discord.com/channels/${channel.guild_id}/${channelOf(to)}`;
  } catch (error) {
    if (error instanceof DeliveryError) return undefined;
    throw error;
  } finally {
    settled.abort();
  }
}
