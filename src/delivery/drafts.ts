import { setTimeout as delay } from 'node:timers/promises';
import { type ChatAdapter, DeliveryError } from '../contracts/chat-adapter.ts';
import type { Platform } from '../contracts/platform.ts';
import { isTerminal } from '../contracts/states.ts';
import type { View } from '../contracts/view.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Database } from '../store/database.ts';
import { type DraftPlace, draftPlaces } from '../store/draft-places.ts';
import type { Wakeups } from '../store/wakeups.ts';
import { sayingText } from './agent-view.ts';
import type { Call } from './budget.ts';
import { type DeliveryDeps, type Permit, SenderStopped } from './delivery.ts';
import { fitView } from './fit.ts';
import { shorten } from './neutralise.ts';
import { proseBlocks } from './prose.ts';
import { readOn } from './read-run.ts';
import { emptyRunView, type RunView } from './run-view.ts';
import { viewWithoutSecrets } from './without-secrets.ts';

export interface DraftDeps {
  database: Database;
  adapters: ReadonlyMap<Platform, ChatAdapter>;
  wakeups: Pick<Wakeups, 'subscribe'>;
  logger: Logger;
  /** Waits until the budgets allow the call. Rejects when the sender stops. */
  permit(platform: Platform, call: Call): Promise<Permit>;
  /** Told about each platform call, for metrics. */
  onCall?: DeliveryDeps['onCall'];
  /** The platform asked to wait with calls like this. */
  pause(platform: Platform, call: Call, ms: number): void;
}

/** How far apart two looks at what agents say are: as often as a reader can follow. */
const gapMs = 500;
/** Characters of a text that are still looked at; the newest are shown. */
const longest = 20_000;
const keptIgnored = 5000;

interface Followed {
  places: readonly DraftPlace[];
  view: RunView;
  shown: string;
}

/**
 * Shows what agents say while they say it, as drafts, in direct conversations of platforms that have them. Best effort: nothing relies on
 * it, a draft that fails is not repeated, the next one shows more, and the whole text comes with the end card through the outbox. Runs until
 * `signal` aborts.
 */
export async function showDrafts(deps: DraftDeps, signal: AbortSignal): Promise<void> {
  if (signal.aborted || ![...deps.adapters.values()].some(({ draft }) => draft !== undefined)) return;
  const asked = new Set<string>();
  const ignored = new Set<string>();
  const followed = new Map<string, Followed>();
  const busy = new Map<string, Promise<void>>();
  let wake = Promise.withResolvers<void>();
  const unsubscribe = deps.wakeups.subscribe('run', undefined, (run) => {
    if (run === '' || ignored.has(run)) return;
    asked.add(run);
    wake.resolve();
  });
  const stop = () => wake.resolve();
  signal.addEventListener('abort', stop);
  try {
    for (;;) {
      await wake.promise;
      if (signal.aborted) return;
      wake = Promise.withResolvers();
      // A run whose draft is on its way is looked at again when that has arrived.
      const runs = [...asked].filter((run) => !busy.has(run));
      for (const run of runs) asked.delete(run);
      await begin(deps, runs, followed, ignored).catch((error: unknown) => {
        complain(deps, error);
        // Nobody wakes for them again while what they have said waits to be shown.
        for (const run of runs) asked.add(run);
        wake.resolve();
      });
      for (const run of runs) {
        const going = follow(deps, run, followed)
          .catch((error: unknown) => complain(deps, error))
          .finally(() => {
            busy.delete(run);
            if (asked.has(run)) wake.resolve();
          });
        busy.set(run, going);
      }
      await delay(gapMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    unsubscribe();
    await Promise.all(busy.values());
  }
}

function complain({ logger }: DraftDeps, error: unknown): void {
  if (!(error instanceof SenderStopped)) logger.warn({ err: error }, 'a draft could not be made');
}

/** Finds out where runs that are new here are followed; most of them nowhere a draft can be shown. */
async function begin(
  deps: DraftDeps,
  runs: readonly string[],
  followed: Map<string, Followed>,
  ignored: Set<string>,
): Promise<void> {
  const unknown = runs.filter((run) => !followed.has(run));
  const places = await draftPlaces(deps.database.db, unknown);
  if (ignored.size > keptIgnored) ignored.clear();
  for (const run of unknown) {
    const found = (places.get(run) ?? []).filter(({ platform }) => deps.adapters.get(platform)?.draft !== undefined);
    if (found.length > 0) followed.set(run, { places: found, view: emptyRunView(run), shown: '' });
    else ignored.add(run);
  }
}

async function follow(deps: DraftDeps, run: string, followed: Map<string, Followed>): Promise<void> {
  const one = followed.get(run);
  if (one === undefined || !(await isNew(deps, one, followed))) return;
  for (const place of one.places) await show(deps, one, place);
}

/** Reads on. False when there is nothing new to show, and at the end: then the message itself is on its way. */
async function isNew({ database }: DraftDeps, one: Followed, followed: Map<string, Followed>): Promise<boolean> {
  one.view = await readOn(database.db, one.view);
  const text = saidNow(one);
  if (isTerminal(one.view.state)) followed.delete(one.view.run);
  return text !== '' && text !== one.shown;
}

function saidNow({ view: { agent, state } }: Followed): string {
  return agent === undefined || isTerminal(state) ? '' : sayingText(agent);
}

async function show(deps: DraftDeps, one: Followed, place: DraftPlace): Promise<void> {
  const { adapters, database, logger, permit, pause } = deps;
  const adapter = adapters.get(place.platform);
  if (adapter?.draft === undefined) return;
  const call: Call = { operation: 'draft', tenant: place.tenant, conversation: place.channel };
  const leave = await permit(place.platform, call);
  let outcome = 'ok';
  let started: number | undefined;
  try {
    // It may have waited: what is shown is what is said now.
    one.view = await readOn(database.db, one.view);
    const text = saidNow(one);
    const view = draftView(text, adapter);
    if (view === undefined) return;
    one.shown = text;
    started = performance.now();
    await adapter.draft(place, view, one.view.run);
  } catch (error) {
    outcome = error instanceof DeliveryError ? error.failure.kind : 'error';
    if (!(error instanceof DeliveryError)) throw error;
    if (error.failure.kind === 'rate_limited') pause(place.platform, call, error.failure.retryAfterMs);
    logger.debug({ run: one.view.run, failure: error.failure }, 'a draft was not shown');
  } finally {
    if (started === undefined) leave.cancel();
    else {
      leave.end();
      deps.onCall?.({ platform: place.platform, operation: 'draft', outcome, ms: performance.now() - started });
    }
  }
}

/** The newest of a text, as much as one message holds. Undefined: there is nothing to show. */
export function draftView(text: string, { capabilities }: Pick<ChatAdapter, 'capabilities'>): View | undefined {
  const blocks = proseBlocks(text.slice(-longest));
  if (blocks.length === 0) return undefined;
  const whole = viewWithoutSecrets({ fallback: shorten(text, 200), blocks });
  return fitView(whole, { ...capabilities, files: undefined }).messages.at(-1);
}
