import { notAllowed } from '../access/not-allowed.ts';
import { type QuotaPermission, quotaPermission } from '../budgets/words.ts';
import { AppError } from '../contracts/errors.ts';
import { may } from '../contracts/permissions.ts';
import type { Quota, QuotaScope } from '../contracts/quotas.ts';
import { standsFor } from '../store/quota-facts.ts';
import { name, oneOf, optional } from './arguments.ts';
import type { CommandContext, Reply } from './command.ts';
import { namedPerson, personText } from './member-target.ts';
import { personFor, projectFor } from './subject.ts';

/** Where a quota holds, as it is typed. */
export const targetArgs = {
  positional: {
    where: optional({
      hint: 'workspace',
      about: 'the whole workspace, or this channel; left out: a project or a person',
      values: ['workspace', 'channel'],
      schema: oneOf(['workspace', 'channel']),
    }),
  },
  options: {
    project: optional({
      hint: 'name',
      about: 'in this project; left out: that of the channel',
      names: 'project',
      schema: name,
    }),
    person: optional({ hint: '@ben', about: 'what this person asks for, in all projects', names: 'person', schema: personText }),
  },
} as const;

export interface TargetValues {
  where: 'workspace' | 'channel' | undefined;
  project: string | undefined;
  person: string | undefined;
}

/** What it takes to change quotas there, as far as the words tell. */
export function targetPermission({ where, person }: Pick<TargetValues, 'where' | 'person'>): QuotaPermission {
  return quotaPermission(scopeOf({ where, person }));
}

function scopeOf({ where, person }: Pick<TargetValues, 'where' | 'person'>): QuotaScope {
  if (where !== undefined) return where;
  return person === undefined ? 'project' : 'person';
}

/** What a quota is to be about, after asking whether this person may change quotas there. */
export async function targetFor(
  ctx: CommandContext,
  values: TargetValues,
  example: string,
): Promise<{ target: Pick<Quota, 'scope' | 'subject'> } | { ask: Reply }> {
  if ([values.where, values.project, values.person].filter((one) => one !== undefined).length > 1) {
    throw new AppError('DH-201', {
      problem: 'A quota is about one thing: the workspace, a channel, a project or a person.',
      example,
    });
  }
  const scope = scopeOf(values);
  if (scope === 'project') {
    const choice = await projectFor(ctx, values.project);
    if ('ask' in choice) return choice;
    await checkMayChange(ctx, { scope, subject: choice.project.id });
    return { target: { scope, subject: choice.project.id } };
  }
  const subject = scope === 'workspace' ? ctx.person.workspace : scope === 'channel' ? ctx.channel.id : undefined;
  if (subject !== undefined) {
    await checkMayChange(ctx, { scope, subject });
    return { target: { scope, subject } };
  }
  await checkMayChange(ctx, { scope, subject: '' });
  const { user } = await namedPerson(ctx, values.person ?? '', example);
  return { target: { scope, subject: await standsFor(ctx.tx.db, user) } };
}

/** Throws DH-202 for somebody who may not make, raise or remove quotas about this. */
export async function checkMayChange(ctx: CommandContext, { scope, subject }: Pick<Quota, 'scope' | 'subject'>): Promise<void> {
  const permission = quotaPermission(scope);
  const action = 'change quotas there';
  const project = scope === 'project' ? subject : scope === 'channel' && subject === ctx.channel.id ? ctx.bound?.id : undefined;
  if (project !== undefined) await personFor(ctx, project, { command: 'quota add', permission, action });
  else if (!may(ctx.ownRights, permission)) throw await notAllowed(ctx.tx, ctx.person, action, permission);
}
