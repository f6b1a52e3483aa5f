import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { whoMayDecide } from '../approvals/approvers.ts';
import { type Demanded, demandedByChange, demandedByLine, demandsOn, termsOf, wantsOwners } from '../approvals/demands.ts';
import { judgeCommand } from '../approvals/judge.ts';
import { risksOf } from '../changes/risks.ts';
import { demandRisks } from '../contracts/demands.ts';
import { AppError } from '../contracts/errors.ts';
import type { Policy, Verdict } from '../contracts/policy.ts';
import type { FileStat } from '../contracts/run-event.ts';
import { type Block, bold, code, plain, type Span } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { reveal } from '../delivery/neutralise.ts';
import { listChange, oneOf, optional } from './arguments.ts';
import { bundleNote } from './bundle-words.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { namesIn } from './named-targets.ts';
import { policyProject } from './policy.ts';
import { endText, needsText, whenSpans } from './policy-words.ts';
import { personFor, projectFor } from './subject.ts';
import { unwrapCode } from './unwrap-code.ts';

const need = { command: 'policy test', permission: 'task.see', action: 'see the policy' } as const;

export const policyTest = defineCommand({
  name: 'policy test',
  group: 'setup',
  summary: 'Says what the policy would do with a command or a change, which demands decide, and who may approve; nothing is run',
  details: [
    'A command is looked at as that of a task, and as one that an agent wants to run. With `path` or `risk` it is a change that leaves.',
  ],
  permission: need.permission,
  action: need.action,
  about: 'project',
  positional: {
    command: optional({ hint: 'command', about: 'what the shell would run', schema: z.string(), takes: 'verbatim' }),
  },
  options: {
    path: optional({ hint: 'infra/main.tf', about: 'a file that a change would have', schema: listChange, takes: 'change' }),
    risk: optional({ hint: 'ci', about: 'a risk that a change would have', values: demandRisks, schema: oneOf(demandRisks) }),
    project: policyProject,
  },
  examples: [
    ['policy test npm publish', 'what becomes of this command'],
    ['policy test path=infra/main.tf', 'who would have to approve such a change'],
  ],
  async run(ctx, args) {
    const choice = await projectFor(ctx, args.project);
    if ('ask' in choice) return choice.ask;
    const { project } = choice;
    await personFor(ctx, project.id, need);
    const line = args.command === undefined ? '' : unwrapCode(args.command);
    const paths = [...(args.path?.set ?? []), ...(args.path?.add ?? [])];
    const isChange = paths.length > 0 || args.risk !== undefined;
    if ((line === '') === !isChange) {
      const problem = isChange ? 'It is either a command or a change.' : 'What is to be tested is missing.';
      throw new AppError('DH-201', { problem, example: '`policy test npm publish`' });
    }
    const blocks = isChange ? await changeBlocks(ctx, project, paths, args.risk) : await lineBlocks(ctx, project, line);
    const title: Span[] = [
      bold(`Policy of ${project.name}`),
      plain(` · version ${project.policyVersion} · a test, nothing was run`),
    ];
    const note = bundleNote(ctx.channel);
    return {
      view: withFallback([{ type: 'text', spans: title }, ...blocks, ...(note === undefined ? [] : [note])]),
      audience: 'asked',
    };
  },
});

type Of = { id: string; policy: Policy };

const heads = {
  command: 'As the command of a task it ',
  tool: 'When an agent in mode `auto` wants to run it, it ',
  both: 'As the command of a task, and when an agent in mode `auto` wants to run it, it ',
} as const;

/** Demands can be about one of both only; where they are not, it is said once. */
async function lineBlocks(ctx: CommandContext, project: Of, line: string): Promise<Block[]> {
  const [command, tool] = await Promise.all([judged(ctx, project, line, 'command'), judged(ctx, project, line, 'tool')]);
  const told = (head: string, { says, terms }: typeof command): Block[] => [
    { type: 'text', spans: [...marked(head), ...says] },
    ...terms,
  ];
  return [
    { type: 'code', text: reveal(line).text },
    ...(isDeepStrictEqual(command, tool)
      ? told(heads.both, command)
      : [...told(heads.command, command), ...told(heads.tool, tool)]),
  ];
}

async function judged(ctx: CommandContext, project: Of, line: string, kind: 'command' | 'tool') {
  const verdict = judgeCommand(project.policy, line, [], kind);
  const says: Span[] = [bold(verdictWords[verdict.verdict]), ...marked(`: ${verdict.because}.`)];
  const terms = verdict.verdict === 'ask' ? await termsBlocks(ctx, project, demandedByLine(kind, line, [])) : [];
  return { says, terms };
}

const verdictWords: Record<Verdict['verdict'], string> = { run: 'runs', ask: 'asks', deny: 'is denied' };

async function changeBlocks(
  ctx: CommandContext,
  project: Of,
  paths: readonly string[],
  risk: string | undefined,
): Promise<Block[]> {
  const files = paths.map((path): FileStat => ({ path, added: 1, removed: 0 }));
  const found = demandedByChange({ files, risks: risksOf(files, { secrets: [], links: [] }) });
  const risks = new Set([...found.risks, ...demandRisks.filter((one) => one === risk)]);
  const listed = paths.flatMap((path, at): Span[] => [plain(at === 0 ? ' of ' : ', '), code(path)]);
  const named = [...risks].map((one) => `\`${one}\``).join(', ');
  const says: Span[] = [plain('A change'), ...listed, plain(' that leaves always '), bold('asks'), plain('.')];
  return [
    { type: 'text', spans: risks.size === 0 ? says : [...says, ...marked(` Risks: ${named}.`)] },
    ...(await termsBlocks(ctx, project, { ...found, risks })),
  ];
}

/** Which demands are met, and who may decide in the end. */
async function termsBlocks(ctx: CommandContext, { id, policy }: Of, what: Demanded): Promise<Block[]> {
  const met = demandsOn(policy, what);
  const { workspace } = ctx.person;
  const names = await namesIn(
    ctx,
    met.map(({ demand }) => demand.needs),
  );
  const terms = termsOf(policy, met);
  const { approvers } = terms;
  const who = await whoMayDecide(ctx.tx, { workspace, project: id, approvers, requester: ctx.person.user });
  return [
    ...met.map(
      ({ number, demand, sure }): Block => ({
        type: 'text',
        spans: [
          bold(`Demand ${number}`),
          plain(', '),
          ...whenSpans(demand),
          plain(`, ${sure ? 'is' : 'may be'} met: ${needsText(demand, names)}.`),
        ],
      }),
    ),
    ...(wantsOwners(met)
      ? [
          {
            type: 'text' as const,
            spans: marked('Who owns its files is read from CODEOWNERS of the commit that a change begins at.'),
          },
        ]
      : []),
    { type: 'text', spans: marked(`${who} It ${endText(terms)}.`) },
  ];
}
