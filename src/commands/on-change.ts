import { AppError } from '../contracts/errors.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import type { PressToken } from '../contracts/press.ts';
import type { PublishWhat } from '../contracts/publication.ts';
import { pullErrandSchema } from '../contracts/pull-news.ts';
import { askForm } from '../delivery/reply.ts';
import { putOutbox } from '../store/outbox.ts';
import { type TaskRow, taskOfRun, threadOfTaskIn } from '../store/task-queries.ts';
import { answered } from './answer.ts';
import { bringOut } from './bring-out.ts';
import { chooseNeed } from './choose.ts';
import type { CommandContext } from './command.ts';
import { changeOf, reviewNeed, reviewReply } from './diff.ts';
import { discardNeed } from './discard.ts';
import { fixChecks } from './fix-checks.ts';
import { askErrand } from './pull-errand.ts';
import { pushNeed } from './push.ts';
import { rebaseNeed } from './rebase.ts';
import { requestForm } from './request-changes.ts';
import { revertMerged } from './revert.ts';
import { originKeyOf } from './run.ts';
import { answer } from './run-command.ts';
import { notAnAgent } from './speak.ts';
import { personFor } from './subject.ts';

/** The same as speaking to the agent in another way. */
const requestNeed = { command: 'steer', permission: 'agent.run', action: 'speak to an agent' } as const;

type Press = Extract<InboundEvent, { type: 'press' }>;
type Token = Extract<PressToken, { kind: 'change' }>;

/** A button of a card that shows a change. Whoever presses is looked at as they are now; verbs that nothing stands behind do nothing. */
export async function onChange(ctx: CommandContext, press: Press, token: Token): Promise<void> {
  const errand = pullErrandSchema.safeParse(token.verb).data;
  if (errand !== undefined) return askErrand(ctx, token.run, errand);
  const task = await taskOfRun(ctx.tx, ctx.person.workspace, token.run);
  if (task === undefined) throw new AppError('DH-208');
  switch (token.verb) {
    case 'review':
      return review(ctx, press, token, task);
    case 'push':
      return bring(ctx, task, { run: token.run, what: 'push' });
    case 'pull':
      return bring(ctx, task, { run: token.run, what: 'pull_request' });
    case 'draft':
      return bring(ctx, task, { run: token.run, what: 'draft' });
    case 'discard': {
      const person = await personFor(ctx, task.project.id, discardNeed);
      await ctx.deps.tasks.discard(ctx.tx, token.run, person);
      return;
    }
    case 'choose': {
      const person = await personFor(ctx, task.project.id, chooseNeed);
      await ctx.deps.tasks.choose(ctx.tx, token.run, person);
      return;
    }
    case 'rebase':
    case 'resolve': {
      const by = await personFor(ctx, task.project.id, rebaseNeed);
      await ctx.deps.tasks.rebase(ctx.tx, { run: token.run, how: token.verb, by, originKey: originKeyOf(ctx) });
      return;
    }
    case 'revert': {
      const reply = await revertMerged(ctx, task.project.id, token.run);
      if (reply.card !== true) await answer(ctx, reply);
      return;
    }
    case 'fix_checks':
      return fixChecks(ctx, token.run);
    case 'request': {
      await personFor(ctx, task.project.id, requestNeed);
      if (task.agent === undefined) throw notAnAgent(task.number);
      const act = answered(press, ctx.person, press.conversation);
      await putOutbox(ctx.tx, askForm(act, press.trigger, requestForm(task, token.run), new Date(press.at)));
      return;
    }
    default:
      throw new AppError('DH-208');
  }
}

async function bring(ctx: CommandContext, task: TaskRow, change: { run: string; what: PublishWhat }): Promise<void> {
  const by = await personFor(ctx, task.project.id, pushNeed);
  const reply = await bringOut(ctx, task, { ...change, by });
  if (reply.card !== true) await answer(ctx, reply);
}

async function review(ctx: CommandContext, press: Press, token: Token, task: TaskRow): Promise<void> {
  await personFor(ctx, task.project.id, reviewNeed);
  const change = await changeOf(ctx, task, ({ id }) => id === token.run);
  if (change === undefined) throw new AppError('DH-208');
  const chosen = Number(press.values[0] ?? token.file ?? 0);
  const file = Number.isSafeInteger(chosen) && chosen > 0 ? chosen : 0;
  const thread = await threadOfTaskIn(ctx.tx, task.id, ctx.channel.id);
  const inThread = thread === undefined ? ctx : { ...ctx, threadTask: task };
  await answer(inThread, await reviewReply(inThread, change, { file, page: token.page ?? 1 }));
}
