import { stepTransfer, type Transfer } from '../access/owner-transfer.ts';
import { AppError } from '../contracts/errors.ts';
import { priorities } from '../contracts/outbox.ts';
import type { IdentityRef } from '../contracts/platform.ts';
import type { PressToken } from '../contracts/press.ts';
import type { View } from '../contracts/view.ts';
import { accountToWrite, directPut } from '../delivery/direct-put.ts';
import { putOutbox } from '../store/outbox.ts';
import { personalPut } from './answer.ts';
import type { CommandContext } from './command.ts';
import { rewrite } from './keyed-message.ts';
import { transferKey } from './owner-transfer.ts';
import { acceptTransferView, endedTransferView, waitingTransferView } from './transfer-views.ts';

type Part = 'owner' | 'heir';

/** A button of a transfer of ownership. Both sides hear what becomes of it. */
export async function onTransfer(ctx: CommandContext, token: Extract<PressToken, { kind: 'transfer' }>): Promise<void> {
  const step = await stepTransfer(ctx.tx, ctx.person, token.transfer, token.verb, ctx.deps.now());
  switch (step.result) {
    case 'confirmed':
      await answer(ctx, step.transfer, 'owner', waitingTransferView(step.transfer));
      return tell(ctx, step.transfer, 'heir', transferKey(step.transfer.id, 'heir'), acceptTransferView(step.transfer));
    case 'accepted':
    case 'declined':
    case 'withdrawn': {
      const view = endedTransferView(step.transfer, step.result);
      const by: Part = step.result === 'withdrawn' ? 'owner' : 'heir';
      await answer(ctx, step.transfer, by, view);
      return tellEnd(ctx, step.transfer, by === 'owner' ? 'heir' : 'owner', view);
    }
    case 'no_owner':
      throw over(`${step.transfer.owner.name} is no owner any more, so there is nothing to hand over.`);
    case 'owner_already':
      throw over(`${step.transfer.heir.name} is an owner already.`);
    case 'not_yours':
      throw new AppError('DH-209');
    case 'unknown':
      throw new AppError('DH-208');
    case 'over':
      throw over('The question was answered already, or nobody answered it in time.');
  }
}

function over(what: string): AppError {
  return new AppError('DH-300', { what, instead: '`owner transfer @name` asks anew.' });
}

/** Written on the question, also on one that only the owner sees. */
async function answer(ctx: CommandContext, { id }: Transfer, part: Part, view: View): Promise<void> {
  if (await rewrite(ctx, transferKey(id, part), view)) return;
  const put = personalPut(ctx.act.event, ctx.person, view);
  await putOutbox(ctx.tx, put.payload.type === 'ephemeral' ? { ...put, payload: { ...put.payload, replaces: true } } : put);
}

/** Who has not pressed is told by a message of its own; a question that stands there loses its buttons. Of what they never saw they hear nothing. */
async function tellEnd(ctx: CommandContext, transfer: Transfer, part: Part, view: View): Promise<void> {
  if (part === 'heir' && transfer.state === 'asked') return;
  await rewrite(ctx, transferKey(transfer.id, part), view);
  await tell(ctx, transfer, part, transferKey(transfer.id, part === 'owner' ? 'told-owner' : 'told-heir'), view);
}

async function tell(ctx: CommandContext, transfer: Transfer, part: Part, key: string, view: View): Promise<void> {
  const account = part === 'owner' ? transfer.side.identity : await accountToAsk(ctx, transfer);
  if (account === undefined) throw over(`${transfer.heir.name} has no account that Deckhand could write to.`);
  const { workspace } = ctx.person;
  await putOutbox(ctx.tx, directPut(account, { workspace, key, view, follows: true, priority: priorities.decision }));
}

/** Rather on the platform where the owner asked. */
function accountToAsk(ctx: CommandContext, { heir, side }: Transfer): Promise<IdentityRef | undefined> {
  return accountToWrite(ctx.tx, ctx.person.workspace, heir.user, side.identity.platform);
}
