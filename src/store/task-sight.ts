import type { Prisma } from '../../prisma/client/client.ts';

/**
 * From where tasks are looked at. A task of a private channel is there only where it has a thread, and for whoever asked for it where nobody
 * else reads the answer; elsewhere it is as one that does not exist, whatever rights somebody has.
 *
 * - `channel`: our id of the conversation; undefined: none.
 * - `readers`: ids of the person who alone reads the answer; empty where others do.
 */
export interface Sight {
  channel: string | undefined;
  readers: readonly string[];
}

/** For what is shown to nobody, or only to those who must decide. */
export const everywhere = 'everywhere';

export function inSight(sight: Sight | typeof everywhere): Prisma.TaskWhereInput {
  if (sight === everywhere) return {};
  const { channel, readers } = sight;
  return {
    OR: [
      { originId: null },
      { origin: { isPrivate: false } },
      ...(channel === undefined ? [] : [{ threads: { some: { channelId: channel } } }]),
      ...(readers.length === 0 ? [] : [{ requesterId: { in: [...readers] } }]),
    ],
  };
}
