import { isRoleId } from '../contracts/approvers.ts';
import { AppError } from '../contracts/errors.ts';
import { type Channel, channelById, channelNames, channelsByName, findChannel } from '../store/channels.ts';
import { customRolesById } from '../store/custom-roles.ts';
import { namesOfTeams } from '../store/named-people.ts';
import { labelsOf } from '../store/people.ts';
import type { ListChange } from './arguments.ts';
import { applyChange } from './arguments.ts';
import type { CommandContext } from './command.ts';
import { namedPerson } from './member-target.ts';
import { namedTeam } from './place.ts';

/** The people that a list names, by id. Undefined: nothing was given. */
export async function changedPeople(
  ctx: CommandContext,
  current: readonly string[],
  change: ListChange,
  example: string,
): Promise<string[]> {
  return changed(current, change, async (text) => (await namedPerson(ctx, text, example)).user);
}

/** The teams that a list names, by id. */
export async function changedTeams(ctx: CommandContext, current: readonly string[], change: ListChange): Promise<string[]> {
  return changed(current, change, async (text) => (await namedTeam(ctx, text.replace(/^@/, ''))).id);
}

/** The channels that a list names, by id. */
export async function changedChannels(
  ctx: CommandContext,
  current: readonly string[],
  change: ListChange,
  example: string,
): Promise<string[]> {
  return changed(current, change, async (text) => (await namedChannel(ctx, text, example)).id);
}

/** Names become ids before the list changes, so that two names of the same are the same. */
async function changed(
  current: readonly string[],
  change: ListChange,
  find: (text: string) => Promise<string>,
): Promise<string[]> {
  const all = async (texts: readonly string[]) => {
    const found: string[] = [];
    for (const text of texts.flatMap((one) => one.split(',').map((part) => part.trim()))) {
      if (text !== '') found.push(await find(text));
    }
    return found;
  };
  return applyChange(current, {
    set: change.set === undefined ? undefined : await all(change.set),
    add: await all(change.add),
    remove: await all(change.remove),
  });
}

/**
 * A channel that Deckhand knows: `here`, a mention, the id that buttons carry, or the name of exactly one. Direct conversations are none.
 */
export async function namedChannel(ctx: CommandContext, text: string, example: string): Promise<Channel> {
  const { workspace } = ctx.person;
  const mention = /^<#([^|<>\s]+)(?:\|[^<>]*)?>$/.exec(text)?.[1];
  const found =
    text.toLowerCase() === 'here'
      ? [ctx.channel]
      : mention !== undefined
        ? [await findChannel(ctx.tx, workspace, { ...ctx.act.conversation, channel: mention, thread: undefined })]
        : [await channelById(ctx.tx, workspace, text), ...(await channelsByName(ctx.tx, workspace, text.replace(/^#/, '')))];
  const channels = found.flatMap((one) => (one?.kind === 'channel' ? [one] : []));
  const [one, ...others] = channels;
  if (one !== undefined && others.length === 0) return one;
  const problem =
    one === undefined
      ? `\`${text.slice(0, 80)}\` is no channel that Deckhand knows: it knows those in which somebody has written to it.`
      : `There are several channels named \`${text.slice(0, 80)}\`: name it where it is, with \`here\`.`;
  throw new AppError('DH-201', { problem, example: `\`${example}\`` });
}

/** What lists of people, teams and channels consist of. */
interface Lists {
  people?: readonly string[] | undefined;
  teams?: readonly string[] | undefined;
  channels?: readonly string[] | undefined;
  among?: readonly { people: readonly string[]; teams: readonly string[] }[] | undefined;
}

/** Names of all that these name, by id: "Ada", "team infra", "who has the role release-manager", "#ops on Slack". What is gone is left out. */
export async function namesIn(ctx: Pick<CommandContext, 'tx' | 'person'>, lists: readonly Lists[]): Promise<Map<string, string>> {
  const { workspace } = ctx.person;
  const all = lists.flatMap((list) => [list, ...(list.among ?? [])]);
  const people = await labelsOf(
    ctx.tx,
    workspace,
    all.flatMap((list) => list.people ?? []),
  );
  const teams = await namesOfTeams(
    ctx.tx.db,
    workspace,
    all.flatMap((list) => list.teams ?? []),
  );
  const roles = await customRolesById(ctx.tx, workspace, all.flatMap((list) => list.teams ?? []).filter(isRoleId));
  const channels = await channelNames(
    ctx.tx,
    workspace,
    lists.flatMap((list) => list.channels ?? []),
  );
  return new Map([
    ...people,
    ...[...teams].map(([id, name]) => [id, `team ${name}`] as const),
    ...[...roles].map(([id, { name }]) => [id, `who has the role ${name}`] as const),
    ...channels,
  ]);
}
