import type { Missed } from '../contracts/chat-adapter.ts';
import type { Platform } from '../contracts/platform.ts';
import type { Database } from './database.ts';

export interface MissedOptions {
  platform: Platform;
  /** From when on somebody listens again. */
  until: Date;
  /** Nothing older than this is looked for, in milliseconds before `until`. */
  longestMs: number;
  /** Most channels, and most threads: those of which was heard last, and those whose task changed last. */
  most: number;
}

/**
 * Where people may have written on this platform while nobody listened: channels that are bound or direct, and threads of tasks. From the
 * last event that was stored before `until`; nothing when none was stored, since then nobody has missed anything yet.
 */
export async function missedConversations({ db }: Database, options: MissedOptions): Promise<Missed[]> {
  const { platform, until, longestMs, most } = options;
  const last = await db.inbox.findFirst({
    where: { platform, receivedAt: { lt: until } },
    orderBy: { receivedAt: 'desc' },
    select: { receivedAt: true },
  });
  if (last === null) return [];
  const since = new Date(Math.max(last.receivedAt.getTime(), until.getTime() - longestMs)).toISOString();
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
