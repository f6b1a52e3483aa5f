import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { SlackEmulator } from '../../lab/slack/emulator.ts';
import type { Database } from '../../src/store/database.ts';
import { addChannels, bindChannels, chatVariables, openDatabase, startChat } from '../chat.ts';
import { type BenchEngine, executeRun, openEngine, registerRunner, startPostgres } from '../engine.ts';
import { durations, type Figure } from '../figures.ts';
import { cpuSecondsOf, peakMemory } from '../processes.ts';
import { complaints, startProgram } from '../program.ts';
import type { Site } from '../site.ts';
import type { Scenario } from './scenario.ts';

const runCount = 200;
const channelCount = 20;
const lineEveryMs = 500;
const linesEach = 120;
const endsWithinMs = 6 * 60_000;
const endCardsWithinMs = 10 * 60_000;
const cardsSettledWithinMs = 10 * 60_000;

/** Many runs at once: what reaches the platform, and whether every end is told. */
export const stream: Scenario = {
  name: 'stream',
  about: `${runCount} live runs in ${channelCount} channels, each with a line every ${lineEveryMs} ms for ${(linesEach * lineEveryMs) / 1000} s`,
  async run(site) {
    const url = await startPostgres(site, join(site.dir, 'database'));
    const slack = await startChat(site);
    const channels = addChannels(slack, channelCount);
    const gateway = await startProgram(site, {
      role: 'gateway',
      dataDir: join(site.dir, 'gateway'),
      variables: {
        ...chatVariables(slack, 'socket'),
        DATABASE_URL: url,
        DECKHAND_SECRET_KEY: randomBytes(32).toString('base64'),
      },
    });
    const database = await openDatabase(site, url);
    await bindChannels(database, slack, channels, { repository: '/nowhere', projects: 4, concurrency: 100 });
    const parts = await openEngine(site, url);
    const runner = await registerRunner(site, parts.engine, runCount);
    const { appends, ended, failures } = await playRunner(site, parts, runner);

    const usage = { cpu: cpuSecondsOf(gateway.pid), transactions: await transactions(database), at: performance.now() };
    const ada = slack.person('ada');
    const askedAt = Date.now();
    await Promise.all(
      channels.map(async (channel, at) => {
        for (let n = 0; n < runCount / channelCount; n += 1) await ada.slash(channel, `/deckhand sh work ${at + 1}-${n + 1}`);
      }),
    );
    site.say(`${runCount} commands acknowledged after ${Date.now() - askedAt} ms`);
    await site.until('all runs to end', () => ended() === runCount, endsWithinMs, 100);
    const allEnded = Date.now();
    const busy = (performance.now() - usage.at) / 1000;
    const gatewayCpu = (cpuSecondsOf(gateway.pid) - usage.cpu) / busy;
    const perSecond = ((await transactions(database)) - usage.transactions) / busy;

    site.say('all runs have ended, waiting for the end cards');
    await site.until('all end cards', () => endCards(slack).size === runCount, endCardsWithinMs, 250).catch(() => undefined);
    const shown = endCards(slack);
    const lastShown = Math.max(...[...shown.values()].map(([first = Number.NaN]) => first));
    site.say('waiting for the live cards to say that they are over');
    const settledAt = await site
      .until('the live cards', () => settledCards(slack) === runCount, cardsSettledWithinMs, 250)
      .then(
        () => Date.now(),
        () => Number.NaN,
      );
    const peak = peakMemory(gateway.pid);
    const notes = [...complaints(gateway).map((text) => `gateway logged ${text}`), ...parts.complaints];
    await gateway.stop();

    const over = slack.overLimit();
    const twice = [...shown.values()].filter((times) => times.length > 1).length;
    const firstCards = firstCardDelays(slack, askedAt);
    return {
      figures: [
        ...callCounts(slack),
        { name: 'calls over the published limits', value: over.length, unit: '', target: { is: 0 } },
        { name: 'end cards shown', value: shown.size, unit: '', target: { is: runCount } },
        { name: 'last end of a run to last end card', value: (lastShown - allEnded) / 1000, unit: 's' },
        { name: 'last end of a run to last live card that says so', value: (settledAt - allEnded) / 1000, unit: 's' },
        ...durations('first command to a first card', firstCards),
        { name: 'events appended by the runner', value: appends.length / busy, unit: '/s' },
        ...durations('append in the runner', appends),
        { name: 'gateway: CPU while runs are live', value: gatewayCpu, unit: 'cores' },
        { name: 'gateway: largest memory', value: peak, unit: 'MB' },
        { name: 'database: transactions', value: perSecond, unit: '/s' },
      ],
      notes,
      broken: [
        ...(over.length === 0 ? [] : [`${over.length} calls over the published limits, the first ${over[0]?.method}`]),
        ...(shown.size === runCount ? [] : [`only ${shown.size} of ${runCount} end cards were shown`]),
        ...(twice === 0 ? [] : [`${twice} end cards were shown twice`]),
        ...(Number.isNaN(settledAt) ? [`${runCount - settledCards(slack)} live cards never said that their run is over`] : []),
        ...failures,
      ],
    };
  },
};

