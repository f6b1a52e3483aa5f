import { effectiveRole } from '../access/effective-role.ts';
import type { PastMessage } from '../contracts/chat-adapter.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import { redactText } from '../runtime/redact-patterns.ts';
import { messagesBefore } from '../store/inbox.ts';
import { findPerson } from '../store/people.ts';
import type { TurnExtras } from '../tasks/agent-tasks.ts';
import type { CommandContext } from './command.ts';
import { quoteMessages, type SaidBefore } from './said-before.ts';

/** A request is acknowledged within a second or two; what the platform does not tell by then is left out. */
const withinMs = 1_500;
/** At the top level of a channel older talk is hardly about the request. */
const sameTalkMs = 24 * 60 * 60_000;
const mostRead = 60;

type Message = Extract<InboundEvent, { type: 'message' }>;

/**
 * What was said before a message that hands work to an agent: in its thread, or lately in its channel. From the platform where it tells,
 * else from what was said to Deckhand there. A direct message stands for itself.
 */
export async function contextOf(ctx: CommandContext, message: Message, project: string): Promise<TurnExtras> {
  const { conversation, at } = message;
  if (conversation.kind === 'direct' && conversation.thread === undefined) return {};
  const since = conversation.thread === undefined ? Date.parse(at) - sameTalkMs : 0;
  const found = (await asked(ctx, message)) ?? (await messagesBefore(ctx.tx, message, mostRead));
  const others = found.filter((one) => !one.author.own && one.message !== message.message && Date.parse(one.at) >= since);
  const quoted = quoteMessages(await withTrust(ctx, others, project));
  return quoted === undefined ? {} : { context: { ...quoted, text: redactText(quoted.text, []) } };
}

async function asked(ctx: CommandContext, { conversation, message }: Message): Promise<PastMessage[] | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, withinMs, undefined);
  try {
    return await Promise.race([ctx.deps.history?.(conversation, message, mostRead), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function withTrust(ctx: CommandContext, messages: readonly PastMessage[], project: string): Promise<SaidBefore[]> {
  const { platform, tenant } = ctx.act.conversation;
  const known = new Map<string, { name: string; trust: SaidBefore['trust'] }>();
  for (const { author } of messages) {
    if (author.bot || known.has(author.user)) continue;
    const person = await findPerson(ctx.tx, ctx.person.workspace, { platform, tenant, user: author.user });
    const role = effectiveRole({ own: person?.role, channel: ctx.channel, project });
    const trust = author.outside === true && person?.role === undefined ? 'external' : (role ?? 'external');
    known.set(author.user, { name: person?.name ?? author.name ?? author.user, trust });
  }
  return messages.map(({ at, text, attachments, author }): SaidBefore => {
    const one = known.get(author.user);
    const by = one?.name ?? author.name ?? author.user;
    return { at, text, attachments, by, trust: author.bot ? 'bot' : (one?.trust ?? 'external') };
  });
}
