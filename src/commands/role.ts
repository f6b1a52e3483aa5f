import { z } from 'zod';
import type { CustomRole } from '../contracts/custom-roles.ts';
import { AppError } from '../contracts/errors.ts';
import { givablePermissions, may, type Permission, permissionSchema, permissionsOf } from '../contracts/permissions.ts';
import { roleSchema } from '../contracts/roles.ts';
import { marked } from '../delivery/error-view.ts';
import { textView, withFallback } from '../delivery/list-view.ts';
import { recordAudit } from '../store/audit.ts';
import { mostOfChannel } from '../store/channels.ts';
import {
  changeCustomRole,
  createCustomRole,
  policiesNaming,
  removeCustomRole,
  renameCustomRole,
  usesOf,
} from '../store/custom-roles.ts';
import { lockPeople } from '../store/linked-people.ts';
import { name, optional, required } from './arguments.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { mayDecideAtAll } from './decider-role.ts';
import { either, nearest } from './nearest.ts';
import { placeName } from './place.ts';
import { namedCustomRole, namedRole, roleOption } from './role-argument.ts';
import { madeOf, usesWords } from './role-words.ts';

/** Built-in roles that a custom one can begin as. */
const beginnings = ['guest', 'developer', 'maintainer'] as const;

const roleName = placeName('a role').refine((text) => !roleSchema.safeParse(text.toLowerCase()).success, {
  error: ({ input }) => `\`${input}\` is a built-in role.`,
});
const permissionList = z.string().min(1).max(2000);
const withOption = optional({
  hint: 'change.publish',
  about: 'permissions that it has besides, with commas between; `help permissions` lists them',
  names: 'permission',
  schema: permissionList,
});
const withoutOption = optional({
  hint: 'rule.revoke',
  about: 'permissions that it does not have',
  names: 'permission',
  schema: permissionList,
});
const owned = { permission: 'workspace.own', about: 'workspace', unbound: 'with-role', group: 'people' } as const;

export const roleAdd = defineCommand({
  ...owned,
  name: 'role add',
  summary: 'Makes a role of permissions, which is given to people and teams like the built-in ones',
  details: [
    'It begins as `guest`, or as the role that `from` names, and everybody who has it may see what guests see. `help permissions` lists what it can be made of.',
    'Owners alone may change owners, roles and access bundles: no custom role has that.',
  ],
  action: 'make roles',
  positional: { name: required({ hint: 'name', about: 'a short name', schema: roleName }) },
  options: { from: roleOption('guest', 'what it begins as', beginnings), with: withOption, without: withoutOption },
  examples: [
    ['role add release-manager with=change.publish,action.approve', 'looks like a guest, brings changes out and approves'],
    ['role add intern from=developer without=change.publish', 'a developer who does not bring changes out'],
  ],
  async run(ctx, args) {
    const { workspace, user: by } = ctx.person;
    await lockPeople(ctx.tx, workspace);
    const from = await namedRole(ctx, args.from ?? 'guest', beginnings);
    const begun = typeof from === 'string' ? permissionsOf({ role: from }) : from.permissions;
    const permissions = changed(begun, args);
    const made = await createCustomRole(ctx.tx, { workspace, name: args.name, permissions, by, at: ctx.deps.now() });
    if (made === undefined) throw new AppError('DH-244', { what: 'role', name: args.name });
    await audit(ctx, 'role.add', made, { permissions: permissions.join(', ') });
    const text = `There is a role \`${made.name}\` now: ${madeOf(permissions)}. \`member role @person ${made.name}\` gives it.`;
    return { view: textView(text), audience: 'all' };
  },
});

export const roleChange = defineCommand({
  ...owned,
  name: 'role change',
  summary: 'Gives a custom role further permissions, or takes some; it counts at once for everybody who has it',
  action: 'change roles',
  positional: { name: required({ hint: 'name', about: 'the custom role', names: 'role', schema: name }) },
  options: { with: withOption, without: withoutOption },
  examples: [
    ['role change release-manager with=command.run', 'who has it may run commands from now on'],
    ['role change release-manager without=action.approve', 'and may approve nothing any more'],
  ],
  async run(ctx, args) {
    const { workspace } = ctx.person;
    if (args.with === undefined && args.without === undefined) {
      throw new AppError('DH-201', {
        problem: 'Nothing is to be changed.',
        example: '`role change release-manager with=command.run`',
      });
    }
    await lockPeople(ctx.tx, workspace);
    const role = await namedCustomRole(ctx, args.name);
    const permissions = changed(role.permissions, args);
    const added = permissions.filter((permission) => !role.permissions.includes(permission));
    const taken = role.permissions.filter((permission) => !permissions.includes(permission));
    if (added.length === 0 && taken.length === 0) {
      return { view: textView(`\`${role.name}\` is that already: ${madeOf(permissions)}.`), audience: 'person' };
    }
    await checkChannels(ctx, role, added);
    await changeCustomRole(ctx.tx, role, permissions);
    await audit(ctx, 'role.change', role, {
      from: role.permissions.join(', '),
      to: permissions.join(', '),
      added: added.join(', '),
      taken: taken.join(', '),
    });
    const text = `\`${role.name}\` is changed: ${madeOf(permissions)}. It counts at once.`;
    return { view: textView(`${text}${await undecided(ctx, { ...role, permissions })}`), audience: 'all' };
  },
});

