import { roleName } from '../access/not-allowed.ts';
import { membersAbout } from '../access/role-about.ts';
import { actingOn } from '../access/who-acts.ts';
import { nameOf } from '../contracts/custom-roles.ts';
import { type Block, bold, plain, type View } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { count } from '../delivery/units.ts';
import { type Folder, folderOfProjects } from '../store/folders.ts';
import { membershipsAt, type Place } from '../store/memberships.ts';
import { namesOf } from '../store/people.ts';
import { projectsOf } from '../store/projects.ts';
import { type Team, teamLinks, teamMembers, teamsOf } from '../store/teams.ts';
import type { CommandContext } from './command.ts';
import { pagedList } from './paged-list.ts';
import { byRole } from './permission-words.ts';
import { folderPlace, seenFolders } from './place.ts';
import { reasonWords } from './reason-words.ts';
import { seen } from './subject.ts';

const mostPeople = 40;

/** The folders that the person may see, with the projects that they may see. */
export async function foldersView(ctx: CommandContext, page: number): Promise<View> {
  const { workspace } = ctx.person;
  const folders = await seenFolders(ctx);
  const folderOf = await folderOfProjects(ctx.tx, workspace);
  const projects = seen(ctx, await projectsOf(ctx.tx, workspace));
  const empty = 'There is none. `folder add Payments` makes one.';
  return pagedList('Folders', folders, { page, command: 'folder', empty }, ({ id }) => {
    const held = projects.filter((project) => folderOf.get(project.id) === id).map(({ name }) => name);
    const own = actingOn(ctx, id);
    const yours = own.role === undefined ? '' : ` · you are ${roleName(own)} there`;
    return [plain(` · ${held.length === 0 ? 'no project' : held.join(', ')}${yours}`)];
  });
}

/** What a folder holds, and who is what in it. */
export async function folderView(ctx: CommandContext, folder: Folder): Promise<View> {
  const { workspace } = ctx.person;
  const folderOf = await folderOfProjects(ctx.tx, workspace);
  const projects = seen(ctx, await projectsOf(ctx.tx, workspace)).filter(({ id }) => folderOf.get(id) === folder.id);
  const teams = new Map((await teamsOf(ctx.tx, workspace)).map(({ id, name }) => [id, name]));
  const links = await teamLinks(ctx.tx, workspace, { folder: folder.id });
  return withFallback([
    { type: 'text', spans: [bold(`Folder ${folder.name}`)] },
    {
      type: 'fields',
      items: [
        { label: 'projects', spans: [plain(projects.map(({ name }) => name).join(', ') || 'none')] },
        {
          label: 'teams',
          spans: [plain(links.map(({ team, role }) => `${teams.get(team) ?? 'a team'} as ${nameOf(role)}`).join(', ') || 'none')],
        },
      ],
    },
    ...(await peopleBlocks(ctx, folderPlace(folder))),
  ]);
}

/** Everybody who is something about a place, with why; and those who are barred from it. */
export async function peopleBlocks(ctx: CommandContext, place: Place): Promise<Block[]> {
  const { workspace } = ctx.person;
  const members = await membersAbout(ctx.tx, workspace, place.id);
  const barred = [...(await membershipsAt(ctx.tx, place))].filter(([, role]) => role === 'none').map(([user]) => user);
  const names = await namesOf(ctx.tx, workspace, barred);
  const shown = members.slice(0, mostPeople);
  const items = byRole(shown).map(({ label, people }) => {
    const words = people.map(({ name, reason }) => `${name} (${reasonWords(reason, place.kind)})`);
    return { label, spans: [plain(words.join(', '))] };
  });
  const named = [...new Set(names.values())];
  return [
    items.length === 0 ? { type: 'text', spans: marked('Nobody has a role about it.') } : { type: 'fields', items },
    ...(members.length > shown.length
      ? [
          {
            type: 'context' as const,
            spans: marked(`and ${members.length - shown.length} more; \`who @person\` says what one is.`),
          },
        ]
      : []),
    ...(named.length === 0 ? [] : [{ type: 'context' as const, spans: [plain(`Nothing there, by name: ${named.join(', ')}.`)] }]),
  ];
}

export async function teamsView(ctx: CommandContext, page: number): Promise<View> {
  const { workspace } = ctx.person;
  const teams = await teamsOf(ctx.tx, workspace);
  const members = await teamMembers(
    ctx.tx,
    workspace,
    teams.map(({ id }) => id),
  );
  const links = await linksSeen(ctx, undefined);
  const empty = 'There is none. `team add Core` makes one.';
  return pagedList('Teams', teams, { page, command: 'team', empty }, ({ id }) => {
    const at = links.filter(({ team }) => team === id).map(({ role, name }) => `${nameOf(role)} in ${name}`);
    const people = count(members.get(id)?.length ?? 0, 'person', 'people');
    return [plain(` · ${people}${at.length === 0 ? '' : ` · ${at.join(', ')}`}`)];
  });
}

/** Who is in a team, and what that gives. */
export async function teamView(ctx: CommandContext, team: Team): Promise<View> {
  const { workspace } = ctx.person;
  const members = (await teamMembers(ctx.tx, workspace, [team.id])).get(team.id) ?? [];
  const names = await namesOf(ctx.tx, workspace, members);
  const shown = members.slice(0, mostPeople).map((user) => names.get(user) ?? 'somebody');
  const more = members.length > shown.length ? ` and ${members.length - shown.length} more` : '';
  const links = await linksSeen(ctx, team.id);
  return withFallback([
    { type: 'text', spans: [bold(`Team ${team.name}`)] },
    {
      type: 'fields',
      items: [
        { label: 'people', spans: [plain(shown.length === 0 ? 'nobody' : `${shown.join(', ')}${more}`)] },
        {
          label: 'in folders',
          spans: [plain(links.map(({ role, name }) => `${nameOf(role)} in ${name}`).join(', ') || 'nothing')],
        },
      ],
    },
  ]);
}

/** Links of a team or of all, to the folders that the person may see. */
async function linksSeen(ctx: CommandContext, team: string | undefined) {
  const folders = new Map((await seenFolders(ctx)).map(({ id, name }) => [id, name]));
  const links = await teamLinks(ctx.tx, ctx.person.workspace, { team });
  return links.flatMap((link) => {
    const name = folders.get(link.folder);
    return name === undefined ? [] : [{ ...link, name }];
  });
}
