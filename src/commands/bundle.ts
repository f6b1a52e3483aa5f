import { z } from 'zod';
import { type AccessBundle, ceilingOf, storedAmong } from '../contracts/access-bundle.ts';
import { AppError } from '../contracts/errors.ts';
import { permissionsOf } from '../contracts/permissions.ts';
import { bold, code, plain } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { textView, withFallback } from '../delivery/list-view.ts';
import { count } from '../delivery/units.ts';
import {
  type BundleLimits,
  bundleNamed,
  bundlesOf,
  changeBundle,
  channelCounts,
  channelsWith,
  createBundle,
  holdBundle,
  removeBundle,
} from '../store/access-bundles.ts';
import { recordAudit } from '../store/audit.ts';
import { channelNames } from '../store/channels.ts';
import { optional, count as pageNumber, required } from './arguments.ts';
import { changedLimits, type LimitChange, limitOptions } from './bundle-limits.ts';
import { bundleFields, permissionLines, permissionSpans } from './bundle-words.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { didYouMean } from './nearest.ts';
import { pagedList } from './paged-list.ts';

const action = 'change access bundles';
const bundleName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,39}$/i, 'A bundle has a name of letters, digits and the signs . _ -, at most 40.')
  .refine((text) => text.toLowerCase() !== 'none', '`none` stands for no bundle.');
const named = required({ hint: 'name', about: 'the bundle', names: 'bundle', schema: z.string().min(1).max(80) });
const everything: BundleLimits = { permissions: 'all', agents: 'all', accounts: 'all', hosts: 'all' };

export const bundleAdd = defineCommand({
  name: 'bundle add',
  group: 'setup',
  summary: 'Makes an access bundle: the most that can be done and used in the channels that get it',
  details: [
    'A bundle gives nothing. What somebody may in a channel that has it is what both their role and the bundle allow, owners too; what is left out is not limited. To look is always allowed.',
    '`settings bundle=<name>` gives it to a channel. Commands, buttons, forms and decisions there follow it, and work that was begun there uses no other agents, accounts and hosts.',
  ],
  permission: 'workspace.own',
  action,
  unbound: 'with-role',
  positional: { name: required({ hint: 'name', about: 'a short name', schema: bundleName }) },
  options: limitOptions,
  examples: [
    ['bundle add support may=guest,command.run agents=none', 'there people look and run commands, and no agent works'],
    ['bundle add ops may=developer accounts=main hosts=npm', 'developers at most, with one account and one source of packages'],
  ],
  async run(ctx, { name, ...change }) {
    refuseNothing(change, 'bundle add support may=guest,command.run');
    const limits = await changedLimits(ctx, everything, change);
    const { workspace, user } = ctx.person;
    const bundle = await createBundle(ctx.tx, { workspace, name, by: user, at: ctx.deps.now(), ...limits });
    if (bundle === undefined) throw new AppError('DH-244', { what: 'access bundle', name });
    await audit(ctx, 'bundle.add', bundle, { to: storedLimits(limits) });
    return { view: bundleView(bundle, [], `\`settings bundle=${bundle.name}\` gives it to a channel.`), audience: 'all' };
  },
});

export const bundleChange = defineCommand({
  name: 'bundle change',
  group: 'setup',
  summary: 'Changes what an access bundle allows; it counts at once in every channel that has it',
  details: ['What runs keeps what it began with; its next run does not.'],
  permission: 'workspace.own',
  action,
  unbound: 'with-role',
  positional: { name: named },
  options: limitOptions,
  examples: [
    ['bundle change support may+=change.publish', 'allows to bring changes out as well'],
    ['bundle change support agents=claude accounts=main', 'lets one agent work, with one account'],
  ],
  async run(ctx, { name, ...change }) {
    refuseNothing(change, `bundle change ${name} may+=change.publish`);
    const bundle = await namedBundle(ctx, name);
    const limits = await changedLimits(ctx, bundle, change);
    await changeBundle(ctx.tx, bundle, limits);
    await audit(ctx, 'bundle.change', bundle, { from: storedLimits(bundle), to: storedLimits(limits) });
    return { view: bundleView({ ...bundle, ...limits }, await places(ctx, bundle), 'It counts from now on.'), audience: 'all' };
  },
});

