import { z } from 'zod';
import { notAllowed } from '../access/not-allowed.ts';
import { AppError } from '../contracts/errors.ts';
import { may } from '../contracts/permissions.ts';
import { defaultPolicy } from '../contracts/policy.ts';
import { defaultProjectLimits } from '../contracts/settings.ts';
import { newId } from '../runtime/ids.ts';
import { recordAudit } from '../store/audit.ts';
import { createProject } from '../store/projects.ts';
import { optional, required } from './arguments.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { loginTyped } from './leaked-key.ts';
import { projectCard, projectCardKey } from './project-card.ts';
import { readSource, sourceText } from './project-source.ts';

/** Short enough for a button that repeats a list of the project. */
const projectName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,27}$/, {
    error: ({ input }) => `\`${input}\` is not a name: letters, digits, dots, dashes and underscores, at most 28.`,
  })
  .refine((text) => !['all', 'none'].includes(text.toLowerCase()), {
    error: ({ input }) => `\`${input}\` is a word of commands and cannot be a name.`,
  });

/** The rules of git for the name of a branch, as far as a slip of the finger goes. */
export const branchName = z.string().regex(/^(?![-/.])(?!.*(?:\.\.|@\{|\/\/|\.lock$|\/$|\.$))[^\s~^:?*[\\\p{Cc}]{1,200}$/u, {
  error: ({ input }) => `\`${input}\` is not the name of a branch.`,
});

export const projectAdd = defineCommand({
  name: 'project add',
  group: 'setup',
  summary: 'Adds a project: a name and where its git repository is',
  details: [
    'The repository is a URL, `user@host:path` or the full path of a directory on the machine of the runner; a path only owners may give. Commands see what is committed there, nothing else.',
    'A new project asks before every command; `settings` changes that.',
    'An address with a password in it is taken from a direct message only, so that nobody else sees it.',
  ],
  permission: 'project.manage',
  action: 'add projects',
  unbound: 'with-role',
  positional: {
    name: required({ hint: 'name', about: 'a short name', schema: projectName }),
    source: required({ hint: 'repository', about: 'its address', schema: z.string().min(1).max(500) }),
  },
  options: {
    branch: optional({ hint: 'main', about: 'the base branch; else the default branch of the repository', schema: branchName }),
  },
  examples: [
    ['project add web https://example.com/acme/web.git', 'adds a project'],
    ['project add api git@example.com:acme/api.git branch=develop', 'with a base branch of its own'],
  ],
  async run(ctx, args) {
    const { source, hasLogin } = readSource(args.source);
    if (source.kind === 'path' && !may(ctx.ownRights, 'workspace.own')) {
      throw await notAllowed(ctx.tx, ctx.person, 'add a directory of the machine as a project', 'workspace.own');
    }
    if (hasLogin && ctx.act.event.conversation.kind !== 'direct') throw loginTyped();
    const id = newId('prj');
    const project = await createProject(ctx.tx, {
      id,
      workspace: ctx.person.workspace,
      name: args.name,
      source: source.kind === 'path' ? source : { kind: 'git', url: sealedFor(ctx, id, source.url) },
      baseBranch: args.branch,
      policy: defaultPolicy,
      limits: defaultProjectLimits,
      createdBy: ctx.person.user,
    });
    if (project === undefined) throw new AppError('DH-213', { project: args.name });
    await recordAudit(ctx.tx, {
      workspace: ctx.person.workspace,
      actor: ctx.person.user,
      action: 'project.add',
      subject: project.id,
      data: { name: project.name, source: sourceText(source) },
    });
    ctx.tx.afterCommit(() => ctx.deps.syncProject(project.id));
    return { view: projectCard(project), audience: 'all', key: projectCardKey(project.id) };
  },
});

/** The address with its login as only this project's runner can open it. */
function sealedFor({ deps: { repositoryLogins: logins }, act }: CommandContext, project: string, url: string): string {
  const typed = logins.typed(url, act.event);
  if (typed === undefined) throw new AppError('DH-208');
  return logins.seal(project, typed);
}
