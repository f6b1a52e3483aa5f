import { z } from 'zod';
import { beginWaiting } from '../budgets/begin.ts';
import { quotaText } from '../budgets/words.ts';
import { AppError } from '../contracts/errors.ts';
import { calledAs } from '../contracts/permissions.ts';
import { measuresAtOnce, type Quota } from '../contracts/quotas.ts';
import { recordAudit } from '../store/audit.ts';
import { subjectNames } from '../store/quota-facts.ts';
import { removeQuota, standingById, standingsOf } from '../store/quotas.ts';
import { required } from './arguments.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { quotaList } from './quota.ts';
import { checkMayChange, targetArgs, targetFor, targetPermission } from './quota-target.ts';

const example = 'quota remove runs/day project=web';

export const quotaRemove = defineCommand({
  name: 'quota remove',
  group: 'setup',
  summary: 'Removes a quota; the list of quotas has a button for each',
  permission: 'quota.manage',
  action: 'change quotas there',
  unbound: 'with-role',
  about: 'project',
  permissionFor: targetPermission,
  positional: {
    quota: required({ hint: 'runs/day', about: 'what it limits and in which period', schema: z.string().min(1).max(60) }),
    ...targetArgs.positional,
  },
  options: targetArgs.options,
  examples: [
    [example, 'as many runs as people want begin there'],
    ['quota remove cost/month workspace', 'the whole workspace has no limit of cost in a month'],
  ],
  async run(ctx, { quota: named, ...where }) {
    const found = named.startsWith('qta_') ? { quota: await byId(ctx, named) } : await byWords(ctx, named, where);
    if ('ask' in found) return found.ask;
    const { quota } = found;
    const text = quotaText(quota, await subjectNames(ctx.tx.db, [quota]));
    await removeQuota(ctx.tx, quota.id);
    const { scope, subject, measure, per, limit } = quota;
    await recordAudit(ctx.tx, {
      workspace: quota.workspace,
      actor: ctx.person.user,
      action: 'quota.remove',
      subject: quota.id,
      data: { quota: text, scope, of: subject, measure, per, from: limit, role: calledAs(ctx.person) },
    });
    await beginWaiting(ctx.tx, quota.workspace, ctx.deps.now());
    return { view: await quotaList(ctx, [`The quota of ${text} is removed.`]), audience: 'all' };
  },
});

async function byId(ctx: CommandContext, id: string): Promise<Quota> {
  const standing = await standingById(ctx.tx.db, ctx.person.workspace, id, ctx.deps.now());
  if (standing === undefined) throw new AppError('DH-241', { what: 'There is no such quota, or it was removed.' });
  await checkMayChange(ctx, standing.quota);
  return standing.quota;
}

async function byWords(ctx: CommandContext, words: string, where: Parameters<typeof targetFor>[1]) {
  const found = await targetFor(ctx, where, example);
  if ('ask' in found) return found;
  const [measure = '', per] = words.toLowerCase().split('/');
  const { scope, subject } = found.target;
  const all = await standingsOf(ctx.tx.db, ctx.person.workspace, ctx.deps.now());
  const atOnce = measuresAtOnce.some((one) => one === measure);
  const quota = all
    .map((standing) => standing.quota)
    .find(
      (one) => one.scope === scope && one.subject === subject && one.measure === measure && one.per === (atOnce ? 'once' : per),
    );
  if (quota === undefined) throw new AppError('DH-241', { what: `There is no quota \`${words}\` there.` });
  return { quota };
}
