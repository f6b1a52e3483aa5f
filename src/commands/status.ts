import { labelsIn } from '../contracts/labels.ts';
import { platformNames, platformSchema } from '../contracts/platform.ts';
import { bold, code, plain, type Span } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { coarse, count, digits, duration, shortHost } from '../delivery/units.ts';
import { alertsSince } from '../store/alerts.ts';
import { type Standing, standingOf } from '../store/standing.ts';
import { loadOf, statusOf, type WorkspaceStatus } from '../store/status.ts';
import { budgetText } from './agent-words.ts';
import { defineCommand } from './command.ts';

const shown = { hours: 12, parts: 48 };

export const status = defineCommand({
  name: 'status',
  group: 'look',
  summary: 'Shows how Deckhand stands: what runs and waits, runners, the last day, and a picture of the last hours',
  permission: 'task.see',
  action: 'see how Deckhand stands',
  unbound: 'with-role',
  positional: {},
  options: {},
  examples: [['status', 'how everything stands']],
  async run(ctx) {
    const now = ctx.deps.now();
    const { workspace } = ctx.person;
    const found = await statusOf(ctx.tx, workspace, now);
    const { runners, outbox } = await standingOf(ctx.tx.db);
    const wrong = (await alertsSince(ctx.tx, now)).filter(({ raisedAt, endedAt }) => raisedAt !== null && endedAt === null);
    const alive = runners.filter((runner) => runner.alive);
    const late = outbox.filter(({ oldest }) => oldest > 30);
    const lines: Span[][] = [
      [plain(nowLine(found, now))],
      runnersLine(alive),
      ...(alive.length > 1 || alive.some(({ draining }) => draining) ? alive.map(runnerLine) : []),
      ...late.map(({ platform, waiting, oldest }): Span[] => {
        const known = platformSchema.safeParse(platform);
        const name = known.success ? platformNames[known.data] : platform;
        return [plain(`⏸ ${count(waiting, 'message')} to ${name} wait, the first for ${coarse(oldest * 1000)}`)];
      }),
      ...wrong.map(({ text }): Span[] => [plain('✖ '), ...marked(text)]),
      [plain(dayLine(found))],
    ];
    return {
      view: withFallback(
        [
          { type: 'text', spans: [bold('Status')] },
          { type: 'text', spans: lines.flatMap((line, at) => [...(at === 0 ? [] : [plain('\n')]), ...line]) },
          { type: 'context', spans: marked('`queue` lists what runs and waits, `pending` what is to be decided.') },
        ],
        [{ from: 'chart', name: 'status.png', chart: await loadOf(ctx.tx, workspace, shown, now) }],
      ),
      audience: 'asked',
    };
  },
});

/** Places of what is being emptied are none that a run could get. */
function runnersLine(alive: Standing['runners']): Span[] {
  const taking = alive.filter(({ draining }) => !draining);
  const room = taking.reduce((sum, { capacity }) => sum + capacity, 0);
  const busy = taking.reduce((sum, runner) => sum + runner.busy, 0);
  if (alive.length === 0) return [plain('✖ No runner is up: runs wait for one.')];
  if (taking.length === 0) return marked('⏸ No runner takes new runs until `deckhand runner undrain`: runs wait.');
  const emptied = alive.length === taking.length ? '' : `, ${digits(alive.length - taking.length)} being emptied`;
  return [plain(`✔ ${count(taking.length, 'runner')}, ${busy} of ${count(room, 'place')} taken${emptied}`)];
}

/** "host_0123abcd: gpu docker · 1 of 4 places taken · heard 3 s ago" */
function runnerLine({ host, labels, draining, busy, capacity, beatAge }: Standing['runners'][number]): Span[] {
  const what = labels === '' ? [] : [...labelsIn(labels).flatMap((label) => [plain(' '), code(label)]), plain(' ·')];
  const state = draining ? 'takes nothing new, ' : '';
  const places = `${state}${busy} of ${count(capacity, 'place')} taken`;
  return [plain(`   ${shortHost(host)}:`), ...what, plain(` ${places} · heard ${duration(beatAge * 1000)} ago`)];
}

function nowLine({ running, waiting, waitingSince, deciding }: WorkspaceStatus, now: Date): string {
  const first = waitingSince === undefined ? '' : ` (the first for ${coarse(now.getTime() - waitingSince.getTime())})`;
  const decisions = deciding === 0 ? '' : ` · ${count(deciding, 'decision')} open`;
  return `● ${running} running · ${waiting} waiting${first}${decisions}`;
}

function dayLine({ day: { done, failed, costUsd, tokens } }: WorkspaceStatus): string {
  const used = tokens === 0 ? '' : ` · ${budgetText(costUsd)} · ${digits(Math.round(tokens / 1000))}k tokens`;
  return `Last 24 hours: ${done} done, ${failed} failed${used}`;
}
