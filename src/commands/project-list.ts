import { bold, code, plain, type Span } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { splitLogin } from '../runtime/repository-login.ts';
import { channelsOfProject } from '../store/channels.ts';
import { type Project, projectsOf } from '../store/projects.ts';
import { defineCommand } from './command.ts';
import { sourceText } from './project-source.ts';
import { seen } from './subject.ts';
import { ago } from './task-lines.ts';

export const projectList = defineCommand({
  name: 'project list',
  group: 'setup',
  summary: 'Lists the projects, their repositories and their channels',
  details: ['Where the address of a repository has a login in it, the list says when that was used last.'],
  permission: 'task.see',
  action: 'see projects',
  about: 'project',
  unbound: 'with-role',
  positional: {},
  options: {},
  examples: [['project list', 'all projects']],
  async run(ctx) {
    const projects = seen(ctx, await projectsOf(ctx.tx, ctx.person.workspace));
    const lines = [];
    for (const project of projects) {
      const channels = await channelsOfProject(ctx.tx, project.id);
      const branch = project.baseBranch ?? project.defaultBranch;
      lines.push([
        plain(`${{ ready: '✔', checking: '●', unreachable: '✖' }[project.sync.state]} `),
        bold(project.name),
        plain(` · ${sourceText(project.source)}`),
        ...(branch === undefined ? [] : [plain(' · '), code(branch)]),
        plain(` · policy ${project.policy.mode}`),
        ...loginSpans(project, ctx.deps.now()),
        ...(channels.length === 0 ? [] : [plain(` · ${channels.join(', ')}`)]),
        ...(project.sync.state === 'unreachable' ? [plain(` · not reachable: ${project.sync.detail}`)] : []),
      ]);
    }
    return {
      view: withFallback([
        { type: 'text', spans: [bold(`Projects · ${projects.length}`)] },
        {
          type: 'text',
          spans:
            lines.length === 0
              ? marked('There is none. `project add web https://example.com/acme/web.git` adds one.')
              : lines.flatMap((line, at) => [...(at === 0 ? [] : [plain('\n')]), ...line]),
        },
      ]),
      audience: 'asked',
    };
  },
});

/** "login used 5 min ago", where the address has one. What is not used for long can be taken away. */
function loginSpans({ source, loginUsedAt }: Project, now: Date): Span[] {
  if (source.kind === 'path' || splitLogin(source.url).login === undefined) return [];
  return loginUsedAt === undefined ? [plain(' · login never used')] : [plain(' · login used '), ago(loginUsedAt, now)];
}
