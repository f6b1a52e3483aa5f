import type { CommandMenu } from '../../src/contracts/command-menu.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { Acks } from './acks.ts';
import type { Directory } from './directory.ts';
import type { Gaps } from './gaps.ts';
import { firstAnswerMs } from './handle.ts';
import type { Intake } from './intake.ts';
import { handleKind, interactionEvents, interactionTypes } from './interactions.ts';
import { deletionEvents, editEvents, messageEvents } from './messages.ts';
import { type DiscordInteraction, deletedSchema, interactionSchema, messageSchema } from './payloads.ts';
import { type Inbound, type InboundContext, isPersonal, type Place } from './reading.ts';
import { suggestionsFor } from './suggestions.ts';

/** What comes from Discord, by whichever way, on its way to the store. */
export interface Receiver {
  /** An event of the gateway. */
  dispatch(type: string, data: unknown): void;
  /** An interaction: resolves when it is stored, or means nothing to us; rejects when it could not be stored. */
  interaction(payload: unknown): Promise<void>;
}

/** Whose message it was, for the time when Discord says that it was deleted. */
interface Handed {
  place: Place;
  author: string;
}
const maxHanded = 5_000;

export function createReceiver(deps: {
  context: InboundContext;
  directory: Directory;
  acks: Acks;
  gaps: Gaps;
  intake: Intake;
  menu: CommandMenu;
  logger: Logger;
}): Receiver {
  const { context, directory, acks, gaps, intake, menu, logger } = deps;
  const handed = new Map<string, Handed>();

  const placeOf = ({ channel_id: id, guild_id: guild }: { channel_id: string; guild_id?: string | null | undefined }) =>
    directory.place({ id, guild: guild ?? undefined });

  function message(data: unknown, events: (message: ReturnType<typeof messageSchema.parse>, place: Place) => Inbound): void {
    const read = messageSchema.safeParse(data);
    if (!read.success) {
      malformed('message', read.error);
      return;
    }
    const said = read.data;
    if (!isPersonal(said)) return;
    take(said.channel_id, async () => {
      const place = await placeOf(said);
      const inbound = events(said, place);
      if (inbound.kind === 'events') remember(said.id, { place, author: said.author?.id ?? '' });
      return eventsOf(inbound);
    });
  }

  function deleted(data: unknown): void {
    const one = deletedSchema.safeParse(data).data;
    const channel = one?.channel_id ?? '';
    for (const id of one === undefined ? [] : [...(one.ids ?? []), ...(one.id === undefined ? [] : [one.id])]) {
      take(channel, async () => {
        const known = handed.get(id);
        return known === undefined ? [] : eventsOf(deletionEvents({ id, channel_id: channel }, known, context));
      });
    }
  }

  function remember(id: string, one: Handed): void {
    handed.delete(id);
    handed.set(id, one);
    const oldest = handed.keys().next().value;
    if (handed.size > maxHanded && oldest !== undefined) handed.delete(oldest);
  }

  function eventsOf(inbound: Inbound): InboundEvent[] {
    if (inbound.kind === 'events') return inbound.events;
    logger.debug({ why: inbound.why }, 'discord event ignored');
    return [];
  }

  /** Nobody waits for it: what becomes of it is in the log. What a gap holds back when this process ends is in the next gap. */
  function take(channel: string, read: () => Promise<InboundEvent[]>): void {
    const accept = () =>
      intake.accept({ channel, read }).catch((error: unknown) => logger.error({ err: error }, 'discord event lost'));
    const held = gaps.wait(channel);
    if (held === undefined) void accept();
    else void held.then(accept);
  }

  function malformed(what: string, error: { issues: readonly { path: PropertyKey[]; code: string }[] }): void {
    // Names the fields that are wrong, never their content.
    const fields = error.issues.map(({ path, code }) => `${path.join('.')}: ${code}`);
    logger.warn({ what, fields: [...new Set(fields)].slice(0, 5) }, 'malformed discord payload dropped');
  }

  async function interaction(payload: unknown): Promise<void> {
    const read = interactionSchema.safeParse(payload);
    if (!read.success) {
      malformed('interaction', read.error);
      return;
    }
    const done = read.data;
    if (done.application_id !== context.application) {
      logger.warn('an interaction of another application');
      return;
    }
    if (done.type === interactionTypes.autocomplete) return suggest(done);
    const handle = { kind: handleKind(done), id: done.id, token: done.token, at: context.now().getTime() };
    let meant = false;
    await intake.accept({
      channel: channelIdOf(done),
      withinMs: firstAnswerMs,
      read: async () => {
        const events = eventsOf(interactionEvents(done, await placeOfInteraction(done), context));
        meant = events.length > 0;
        return events;
      },
    });
    if (meant) await acks.acknowledge(handle);
  }

  async function suggest(done: DiscordInteraction): Promise<void> {
    const choices = await suggestionsFor(done, await placeOfInteraction(done), menu, logger);
    await acks.suggest(done, choices);
  }

  function placeOfInteraction(done: DiscordInteraction): Promise<Place> {
    return directory.place({ id: channelIdOf(done), guild: done.guild_id ?? undefined, told: done.channel ?? undefined });
  }

  function dispatch(type: string, data: unknown): void {
    if (type === 'MESSAGE_CREATE') message(data, (said, place) => messageEvents(said, place, context));
    else if (type === 'MESSAGE_UPDATE') message(data, (said, place) => editEvents(said, place, context));
    else if (type === 'MESSAGE_DELETE' || type === 'MESSAGE_DELETE_BULK') deleted(data);
    else if (type === 'INTERACTION_CREATE') {
      interaction(data).catch((error: unknown) => {
        logger.error({ err: error }, 'discord interaction not stored, not acknowledged');
      });
    } else directory.learn(type, data);
  }

  return { dispatch, interaction };
}

function channelIdOf({ channel_id: id, channel }: DiscordInteraction): string {
  return id ?? channel?.id ?? '0';
}
