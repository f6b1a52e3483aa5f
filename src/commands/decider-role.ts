import { type Approvers, isRoleId } from '../contracts/approvers.ts';
import { type CustomRole, givenWith } from '../contracts/custom-roles.ts';
import { AppError } from '../contracts/errors.ts';
import { decidesAtLeast } from '../contracts/permissions.ts';
import { customRolesOf } from '../store/custom-roles.ts';
import type { CommandContext } from './command.ts';
import { namedRole, roleOption } from './role-argument.ts';

/** Built-in roles that a policy can ask for. */
export const deciderRoles = ['developer', 'maintainer', 'owner'] as const;

export const approversOption = roleOption(
  'maintainer',
  'the weakest role that may decide, or a role of which only those who have it may',
  deciderRoles,
);

/** Who is to decide by a role: whoever has at least a built-in one; or has a custom one, and may decide at all. Throws DH-245 and DH-201. */
export async function deciderRole(
  ctx: Pick<CommandContext, 'tx' | 'person'>,
  text: string,
): Promise<(typeof deciderRoles)[number] | CustomRole> {
  const refuse = (problem: string, example: string) => new AppError('DH-201', { problem, example: `\`${example}\`` });
  if (text.toLowerCase() === 'guest')
    throw refuse('Guests may only look, so they cannot decide.', 'settings approvers=developer');
  const role = await namedRole(ctx, text, deciderRoles);
  if (typeof role === 'string' || mayDecideAtAll(role)) return role;
  const example = `role change ${role.name} with=action.approve`;
  throw refuse(`Who has the role \`${role.name}\` may not decide: it lacks \`action.approve\`.`, example);
}

/**
 * Throws DH-201 where people or teams are named beside a custom role: what is meant, both or either, would be a guess. A demand for the same says that
 * both are.
 */
export function checkNamedAlone(
  { people = [], teams = [] }: { people?: readonly string[] | undefined; teams?: readonly string[] | undefined },
  example: string,
): void {
  if (!teams.some(isRoleId) || (people.length === 0 && teams.every(isRoleId))) return;
  throw new AppError('DH-201', {
    problem:
      'Where a custom role decides, no people and no team are named besides. A demand of its own can name them: all that apply count.',
    example: `\`${example}\``,
  });
}

/** May who has it decide where it takes least? */
export function mayDecideAtAll(role: CustomRole): boolean {
  return decidesAtLeast(givenWith(role), 'developer');
}

/** Custom roles that a policy can name, for a form; `named`: what it names already. */
export async function decidingRoles(
  { tx, person }: Pick<CommandContext, 'tx' | 'person'>,
  named: Pick<Approvers, 'teams'> = {},
): Promise<CustomRole[]> {
  const all = await customRolesOf(tx, person.workspace);
  return all.filter((role) => mayDecideAtAll(role) || (named.teams ?? []).includes(role.id));
}

/** The approvers of a policy, with this role in place of the one they were. */
export function withDeciderRole(
  { role, teams = [] }: Pick<Approvers, 'role' | 'teams'>,
  chosen: Awaited<ReturnType<typeof deciderRole>> | undefined,
): Required<Pick<Approvers, 'role' | 'teams'>> {
  if (chosen === undefined) return { role, teams };
  const others = teams.filter((id) => !isRoleId(id));
  return typeof chosen === 'string' ? { role: chosen, teams: others } : { role: 'developer', teams: [...others, chosen.id] };
}
