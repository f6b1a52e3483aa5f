import { changingRoles } from '../access/change-roles.ts';
import { AppError } from '../contracts/errors.ts';
import { textView } from '../delivery/list-view.ts';
import { count } from '../delivery/units.ts';
import { recordAudit } from '../store/audit.ts';
import { createFolder, folderOfProjects, foldersOf, moveProject, placesIn, removeFolder } from '../store/folders.ts';
import { name, required } from './arguments.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { namedFolder, personForFolder, placeName } from './place.ts';
import { namedProject, personFor } from './subject.ts';

export const folderAdd = defineCommand({
  name: 'folder add',
  group: 'setup',
  summary: 'Makes a folder: a group of projects that people and teams have roles in together',
  details: [
    'A folder holds projects and no other folders. A project is in one folder or in none.',
    'What somebody is in a folder they are about each of its projects, unless they are a member of the project itself.',
  ],
  permission: 'project.manage',
  action: 'make folders',
  about: 'workspace',
  unbound: 'with-role',
  positional: { name: required({ hint: 'name', about: 'a short name', schema: placeName('a folder') }) },
  options: {},
  examples: [['folder add Payments', 'makes the folder `Payments`']],
  async run(ctx, args) {
    const folder = await createFolder(ctx.tx, ctx.person.workspace, args.name);
    if (folder === undefined) throw new AppError('DH-244', { what: 'folder', name: args.name });
    await audit(ctx, 'folder.add', folder.id, { name: folder.name });
    return {
      view: textView(
        `There is a folder \`${folder.name}\` now. \`folder move <project> ${folder.name}\` puts a project into it, \`member role @ben developer folder=${folder.name}\` and \`team link <team> ${folder.name} developer\` let people in.`,
      ),
      audience: 'all',
    };
  },
});

export const folderRemove = defineCommand({
  name: 'folder remove',
  group: 'setup',
  summary: 'Removes a folder with the roles that people and teams have in it; its projects stay, in no folder',
  permission: 'project.manage',
  action: 'remove folders',
  about: 'project',
  unbound: 'with-role',
  positional: { name: required({ hint: 'name', about: 'the folder', names: 'folder', schema: name }) },
  options: {},
  examples: [['folder remove Payments', 'removes the folder `Payments`']],
  async run(ctx, args) {
    const folder = await namedFolder(ctx, args.name);
    await personForFolder(ctx, folder, {
      command: 'folder remove',
      permission: 'project.manage',
      action: `remove ${folder.name}`,
    });
    const places = await placesIn(ctx.tx, folder);
    const projects = places.length - 1;
    await changingRoles(ctx.tx, ctx.person, places, () => removeFolder(ctx.tx, folder));
    await audit(ctx, 'folder.remove', folder.id, { name: folder.name, projects });
    const left =
      projects === 0 ? '' : ` ${count(projects, 'project')} that it held ${projects === 1 ? 'is' : 'are'} in no folder now.`;
    return { view: textView(`The folder \`${folder.name}\` is removed.${left}`), audience: 'all' };
  },
});

export const folderMove = defineCommand({
  name: 'folder move',
  group: 'setup',
  summary: 'Puts a project into a folder, out of the one it was in',
  details: ['It takes a maintainer about the project, about the folder it was in and about the one it goes to.'],
  permission: 'project.manage',
  action: 'move projects between folders',
  about: 'project',
  unbound: 'with-role',
  positional: {
    project: required({ hint: 'project', about: 'the project', names: 'project', schema: name }),
    folder: required({ hint: 'folder', about: 'the folder, or `none`', names: 'folder', values: ['none'], schema: name }),
  },
  options: {},
  examples: [
    ['folder move web Payments', 'puts `web` into the folder `Payments`'],
    ['folder move web none', 'takes it out of its folder'],
  ],
  async run(ctx, args) {
    const { workspace } = ctx.person;
    const need = { command: 'folder move', permission: 'project.manage', action: 'move projects between folders' } as const;
    const project = await namedProject(ctx, args.project);
    await personFor(ctx, project.id, need);
    const to = args.folder.toLowerCase() === 'none' ? undefined : await namedFolder(ctx, args.folder);
    const before = (await folderOfProjects(ctx.tx, workspace)).get(project.id);
    const from = (await foldersOf(ctx.tx, workspace)).find(({ id }) => id === before);
    for (const folder of [from, to]) if (folder !== undefined) await personForFolder(ctx, folder, need);
    if (from?.id === to?.id) {
      const where = to === undefined ? 'in no folder' : `in \`${to.name}\``;
      return { view: textView(`\`${project.name}\` is ${where} already.`), audience: 'person' };
    }
    await changingRoles(ctx.tx, ctx.person, [project], () => moveProject(ctx.tx, workspace, project.id, to?.id));
    await audit(ctx, 'project.folder', project.id, { name: project.name, from: from?.name ?? 'none', to: to?.name ?? 'none' });
    const where = to === undefined ? 'in no folder' : `in the folder \`${to.name}\``;
    return { view: textView(`\`${project.name}\` is ${where} now.`), audience: 'all' };
  },
});

async function audit(ctx: CommandContext, action: string, subject: string, data: Record<string, string | number>): Promise<void> {
  const { workspace, user } = ctx.person;
  await recordAudit(ctx.tx, { workspace, actor: user, action, subject, data });
}
