import type { InboundEvent } from '../../src/contracts/inbound.ts';

type Message = Extract<InboundEvent, { type: 'message' }>;

/** What one update says, as far as albums need it. */
export interface Album {
  events: InboundEvent[];
  album: string | undefined;
  talk: boolean;
}

/** Albums whose further files may still come. */
const maxKnown = 1_000;

/**
 * Files sent at once come as messages of their own, the words with one of them: they are one act. What comes together becomes one
 * event. What comes later, when the act is stored, names the message that it belongs to.
 */
export function createAlbums(): { join(all: readonly Album[]): void } {
  const known = new Map<string, { message: string; addressed: Message['addressed'] }>();

  function joinOne(key: string, members: readonly { one: Album; event: Message }[]): void {
    const before = known.get(key);
    // An update that could not be stored comes again.
    const again = members.find(({ event }) => event.message === before?.message);
    const lead = again ?? members.find(({ one }) => before !== undefined || !one.talk);
    for (const { one } of members) if (one !== lead?.one) one.events = [];
    if (lead === undefined) return;
    const { event } = lead;
    event.attachments = members.flatMap((member) => member.event.attachments);
    if (event.text === '') event.text = members.find((member) => member.event.text !== '')?.event.text ?? '';
    if (before === undefined) {
      if (known.size >= maxKnown) known.delete(known.keys().next().value ?? key);
      known.set(key, { message: event.message, addressed: event.addressed });
    } else if (again === undefined) {
      event.partOf = before.message;
      event.addressed = before.addressed;
    }
  }

  return {
    join(all) {
      const albums = new Map<string, { one: Album; event: Message }[]>();
      for (const one of all) {
        const [event] = one.events;
        if (one.album === undefined || event?.type !== 'message') continue;
        const key = `${event.conversation.channel}:${one.album}`;
        albums.set(key, [...(albums.get(key) ?? []), { one, event }]);
      }
      for (const [key, members] of albums) joinOne(key, members);
    },
  };
}
