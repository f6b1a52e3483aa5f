import { mayGive } from '../access/cascade.ts';
import { changingRoles, setMembership } from '../access/change-roles.ts';
import { isWords, roleName } from '../access/not-allowed.ts';
import { rolesAbout } from '../access/role-about.ts';
import { type AnyPlaceRole, type AnyRole, givenWith, nameOf } from '../contracts/custom-roles.ts';
import { AppError } from '../contracts/errors.ts';
import { plain } from '../contracts/view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { recordAudit } from '../store/audit.ts';
import { placesIn } from '../store/folders.ts';
import type { Place } from '../store/memberships.ts';
import type { Member } from '../store/people.ts';
import type { CommandContext, Reply } from './command.ts';
import { personSpan } from './member-target.ts';
import { reasonWords } from './reason-words.ts';
import { personFor } from './subject.ts';

/** Says what somebody is about a project or in a folder by name; undefined: whatever they are without that. For its maintainers. */
export async function atPlace(
  ctx: CommandContext,
  place: Place,
  member: Member,
  role: AnyRole | AnyPlaceRole | undefined,
): Promise<Reply> {
  const own = await personFor(ctx, place.id, {
    command: 'member role',
    permission: 'member.manage',
    action: `say what people are about ${place.name}`,
  });
  if (role === 'owner') {
    throw new AppError('DH-300', {
      what: 'Owners are owners of the workspace, not of one project or folder.',
      instead: `\`maintainer\` is the strongest role about ${place.name}.`,
    });
  }
  // Also where the person is that already for another reason: it would last longer than the reason.
  const given = givenWith(role);
  if (!mayGive(own, given)) {
    const action = `make ${member.name} ${isWords(given)} about ${place.name}`;
    throw new AppError('DH-202', { who: ctx.person.name, action, whoCan: 'Owners can.' });
  }
  const now = async () => (await rolesAbout(ctx.tx, { workspace: place.workspace, place: place.id, people: [member.user] }))[0];
  const before = await now();
  if (before?.role === 'owner' && role !== undefined) {
    throw new AppError('DH-300', {
      what: `${member.name} is an owner, and owners are that everywhere.`,
      instead: 'An owner can change that first: `member role @person maintainer`.',
    });
  }
  const places = place.kind === 'folder' ? await placesIn(ctx.tx, place) : [place];
  const changed = await changingRoles(ctx.tx, ctx.person, places, () => setMembership(ctx.tx, place, member, role));
  const after = await now();
  const where = place.kind === 'project' ? `about ${place.name}` : `in the folder ${place.name}`;
  const is = (after === undefined ? undefined : isWords(after)) ?? 'nothing';
  if (!changed) {
    const text =
      role === undefined ? `${member.name} is no member by name ${where}.` : `${member.name} is ${is} ${where} already.`;
    return { view: withFallback([{ type: 'text', spans: [plain(text)] }]), audience: 'person' };
  }
  const { workspace, user } = ctx.person;
  await recordAudit(ctx.tx, {
    workspace,
    actor: user,
    action: 'member.place',
    subject: member.user,
    data: {
      [place.kind]: place.id,
      in: place.name,
      from: roleName(before ?? {}),
      to: roleName(after ?? {}),
      membership: role === undefined ? 'removed' : nameOf(role),
    },
  });
  const why = after === undefined || role !== undefined ? '' : ` (${reasonWords(after.reason, place.kind)})`;
  return {
    view: withFallback([{ type: 'text', spans: [await personSpan(ctx, member), plain(` is ${is} ${where} now${why}.`)] }]),
    audience: 'all',
  };
}
