import { type LinkPair, type SideFacts, stepLink } from '../access/link.ts';
import { AppError } from '../contracts/errors.ts';
import { type Priority, priorities } from '../contracts/outbox.ts';
import type { PressToken } from '../contracts/press.ts';
import type { View } from '../contracts/view.ts';
import { putOutbox } from '../store/outbox.ts';
import { personalPut } from './answer.ts';
import type { CommandContext } from './command.ts';
import { rewrite } from './keyed-message.ts';
import { hindrance, linkActor, linkKey } from './link.ts';
import { agreedView, confirmView, joinedView, refusedView } from './link-views.ts';

type Token = Extract<PressToken, { kind: 'link' }>;
type Part = 'asker' | 'other';

/** A button of "are these accounts the same person's?". Both sides hear what becomes of it. */
export async function onLink(ctx: CommandContext, token: Token): Promise<void> {
  const step = await stepLink(ctx.tx, linkActor(ctx), token.link, token.verb, ctx.deps.now());
  switch (step.result) {
    case 'agreed':
      await answerPress(ctx, step.pair, 'other', agreedView(step.pair));
      return ask(ctx, step.pair, confirmView(step.pair));
    case 'joined':
      await answerPress(ctx, step.pair, 'asker', joinedView(step.pair.other, step.is));
      return tellFar(ctx, step.pair, 'other', joinedView(step.pair.asker, step.is));
    case 'refused': {
      const { pair, by } = step;
      const far = by === 'asker' ? 'other' : 'asker';
      await answerPress(ctx, pair, by, refusedView(pair[far], true));
      return tellFar(ctx, pair, far, refusedView(pair[by], false));
    }
    case 'joined_already':
    case 'same_platform':
      throw hindrance(step);
    case 'not_yours':
      throw new AppError('DH-209');
    case 'unknown':
      throw new AppError('DH-208');
    case 'over':
      throw new AppError('DH-300', {
        what: 'The question was answered already, or nobody answered it in time.',
        instead: '`link` gives a new code.',
      });
  }
}

/** The question where the code was asked for, when that was a direct conversation: it can change there. Else in one. */
async function ask(ctx: CommandContext, { id, asker }: LinkPair, view: View): Promise<void> {
  await put(ctx, asker, linkKey(id, 'asker'), view, priorities.decision);
}

/** What becomes of the question is written on it, or said to whoever has pressed. */
async function answerPress(ctx: CommandContext, { id }: LinkPair, part: Part, view: View): Promise<void> {
  if (await rewrite(ctx, linkKey(id, part), view)) return;
  await putOutbox(ctx.tx, personalPut(ctx.act.event, ctx.person, view));
}

/** The side that has not pressed is told by a message of its own; a question that stands there loses its buttons. */
async function tellFar(ctx: CommandContext, pair: LinkPair, part: Part, view: View): Promise<void> {
  await rewrite(ctx, linkKey(pair.id, part), view);
  await put(ctx, pair[part], linkKey(pair.id, part === 'asker' ? 'told-asker' : 'told-other'), view, priorities.reply);
}

async function put(ctx: CommandContext, { side }: SideFacts, key: string, view: View, priority: Priority): Promise<void> {
  const { identity, conversation } = side;
  await putOutbox(ctx.tx, {
    workspace: ctx.person.workspace,
    key,
    target: { type: 'conversation', conversation },
    payload: conversation.kind === 'direct' ? { type: 'message', view } : { type: 'direct', user: identity, view },
    priority,
  });
}