export const roleRename = defineCommand({
  ...owned,
  name: 'role rename',
  summary: 'Calls a custom role otherwise; who has it, and the policies and tokens that name it, keep it',
  action: 'rename roles',
  positional: {
    name: required({ hint: 'name', about: 'the custom role', names: 'role', schema: name }),
    to: required({ hint: 'new-name', about: 'what it is called from now on', schema: roleName }),
  },
  options: {},
  examples: [['role rename release-manager releaser', 'the same role under another name']],
  async run(ctx, args) {
    const { workspace } = ctx.person;
    await lockPeople(ctx.tx, workspace);
    const role = await namedCustomRole(ctx, args.name);
    if (role.name === args.to) return { view: textView(`The role is called \`${role.name}\` already.`), audience: 'person' };
    if (!(await renameCustomRole(ctx.tx, role, args.to))) throw new AppError('DH-244', { what: 'role', name: args.to });
    await audit(ctx, 'role.rename', { ...role, name: args.to }, { from: role.name, to: args.to });
    const text = `The role \`${role.name}\` is called \`${args.to}\` now, everywhere at once.`;
    return { view: textView(text), audience: 'all' };
  },
});

export const roleRemove = defineCommand({
  ...owned,
  name: 'role remove',
  summary: 'Removes a custom role that nobody has and no policy names',
  action: 'remove roles',
  positional: { name: required({ hint: 'name', about: 'the custom role', names: 'role', schema: name }) },
  options: {},
  examples: [['role remove release-manager', 'removes it, or says who has it still']],
  async run(ctx, args) {
    const { workspace } = ctx.person;
    await lockPeople(ctx.tx, workspace);
    const role = await namedCustomRole(ctx, args.name);
    const uses = await usesWords(ctx, await usesOf(ctx.tx, role, ctx.deps.now()), 'all');
    if (uses.length > 0) throw new AppError('DH-247', { role: role.name, uses: uses.join('; ') });
    await removeCustomRole(ctx.tx, role, ctx.deps.now());
    await audit(ctx, 'role.remove', role, { permissions: role.permissions.join(', ') });
    return { view: withFallback([{ type: 'text', spans: marked(`The role \`${role.name}\` is removed.`) }]), audience: 'all' };
  },
});

/** These permissions with some more and without others, in their order. Throws DH-246 for what is none, DH-201 and DH-300. */
function changed(
  begun: readonly Permission[],
  { with: more, without: less }: { with?: string | undefined; without?: string | undefined },
): Permission[] {
  const [added, taken] = [permissionsIn(more), permissionsIn(less)];
  const both = added.find((permission) => taken.includes(permission));
  if (both !== undefined) {
    throw new AppError('DH-201', {
      problem: `\`${both}\` is both in \`with\` and in \`without\`.`,
      example: `\`with=${both}\``,
    });
  }
  if (taken.includes('task.see')) {
    throw new AppError('DH-300', {
      what: 'Whoever has a role may look: `task.see` is in each.',
      instead: '`member role @person none project=<name>` hides a project from somebody.',
    });
  }
  const all = new Set<Permission>(['task.see', ...begun, ...added]);
  return givablePermissions.filter((permission) => all.has(permission) && !taken.includes(permission));
}

function permissionsIn(text: string | undefined): Permission[] {
  const words = (text ?? '').split(/[\s,]+/).filter((word) => word !== '');
  return words.map((word) => {
    const known = permissionSchema.safeParse(word.toLowerCase()).data;
    if (known !== undefined && givablePermissions.includes(known)) return known;
    const meant = nearest(word, givablePermissions);
    throw new AppError('DH-246', {
      permission: word.slice(0, 80),
      suggestion:
        known !== undefined
          ? 'That is for owners alone.'
          : meant.length > 0
            ? `Did you mean ${either(meant)}? \`help permissions\` lists them all.`
            : '`help permissions` lists them all.',
    });
  });
}

/** Where nobody decides any more because policies name a role that may not decide; empty: nowhere. */
async function undecided(ctx: CommandContext, role: CustomRole): Promise<string> {
  if (mayDecideAtAll(role)) return '';
  const policies = await policiesNaming(ctx.tx, role);
  if (policies.length === 0) return '';
  const names = policies.map(({ name: project }) => project).join(', ');
  return ` Who has it may not decide, and a policy names it: what asks for it in ${names} is refused until \`settings approvers=\` or \`policy remove\` has changed that.`;
}

/** What a channel gives its members stays within what channels may give. */
async function checkChannels(
  ctx: CommandContext,
  role: Parameters<typeof usesOf>[1],
  added: readonly Permission[],
): Promise<void> {
  const beyond = added.filter((permission) => !may(mostOfChannel, permission));
  if (beyond.length === 0) return;
  const { channels } = await usesOf(ctx.tx, role, ctx.deps.now());
  if (channels.length === 0) return;
  throw new AppError('DH-300', {
    what: `Channels give \`${role.name}\` to their members, and no channel gives ${beyond.map((one) => `\`${one}\``).join(' or ')}.`,
    instead: 'First say `settings role=developer` or `settings role=none` there: `role show` counts the channels.',
  });
}

async function audit(
  ctx: CommandContext,
  action: string,
  { id, name: named }: { id: string; name: string },
  data: Record<string, string>,
): Promise<void> {
  const { workspace, user } = ctx.person;
  await recordAudit(ctx.tx, { workspace, actor: user, action, subject: id, data: { name: named, ...data } });
}
