import { z } from 'zod';
import { mayGive } from '../access/cascade.ts';
import { roleName, rolesFrom } from '../access/not-allowed.ts';
import { refuseExternal } from '../access/refuse-external.ts';
import { type AnyRole, givenWith, nameOf } from '../contracts/custom-roles.ts';
import { AppError } from '../contracts/errors.ts';
import { plain, type Span } from '../contracts/view.ts';
import { recordAudit } from '../store/audit.ts';
import { accountsOf, findOrCreatePerson, type Member, peopleByName, setRole } from '../store/people.ts';
import type { CommandContext } from './command.ts';

/** A mention, or a name with or without `@`. */
export const personText = z.string().min(1).max(100);

/**
 * The person a text names: a mention names an account, known or not; a name must be that of exactly one person. `example` is the
 * right use shown when it is not.
 */
export async function namedPerson(ctx: CommandContext, text: string, example: string): Promise<Member> {
  const account = /^<@([^|<>\s]+)(?:\|([^<>]*))?>$/.exec(text);
  const { platform, tenant } = ctx.act.conversation;
  if (account?.[1] !== undefined) {
    const person = await findOrCreatePerson(ctx.tx, {
      workspace: ctx.person.workspace,
      identity: { platform, tenant, user: account[1] },
      name: account[2] === '' ? undefined : account[2],
      role: undefined,
    });
    if (person !== undefined) return person;
  }
  const name = text.replace(/^@/, '');
  const found = await peopleByName(ctx.tx, ctx.person.workspace, name);
  const [one, ...others] = found;
  if (one !== undefined && others.length === 0) return one;
  const problem =
    found.length === 0 ? `Nobody named \`${name}\` has written to Deckhand yet.` : `There are several people named \`${name}\`.`;
  throw new AppError('DH-210', { problem, example });
}

/** Sets a role after checking that the asker may give the new one and take the old one. Returns false when it was so already. */
export async function grant(ctx: CommandContext, member: Member, role: AnyRole | undefined): Promise<boolean> {
  const given = givenWith(role);
  for (const changed of [given, member]) {
    if (mayGive(ctx.ownRights, changed)) continue;
    throw new AppError('DH-202', {
      who: ctx.person.name,
      action: `give or take the role ${changed.role === undefined ? 'of a member' : roleName(changed)}`,
      whoCan: `${rolesFrom('owner')} can.`,
    });
  }
  await refuseExternal(ctx.tx, { workspace: ctx.person.workspace, rights: ctx.ownRights }, member, given);
  const result = await setRole(ctx.tx, ctx.person.workspace, member.user, role);
  if (result === 'last_owner') throw new AppError('DH-211', { name: member.name });
  if (result !== 'changed') return false;
  await recordAudit(ctx.tx, {
    workspace: ctx.person.workspace,
    actor: ctx.person.user,
    action: 'member.role',
    subject: member.user,
    data: { from: roleName(member), to: nameOf(role) },
  });
  return true;
}

/** The person by name, mentioned where the platform knows the account: who is given a role learns of it. */
export async function personSpan(ctx: CommandContext, member: Member): Promise<Span> {
  const accounts = await accountsOf(ctx.tx, ctx.person.workspace, [member.user], ctx.act.conversation);
  const user = accounts.get(member.user);
  return user === undefined ? plain(member.name) : { type: 'person', name: member.name, user, notify: true };
}
