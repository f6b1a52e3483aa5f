import { bold, code, plain, type Span } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { about, duration, noRunnerWith, ordinal } from '../delivery/units.ts';
import { lookAtQueue, type QueuePlace } from '../store/queue-place.ts';
import { liveRunsOf, type QueuedRun } from '../store/run-queries.ts';
import { name, optional } from './arguments.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { sightOf } from './subject.ts';
import { commandButton, title } from './task-lines.ts';
import { scopeOf } from './tasks.ts';

/** Lines shown of each part; the rest is counted. */
const shown = 15;

export const queue = defineCommand({
  name: 'queue',
  group: 'look',
  summary: 'Shows what runs and what waits, with places and estimates',
  permission: 'task.see',
  action: 'see the queue',
  about: 'project',
  positional: {},
  options: {
    project: optional({ hint: 'name', about: 'only this project; `all` for every one', names: 'project', schema: name }),
  },
  examples: [['queue', 'the queue of the project of this channel']],
  async run(ctx, { project: named }) {
    const scope = await scopeOf(ctx, named);
    const lines = await queueLines(ctx, scope.projects);
    const part = (heading: string, entries: Span[][]) =>
      entries.length === 0
        ? []
        : [
            {
              type: 'text' as const,
              spans: [
                bold(`${heading} (${entries.length})`),
                ...entries.slice(0, shown).flatMap((entry) => [plain('\n'), ...entry]),
                ...(entries.length > shown ? [plain(`\nand ${entries.length - shown} more`)] : []),
              ],
            },
          ];
    const empty = lines.running.length + lines.waiting.length + lines.deciding.length === 0;
    return {
      view: withFallback([
        { type: 'text', spans: [bold(`Queue${scope.title}`)] },
        ...part('Running', lines.running),
        ...part('Waiting for a decision', lines.deciding),
        ...part('Waiting', lines.waiting),
        ...(empty ? [{ type: 'text' as const, spans: marked('Nothing runs and nothing waits.') }] : []),
        {
          type: 'buttons',
          buttons: [commandButton('Refresh', `queue${named === undefined ? '' : ` project=${named}`}`)],
        },
      ]),
      audience: 'asked',
      list: 'shared',
    };
  },
});

/** What runs, what waits for a decision and what waits for a place, one line each. */
export async function queueLines(
  ctx: Pick<CommandContext, 'tx' | 'deps' | 'person' | 'act' | 'channel'>,
  projects: readonly string[] | undefined,
): Promise<{ running: Span[][]; deciding: Span[][]; waiting: Span[][] }> {
  const runs = await liveRunsOf(ctx.tx, ctx.person.workspace, { projects, sight: sightOf(ctx) });
  const now = ctx.deps.now();
  const line = (mark: string, run: QueuedRun, rest: string): Span[] => [
    plain(`${mark} `),
    bold(`#${run.taskNumber}`),
    plain(' '),
    code(title(run.title)),
    plain(` · ${projects?.length === 1 ? '' : `${run.project.name} · `}${rest}`),
  ];
  const since = (at: Date) => duration(now.getTime() - at.getTime());
  const placeOf = lookAtQueue(ctx.tx.db, now);
  const waiting: Span[][] = [];
  for (const [at, run] of runs.filter(({ state }) => state === 'queued').entries()) {
    // What is not shown is only counted.
    waiting.push(at < shown ? line('○', run, placeWords(await placeOf(run.run))) : []);
  }
  return {
    running: runs
      .filter(({ state }) => state !== 'queued' && state !== 'awaiting')
      .map((run) => line('●', run, run.startedAt === null ? run.state : `for ${since(run.startedAt)}`)),
    deciding: runs.filter(({ state }) => state === 'awaiting').map((run) => line('⏸', run, `for ${since(run.queuedAt)}`)),
    waiting,
  };
}

/** "2nd, about 3 min", as the card of the task says it. */
export function placeWords(place: QueuePlace | null): string {
  if (place === null || place.waitsFor === 'nothing') return 'starts now';
  if (place.waitsFor === 'no_runner') return `${ordinal(place.place)}, no runner is up`;
  if (place.waitsFor === 'labels') return noRunnerWith(place.missing ?? []);
  if (place.waitsFor === 'quota' && place.until === undefined) return 'a quota lets no more run at once';
  if (place.waitsFor === 'quota') return `waits for a quota, ${about(place.estimateMs ?? 0)}`;
  if (place.waitsFor === 'left') return 'waits for the runner that has what the task left';
  return place.estimateMs === null ? ordinal(place.place) : `${ordinal(place.place)}, ${about(place.estimateMs)}`;
}
