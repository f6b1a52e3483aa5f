import { rolesFrom } from '../access/not-allowed.ts';
import { AppError } from '../contracts/errors.ts';
import { isWithin, type Rights } from '../contracts/permissions.ts';
import type { Role } from '../contracts/roles.ts';

/**
 * Whoever says what a channel gives its members gives them no more than they may themselves there: they, or a second account of theirs, could
 * be among the members. Throws DH-202.
 */
export function checkGives(by: Rights & { name: string }, role: Role | undefined): void {
  if (role === undefined || isWithin({ role }, by)) return;
  throw new AppError('DH-202', {
    who: by.name,
    action: `make the members of this channel ${role}s, which is more than they are`,
    whoCan: `${rolesFrom(role)} who may change settings of channels can.`,
  });
}
