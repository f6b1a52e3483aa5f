import type { Prisma } from '../../prisma/client/client.ts';
import { type Conversation, platformSchema } from '../contracts/platform.ts';
import { liveStates } from './runs.ts';

export type DraftPlace = Conversation;

/** The direct conversations in which live runs of agents are followed. Runs without one are left out. */
export async function draftPlaces(db: Prisma.TransactionClient, runs: readonly string[]): Promise<Map<string, DraftPlace[]>> {
  if (runs.length === 0) return new Map();
  const rows = await db.run.findMany({
    where: { id: { in: [...runs] }, prompt: { not: null }, state: { in: [...liveStates] } },
    select: {
      id: true,
      task: {
        select: {
          threads: {
            where: { channel: { kind: 'direct' } },
            select: { externalId: true, channel: { select: { platform: true, tenant: true, externalId: true } } },
          },
        },
      },
    },
  });
  return new Map(
    rows.map(({ id, task }) => [
      id,
      task.threads.map(({ externalId, channel }) => ({
        platform: platformSchema.parse(channel.platform),
        tenant: channel.tenant,
        channel: channel.externalId,
        ...(externalId === null ? {} : { thread: externalId }),
        kind: 'direct' as const,
      })),
    ]),
  );
}
