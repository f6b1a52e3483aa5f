import { mayGive } from '../access/cascade.ts';
import { changingRoles } from '../access/change-roles.ts';
import { isWords } from '../access/not-allowed.ts';
import { actingOn } from '../access/who-acts.ts';
import { givenWith, nameOf } from '../contracts/custom-roles.ts';
import { AppError } from '../contracts/errors.ts';
import { teamRoleSchema } from '../contracts/roles.ts';
import { plain, type Span } from '../contracts/view.ts';
import { textView, withFallback } from '../delivery/list-view.ts';
import { recordAudit } from '../store/audit.ts';
import { foldersOf, placesIn } from '../store/folders.ts';
import { createTeam, joinTeam, leaveTeam, linkTeam, removeTeam, type Team, type TeamLink, teamLinks } from '../store/teams.ts';
import { name, required } from './arguments.ts';
import { type CommandContext, defineCommand, type Reply } from './command.ts';
import { namedPerson, personSpan, personText } from './member-target.ts';
import { namedFolder, namedTeam, placeName } from './place.ts';
import { namedRole, roleArgument } from './role-argument.ts';
import { personFor } from './subject.ts';

const team = required({ hint: 'team', about: 'the team', names: 'team', schema: name });
const folder = required({ hint: 'folder', about: 'the folder', names: 'folder', schema: name });
const person = required({
  hint: '@person',
  about: 'a mention, or the name of somebody who has written here',
  names: 'person',
  schema: personText,
});
const role = roleArgument('what its members are there', teamRoleSchema.options);

export const teamAdd = defineCommand({
  name: 'team add',
  group: 'people',
  summary: 'Makes a team: people who get roles in folders together',
  permission: 'member.manage',
  action: 'make teams',
  about: 'workspace',
  unbound: 'with-role',
  positional: { name: required({ hint: 'name', about: 'a short name', schema: placeName('a team') }) },
  options: {},
  examples: [['team add Core', 'makes the team `Core`']],
  async run(ctx, args) {
    const made = await createTeam(ctx.tx, ctx.person.workspace, args.name);
    if (made === undefined) throw new AppError('DH-244', { what: 'team', name: args.name });
    await audit(ctx, 'team.add', made, {});
    return {
      view: textView(
        `There is a team \`${made.name}\` now. \`team join ${made.name} @ben\` takes people into it, \`team link ${made.name} <folder> developer\` gives them a role in a folder.`,
      ),
      audience: 'all',
    };
  },
});

export const teamRemove = defineCommand({
  name: 'team remove',
  group: 'people',
  summary: 'Removes a team; its members lose what it gave them',
  permission: 'member.manage',
  action: 'remove teams',
  about: 'workspace',
  unbound: 'with-role',
  positional: { name: team },
  options: {},
  examples: [['team remove Core', 'removes the team `Core`']],
  async run(ctx, args) {
    const found = await namedTeam(ctx, args.name);
    await changingRoles(ctx.tx, ctx.person, await placesOfTeam(ctx, found), () => removeTeam(ctx.tx, found));
    await audit(ctx, 'team.remove', found, {});
    return { view: textView(`The team \`${found.name}\` is removed.`), audience: 'all' };
  },
});

export const teamJoin = defineCommand({
  name: 'team join',
  group: 'people',
  summary: 'Takes somebody into a team: they get what it has in folders',
  details: ['Nobody is made more by it than whoever says it could make them by name.'],
  permission: 'member.manage',
  action: 'change teams',
  about: 'workspace',
  unbound: 'with-role',
  positional: { team, person },
  options: {},
  examples: [['team join Core @ben', 'takes Ben into the team `Core`']],
  async run(ctx, args) {
    const found = await namedTeam(ctx, args.team);
    const member = await namedPerson(ctx, args.person, 'team join Core @ben');
    const links = await teamLinks(ctx.tx, found.workspace, { team: found.id });
    for (const link of links) mayGiveIn(ctx, link.folder, link.role, `take people into a team that is ${nameOf(link.role)}`);
    const joined = await changingRoles(ctx.tx, ctx.person, await placesOfTeam(ctx, found), () => joinTeam(ctx.tx, found, member));
    if (!joined) return { view: textView(`${member.name} is in \`${found.name}\` already.`), audience: 'person' };
    await audit(ctx, 'team.join', found, { person: member.user });
    return said([await personSpan(ctx, member), plain(` is in the team ${found.name} now.`)]);
  },
});

export const teamLeave = defineCommand({
  name: 'team leave',
  group: 'people',
  summary: 'Takes somebody out of a team',
  permission: 'member.manage',
  action: 'change teams',
  about: 'workspace',
  unbound: 'with-role',
  positional: { team, person },
  options: {},
  examples: [['team leave Core @ben', 'takes Ben out of the team `Core`']],
  async run(ctx, args) {
    const found = await namedTeam(ctx, args.team);
    const member = await namedPerson(ctx, args.person, 'team leave Core @ben');
    const left = await changingRoles(ctx.tx, ctx.person, await placesOfTeam(ctx, found), () => leaveTeam(ctx.tx, found, member));
    if (!left) return { view: textView(`${member.name} is not in \`${found.name}\`.`), audience: 'person' };
    await audit(ctx, 'team.leave', found, { person: member.user });
    return said([await personSpan(ctx, member), plain(` is not in the team ${found.name} any more.`)]);
  },
});

