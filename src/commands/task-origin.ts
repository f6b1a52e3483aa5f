import type { PublishOrigin } from '../store/publications.ts';
import { placesOfTask } from '../store/threads.ts';
import type { CommandContext } from './command.ts';

/**
 * Where the thread of a task is, for a pull request that says where it comes from. Who reads it there may not be of the team: a direct
 * conversation is not linked, nobody else could open it.
 */
export async function taskOrigin(ctx: CommandContext, task: string): Promise<PublishOrigin | undefined> {
  const place = (await placesOfTask(ctx.tx, task)).find(({ origin }) => origin);
  if (place === undefined) return undefined;
  const { platform, tenant, externalId: channel, kind } = place.channel;
  if (kind === 'direct' || place.externalId === undefined) return { platform };
  const url = await ctx.deps.linkTo?.({ platform, tenant, channel, kind, thread: place.externalId });
  return { platform, ...(url === undefined ? {} : { url }) };
}
