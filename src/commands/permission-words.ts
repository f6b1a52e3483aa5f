import { roleName } from '../access/not-allowed.ts';
import type { CustomRole } from '../contracts/custom-roles.ts';
import { type Given, permissions, permissionsOf } from '../contracts/permissions.ts';
import { type Role, roleSchema } from '../contracts/roles.ts';

/** What each built-in role may, in a few words. */
export const powers: Record<Role, string> = {
  guest: 'may look, and change nothing',
  developer: 'may run, stop and retry commands',
  maintainer: 'may also manage projects, channels and people',
  owner: 'may do everything',
};

/** More permissions than these are not written out in one sentence. */
const mostWritten = 5;

/** "may see tasks, …; revoke rules": what a custom role allows, in words. */
export function mayWords({ name, permissions: given }: CustomRole): string {
  if (given.length > mostWritten) return `\`role show ${name}\` says what that allows`;
  return `may ${given.map((permission) => permissions[permission].may).join('; ')}`;
}

/** People by what they are, who may most first: "owners", "release-manager". */
export function byRole<M extends Given>(people: readonly M[]): { label: string; people: M[] }[] {
  const groups = Map.groupBy(people, (member) => (member.role === undefined ? '' : labelOf(member)));
  return [...groups]
    .filter(([label]) => label !== '')
    .map(([label, those]) => ({ label, people: those }))
    .sort((a, b) => strength(b.people) - strength(a.people));
}

/** The role as the title of those who have it. */
function labelOf(given: Given): string {
  const name = roleName(given);
  const builtIn = given.named === undefined && roleSchema.safeParse(name).success;
  return builtIn ? `${name}s` : name;
}

function strength([one]: readonly Given[]): number {
  return one === undefined ? 0 : permissionsOf(one).length;
}

/** What a channel makes its members: "developers", "release-manager". */
export function rolesGiven({ defaultRole, named }: { defaultRole: Role | undefined; named?: Given['named'] }): string {
  return named?.join(' and ') ?? (defaultRole === undefined ? 'nothing' : `${defaultRole}s`);
}
