import { z } from 'zod';
import { demandKinds, demandRisks, demandSchema, maxApprovals, maxDemands } from '../contracts/demands.ts';
import { AppError } from '../contracts/errors.ts';
import { count, duration, listChange, oneOf, onOff, optional } from './arguments.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { namedPerson } from './member-target.ts';
import { policyProject, policyView } from './policy.ts';
import { holdProject, storePolicy } from './policy-change.ts';
import { personFor, projectFor } from './subject.ts';

const minute = 60_000;
const month = 30 * 24 * 60 * minute;
const need = { command: 'policy add', role: 'maintainer', action: 'change the policy' } as const;
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
    'A demand with `command`, `path` or `risk` makes such actions ask, whatever the mode of the project or of the agent. Where it cannot be told whether it is met, as with a command that hides another, it counts as met.',
    'What a command changes on disk is seen when the change leaves: `path` and `risk` of changes hold then, and for the files that agents edit.',
  ],
  role: need.role,
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
    approvers: optional({
      hint: 'owner',
      about: 'the weakest role that may decide',
      values: ['developer', 'maintainer', 'owner'],
      schema: oneOf(['developer', 'maintainer', 'owner']),
    }),
    people: optional({
      hint: '@ada',
      about: 'only these people may decide',
      names: 'person',
      schema: listChange,
      takes: 'change',
    }),
    'not-requester': optional({ hint: 'on', about: 'not who asked', values: ['on', 'off'], schema: onOff }),
    expires: optional({ hint: '1h', about: 'when it counts as no', schema: duration(minute, month) }),
    remind: optional({ hint: '10m', about: 'when those who may decide are reminded', schema: duration(minute, month) }),
    project: policyProject,
  },
  examples: [
    ['policy add path=infra/** approvals=2', 'two people for what touches these files'],
    ['policy add kind=push risk=ci approvers=owner', 'owners for changes of CI'],
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
    const people = args.people === undefined ? undefined : await named(ctx, [...(args.people.set ?? []), ...args.people.add]);
    const notRequester = args['not-requester'];
    const needs = { role: approvers, people, notRequester, count: approvals, expiresMs: expires, remindMs: remind };
    // JSON has no undefined: what was not given is left out.
    const demand = demandSchema.parse(JSON.parse(JSON.stringify({ when: { kind, command, path, risk }, needs })));
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

async function named(ctx: CommandContext, texts: readonly string[]): Promise<string[] | undefined> {
  const users: string[] = [];
  for (const text of texts) users.push((await namedPerson(ctx, text, 'policy add path=infra/** people=@ada')).user);
  return users.length === 0 ? undefined : [...new Set(users)];
}
