import { priorities } from '../contracts/outbox.ts';
import type { View } from '../contracts/view.ts';
import { putOutbox } from '../store/outbox.ts';
import { messageByKey } from '../store/sent-messages.ts';
import type { CommandContext } from './command.ts';

/** Writes something else on a message that was sent under this key; false when there is none that could change. */
export async function rewrite(ctx: CommandContext, key: string, view: View): Promise<boolean> {
  const sent = await messageByKey(ctx.tx, ctx.person.workspace, key);
  const payload = sent?.payload;
  if (sent === undefined || (payload?.type !== 'message' && !(payload?.type === 'direct' && payload.follows === true)))
    return false;
  await putOutbox(ctx.tx, {
    workspace: ctx.person.workspace,
    key,
    target: sent.target,
    payload: { ...payload, view },
    priority: priorities.reply,
  });
  return true;
}
