import { bold, code, plain, type Span } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { bytes, count as counted, duration } from '../delivery/units.ts';
import { type HeldRow, type HostDiskRow, heldOf, hostDisks } from '../store/holdings.ts';
import { count, name, oneOf, optional } from './arguments.ts';
import { defineCommand } from './command.ts';
import { pageBlocks } from './fitting-buttons.ts';
import { title } from './task-lines.ts';
import { scopeOf } from './tasks.ts';
import { quote } from './tokens.ts';

const orders = ['largest', 'newest'] as const;
const pageSize = 10;

export const copies = defineCommand({
  name: 'copies',
  group: 'look',
  summary: 'Lists what is kept on the machines of the runners, with its size and age',
  details: [
    'Mirrors of projects, files of runs, working copies and sandboxes of what runs or is parked; and how much is free. Measured at the ends of runs and every hour.',
  ],
  permission: 'copy.prune',
  action: 'see what is kept on the machines',
  about: 'project',
  unbound: 'with-role',
  positional: {
    order: optional({ hint: 'order', about: 'what comes first; else the largest', values: orders, schema: oneOf(orders) }),
  },
  options: {
    project: optional({ hint: 'name', about: 'only this project; `all` for every one', names: 'project', schema: name }),
    page: optional({ hint: '2', about: 'further ones', schema: count(999) }),
  },
  examples: [
    ['copies', 'what takes most of the room'],
    ['copies newest project=web', 'what came last of the project `web`'],
  ],
  async run(ctx, { order = 'largest', project: named, page = 1 }) {
    const scope = await scopeOf(ctx, named, 'copy.prune');
    const { workspace } = ctx.person;
    const wanted = { workspace, projects: scope.projects, order };
    const found = await heldOf(ctx.tx.db, wanted, { size: pageSize, number: page });
    const now = ctx.deps.now();
    const disks = await hostDisks(ctx.tx.db);
    const last = Math.max(1, Math.ceil(found.total / pageSize));
    const again = (to: number) =>
      `copies ${order}${named === undefined ? '' : ` project=${quote(named)}`}${to === 1 ? '' : ` page=${to}`}`;
    const lines = found.rows.flatMap((row, at) => [...(at === 0 ? [] : [plain('\n')]), ...heldLine(row, now)]);
    return {
      view: withFallback([
        { type: 'text', spans: [bold(`Kept${scope.title} · ${found.total}${last > 1 ? ` · page ${page} of ${last}` : ''}`)] },
        { type: 'text', spans: lines.length > 0 ? lines : marked('Nothing is kept yet, or no runner has measured it.') },
        ...disks.map((disk, at) => ({
          type: 'context' as const,
          spans: diskSpans(disk, disks.length > 1 ? at + 1 : undefined, now),
        })),
        { type: 'context', spans: marked('`copies prune` deletes what is finished.') },
        ...pageBlocks({ page, last }, { before: 'Back', after: 'More' }, again),
      ]),
      audience: 'asked',
      list: 'shared',
    };
  },
});

function heldLine({ kind, project, bytes: size, since, runs, task }: HeldRow, now: Date): Span[] {
  const room = size === null ? 'size not known' : bytes(size);
  const age = duration(Math.max(0, now.getTime() - since.getTime()));
  const whose: Span[] =
    task === undefined
      ? []
      : [plain(' · '), bold(`#${task.number}`), plain(' '), code(title(task.title)), plain(` ${task.state}`)];
  return [plain(`${room} · ${kindWords(kind, runs)} of ${project}`), ...whose, plain(` · for ${age}`)];
}

function kindWords(kind: HeldRow['kind'], runs: number): string {
  switch (kind) {
    case 'mirror':
      return 'mirror';
    case 'copy':
      return 'working copy in the making';
    case 'sandbox':
      return 'sandbox';
    case 'files':
      return `files of ${counted(runs, 'run')}`;
  }
}

/** What is kept, what may be, and what is free. */
function diskSpans({ kept, quota, free, measuredAt }: HostDiskRow, number: number | undefined, now: Date): Span[] {
  const bound = quota === null ? ' kept, without a disk quota' : ` kept, at most ${bytes(quota)} allowed`;
  const over = quota !== null && kept > quota ? '✖ ' : '';
  const ago = duration(Math.max(0, now.getTime() - measuredAt.getTime()));
  const where = number === undefined ? '' : `Runner ${number}: `;
  return [plain(`${over}${where}${bytes(kept)}${bound} · ${bytes(free)} free on the disk · measured ${ago} ago`)];
}