export const bundleList = defineCommand({
  name: 'bundle list',
  group: 'setup',
  summary: 'Lists the access bundles, and how many channels have each',
  permission: 'task.see',
  action: 'see access bundles',
  unbound: 'with-role',
  positional: {},
  options: { page: optional({ hint: '2', about: 'further ones', schema: pageNumber(999) }) },
  examples: [['bundle list', 'all access bundles']],
  async run(ctx, { page = 1 }) {
    const { workspace } = ctx.person;
    const having = await channelCounts(ctx.tx, workspace);
    const empty = 'There is none. `bundle add support may=guest,command.run` makes one.';
    return {
      view: pagedList('Access bundles', await bundlesOf(ctx.tx, workspace), { page, command: 'bundle', empty }, (bundle) => {
        const channels = having.get(bundle.id) ?? 0;
        const where = channels === 0 ? 'in no channel' : `in ${count(channels, 'channel')}`;
        return [plain(` · ${where} · `), ...permissionSpans(bundle)];
      }),
      audience: 'asked',
      list: 'own',
    };
  },
});

export const bundleShow = defineCommand({
  name: 'bundle show',
  group: 'setup',
  summary: 'Shows what an access bundle allows, and which channels have it',
  permission: 'task.see',
  action: 'see access bundles',
  unbound: 'with-role',
  positional: { name: named },
  options: {},
  examples: [['bundle show support', 'what is allowed with the bundle `support`']],
  async run(ctx, { name }) {
    const bundle = await namedBundle(ctx, name, bundleNamed);
    return { view: bundleView(bundle, await places(ctx, bundle)), audience: 'asked' };
  },
});

export const bundleRemove = defineCommand({
  name: 'bundle remove',
  group: 'setup',
  summary: 'Removes an access bundle that no channel has',
  permission: 'workspace.own',
  action,
  unbound: 'with-role',
  positional: { name: named },
  options: {},
  examples: [['bundle remove support', 'removes the bundle `support`']],
  async run(ctx, { name }) {
    const bundle = await namedBundle(ctx, name);
    const channels = await places(ctx, bundle);
    if (channels.length > 0) {
      throw new AppError('DH-300', {
        what: `The access bundle \`${bundle.name}\` is that of ${channels.join(', ')}.`,
        instead: '`settings bundle=none` there takes it away, `settings bundle=<name>` gives another one.',
      });
    }
    await removeBundle(ctx.tx, bundle);
    await audit(ctx, 'bundle.remove', bundle, { from: storedLimits(bundle) });
    return { view: textView(`The access bundle \`${bundle.name}\` is removed.`), audience: 'all' };
  },
});

/** The bundle with this name, or DH-249 with the nearest names. It stays as it is until the transaction ends, unless `find` is another. */
export async function namedBundle(ctx: CommandContext, name: string, find = holdBundle): Promise<AccessBundle> {
  const bundle = await find(ctx.tx, ctx.person.workspace, name);
  if (bundle !== undefined) return bundle;
  const names = (await bundlesOf(ctx.tx, ctx.person.workspace)).map((one) => one.name);
  const suggestion = didYouMean(name, names, '`bundle list` shows the access bundles, `bundle add` makes one.');
  throw new AppError('DH-249', { bundle: name.slice(0, 40), suggestion });
}

/** How people call the channels that have it. */
async function places(ctx: CommandContext, bundle: AccessBundle): Promise<string[]> {
  const ids = await channelsWith(ctx.tx, bundle);
  const names = await channelNames(ctx.tx, ctx.person.workspace, ids);
  return ids.map((id) => names.get(id) ?? 'a channel');
}

function bundleView(bundle: AccessBundle, channels: readonly string[], note?: string) {
  const list = bundle.permissions === 'all' ? [] : permissionsOf(ceilingOf(bundle));
  return withFallback([
    { type: 'text', spans: [bold('Access bundle '), code(bundle.name)] },
    { type: 'fields', items: bundleFields(bundle) },
    ...(list.length === 0
      ? []
      : [{ type: 'text' as const, spans: [bold('What anybody may there'), plain('\n'), ...permissionLines(list)] }]),
    {
      type: 'context',
      spans: marked(
        [`${channels.length === 0 ? 'No channel has it.' : `Channels: ${channels.join(', ')}.`}`, note].filter(Boolean).join(' '),
      ),
    },
  ]);
}

function refuseNothing(change: LimitChange, example: string): void {
  if (Object.values(change).some((value) => value !== undefined)) return;
  throw new AppError('DH-201', {
    problem: 'What it allows is missing: `may`, `agents`, `accounts` or `hosts`.',
    example: `\`${example}\``,
  });
}

function storedLimits({ permissions, agents, accounts, hosts }: BundleLimits): Record<string, string[]> {
  return {
    may: storedAmong(permissions),
    agents: storedAmong(agents),
    accounts: storedAmong(accounts),
    hosts: storedAmong(hosts),
  };
}

async function audit(
  ctx: CommandContext,
  what: string,
  { id, name }: AccessBundle,
  data: Record<string, Record<string, string[]>>,
): Promise<void> {
  const { workspace, user } = ctx.person;
  await recordAudit(ctx.tx, { workspace, actor: user, action: what, subject: id, data: { name, ...data } });
}
