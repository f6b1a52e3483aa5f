import { forbidden, notFound, requiresAuthentication } from './api-error.ts';
import type { Caller } from './caller.ts';
import { fullName } from './core.ts';
import type { Installation, Level, Permissions, Repository, Role } from './model.ts';

/** Who may do what. A token never allows more than its owner may, and a repository one cannot see does not exist. */

const ROLES: readonly Role[] = ['read', 'triage', 'write', 'maintain', 'admin'];
const LEVELS: readonly string[] = ['read', 'write', 'admin'] satisfies Level[];

/** The role of a person or bot: what was given, all of it for the owner, `read` for everybody where it is public. */
export function roleOf(repository: Repository, login: string): Role | undefined {
  const given = repository.roles.get(login.toLowerCase());
  if (repository.owner.toLowerCase() === login.toLowerCase()) return 'admin';
  return given ?? (repository.private ? undefined : 'read');
}

export function hasRole(role: Role | undefined, least: Role): boolean {
  return role !== undefined && ROLES.indexOf(role) >= ROLES.indexOf(least);
}

/** Whether a person finds the repository on the pages. */
export function canRead(repository: Repository, login: string): boolean {
  return roleOf(repository, login) !== undefined;
}

export function reaches(installation: Installation, repository: Repository): boolean {
  const { repositories } = installation;
  const isOwner = installation.account.toLowerCase() === repository.owner.toLowerCase();
  return isOwner && (repositories === 'all' || repositories.has(repository.name));
}

function isListed(caller: Caller, repository: Repository): boolean {
  if (caller.kind !== 'user' && caller.kind !== 'installation') return false;
  const { repositories } = caller.token;
  const inToken = repositories === undefined || repositories.has(fullName(repository).toLowerCase());
  return inToken && (caller.kind === 'user' || reaches(caller.installation, repository));
}

export function canSee(caller: Caller, repository: Repository): boolean {
  if (!repository.private) return true;
  if (caller.kind === 'installation') return isListed(caller, repository);
  if (caller.kind !== 'user' || roleOf(repository, caller.account.login) === undefined) return false;
  return caller.token.scopes ? caller.token.scopes.includes('repo') : isListed(caller, repository);
}

/** `pull_requests:write`; with several, one of them is enough. */
export type Need = `${string}:${Level}`;

export interface Rights {
  /** What fine-grained tokens and installations need. */
  needs: readonly Need[];
  /** What people need to be. */
  role: Role;
}

export function holds(permissions: Permissions, needs: readonly Need[]): boolean {
  return needs.some((need) => {
    const [name = '', level = ''] = need.split(':');
    const given = permissions[name];
    return given !== undefined && LEVELS.indexOf(given) >= LEVELS.indexOf(level);
  });
}

/** Throws what GitHub answers: 404 for what must not be known of, 401 without a login, 403 with the reason. */
export function requireRights(caller: Caller, repository: Repository, rights: Rights): void {
  if (!canSee(caller, repository)) throw notFound();
  const isReading = rights.needs.every((need) => need.endsWith(':read')) && rights.role === 'read';
  if (isReading && !repository.private) return;
  if (caller.kind === 'anonymous') throw requiresAuthentication();
  if (caller.kind === 'app') throw forbidden('Resource not accessible by integration');
  const { scopes, permissions } = caller.token;
  if (caller.kind === 'installation') {
    if (!isListed(caller, repository) || !holds(permissions ?? {}, rights.needs))
      throw forbidden('Resource not accessible by integration');
    return;
  }
  if (permissions && !(isListed(caller, repository) && holds(permissions, rights.needs)))
    throw forbidden('Resource not accessible by personal access token');
  if (scopes && !isReading && !scopes.includes('repo') && !(scopes.includes('public_repo') && !repository.private))
    throw notFound();
  if (hasRole(roleOf(repository, caller.account.login), rights.role)) return;
  throw forbidden(rights.role === 'admin' ? 'Must have admin rights to Repository.' : 'Must have push access to repository');
}

/** Whether the caller may do something, where the answer only changes what is shown. */
export function may(caller: Caller, repository: Repository, rights: Rights): boolean {
  try {
    requireRights(caller, repository, rights);
    return true;
  } catch {
    return false;
  }
}

/** Permissions of a repository as `permissions` shows them. */
export function permissionFlags(caller: Caller, repository: Repository): Record<string, boolean> | undefined {
  if (caller.kind !== 'user' && caller.kind !== 'installation') return undefined;
  if (caller.kind === 'user') {
    const role = roleOf(repository, caller.account.login);
    const is = (least: Role) => hasRole(role, least);
    return { admin: is('admin'), maintain: is('maintain'), push: is('write'), triage: is('triage'), pull: is('read') };
  }
  const mayPush = isListed(caller, repository) && holds(caller.token.permissions ?? {}, ['contents:write']);
  return { admin: false, maintain: false, push: mayPush, triage: mayPush, pull: true };
}
