import { withoutCertainKeys } from '../access/certain-keys.ts';
import { givenBy } from '../access/effective-role.ts';
import { TryLater } from '../access/repository-access.ts';
import { roleAbout } from '../access/role-about.ts';
import type { PastMessage } from '../contracts/chat-adapter.ts';
import type { FileToGive } from '../contracts/given-file.ts';
import type { Conversation } from '../contracts/platform.ts';
import { redactText } from '../runtime/redact-patterns.ts';
import { messagesBefore } from '../store/inbox.ts';
import { findPerson } from '../store/people.ts';
import { saidToDeckhand } from '../store/said-messages.ts';
import type { TurnExtras } from '../tasks/agent-tasks.ts';
import type { CommandContext } from './command.ts';
import { quoteMessages, type SaidBefore } from './said-before.ts';

/** A request is acknowledged within a second or two; what the platform does not tell by then is left out. */
const withinMs = 1_500;
/** With what else is asked of a code host meanwhile (repository-access.ts), less than the 30 s that a transaction may take. */
const withinAtHostMs = 10_000;
/** At the top level of a channel older talk is hardly about the request. */
const sameTalkMs = 24 * 60 * 60_000;
const mostRead = 60;
/** Of what was said before, fewer files are fetched than of the request itself. */
const mostFiles = 10;

/**
 * What was said before a request that hands work to an agent: in its thread, or lately in its channel. From the platform where it tells,
 * else from what was said to Deckhand there. A direct message stands for itself. `since`: the agent has been told what was said before,
 * and what was said to it; the rest is new to it.
 */
export async function contextOf(ctx: CommandContext, project: string, since?: Date): Promise<TurnExtras> {
  const { event } = ctx.act;
  const { at } = event;
  const conversation = event.type === 'message' || event.type === 'command' ? event.conversation : ctx.act.conversation;
  if (conversation.kind === 'direct' && conversation.thread === undefined) return {};
  const after = Math.max(since?.getTime() ?? 0, conversation.thread === undefined ? Date.parse(at) - sameTalkMs : 0);
  const own = event.type === 'message' ? event.message : undefined;
  const told = await asked(ctx, conversation, own);
  // Without the issue nobody could know what is meant.
  if (told === undefined && ctx.act.open) throw new TryLater('the code host does not tell what was said before');
  const found = told ?? (await messagesBefore(ctx.tx, { ...event, conversation }, mostRead));
  const said = since === undefined ? new Set<string>() : await saidToDeckhand(ctx.tx, ctx.person.workspace, conversation, since);
  const others = found.filter(
    ({ author, message, at: when }) =>
      !author.own && message !== own && !said.has(message) && Date.parse(when) >= after && Date.parse(when) <= Date.parse(at),
  );
  const quoted = quoteMessages(await withTrust(ctx, others, project));
  if (quoted === undefined) return {};
  const { text, ...counts } = quoted.quoted;
  const ids = quoted.kept.map(({ message }) => message);
  return { context: { ...counts, ids, text: redactText(text, []) }, files: filesBefore(quoted.kept, conversation) };
}

/** The newest files of what was said, the newest last. */
function filesBefore(messages: readonly SaidBefore[], conversation: Conversation): FileToGive[] {
  return messages
    .flatMap(({ message, by, trust, attachments }) =>
      attachments.flatMap(({ id, name, mime, bytes }): FileToGive[] => {
        if (id === undefined) return [];
        return [{ source: { conversation, message, id }, name, mime, bytes, by, trust, came: 'before' }];
      }),
    )
    .slice(-mostFiles);
}

async function asked(
  ctx: CommandContext,
  conversation: Conversation,
  before: string | undefined,
): Promise<PastMessage[] | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  // At a code host a mark on the message is all that is waited for.
  const timer = setTimeout(resolve, ctx.act.open ? withinAtHostMs : withinMs, undefined);
  try {
    return await Promise.race([ctx.deps.history?.(conversation, before, mostRead), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function withTrust(ctx: CommandContext, messages: readonly PastMessage[], project: string): Promise<SaidBefore[]> {
  const { platform, tenant } = ctx.act.conversation;
  const { workspace } = ctx.person;
  const known = new Map<string, { name: string; trust: SaidBefore['trust'] }>();
  for (const { author } of messages) {
    if (author.bot || known.has(author.user)) continue;
    const person = await findPerson(ctx.tx, workspace, { platform, tenant, user: author.user });
    const given = givenBy(ctx.channel, project, person?.affiliation);
    const about =
      person === undefined
        ? undefined
        : await roleAbout(ctx.tx, { workspace, place: project, user: person.user, channel: given });
    const role = person === undefined ? given?.role : about;
    const trust =
      author.outside === true && person?.role === undefined && given?.role === role ? 'external' : (role ?? 'external');
    known.set(author.user, { name: person?.name ?? author.name ?? author.user, trust });
  }
  return messages.map(({ at, message, text: said, attachments, author }): SaidBefore => {
    // Before it is shortened: half a key is known no more.
    const { text } = withoutCertainKeys(said);
    const one = known.get(author.user);
    const by = one?.name ?? author.name ?? author.user;
    return { at, message, text, attachments, by, trust: author.bot ? 'bot' : (one?.trust ?? 'external') };
  });
}
