import { type AnyRole, type CustomRole, givenWith, nameOf } from '../contracts/custom-roles.ts';
import { AppError } from '../contracts/errors.ts';
import { isWithin, may, permissions, permissionsOf, type Rights } from '../contracts/permissions.ts';
import { roleSchema } from '../contracts/roles.ts';
import { mostOfChannel } from '../store/channels.ts';
import { customRolesOf } from '../store/custom-roles.ts';
import { name, optional, required } from './arguments.ts';
import type { CommandContext } from './command.ts';
import { didYouMean } from './nearest.ts';

/** An argument that takes the name of one of these roles, or of a custom one. */
export function roleArgument(about: string, builtIn: readonly string[]) {
  return required({
    hint: 'role',
    about: `${about}: a built-in role, or a custom one by its name`,
    values: builtIn,
    names: 'role',
    schema: name,
  });
}

export function roleOption(hint: string, about: string, builtIn: readonly string[]) {
  return optional({
    hint,
    about: `${about}: a built-in role, or a custom one by its name`,
    values: builtIn,
    names: 'role',
    schema: name,
  });
}

/** The role that a text names: one of these words, else a custom one of the workspace. Throws DH-245 with the nearest names. */
export async function namedRole<const B extends string>(
  ctx: Pick<CommandContext, 'tx' | 'person'>,
  text: string,
  builtIn: readonly B[],
): Promise<B | CustomRole> {
  const key = text.toLowerCase();
  const word = builtIn.find((one) => one === key);
  if (word !== undefined) return word;
  const custom = await customRolesOf(ctx.tx, ctx.person.workspace);
  const found = custom.find((role) => role.name.toLowerCase() === key);
  if (found !== undefined) return found;
  const names = [...builtIn, ...custom.map((role) => role.name)];
  const what = roleSchema.safeParse(key).success ? `\`${key}\` is no role to be given here.` : `There is no role \`${text}\`.`;
  const all = `It can be ${builtIn.map((one) => `\`${one}\``).join(', ')} or a custom role: \`role list\` shows those.`;
  throw new AppError('DH-245', { what, suggestion: didYouMean(text, names, all) });
}

/** Built-in roles that a channel may give; of custom ones those that hold nothing beyond these. */
export const channelRoles = ['guest', 'developer', 'none'] as const;

/**
 * What members of a channel who have no role of their own may get: never the right to change rights, and nothing that who says it, who is
 * `own` about the project, does not have: they, or a second account of theirs, could be among the members. Throws DH-245 and DH-202.
 */
export async function roleForChannel(
  ctx: Pick<CommandContext, 'tx' | 'person'>,
  text: string,
  own: Rights,
): Promise<AnyRole | undefined> {
  const role = await namedRole(ctx, text, channelRoles);
  if (role === 'none') return undefined;
  if (!isWithin(givenWith(role), own)) {
    const action = `make the members of this channel ${typeof role === 'string' ? `${role}s` : role.name}, which is more than they are`;
    const whoCan = 'Owners can, and whoever has all of that role and may change settings of channels.';
    throw new AppError('DH-202', { who: ctx.person.name, action, whoCan });
  }
  const beyond = permissionsOf(givenWith(role)).filter((permission) => !may(mostOfChannel, permission));
  if (beyond.length === 0) return role;
  throw new AppError('DH-245', {
    what: `A channel gives no more than developers may, and \`${nameOf(role)}\` lets people ${beyond.map((one) => permissions[one].may).join('; ')}.`,
    suggestion: 'Give that role to people by name: `member role @person <role> project=<name>`.',
  });
}

/** The custom role of this name. Throws DH-245. */
export async function namedCustomRole(ctx: Pick<CommandContext, 'tx' | 'person'>, text: string): Promise<CustomRole> {
  const all = await customRolesOf(ctx.tx, ctx.person.workspace);
  const found = all.find((role) => role.name.toLowerCase() === text.toLowerCase());
  if (found !== undefined) return found;
  const builtIn = roleSchema.safeParse(text.toLowerCase()).success;
  const names = all.map((role) => role.name);
  throw new AppError('DH-245', {
    what: builtIn
      ? `\`${text.toLowerCase()}\` is a built-in role, which stays as it is.`
      : `There is no custom role \`${text}\`.`,
    suggestion: didYouMean(text, builtIn ? [] : names, '`role list` shows the roles, `role add` makes one.'),
  });
}