/** Takes jobs and reports what 200 sandboxes would: the engine sees exactly the calls of a real runner. */
async function playRunner(site: Site, { engine, queue }: BenchEngine, runner: string) {
  const appends: number[] = [];
  const failures: string[] = [];
  let ended = 0;

  async function live(run: string): Promise<void> {
    const spec = await executeRun(engine, run, runner);
    // A job may come again after its run has ended.
    if (spec === undefined) return;
    const { command } = spec;
    const over = new AbortController();
    engine.runs.watch(run, runner, over.signal);
    const began = performance.now() + Math.random() * lineEveryMs;
    let at = 0;
    for (let n = 1; n <= linesEach; n += 1) {
      await site.pause(Math.max(0, began + n * lineEveryMs - performance.now()));
      const text = `${command}: line ${n} of ${linesEach}, at ${new Date().toISOString()}\n`;
      const event = { type: 'output', stream: 'stdout', from: at, to: at + text.length, text } as const;
      at = event.to;
      const sentAt = performance.now();
      if (!(await engine.runs.append(run, runner, [event], { stdout: at, stderr: 0 }))) throw new Error(`${run} was lost`);
      appends.push(performance.now() - sentAt);
    }
    over.abort();
    await engine.runs.finishing(run, runner);
    const durationMs = Math.round(performance.now() - began);
    await engine.runs.finish(run, runner, {
      outcome: 'succeeded',
      message: 'The command succeeded.',
      exitCode: 0,
      durationMs,
      files: [],
      artifacts: [],
    });
    ended += 1;
  }

  /** A run lives once, however often its job comes. */
  const active = new Set<string>();
  async function take(run: string): Promise<void> {
    if (active.has(run)) return;
    active.add(run);
    try {
      await live(run);
    } catch (error) {
      if (!site.signal.aborted) failures.push(`${run}: ${error}`);
    } finally {
      active.delete(run);
    }
  }

  const worker = await queue.work({ 'run.execute': ({ run }) => take(run) }, { concurrency: runCount });
  site.onEnd(() => worker.stop(1000));
  return { appends, failures, ended: () => ended };
}

/** Thread -> when its end cards were shown; one each when all is well. */
function endCards(slack: SlackEmulator): Map<string, number[]> {
  const shown = new Map<string, number[]>();
  for (const { ok, args, at } of slack.callsOf('chat.postMessage')) {
    if (!ok || typeof args.thread_ts !== 'string' || !/: done in /.test(String(args.text))) continue;
    const key = `${args.channel}/${args.thread_ts}`;
    shown.set(key, [...(shown.get(key) ?? []), at]);
  }
  return shown;
}

/** Live cards that say that their run is over. */
function settledCards(slack: SlackEmulator): number {
  const edits = slack.callsOf('chat.update').filter(({ ok, args }) => ok && /: done\b/.test(String(args.text)));
  return new Set(edits.map(({ args }) => `${args.channel}/${args.ts}`)).size;
}

function firstCardDelays(slack: SlackEmulator, since: number): number[] {
  const cards = slack.callsOf('chat.postMessage').filter(({ ok, args }) => ok && args.thread_ts === undefined);
  return cards.map(({ at }) => at - since);
}

function callCounts(slack: SlackEmulator): Figure[] {
  const byMethod = Map.groupBy(slack.calls, ({ method }) => method);
  return [...byMethod]
    .sort(([, one], [, other]) => other.length - one.length)
    .map(([method, calls]) => ({ name: `calls of ${method}`, value: calls.length, unit: '' }));
}

async function transactions(database: Database): Promise<number> {
  const rows = await database.db.$queryRaw<{ count: bigint }[]>`
    SELECT xact_commit + xact_rollback AS count FROM pg_stat_database WHERE datname = current_database()`;
  return Number(rows[0]?.count ?? 0n);
}
