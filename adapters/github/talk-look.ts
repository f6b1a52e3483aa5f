import { z } from 'zod';
import { CodeHostError } from '../../src/contracts/code-host.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { At, Place } from './place.ts';
import type { Client } from './requests.ts';
import type { WatchedRepository } from './talk.ts';
import { type LastEdit, lastEdits } from './talk-edits.ts';
import { askedEvents, type EventContext, editedEvents, isForUs, type Me } from './talk-events.ts';
import { type Cursor, entrySaid, type ListName, listNames, readList, readReviews } from './talk-lists.ts';
import type { Said } from './talk-said.ts';

/** What was asked longer ago is not answered any more: people have found another way by then. */
const longestMs = 24 * 60 * 60_000;
/** Pull requests whose reviews are read in one look. */
const mostPulls = 20;
const rememberedTexts = 2_000;

interface Watched {
  id: number;
  fullName: string;
  cursors: Record<ListName, Cursor>;
}

interface LookDeps {
  client: Client;
  at: At;
  me: Me;
  tenant: string;
  clock: Clock;
  logger: Logger;
  repositories(): Promise<readonly WatchedRepository[]>;
  /** Resolves when the events are stored. */
  take(events: InboundEvent[]): Promise<void>;
}

/** Asks GitHub what was said in the repositories since the last look. What could not be stored is asked for again. */
export interface Looking {
  look(signal: AbortSignal): Promise<void>;
}

export function createLooking(deps: LookDeps): Looking {
  const { client, at, me, tenant, clock, logger } = deps;
  const watched = new Map<string, Watched>();
  const handed = new Set<string>();
  const silent = new Set<string>();
  let pausedUntil = 0;

  const isKnown = (fullName: string, { message, updatedAt }: Said) => handed.has(`${fullName} ${message} ${updatedAt}`);

  function remember(fullName: string, said: readonly Said[]): void {
    for (const { message, updatedAt } of said) handed.add(`${fullName} ${message} ${updatedAt}`);
    for (const oldest of handed) {
      if (handed.size <= rememberedTexts) break;
      handed.delete(oldest);
    }
  }

  async function begin(place: Place, since: number): Promise<Watched> {
    const { data } = await client.request('GET /repos/{owner}/{repo}', { ...place });
    const { id, full_name: fullName } = z.object({ id: z.number(), full_name: z.string() }).parse(data);
    const cursor = (): Cursor => ({ since: new Date(since).toISOString(), etag: undefined });
    return { id, fullName, cursors: { issues: cursor(), comments: cursor(), lines: cursor() } };
  }

  async function lookAt(repository: WatchedRepository, signal: AbortSignal): Promise<void> {
    const key = `${repository.owner}/${repository.name}`.toLowerCase();
    // The times of GitHub have no milliseconds.
    const floor = Math.floor(Math.max(repository.since.getTime(), clock.now().getTime() - longestMs) / 1000) * 1000;
    const { one, events, fresh, read, cursors } = await at('read what was said', repository, 'pulls', signal, async (place) => {
      const one = watched.get(key) ?? (await begin(place, floor));
      const said: Said[] = [];
      const cursors = { ...one.cursors };
      for (const name of listNames) {
        const { entries, cursor } = await readList(client, place, name, one.cursors[name]);
        said.push(...entries.flatMap((given) => entrySaid(name, given) ?? []));
        cursors[name] = cursor;
      }
      const pulls = said.filter((text) => text.message.startsWith('i') && text.about === 'pull' && !isKnown(one.fullName, text));
      for (const { number } of pulls.slice(-mostPulls)) said.push(...(await readReviews(client, place, number)));
      const fresh = said.filter(
        (text) => isForUs(text, me) && Date.parse(text.createdAt) >= floor && !isKnown(one.fullName, text),
      );
      const context = { me, tenant, repository: { id: one.id, fullName: one.fullName } };
      return {
        one,
        cursors,
        fresh,
        read: [...fresh, ...pulls],
        events: eventsOf(fresh, await lastEdits(client, place, nodesOf(fresh)), context),
      };
    });
    const passed = fresh.length - events.filter(({ type }) => type === 'message').length;
    if (passed > 0) logger.info({ repository: key, passed }, 'texts that their author has not left so are passed over');
    if (events.length > 0) await deps.take(events);
    remember(one.fullName, read);
    watched.set(key, { ...one, cursors });
    silent.delete(key);
  }

  /** The next repository may be readable; a host that does not answer is not asked for the others. */
  function passOver(error: CodeHostError, key: string): void {
    if (error.reason === 'unreachable') {
      pausedUntil = error.retryAfterMs === undefined ? 0 : clock.now().getTime() + error.retryAfterMs;
      throw error;
    }
    if (!silent.has(key)) logger.warn({ err: error, repository: key }, 'what is said in a repository cannot be read');
    silent.add(key);
  }

  return {
    async look(signal) {
      if (clock.now().getTime() < pausedUntil) return;
      for (const repository of await deps.repositories()) {
        if (signal.aborted) return;
        try {
          await lookAt(repository, signal);
        } catch (error) {
          if (!(error instanceof CodeHostError)) throw error;
          passOver(error, `${repository.owner}/${repository.name}`.toLowerCase());
        }
      }
    },
  };
}

function nodesOf(said: readonly Said[]): string[] {
  return said.flatMap(({ node }) => (node === undefined ? [] : [node]));
}

/**
 * Oldest first. A text that somebody else has changed since is left out: it is not what its author has said. So is one of which that is not told:
 * it is gone. Times do not tell: a change may have been within the second, and the time of an issue is that of its last comment.
 */
function eventsOf(
  fresh: readonly Said[],
  edits: ReadonlyMap<string, LastEdit | undefined>,
  context: EventContext,
): InboundEvent[] {
  const events = fresh.flatMap((said) => {
    if (said.node === undefined || !edits.has(said.node)) return [];
    const edit = edits.get(said.node);
    if (edit === undefined) return askedEvents(said, context);
    if (edit.by?.toLowerCase() !== said.by.login.toLowerCase()) return [];
    return [...askedEvents(said, context), ...editedEvents({ ...said, updatedAt: edit.at }, context)];
  });
  return events.toSorted((one, other) => Date.parse(one.at) - Date.parse(other.at));
}
