import { changingRoles } from '../access/change-roles.ts';
import { aRole } from '../access/not-allowed.ts';
import { AppError } from '../contracts/errors.ts';
import { may } from '../contracts/permissions.ts';
import { teamRoleSchema } from '../contracts/roles.ts';
import { plain, type Span } from '../contracts/view.ts';
import { textView, withFallback } from '../delivery/list-view.ts';
import { recordAudit } from '../store/audit.ts';
import { foldersOf, placesIn } from '../store/folders.ts';
import { createTeam, joinTeam, leaveTeam, linkTeam, removeTeam, type Team, teamLinks } from '../store/teams.ts';
import { name, oneOf, required } from './arguments.ts';
import { type CommandContext, defineCommand, type Reply } from './command.ts';
import { namedPerson, personSpan, personText } from './member-target.ts';
import { namedFolder, namedTeam, personForFolder, placeName } from './place.ts';

const team = required({ hint: 'team', about: 'the team', names: 'team', schema: name });
const folder = required({ hint: 'folder', about: 'the folder', names: 'folder', schema: name });
const person = required({
  hint: '@person',
  about: 'a mention, or the name of somebody who has written here',
  names: 'person',
  schema: personText,
});
const role = required({
  hint: 'role',
  about: 'what its members are there',
  values: teamRoleSchema.options,
  schema: oneOf(teamRoleSchema.options),
});

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
    if (links.some((link) => link.role === 'maintainer')) onlyOwners(ctx, 'take people into a team of maintainers');
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
    'It holds for each project of the folder, and counts before the role in the workspace, also where it is less. A membership of the person in the folder or on a project counts before it. Of several teams the strongest role counts.',
    'Maintainers of the folder give `guest` and `developer`; owners also `maintainer`.',
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
    await personForFolder(ctx, at, linkNeed);
    // A team that is empty now would be a way around what each of its members is checked for.
    if (args.role === 'maintainer') onlyOwners(ctx, 'make a team maintainer');
    const places = await placesIn(ctx.tx, at);
    const before = await changingRoles(ctx.tx, ctx.person, places, () => linkTeam(ctx.tx, found, at.id, args.role));
    const words = `Members of the team \`${found.name}\` are ${args.role}s in \`${at.name}\``;
    if (before === args.role) return { view: textView(`${words} already.`), audience: 'person' };
    await audit(ctx, 'team.link', found, { folder: at.id, in: at.name, from: before ?? 'none', to: args.role });
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
    await personForFolder(ctx, at, linkNeed);
    const places = await placesIn(ctx.tx, at);
    const before = await changingRoles(ctx.tx, ctx.person, places, () => linkTeam(ctx.tx, found, at.id, undefined));
    if (before === undefined) {
      return { view: textView(`The team \`${found.name}\` has nothing in \`${at.name}\`.`), audience: 'person' };
    }
    await audit(ctx, 'team.link', found, { folder: at.id, in: at.name, from: before, to: 'none' });
    const was = `Its members were ${aRole(before)} each there.`;
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

/** What makes maintainers, now or once something else is gone that says less of them. */
function onlyOwners(ctx: CommandContext, action: string): void {
  if (!may(ctx.ownRights, 'workspace.own')) throw new AppError('DH-202', { who: ctx.person.name, action, whoCan: 'Owners can.' });
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
