import { somebodyMayDecide } from '../approvals/approvers.ts';
import { termsOf } from '../approvals/demands.ts';
import { AppError } from '../contracts/errors.ts';
import type { Policy } from '../contracts/policy.ts';
import { recordAudit } from '../store/audit.ts';
import { changePolicy, lockProject, type Project, projectById } from '../store/projects.ts';
import type { CommandContext } from './command.ts';

/** The project as it is now, until the transaction ends: two changes at once are made one after the other. Throws DH-205. */
export async function holdProject(ctx: CommandContext, { id, workspace, name }: Project): Promise<Project> {
  await lockProject(ctx.tx, id);
  const project = await projectById(ctx.tx, workspace, id);
  if (project === undefined) throw new AppError('DH-205', { project: name, suggestion: 'It was removed just now.' });
  return project;
}

const keptNote = 'Tasks that exist keep the policy they were made with.';

/** Stores a policy that is another one as a new version; returns what people should know about it, nothing if it is no other one. The caller holds the project. */
export async function storePolicy(ctx: CommandContext, project: Project, policy: Policy): Promise<string[]> {
  if (JSON.stringify(policy) === JSON.stringify(project.policy)) return [];
  const version = await changePolicy(ctx.tx, project.id, policy, { by: ctx.person.user, at: ctx.deps.now() });
  const { workspace, user } = ctx.person;
  await recordAudit(ctx.tx, {
    workspace,
    actor: user,
    action: 'project.policy',
    subject: project.id,
    data: { version, from: { ...project.policy }, to: { ...policy } },
  });
  const notes = [keptNote];
  const numbered = (policy.demands ?? []).map((demand, at) => ({ number: at + 1, demand }));
  for (const met of [[], ...numbered.map((one) => [one])]) {
    const { approvers } = termsOf(policy, met);
    if (await somebodyMayDecide(ctx.tx, { workspace, project: project.id, approvers, requester: '' })) continue;
    const what = met[0] === undefined ? 'what must be approved' : `what demand ${met[0].number} is about`;
    notes.push(`There are not enough people who can approve: ${what} is refused until there are. \`who\` lists them.`);
    if (met[0] === undefined) break;
  }
  return notes;
}
