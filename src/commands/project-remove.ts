import { AppError } from '../contracts/errors.ts';
import { textView } from '../delivery/list-view.ts';
import { count as counted } from '../delivery/units.ts';
import { recordAudit } from '../store/audit.ts';
import { unbindAll } from '../store/channels.ts';
import { archiveProject, lockProject } from '../store/projects.ts';
import { unfinishedTasks } from '../store/task-queries.ts';
import { name, required } from './arguments.ts';
import { defineCommand } from './command.ts';
import { namedProject, personFor } from './subject.ts';

export const projectRemove = defineCommand({
  name: 'project remove',
  group: 'setup',
  summary: 'Removes a project and unbinds its channels; its tasks stay readable',
  details: ['The repository is not touched.'],
  permission: 'project.manage',
  action: 'remove projects',
  about: 'project',
  unbound: 'with-role',
  positional: {
    name: required({ hint: 'name', about: 'the project', names: 'project', schema: name }),
  },
  options: {},
  examples: [['project remove web', 'removes the project `web`']],
  async run(ctx, args) {
    const project = await namedProject(ctx, args.name);
    await personFor(ctx, project.id, {
      command: 'project remove',
      permission: 'project.manage',
      action: `remove ${project.name}`,
    });
    await lockProject(ctx.tx, project.id);
    const open = await unfinishedTasks(ctx.tx, project.id);
    if (open > 0) {
      throw new AppError('DH-300', {
        what: `${project.name} has ${counted(open, 'task')} that ${open === 1 ? 'is' : 'are'} not over.`,
        instead: `\`tasks open project=${project.name}\` lists them; stop them first.`,
      });
    }
    const channels = await unbindAll(ctx.tx, project.id);
    await archiveProject(ctx.tx, project.id, ctx.deps.now());
    await recordAudit(ctx.tx, {
      workspace: ctx.person.workspace,
      actor: ctx.person.user,
      action: 'project.remove',
      subject: project.id,
      data: { name: project.name, channels },
    });
    const unbound =
      channels === 0 ? '' : ` ${counted(channels, 'channel')} had it; ${channels === 1 ? 'it is' : 'they are'} unbound now.`;
    return { view: textView(`Project \`${project.name}\` is removed.${unbound}`), audience: 'all' };
  },
});
