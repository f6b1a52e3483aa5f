import type { InboundEvent } from '../contracts/inbound.ts';
import { messageOrigin } from '../contracts/message-origin.ts';
import { runsOfAttached } from '../store/attached-files.ts';
import type { Tx } from '../store/database.ts';
import { messageByOrigin } from '../store/run-mail.ts';
import { workspaceOfTenant } from '../store/workspaces.ts';
import { spoken } from './agent-words.ts';
import { type Admission, actsHere } from './at-code-host.ts';
import type { BusDeps } from './bus.ts';

type Changed = Extract<InboundEvent, { type: 'message_edited' | 'message_deleted' }>;

/**
 * A message was edited or deleted. What was said with it to an agent that has not read it yet changes too, or is dropped; anything else
 * that a message has started is not changed by changing the message: `stop` does that.
 */
export async function onChanged(
  tx: Tx,
  deps: Pick<BusDeps, 'tasks' | 'owners'>,
  event: Changed,
  admission: Admission | undefined,
): Promise<void> {
  const { platform, tenant, channel } = event.conversation;
  const workspace = (await workspaceOfTenant(tx, platform, tenant))?.id;
  const origin = messageOrigin({ platform, tenant, channel, message: event.message });
  if (workspace === undefined) return;
  const known = (await messageByOrigin(tx, workspace, origin)) ?? (await runsOfAttached(tx, workspace, origin))[0];
  if (known === undefined) return;
  const actor = await actsHere(tx, deps.owners, event, admission);
  if (typeof actor === 'string') return;
  const text = event.type === 'message_edited' ? spoken(event.text.replace(/^[\s,:]+/, '')).text : null;
  await deps.tasks.changeMessage(tx, { workspace, origin, text, by: actor.person });
}
