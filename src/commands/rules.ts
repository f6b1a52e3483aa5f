import { z } from 'zod';
import { AppError } from '../contracts/errors.ts';
import { bold, code, plain } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { textView, withFallback } from '../delivery/list-view.ts';
import { oneLine, shorten } from '../delivery/neutralise.ts';
import { isId } from '../runtime/ids.ts';
import { ruleById, rulesOf } from '../store/decision-queries.ts';
import { namesOf } from '../store/people.ts';
import { optional, required, taskNumber } from './arguments.ts';
import { defineCommand } from './command.ts';
import { personFor, taskFor } from './subject.ts';
import { ago, commandButton, title } from './task-lines.ts';
import { scopeOf } from './tasks.ts';

const shown = 10;

export const rules = defineCommand({
  name: 'rules',
  group: 'setup',
  summary: 'Lists what "Approve for this task" allows, with a way to take it back',
  details: ['A rule allows one exact command in one task. There are no rules for more than that.'],
  permission: 'task.see',
  action: 'see rules',
  about: 'project',
  positional: {
    task: optional({ hint: '#task', about: 'only this task', names: 'task', schema: taskNumber }),
  },
  options: {},
  examples: [
    ['rules', 'the rules of the project of this channel, or of the task of this thread'],
    ['rules #142', 'the rules of task 142'],
  ],
  async run(ctx, args) {
    const one =
      args.task === undefined && ctx.threadTask === undefined
        ? undefined
        : (await taskFor(ctx, args.task, { command: 'rules', permission: 'task.see', action: 'see rules' })).task;
    const { projects } = await scopeOf(ctx, undefined);
    const found = await rulesOf(ctx.tx, ctx.person.workspace, {
      ...(one === undefined ? { projects } : { task: one.id }),
      limit: shown + 1,
    });
    const list = found.slice(0, shown);
    const now = ctx.deps.now();
    const names = await namesOf(
      ctx.tx,
      ctx.person.workspace,
      list.map(({ createdBy }) => createdBy),
    );
    const of = one === undefined ? '' : ` of #${one.number}`;
    return {
      view: withFallback([
        { type: 'text', spans: [bold(`Rules${of}`)] },
        ...(list.length === 0
          ? [{ type: 'text' as const, spans: marked('There is none. "Approve for this task" makes one.') }]
          : []),
        ...list.flatMap((rule) => [
          {
            type: 'text' as const,
            spans: [
              bold(`#${rule.taskNumber}`),
              plain(' may run '),
              code(shorten(oneLine(rule.match), 200)),
              plain(` · allowed by ${names.get(rule.createdBy) ?? 'somebody'} `),
              ago(rule.createdAt, now),
            ],
          },
          { type: 'buttons' as const, buttons: [commandButton('Revoke', `rules revoke ${rule.id}`)] },
        ]),
        ...(found.length > shown
          ? [{ type: 'context' as const, spans: marked('There are older ones; `rules #142` shows those of one task.') }]
          : []),
      ]),
      audience: 'asked',
      list: 'shared',
    };
  },
});

const need = { command: 'rules revoke', permission: 'rule.revoke', action: 'revoke rules' } as const;
const ruleId = z.string().refine((text) => isId('rul', text), { error: ({ input }) => `\`${input}\` is not a rule.` });

export const rulesRevoke = defineCommand({
  name: 'rules revoke',
  group: 'setup',
  summary: 'Takes back a rule; the task asks again from then on',
  permission: need.permission,
  action: need.action,
  about: 'project',
  positional: {
    rule: required({ hint: 'rule', about: 'the id of the rule; the list of `rules` has a button for it', schema: ruleId }),
  },
  options: {},
  examples: [['rules revoke rul_01kabcdefghjkmnpqrstvwxyz0', 'takes back that rule']],
  async run(ctx, args) {
    const rule = await ruleById(ctx.tx, ctx.person.workspace, args.rule);
    const none = new AppError('DH-300', {
      what: 'There is no such rule, or it is revoked already.',
      instead: '`rules` lists those that hold.',
    });
    const person = rule === undefined ? undefined : await personFor(ctx, rule.project, need, none);
    if (rule === undefined || person === undefined || !(await ctx.deps.tasks.revokeRule(ctx.tx, rule.id, person))) throw none;
    return { view: textView(`#${rule.taskNumber} asks again before it runs \`${title(rule.match)}\`.`), audience: 'all' };
  },
});
