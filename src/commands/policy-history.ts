import { AppError } from '../contracts/errors.ts';
import type { Policy } from '../contracts/policy.ts';
import { type Block, bold, plain, type Span } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { moment } from '../delivery/moments.ts';
import { namesOf } from '../store/people.ts';
import { type PolicyVersion, policyAt, policyVersions } from '../store/policy-versions.ts';
import type { Project } from '../store/projects.ts';
import { count, optional, required } from './arguments.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { namesIn } from './named-targets.ts';
import { policyProject } from './policy.ts';
import { changedLines, policyLines } from './policy-lines.ts';
import { personFor, projectFor } from './subject.ts';

const see = { command: 'policy history', permission: 'task.see', action: 'see the policy' } as const;
const shown = 8;

export const policyHistory = defineCommand({
  name: 'policy history',
  group: 'setup',
  summary: 'Lists the versions of the policy: who changed what, and when',
  details: ['A task keeps the version it was made with; `why` names it.'],
  permission: see.permission,
  action: see.action,
  about: 'project',
  positional: {},
  options: {
    before: optional({ hint: '12', about: 'only versions before this one', schema: count(1_000_000) }),
    project: policyProject,
  },
  examples: [
    ['policy history', 'the newest ones'],
    ['policy history before=12', 'those before'],
  ],
  async run(ctx, args) {
    const choice = await projectFor(ctx, args.project);
    if ('ask' in choice) return choice.ask;
    const { project } = choice;
    await personFor(ctx, project.id, see);
    const { workspace } = project;
    const found = await policyVersions(ctx.tx, { workspace, project: project.id, before: args.before, most: shown + 1 });
    const blocks = await versionBlocks(ctx, found);
    const rest: Block[] =
      found.length <= shown
        ? []
        : [{ type: 'context', spans: marked(`\`policy history before=${found[shown - 1]?.version ?? 1}\` lists those before.`) }];
    const title: Block = {
      type: 'text',
      spans: [bold(`Policy of ${project.name}`), plain(` · version ${project.policyVersion}`)],
    };
    return { view: withFallback([title, ...blocks, ...rest]), audience: 'asked', list: 'shared' };
  },
});

export const policyShow = defineCommand({
  name: 'policy show',
  group: 'setup',
  summary: 'Shows the policy as it was in one version',
  permission: see.permission,
  action: see.action,
  about: 'project',
  positional: { version: required({ hint: '3', about: 'its number, as `policy history` lists it', schema: count(1_000_000) }) },
  options: { project: policyProject },
  examples: [['policy show 3', 'what held in version 3']],
  async run(ctx, args) {
    const choice = await projectFor(ctx, args.project);
    if ('ask' in choice) return choice.ask;
    const { project } = choice;
    await personFor(ctx, project.id, { ...see, command: 'policy show' });
    const found = await policyAt(ctx.tx, { workspace: project.workspace, project: project.id, version: args.version });
    if (found === undefined) {
      const what = `Version ${args.version} of the policy of ${project.name} is not known.`;
      throw new AppError('DH-300', { what, instead: '`policy history` lists those that are.' });
    }
    const lines = policyLines(found.policy, await namesOfAll(ctx, [found.policy]));
    return {
      view: withFallback([
        { type: 'text', spans: [bold(`Policy of ${project.name}`), plain(' · '), ...(await madeSpans(ctx, [found]))(found)] },
        { type: 'fields', items: [...lines].map(([label, text]) => ({ label, spans: marked(text) })) },
      ]),
      audience: 'asked',
    };
  },
});

/** Each version with what it changed; of the last one there is nothing to compare it with, except in the first. */
async function versionBlocks(ctx: CommandContext, found: readonly PolicyVersion[]): Promise<Block[]> {
  const names = await namesOfAll(
    ctx,
    found.map(({ policy }) => policy),
  );
  const made = await madeSpans(ctx, found);
  return found.slice(0, shown).map((one, at): Block => {
    const before = found[at + 1];
    const changes = before === undefined ? [] : changedLines(policyLines(before.policy, names), policyLines(one.policy, names));
    const what = changes.length > 0 ? changes.join('; ') : one.version === 1 ? 'as it began' : 'what changed is not known';
    return { type: 'text', spans: [...made(one), plain(': '), ...marked(what)] };
  });
}

async function madeSpans(ctx: CommandContext, found: readonly PolicyVersion[]): Promise<(one: PolicyVersion) => Span[]> {
  const makers = await namesOf(
    ctx.tx,
    ctx.person.workspace,
    found.flatMap(({ by }) => by ?? []),
  );
  return ({ version, by, at }) => [
    bold(`version ${version}`),
    plain(by === undefined ? ', ' : ` by ${makers.get(by) ?? 'somebody who is gone'}, `),
    moment(at),
  ];
}

/** Names of all that the policies name. */
export function namesOfAll(
  ctx: Pick<CommandContext, 'tx' | 'person'>,
  policies: readonly Policy[],
): Promise<Map<string, string>> {
  const lists = policies.flatMap(({ approvers, demands = [] }) => [approvers, ...demands.map(({ needs }) => needs)]);
  return namesIn(ctx, lists);
}

/** Who made the version that holds now, and when: "version 13 by Ben". */
export async function newestMaker(ctx: CommandContext, { workspace, id, policyVersion }: Project): Promise<string> {
  const found = await policyAt(ctx.tx, { workspace, project: id, version: policyVersion });
  const names = await namesOf(ctx.tx, workspace, found?.by === undefined ? [] : [found.by]);
  return found?.by === undefined ? 'somebody' : (names.get(found.by) ?? 'somebody who is gone');
}
