import { recordAudit } from '../store/audit.ts';
import { checkAgain, projectById } from '../store/projects.ts';
import { name, optional } from './arguments.ts';
import { defineCommand } from './command.ts';
import { projectCard, projectCardKey } from './project-card.ts';
import { originKeyOf } from './run.ts';
import { personFor, projectFor } from './subject.ts';

export const projectTest = defineCommand({
  name: 'project test',
  group: 'setup',
  summary: 'Checks whether a repository can be read and pushed to, and whether pull requests can be opened there',
  details: ['A push is tried up to the point where it would change something; nothing is changed.'],
  permission: 'project.manage',
  action: 'check projects',
  about: 'project',
  unbound: 'with-role',
  positional: {
    name: optional({ hint: 'name', about: 'the project; else that of the channel', names: 'project', schema: name }),
  },
  options: {},
  examples: [
    ['project test', 'checks the project of this channel'],
    ['project test web', 'checks the project `web`'],
  ],
  async run(ctx, args) {
    const choice = await projectFor(ctx, args.name);
    if ('ask' in choice) return choice.ask;
    const found = choice.project;
    await personFor(ctx, found.id, { command: 'project test', permission: 'project.manage', action: `check ${found.name}` });
    const key = `${projectCardKey(found.id)}:${originKeyOf(ctx)}`;
    await checkAgain(ctx.tx, found.id, key);
    const { workspace, user } = ctx.person;
    await recordAudit(ctx.tx, { workspace, actor: user, action: 'project.test', subject: found.id, data: { name: found.name } });
    ctx.tx.afterCommit(() => ctx.deps.syncProject(found.id));
    const project = (await projectById(ctx.tx, workspace, found.id)) ?? found;
    return { view: projectCard(project), audience: 'all', key };
  },
});
