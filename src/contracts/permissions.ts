import { z } from 'zod';
import { type Role, roleAtLeast, roleSchema, strongestRole } from './roles.ts';

/**
 * What can be allowed by name, each with the weakest built-in role that has it and the words that complete "may …". A custom role is a set
 * of these; every check in commands, presses, forms, routes and approvals asks for one of them, never for a role.
 */
export const permissions = {
  'task.see': { role: 'guest', may: 'see tasks, their logs and changes, the policy and the members' },

  'agent.run': { role: 'developer', may: 'give work to agents, speak to them and set them up' },
  'command.run': { role: 'developer', may: 'run commands' },
  'task.manage': { role: 'developer', may: 'stop, retry, move and discard tasks, and choose between attempts' },
  'change.publish': { role: 'developer', may: 'bring changes out: branches, pull requests, rebases and reverts' },
  'rule.revoke': { role: 'developer', may: 'revoke rules' },
  'action.approve': { role: 'developer', may: 'decide where a policy lets developers decide' },

  'action.approve-as-maintainer': { role: 'maintainer', may: 'decide where a policy asks for maintainers' },
  'agent.bypass': { role: 'maintainer', may: 'let agents work without asking' },
  'account.see': { role: 'maintainer', may: 'see the accounts of agents in full' },
  'audit.read': { role: 'maintainer', may: 'read the audit' },
  'channel.manage': { role: 'maintainer', may: 'bind channels, change their settings and show tasks in other channels' },
  'copy.prune': { role: 'maintainer', may: 'see and remove working copies' },
  'installation.examine': { role: 'maintainer', may: 'examine the installation with doctor' },
  'member.manage': { role: 'maintainer', may: 'change members, teams and invites' },
  'policy.manage': { role: 'maintainer', may: 'change the policy' },
  'project.manage': { role: 'maintainer', may: 'add, check, set up and remove projects and folders' },
  'quota.manage': { role: 'maintainer', may: 'change quotas of projects and channels' },
  'token.service': { role: 'maintainer', may: 'make, see and revoke tokens of services' },
  'usage.people': { role: 'maintainer', may: 'see the usage of each person' },

  'account.manage': { role: 'owner', may: 'add, change and remove accounts of agents' },
  'alert.manage': { role: 'owner', may: 'say where alerts go' },
  'audit.export': { role: 'owner', may: 'export the audit' },
  'codeowner.manage': { role: 'owner', may: 'say who names in CODEOWNERS are' },
  'quota.workspace': { role: 'owner', may: 'change quotas of the workspace and of people' },
  'session.manage': { role: 'owner', may: 'see and end sessions and tokens of others' },
  'usage.workspace': { role: 'owner', may: 'see the usage of the whole workspace' },
  /** Makes and changes owners, custom roles and access bundles. In no custom role: whoever has it has all. */
  'workspace.own': { role: 'owner', may: 'change owners, custom roles and access bundles' },
} as const satisfies Record<string, { role: Role; may: string }>;

export type Permission = keyof typeof permissions;

export const permissionSchema = z.enum(Object.keys(permissions) as [Permission, ...Permission[]]);

/** What a custom role can be made of. */
export const givablePermissions: readonly Permission[] = permissionSchema.options.filter((one) => one !== 'workspace.own');

/**
 * What somebody may: all that `role` may, and `extra`, which is what a custom role gives beyond that. Whoever has no role has no `extra`.
 * Something that knows only `role` so allows less than there is, never more.
 */
export interface Rights {
  role?: Role | undefined;
  extra?: readonly Permission[] | undefined;
}

/** Rights as people were given them. */
export interface Given extends Rights {
  /** Names of the roles they come from, where one of these is a custom one; else `role` says it. */
  named?: readonly string[] | undefined;
}

/** True when the permission is among the rights. No role (a stranger) is never enough. */
export function may({ role, extra }: Rights, permission: Permission): boolean {
  return role !== undefined && (roleAtLeast(role, permissions[permission].role) || (extra ?? []).includes(permission));
}

/** All permissions among the rights, in the order of `permissions`. */
export function permissionsOf(rights: Rights): Permission[] {
  return permissionSchema.options.filter((permission) => may(rights, permission));
}

/** The rights that are exactly these permissions. Without `task.see` there are none: who may not look may not act. */
export function rightsOf(given: readonly Permission[]): Rights {
  const role = strongestRole(
    roleSchema.options.filter((one) =>
      permissionSchema.options.every((each) => !may({ role: one }, each) || given.includes(each)),
    ),
  );
  if (role === undefined) return {};
  const extra = permissionSchema.options.filter((each) => given.includes(each) && !may({ role }, each));
  return extra.length === 0 ? { role } : { role, extra };
}

/** What is in any of the rights. */
export function anyOf(all: readonly Rights[]): Rights {
  return rightsOf(permissionSchema.options.filter((permission) => all.some((rights) => may(rights, permission))));
}

/** What is in both: the ceiling of a token or of a channel over what somebody may. */
export function bothOf(one: Rights, other: Rights): Rights {
  return rightsOf(permissionSchema.options.filter((permission) => may(one, permission) && may(other, permission)));
}

/**
 * The built-in role as which somebody decides where a policy says which role it takes; undefined: they may not decide. A policy speaks of
 * roles, and a custom role counts as the strongest whose decisions are among its permissions.
 */
export function decidesAs(rights: Rights): Role | undefined {
  if (may(rights, 'workspace.own')) return 'owner';
  if (may(rights, 'action.approve-as-maintainer')) return 'maintainer';
  if (may(rights, 'action.approve')) return 'developer';
  return may(rights, 'task.see') ? 'guest' : undefined;
}

/** Do their rights let somebody decide where it takes this role? */
export function decidesAtLeast(rights: Rights, needed: Role): boolean {
  return roleAtLeast(decidesAs(rights), needed);
}

/** True when all that `inner` may is among what `outer` may. */
export function isWithin(inner: Rights, outer: Rights): boolean {
  return permissionsOf(inner).every((permission) => may(outer, permission));
}

/** True when both are the same permissions. */
export function isSame(one: Rights, other: Rights): boolean {
  return isWithin(one, other) && isWithin(other, one);
}

/** What all of these give together, under the names of those that it takes for that, and which these are: the strongest first, none in vain. */
export function together<T extends Given>(all: readonly T[]): { given: Given; by: readonly T[] } {
  const by: T[] = [];
  for (const one of all.toSorted((a, b) => permissionsOf(b).length - permissionsOf(a).length)) {
    if (by.length === 0 || !isWithin(one, anyOf(by))) by.push(one);
  }
  const [only, ...others] = by;
  if (only === undefined) return { given: {}, by };
  if (others.length === 0) return { given: givenOf(only), by };
  return { given: { ...anyOf(by), named: [...new Set(by.flatMap(({ role, named }) => named ?? role ?? []))] }, by };
}

/** What somebody is by name, for what is written down about them; null: nothing. */
export function calledAs({ role, named }: Given): string | null {
  return named?.join(' and ') ?? role ?? null;
}

/** The rights alone, of something that has more to say. */
export function givenOf({ role, extra, named }: Given): Given & { role: Role | undefined } {
  return { role, ...(extra === undefined ? {} : { extra }), ...(named === undefined ? {} : { named }) };
}
