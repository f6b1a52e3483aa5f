import { isExternal, mayBeExternal } from '../contracts/affiliation.ts';
import { AppError } from '../contracts/errors.ts';
import { isWithin, may, type Rights } from '../contracts/permissions.ts';
import { platformNames } from '../contracts/platform.ts';
import type { Tx } from '../store/database.ts';
import { allAccountsOf, type Member } from '../store/people.ts';
import { whoCan } from './not-allowed.ts';

/**
 * More than looking is given to external people by owners alone, and to accounts of which nobody knows yet whether they are. `by`: who gives
 * it, with what they may there. Throws DH-300.
 */
export async function refuseExternal(
  tx: Tx,
  by: { workspace: string; rights: Rights },
  member: Member,
  given: Rights,
): Promise<void> {
  if (may(by.rights, 'workspace.own') || isWithin(given, { role: 'guest' })) return;
  const { workspace } = by;
  const accounts = (await allAccountsOf(tx, workspace, [member.user])).get(member.user) ?? [];
  const doubtful = accounts.find(({ platform, affiliation }) => mayBeExternal(platform, affiliation));
  if (doubtful === undefined) return;
  const known = isExternal(doubtful.affiliation);
  throw new AppError('DH-300', {
    what: known
      ? `${member.name} is external to this workspace on ${platformNames[doubtful.platform]}: only an owner gives such people more than the role guest.`
      : `${member.name} has not written to Deckhand since it asks whether people belong to this workspace, so that is not known yet.`,
    instead: known
      ? await whoCan(tx, workspace, 'workspace.own')
      : `Ask ${member.name} to write to Deckhand once, \`help\` is enough, or ask an owner to give the role.`,
  });
}
