import { z } from 'zod';
import { amountExamples, limitText, readAmount } from '../budgets/amounts.ts';
import { beginWaiting } from '../budgets/begin.ts';
import { makeQuota } from '../budgets/make-quota.ts';
import { quotaText } from '../budgets/words.ts';
import { AppError } from '../contracts/errors.ts';
import { calledAs } from '../contracts/permissions.ts';
import { type Measure, measureSchema, measuresAtOnce, type Per, perSchema, type Quota, scopesFor } from '../contracts/quotas.ts';
import { recordAudit } from '../store/audit.ts';
import { subjectNames } from '../store/quota-facts.ts';
import { optional } from './arguments.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { quotaList } from './quota.ts';
import { targetArgs, targetFor, targetPermission } from './quota-target.ts';

const example = 'quota add runs=50/day project=web';

interface Wanted {
  measure: Measure;
  per: Per;
  limit: number;
}

const abouts: Record<Measure, string> = {
  runs: 'attempts that begin',
  requests: 'requests to models',
  tokens: 'tokens that models read and write, without what they have in their cache',
  cost: 'US dollars that models cost',
  wall: 'time that runs are at work, without the time that they wait for people',
  concurrent: 'runs at the same time',
  disk: 'what is kept: mirrors, copies, files of runs; of the workspace or a project',
};

function limitArg(measure: Measure) {
  const atOnce = measuresAtOnce.some((one) => one === measure);
  const schema = z.string().transform((text, ctx): Wanted => {
    const [amount = '', per, ...more] = text.split('/');
    const limit = readAmount(measure, amount);
    const period = perSchema.exclude(['once']).safeParse(per?.toLowerCase()).data;
    if (limit !== undefined && more.length === 0 && (atOnce ? per === undefined : period !== undefined)) {
      return { measure, per: atOnce ? 'once' : (period ?? 'day'), limit };
    }
    const periods = atOnce ? '' : ' The period is `hour`, `day`, `week` or `month`.';
    ctx.addIssue({
      code: 'custom',
      message: `\`${text.slice(0, 40)}\` is no limit, such as \`${amountExamples[measure]}\`.${periods}`,
      input: text,
    });
    return z.NEVER;
  });
  return optional({ hint: amountExamples[measure], about: abouts[measure], schema });
}

export const quotaAdd = defineCommand({
  name: 'quota add',
  group: 'setup',
  summary: 'Limits how much may be used in an hour, a day, a week or a month, or at a time; the same again changes the limit',
  details: [
    'Runs beyond a quota wait until it is free again, if that is within a day; else they are refused. A run at work that uses up a quota of tokens, cost or time pauses, and those who may raise it are asked; a command is stopped, with what it has done kept.',
    'Periods begin in UTC, weeks on Monday. What was used in the period before the quota was made counts too.',
    'Maintainers set those of projects and channels, owners those of people and of the whole workspace; so does a custom role with `quota.workspace`.',
  ],
  permission: 'quota.manage',
  action: 'change quotas there',
  unbound: 'with-role',
  about: 'project',
  permissionFor: targetPermission,
  positional: targetArgs.positional,
  options: {
    runs: limitArg('runs'),
    requests: limitArg('requests'),
    tokens: limitArg('tokens'),
    cost: limitArg('cost'),
    wall: limitArg('wall'),
    concurrent: limitArg('concurrent'),
    disk: limitArg('disk'),
    ...targetArgs.options,
  },
  examples: [
    [example, 'no more than 50 runs begin in a day there'],
    ['quota add workspace cost=$500/month', 'what models cost in the whole workspace'],
    ['quota add channel concurrent=3', 'no more than three runs of tasks that began in this channel go on at once'],
    ['quota add person=@ben tokens=2M/day', 'what Ben asks for'],
  ],
  async run(ctx, args) {
    const wanted = measureSchema.options.flatMap((measure) => args[measure] ?? []);
    if (wanted.length === 0)
      throw new AppError('DH-201', { problem: 'What is limited is missing, such as `runs=50/day`.', example });
    const found = await targetFor(ctx, args, example);
    if ('ask' in found) return found.ask;
    const said: string[] = [];
    for (const one of wanted) said.push(await setQuota(ctx, { ...one, ...found.target, workspace: ctx.person.workspace }));
    const begun = await beginWaiting(ctx.tx, ctx.person.workspace, ctx.deps.now());
    if (begun > 0) said.push(`${begun === 1 ? 'A run that waited begins' : `${begun} runs that waited begin`}.`);
    return { view: await quotaList(ctx, said), audience: 'all' };
  },
});

/** Makes a quota or changes its limit. Returns what people are told. */
async function setQuota(ctx: CommandContext, wanted: Omit<Quota, 'id'>): Promise<string> {
  const at = ctx.deps.now();
  if (!scopesFor(wanted.measure).includes(wanted.scope)) {
    const problem = `What is kept belongs to projects: \`${wanted.measure}\` is limited for a project or the workspace.`;
    throw new AppError('DH-201', { problem, example: 'quota add disk=10GB project=web' });
  }
  const { quota, was } = await makeQuota(ctx.tx, { ...wanted, createdBy: ctx.person.user, at });
  const { scope, subject, measure, per, limit } = quota;
  const text = quotaText(quota, await subjectNames(ctx.tx.db, [quota]));
  const before = was === null ? {} : { from: was, was: limitText({ ...quota, limit: was }) };
  await recordAudit(ctx.tx, {
    workspace: quota.workspace,
    actor: ctx.person.user,
    action: was === null ? 'quota.add' : 'quota.change',
    subject: quota.id,
    data: { quota: text, scope, of: subject, measure, per, ...before, to: limit, role: calledAs(ctx.person) },
  });
  return was === null || was === limit
    ? `The quota is ${text}.`
    : `The quota is ${text} now; it was ${limitText({ ...quota, limit: was })}.`;
}
