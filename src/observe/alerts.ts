import { priorities } from '../contracts/outbox.ts';
import type { View } from '../contracts/view.ts';
import { bold, plain } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import type { RunFigure } from '../delivery/run-figures.ts';
import type { Clock } from '../runtime/clock.ts';
import { errorText } from '../runtime/error-text.ts';
import type { Part } from '../runtime/lifecycle.ts';
import type { Logger } from '../runtime/logger.ts';
import { createLoop } from '../runtime/loop.ts';
import {
  type AlertChannel,
  type AlertRow,
  addAlert,
  alertChannels,
  alertsSince,
  changeAlert,
  forgetAlerts,
  holdAlerts,
} from '../store/alerts.ts';
import type { Database, Tx } from '../store/database.ts';
import { putOutboxRows } from '../store/outbox.ts';
import { type Standing, standingOf } from '../store/standing.ts';
import { type Condition, databaseWasAway, keyRefused, queueAway, standingConditions } from './conditions.ts';

export interface AlertsDeps {
  database: Database;
  clock: Clock;
  logger: Logger;
  /** Rejects when the queue of jobs does not answer. */
  queue: { counts(): Promise<unknown> };
  everyMs?: number | undefined;
  standing?: ((db: Database['db']) => Promise<Standing>) | undefined;
}

export interface Alerts {
  part: Part;
  /** Hears of ends of runs. */
  figures(figures: readonly RunFigure[]): void;
  /** One look. */
  look(): Promise<void>;
}

const minute = 60_000;
/** What comes back within so long after its end is the same alert: its message changes, and there is no new one. */
const sameMs = 30 * minute;
/** All processes notice within this time that the database is back. */
const toldMs = 3 * minute;
/** A shorter absence is nothing to tell. */
const awayMs = 20_000;
const refusedMs = 15 * minute;
const keptMs = 30 * 24 * 60 * minute;

/**
 * Looks at how everything stands, and tells it in the conversations that were chosen for it: each alert once, and once that it is over.
 * What has been told is in the database and looked at by one process at a time, so any number of gateways tell it once.
 */
export function createAlerts(deps: AlertsDeps): Alerts {
  const { database, clock, logger, queue, standing = standingOf } = deps;
  const refused = new Map<string, Date>();
  let awaySince: Date | undefined;

  async function conditions(now: Date): Promise<Condition[]> {
    const found = standingConditions(await standing(database.db));
    const jobs = await queue.counts().then(
      () => [],
      (error: unknown) => [queueAway(errorText(error))],
    );
    for (const [worker, at] of refused) if (now.getTime() - at.getTime() > refusedMs) refused.delete(worker);
    const away = awaySince === undefined ? 0 : now.getTime() - awaySince.getTime();
    return [...found, ...jobs, ...[...refused.keys()].map(keyRefused), ...(away > awayMs ? [databaseWasAway(away)] : [])];
  }

  async function look(): Promise<void> {
    const now = clock.now();
    try {
      const seen = await conditions(now);
      await database.transaction(async (tx) => {
        if (await holdAlerts(tx)) await tell(tx, seen, now);
      });
      awaySince = undefined;
    } catch (error) {
      awaySince ??= now;
      throw error;
    }
  }

  const loop = createLoop({
    name: 'alerts',
    idleMs: deps.everyMs ?? 30_000,
    backoffMs: 5_000,
    async run() {
      await look();
      return false;
    },
    onError: (error, failures) => logger.warn({ err: error, failures }, 'how everything stands could not be looked at'),
  });

  return {
    part: { name: 'alerts', start: async () => loop.start(), stop: () => loop.stop() },
    look,
    figures(figures) {
      for (const figure of figures) {
        if (figure.what !== 'ended') continue;
        if (figure.trouble === 'key_refused') refused.set(figure.worker, clock.now());
        else if (figure.outcome === 'succeeded') refused.delete(figure.worker);
      }
    },
  };
}

async function tell(tx: Tx, seen: readonly Condition[], now: Date): Promise<void> {
  const rows = new Map((await alertsSince(tx, new Date(now.getTime() - sameMs))).map((row) => [row.key, row]));
  const channels = await alertChannels(tx);
  const neverTold: string[] = [];
  for (const condition of seen) await see(tx, condition, rows.get(condition.key), channels, now);
  const keys = new Set(seen.map(({ key }) => key));
  for (const row of rows.values()) {
    if (keys.has(row.key) || row.endedAt !== null || now.getTime() - row.lastAt.getTime() < clearMsOf(row.key)) continue;
    if (row.raisedAt === null) neverTold.push(row.id);
    else await end(tx, row, channels, now);
  }
  await forgetAlerts(tx, neverTold, new Date(now.getTime() - keptMs));
}

async function see(
  tx: Tx,
  condition: Condition,
  known: AlertRow | undefined,
  channels: readonly AlertChannel[],
  now: Date,
): Promise<void> {
  const { key, text, remedy, over, holdMs, past } = condition;
  const facts = { text, remedy, over };
  // Another process was away at the same time, and has told it.
  if (past === true && known !== undefined && now.getTime() - known.lastAt.getTime() < toldMs) return;
  const row = past === true || known === undefined ? await addAlert(tx, key, facts, now) : known;
  const again = row.endedAt !== null;
  const raise = row.raisedAt === null && now.getTime() - row.firstAt.getTime() >= holdMs;
  await changeAlert(tx, row.id, {
    lastAt: now,
    ...(raise || again ? { facts } : {}),
    ...(raise ? { raisedAt: now } : {}),
    ...(past === true ? { endedAt: now } : again ? { endedAt: null } : {}),
  });
  if (!raise && !again) return;
  await put(tx, channels, `alert/${row.id}`, alertView({ ...row, ...facts }, again ? 'again' : 'now', now));
}

async function end(tx: Tx, row: AlertRow, channels: readonly AlertChannel[], now: Date): Promise<void> {
  await changeAlert(tx, row.id, { endedAt: now });
  await put(tx, channels, `alert/${row.id}`, alertView(row, 'over', now));
  await put(tx, channels, `alert/${row.id}/over`, withFallback([{ type: 'text', spans: [plain('✔ '), ...marked(row.over)] }]));
}

async function put(tx: Tx, channels: readonly AlertChannel[], key: string, view: View): Promise<void> {
  await putOutboxRows(
    tx,
    channels.map(({ id, workspace, conversation }) => ({
      workspace,
      key: `${key}/${id}`,
      target: { type: 'conversation', conversation },
      payload: { type: 'message', view },
      priority: priorities.final,
    })),
  );
}

/** How an alert looks: while it goes on, when it has come back, and when it is over. */
export function alertView(row: Pick<AlertRow, 'text' | 'remedy'>, stand: 'now' | 'again' | 'over', now: Date): View {
  const mark = stand === 'over' ? '✔ ' : '✖ ';
  const said = { now: 'Alert', again: 'Alert, again', over: 'It is over' }[stand];
  return withFallback([
    { type: 'text', spans: [plain(mark), bold(said), plain(' · '), ...marked(row.text)] },
    ...(stand === 'over' ? [] : [{ type: 'text' as const, spans: marked(row.remedy) }]),
    { type: 'context', spans: [plain(`${now.toISOString().slice(0, 16).replace('T', ' ')} UTC`)] },
  ]);
}

/** For how long what has this key must not have been seen to be over. */
function clearMsOf(key: string): number {
  return key.startsWith('model:') ? refusedMs : 2 * minute;
}
