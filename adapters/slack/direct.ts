import { z } from 'zod';
import type { Web } from './web.ts';

const opened = z.object({ channel: z.object({ id: z.string().min(1) }) });

/** The direct conversation with a person (`D…`). Opening it again changes nothing. */
export async function openDirect(web: Web, user: string): Promise<string> {
  const { channel } = await web.call('conversations.open', { users: user }, opened);
  return channel.id;
}

/** Messages may be posted to a person's id, but nothing can be read from it or uploaded to it. */
export async function conversationId(web: Web, channel: string): Promise<string> {
  return /^[UW]/.test(channel) ? openDirect(web, channel) : channel;
}
