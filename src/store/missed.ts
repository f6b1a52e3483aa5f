import type { Missed } from '../contracts/chat-adapter.ts';
import type { Platform } from '../contracts/platform.ts';
import type { Database } from './database.ts';

/**
 * Where people may have written on this platform since then: channels that are bound or direct, and threads of tasks. At most `most` of each:
 * the newest channels, and the threads whose task changed last.
 */
export async function missedConversations(
  { db }: Database,
  { platform, since: from, most }: { platform: Platform; since: Date; most: number },
): Promise<Missed[]> {
  const since = from.toISOString();
  const [channels, threads] = await Promise.all([
    db.channel.findMany({
      where: { platform, OR: [{ kind: 'direct' }, { projectId: { not: null } }] },
      orderBy: { id: 'desc' },
      take: most,
    }),
    db.thread.findMany({
      where: { externalId: { not: null }, channel: { platform } },
      orderBy: { task: { updatedAt: 'desc' } },
      take: most,
      include: { channel: true },
    }),
  ]);
  const conversation = ({ tenant, externalId, kind }: (typeof channels)[number]) =>
    ({ platform, tenant, channel: externalId, kind: kind === 'direct' ? 'direct' : 'channel' }) as const;
  return [
    ...channels.map((channel) => ({ conversation: conversation(channel), since })),
    ...threads.flatMap(({ channel, externalId }) =>
      externalId === null ? [] : [{ conversation: { ...conversation(channel), thread: externalId }, since }],
    ),
  ];
}
