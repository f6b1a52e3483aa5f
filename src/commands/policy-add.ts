import { z } from 'zod';
import { maxApprovals } from '../contracts/approvers.ts';
import { demandKinds, demandRisks, demandSchema, maxDemands } from '../contracts/demands.ts';
import { AppError } from '../contracts/errors.ts';
import { count, duration, type ListChange, listChange, oneOf, onOff, optional } from './arguments.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { approversOption, checkNamedAlone, deciderRole } from './decider-role.ts';
import { changedChannels, changedPeople, changedTeams } from './named-targets.ts';
import { policyProject, policyView } from './policy.ts';
import { holdProject, storePolicy } from './policy-change.ts';
import { personFor, projectFor } from './subject.ts';

const minute = 60_000;
const month = 30 * 24 * 60 * minute;
const need = { command: 'policy add', permission: 'policy.manage', action: 'change the policy' } as const;
const ownersExample = 'policy add kind=push codeowners=on';
const pattern = z
  .string()
  .trim()
  .min(1)
  .max(300)
  .regex(/^[^\n\r\0]*$/, 'must be one line');

export const policyAdd = defineCommand({
  name: 'policy add',
  group: 'setup',
  summary: 'Demands more for some of what is approved: more people, a stronger role, less time',
  details: [
    'What it is about: `kind`, `command`, `path` and `risk`; all that are given must hold. What it needs: the rest.',
    'With a custom role in `approvers`, only those who have it about the project may decide, if they may decide at all. `people` and `team` are for a demand of their own then.',
    'A demand with `command`, `path` or `risk` makes such actions ask, whatever the mode of the project or of the agent. Where it cannot be told whether it is met, as with a command that hides another, it counts as met.',
    'What a command changes on disk is seen when the change leaves: `path` and `risk` of changes hold then, and for the files that agents edit.',
  ],
  permission: need.permission,
  action: need.action,
  about: 'project',
  positional: {},
  options: {
    kind: optional({
      hint: 'push',
      about: 'commands of tasks, what agents want to do, plans, more money, or changes that leave',
      values: demandKinds,
      schema: oneOf(demandKinds),
    }),
    command: optional({ hint: '"npm publish *"', about: 'a pattern as in `settings allow`', schema: pattern }),
    path: optional({
      hint: 'infra/**',
      about: 'changed files: `*` for any characters of a name, `**` for any folders; a folder stands for all in it',
      schema: pattern,
    }),
    risk: optional({ hint: 'ci', about: 'a risk that cards name', values: demandRisks, schema: oneOf(demandRisks) }),
    approvals: optional({ hint: '2', about: 'how many different people must say yes', schema: count(maxApprovals) }),
    approvers: approversOption,
    people: optional({
      hint: '@ada',
      about: 'only these people may decide',
      names: 'person',
      schema: listChange,
      takes: 'change',
    }),
    team: optional({
      hint: 'infra',
      about: 'only members of this team may decide; with `people`, these too',
      schema: listChange,
      takes: 'change',
    }),
    channels: optional({
      hint: '#ops',
      about: 'only what is pressed in this channel counts; `here` for this one',
      schema: listChange,
      takes: 'change',
    }),
    codeowners: optional({
      hint: 'on',
      about: 'of changes that leave: an owner of each file must approve, as CODEOWNERS of the base commit says',
      values: ['on'],
      schema: oneOf(['on']),
    }),
    'not-requester': optional({ hint: 'on', about: 'not who asked', values: ['on', 'off'], schema: onOff }),
    expires: optional({ hint: '1h', about: 'when it counts as no', schema: duration(minute, month) }),
    remind: optional({ hint: '10m', about: 'when those who may decide are reminded', schema: duration(minute, month) }),
    project: policyProject,
  },
  examples: [
    ['policy add path=infra/** approvals=2', 'two people for what touches these files'],
    ['policy add kind=push risk=ci approvers=owner', 'owners for changes of CI'],
    [ownersExample, 'for every changed file one of its owners'],
    ['policy add kind=push approvers=release-manager', 'only who has this custom role, for changes that leave'],
    ['policy add path=deploy/** team=infra channels=#ops', 'the team decides, and in that channel'],
    ['policy add command="npm publish *" people=@ada not-requester=on', 'only Ada, and not for herself'],
  ],
  async run(ctx, args) {
    const choice = await projectFor(ctx, args.project);
    if ('ask' in choice) return choice.ask;
    await personFor(ctx, choice.project.id, need);
    const project = await holdProject(ctx, choice.project);
    const { demands = [] } = project.policy;
    if (demands.length >= maxDemands) {
      const instead = '`policy remove 1` takes one out.';
      throw new AppError('DH-300', { what: `A policy has room for ${maxDemands} demands.`, instead });
    }
    const { kind, command, path, risk, approvals, approvers, expires, remind } = args;
    if (args.codeowners !== undefined && (command !== undefined || (kind !== undefined && kind !== 'push'))) {
      const problem = 'CODEOWNERS is about files of changes that leave, so `codeowners` goes with `kind=push`.';
      throw new AppError('DH-201', { problem, example: `\`${ownersExample}\`` });
    }
    const decider = approvers === undefined ? undefined : await deciderRole(ctx, approvers);
    const needs = {
      role: typeof decider === 'string' ? decider : undefined,
      ...(await lists(ctx, args, typeof decider === 'string' ? undefined : decider?.id)),
      codeowners: args.codeowners === undefined ? undefined : true,
      notRequester: args['not-requester'],
      count: approvals,
      expiresMs: expires,
      remindMs: remind,
    };
    checkNamedAlone(needs, 'policy add kind=push approvers=release-manager');
    const when = { kind: args.codeowners === undefined ? kind : 'push', command, path, risk };
    // JSON has no undefined: what was not given is left out.
    const demand = demandSchema.parse(JSON.parse(JSON.stringify({ when, needs })));
    const problem =
      Object.keys(demand.when).length === 0
        ? 'What it is about is missing: `kind`, `command`, `path` or `risk`.'
        : Object.keys(demand.needs).length === 0
          ? 'What it needs is missing, such as `approvals` or `approvers`.'
          : undefined;
    if (problem !== undefined) throw new AppError('DH-201', { problem, example: '`policy add path=infra/** approvals=2`' });
    const notes = await storePolicy(ctx, project, { ...project.policy, demands: [...demands, demand] });
    return { view: await policyView(ctx, project, notes), audience: 'all' };
  },
});

async function lists(
  ctx: CommandContext,
  {
    people,
    team,
    channels,
  }: { people?: ListChange | undefined; team?: ListChange | undefined; channels?: ListChange | undefined },
  role: string | undefined,
) {
  const filled = (ids: readonly string[] | undefined) => (ids === undefined || ids.length === 0 ? undefined : ids);
  return {
    people: filled(people && (await changedPeople(ctx, [], people, 'policy add path=infra/** people=@ada'))),
    teams: filled([...(team === undefined ? [] : await changedTeams(ctx, [], team)), ...(role === undefined ? [] : [role])]),
    channels: filled(channels && (await changedChannels(ctx, [], channels, 'policy add path=infra/** channels=#ops'))),
  };
}