const linkNeed = { command: 'team link', permission: 'member.manage', action: 'link teams to this folder' } as const;

export const teamLink = defineCommand({
  name: 'team link',
  group: 'people',
  summary: 'Says what the members of a team are in a folder',
  details: [
    'It holds for each project of the folder, and counts before the role in the workspace, also where it is less. A membership of the person in the folder or on a project counts before it. Of several teams the strongest role counts, and what custom roles add to it.',
    'Maintainers of the folder give `guest` and `developer`, and custom roles of which they have everything there; owners every role but their own.',
  ],
  permission: linkNeed.permission,
  action: linkNeed.action,
  about: 'project',
  unbound: 'with-role',
  positional: { team, folder, role },
  options: {},
  examples: [['team link Core Payments developer', 'members of `Core` are developers in `Payments`']],
  async run(ctx, args) {
    const found = await namedTeam(ctx, args.team);
    const at = await namedFolder(ctx, args.folder);
    await personFor(ctx, at.id, linkNeed);
    const given = await namedRole(ctx, args.role, teamRoleSchema.options);
    // A team that is empty now would be a way around what each of its members is checked for.
    mayGiveIn(ctx, at.id, given, `make a team ${nameOf(given)}`);
    const places = await placesIn(ctx.tx, at);
    const before = await changingRoles(ctx.tx, ctx.person, places, () => linkTeam(ctx.tx, found, at.id, given));
    const are = typeof given === 'string' ? `${given}s` : given.name;
    const words = `Members of the team \`${found.name}\` are ${are} in \`${at.name}\``;
    if (before !== undefined && nameOf(before) === nameOf(given))
      return { view: textView(`${words} already.`), audience: 'person' };
    await audit(ctx, 'team.link', found, { folder: at.id, in: at.name, from: nameOf(before), to: nameOf(given) });
    return { view: textView(`${words} now, unless they are members there by name.`), audience: 'all' };
  },
});

export const teamUnlink = defineCommand({
  name: 'team unlink',
  group: 'people',
  summary: 'Takes from a team what it has in a folder',
  permission: linkNeed.permission,
  action: linkNeed.action,
  about: 'project',
  unbound: 'with-role',
  positional: { team, folder },
  options: {},
  examples: [['team unlink Core Payments', '`Core` has nothing in `Payments` any more']],
  async run(ctx, args) {
    const found = await namedTeam(ctx, args.team);
    const at = await namedFolder(ctx, args.folder);
    await personFor(ctx, at.id, linkNeed);
    const places = await placesIn(ctx.tx, at);
    const before = await changingRoles(ctx.tx, ctx.person, places, () => linkTeam(ctx.tx, found, at.id, undefined));
    if (before === undefined) {
      return { view: textView(`The team \`${found.name}\` has nothing in \`${at.name}\`.`), audience: 'person' };
    }
    await audit(ctx, 'team.link', found, { folder: at.id, in: at.name, from: nameOf(before), to: 'none' });
    const was = `Its members were ${isWords(givenWith(before))} each there.`;
    return { view: textView(`The team \`${found.name}\` has nothing in \`${at.name}\` any more. ${was}`), audience: 'all' };
  },
});

/** The folders that a team is linked to, and their projects: what joining or leaving it is about. */
async function placesOfTeam(ctx: CommandContext, { id, workspace }: Team): Promise<{ id: string; name: string }[]> {
  const linked = new Set((await teamLinks(ctx.tx, workspace, { team: id })).map((link) => link.folder));
  const places: { id: string; name: string }[] = [];
  for (const one of await foldersOf(ctx.tx, workspace)) {
    if (linked.has(one.id)) places.push(...(await placesIn(ctx.tx, one)));
  }
  return places;
}

/** What people become by a team, now or once something else is gone that says less of them, must be the asker's to give there. */
function mayGiveIn(ctx: CommandContext, folder: string, given: TeamLink['role'], action: string): void {
  if (mayGive(actingOn(ctx, folder), givenWith(given))) return;
  throw new AppError('DH-202', { who: ctx.person.name, action, whoCan: 'Owners can.' });
}

function said(spans: Span[]): Reply {
  return { view: withFallback([{ type: 'text', spans }]), audience: 'all' };
}

async function audit(
  ctx: CommandContext,
  action: string,
  { id, name: named }: Team,
  data: Record<string, string>,
): Promise<void> {
  const { workspace, user } = ctx.person;
  await recordAudit(ctx.tx, { workspace, actor: user, action, subject: id, data: { name: named, ...data } });
}
