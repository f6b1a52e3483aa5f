import { z } from 'zod';
import { actingOn } from '../access/who-acts.ts';
import { AppError } from '../contracts/errors.ts';
import { type Folder, folderOfProjects, foldersOf } from '../store/folders.ts';
import type { Place } from '../store/memberships.ts';
import { projectsOf } from '../store/projects.ts';
import { type Team, teamsOf } from '../store/teams.ts';
import { name, optional } from './arguments.ts';
import type { CommandContext } from './command.ts';
import { didYouMean } from './nearest.ts';
import { type Need, namedProject, personFor, seen } from './subject.ts';

/** Short enough for a button that shows it. `what`: a folder, a team. */
export function placeName(what: string) {
  return z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,27}$/, {
      error: ({ input }) => `\`${input}\` is not a name for ${what}: letters, digits, dots, dashes and underscores, at most 28.`,
    })
    .refine((text) => !['all', 'none'].includes(text.toLowerCase()), {
      error: ({ input }) => `\`${input}\` is a word of commands and cannot be a name.`,
    });
}

/** Where a role holds that is not one in the workspace. */
export const placeOptions = {
  project: optional({ hint: 'name', about: 'only about this project', names: 'project', schema: name }),
  folder: optional({ hint: 'name', about: 'only in this folder, for each of its projects', names: 'folder', schema: name }),
};

/** The place that is named; undefined: none, so it is about the workspace. Throws DH-201 for two, DH-205 and DH-242. */
export async function placeOf(
  ctx: CommandContext,
  { project, folder }: { project?: string | undefined; folder?: string | undefined },
  example: string,
): Promise<Place | undefined> {
  if (project !== undefined && folder !== undefined) {
    throw new AppError('DH-201', {
      problem: 'It is about one project or one folder, not about both.',
      example: `\`${example}\``,
    });
  }
  if (project !== undefined) return { kind: 'project', ...placed(await namedProject(ctx, project)) };
  if (folder !== undefined) return folderPlace(await namedFolder(ctx, folder));
  return undefined;
}

/** A folder as a place where people have roles. */
export function folderPlace(folder: Folder): Place {
  return { kind: 'folder', ...placed(folder) };
}

function placed({ id, name, workspace }: { id: string; name: string; workspace: string }): Omit<Place, 'kind'> {
  return { id, name, workspace };
}

/** The folders that the person may see: about which they are something, or in which there is a project that they may see. */
export async function seenFolders(ctx: CommandContext): Promise<Folder[]> {
  const { workspace } = ctx.person;
  const folders = await foldersOf(ctx.tx, workspace);
  if (folders.length === 0) return folders;
  const folderOf = await folderOfProjects(ctx.tx, workspace);
  const projects = seen(ctx, await projectsOf(ctx.tx, workspace));
  const holding = new Set(projects.map(({ id }) => folderOf.get(id)));
  return folders.filter(({ id }) => holding.has(id) || actingOn(ctx, id).role !== undefined);
}

/** The folder with this name, or DH-242 with the nearest names. What the person may not see does not exist. */
export async function namedFolder(ctx: CommandContext, named: string): Promise<Folder> {
  const folders = await seenFolders(ctx);
  const found = folders.find((folder) => folder.name.toLowerCase() === named.toLowerCase());
  if (found !== undefined) return found;
  const names = folders.map((folder) => folder.name);
  throw new AppError('DH-242', { folder: named.slice(0, 80), suggestion: suggestion(named, names, 'folder') });
}

/** The team with this name, or DH-243 with the nearest names. */
export async function namedTeam(ctx: CommandContext, named: string): Promise<Team> {
  const teams = await teamsOf(ctx.tx, ctx.person.workspace);
  const found = teams.find((team) => team.name.toLowerCase() === named.toLowerCase());
  if (found !== undefined) return found;
  const names = teams.map((team) => team.name);
  throw new AppError('DH-243', { team: named.slice(0, 80), suggestion: suggestion(named, names, 'team') });
}

/** Refuses whoever is too weak about a folder. */
export async function personForFolder(ctx: CommandContext, folder: Folder, need: Need): Promise<void> {
  await personFor(ctx, folder.id, need);
}

function suggestion(named: string, names: readonly string[], what: 'folder' | 'team'): string {
  return didYouMean(named, names, `\`${what} list\` shows those there are, \`${what} add\` makes one.`);
}
