import type { PlaceLimit } from '../contracts/access-bundle.ts';
import type { Affiliation } from '../contracts/affiliation.ts';
import { AppError } from '../contracts/errors.ts';
import { calledAs, type Given, may, type Permission, permissions } from '../contracts/permissions.ts';
import { type Role, roleAtLeast, roleSchema } from '../contracts/roles.ts';
import { customRolesOf } from '../store/custom-roles.ts';
import type { Tx } from '../store/database.ts';
import { membersOf } from '../store/people.ts';
import { heldBack } from './held-back.ts';
import { membersAbout } from './role-about.ts';

/** How many people an answer names. */
const named = 5;

/**
 * The refusal for lack of a permission. It says who could: the roles that have it, and people with one of them; or that the person could
 * elsewhere, where it is the access bundle of the channel that does not allow it.
 */
export async function notAllowed(
  tx: Tx,
  who: {
    workspace: string;
    name: string;
    about?: string | undefined;
    role?: Role | undefined;
    affiliation?: Affiliation | undefined;
    limit?: PlaceLimit | undefined;
  },
  action: string,
  needed: Permission,
): Promise<AppError> {
  const { limit } = who;
  if (limit !== undefined && !may(limit.ceiling, needed) && may(limit.elsewhere, needed))
    return heldBack(who.name, limit, action);
  const able = await whoCan(tx, who.workspace, needed, who.about);
  return new AppError('DH-202', { who: who.name, action, whoCan: `${able}${externalNote(who)}` });
}

/** Why somebody may less than the others in the channel. */
function externalNote({ role, affiliation }: { role?: Role | undefined; affiliation?: Affiliation | undefined }): string {
  if (affiliation === undefined || affiliation.kind === 'member' || roleAtLeast(role, 'developer')) return '';
  if (affiliation.kind === 'unknown') {
    return ' The platform did not say in time whether your account belongs to its workspace: try again in a minute.';
  }
  const which = { organisation: 'of another organisation', guest: 'with a guest account', newcomer: 'who are new here' }[
    affiliation.kind
  ];
  return ` People ${which} get at most the role guest from a channel, and only where it says \`settings external=guest\`; an owner can give you a role by name.`;
}

/** "Maintainers and owners can, and whoever has the role release-manager: Ada, Ben." `project`: those about it; else those of the workspace. `what` follows "can". */
export async function whoCan(tx: Tx, workspace: string, needed: Permission, project?: string, what = ''): Promise<string> {
  const people = project === undefined ? membersOf(tx, workspace) : membersAbout(tx, workspace, project);
  const able = (await people).filter((person) => may(person, needed));
  if (able.length === 0)
    return 'Nobody can yet: whoever runs Deckhand becomes owner with `claim <code>` from the log of its start.';
  const names = able.slice(0, named).map(({ name }) => name);
  const more = able.length - names.length;
  const custom = await customNames(tx, workspace, needed, able);
  const besides = custom.length === 0 ? '' : `, and whoever has the role ${custom.join(' or ')}`;
  return `${[rolesWith(needed), 'can', what].join(' ').trim()}${besides}: ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`;
}

/** Names of the custom roles by which some of these people have a permission. */
async function customNames(tx: Tx, workspace: string, needed: Permission, able: readonly Given[]): Promise<string[]> {
  const named = new Set(able.flatMap(({ role, named: names }) => (may({ role }, needed) ? [] : (names ?? []))));
  if (named.size === 0) return [];
  const custom = await customRolesOf(tx, workspace);
  return custom.filter(({ name, permissions: given }) => named.has(name) && given.includes(needed)).map(({ name }) => name);
}

/** "Maintainers and owners", of the built-in roles. */
export function rolesWith(permission: Permission): string {
  return rolesFrom(permissions[permission].role);
}

/** "Maintainers and owners", from the weakest role that is enough. */
export function rolesFrom(needed: Role): string {
  const roles = roleSchema.options.filter((role) => roleAtLeast(role, needed)).map((role) => `${role}s`);
  const text = roles.length === 1 ? roles.join('') : `${roles.slice(0, -1).join(', ')} and ${roles.at(-1)}`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "a developer", "an owner". */
export function aRole(role: Role): string {
  return `${role === 'owner' ? 'an' : 'a'} ${role}`;
}

/** "a developer"; of custom roles their names: "release-manager". Undefined: nothing. */
export function isWords({ role, named }: Given): string | undefined {
  return named?.join(' and ') ?? (role === undefined ? undefined : aRole(role));
}

/** The name of a role alone: "developer", "release-manager". */
export function roleName(given: Given): string {
  return calledAs(given) ?? 'none';
}
