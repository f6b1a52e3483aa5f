import { actingOn } from '../access/who-acts.ts';
import { type Permission, rightsOf } from '../contracts/permissions.ts';
import { count } from '../delivery/units.ts';
import type { RoleUses } from '../store/custom-roles.ts';
import { namesOf } from '../store/people.ts';
import type { CommandContext } from './command.ts';

const mostNames = 20;

/** "all that guests may, and `change.publish`, `action.approve`": shortly what a role is made of. */
export function madeOf(permissions: readonly Permission[]): string {
  const { role, extra = [] } = rightsOf(permissions);
  const besides = extra.length === 0 ? '' : `, and ${extra.map((permission) => `\`${permission}\``).join(', ')}`;
  return `all that ${role ?? 'guest'}s may${besides}`;
}

/**
 * Who and what has a custom role, in words, one for each kind of use. `sight`: of what is about a project or a folder only what the asker may
 * see; `all`: everything, for owners.
 */
export async function usesWords(ctx: CommandContext, uses: RoleUses, sight: 'all' | 'seen'): Promise<string[]> {
  const sees = (place: string) => sight === 'all' || actingOn(ctx, place).role !== undefined;
  const memberships = uses.memberships.filter(({ place }) => sees(place));
  const teams = uses.teams.filter(({ place }) => sees(place));
  const ids = [...uses.people, ...memberships.map(({ user }) => user)];
  const names = await namesOf(ctx.tx, ctx.person.workspace, ids);
  const called = (user: string) => names.get(user) ?? 'somebody';
  return [
    ...listed([...new Set(uses.people.map(called))]),
    // Linked accounts are one person.
    ...listed([
      ...new Set(
        memberships.map(({ user, kind, name }) => `${called(user)} ${kind === 'project' ? 'about' : 'in the folder'} ${name}`),
      ),
    ]),
    ...listed(teams.map(({ team, name }) => `team ${team} in the folder ${name}`)),
    ...(uses.channels.length === 0 ? [] : [`members of ${count(uses.channels.length, 'channel', 'channels')}`]),
    ...(uses.invites === 0 ? [] : [count(uses.invites, 'open invitation', 'open invitations')]),
    ...(uses.tokens === 0 ? [] : [count(uses.tokens, 'access token', 'access tokens')]),
    ...listed(uses.policies.filter(({ project }) => sees(project)).map(({ name }) => `the policy of ${name}, where it decides`)),
  ];
}

function listed(all: readonly string[]): string[] {
  if (all.length === 0) return [];
  const more = all.length - mostNames;
  return [`${all.slice(0, mostNames).join(', ')}${more > 0 ? ` and ${more} more` : ''}`];
}
