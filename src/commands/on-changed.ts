import { takenOut } from '../access/typed-secrets.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import { messageOrigin } from '../contracts/message-origin.ts';
import { runsOfAttached } from '../store/attached-files.ts';
import type { Tx } from '../store/database.ts';
import { messageByOrigin } from '../store/run-mail.ts';
import { hadKeys, wasToDeckhand } from '../store/said-messages.ts';
import { isTaskThread } from '../store/task-queries.ts';
import { workspaceOfTenant } from '../store/workspaces.ts';
import { spoken } from './agent-words.ts';
import { type Admission, actsHere } from './at-code-host.ts';
import type { BusDeps } from './bus.ts';
import { keyTyped, tellLeaked, tellWriterOfKeys } from './leaked-key.ts';

type Changed = Extract<InboundEvent, { type: 'message_edited' | 'message_deleted' }>;

type Deps = Pick<BusDeps, 'tasks' | 'owners' | 'errorDocs' | 'removes'>;

/**
 * A message was edited or deleted. What was said with it to an agent that has not read it yet changes too, or is dropped; anything else
 * that a message has started is not changed by changing the message: `stop` does that. Nor does deleting a message that a key was taken out of.
 */
export async function onChanged(tx: Tx, deps: Deps, event: Changed, admission: Admission | undefined): Promise<void> {
  if (event.type === 'message_edited' && event.text.includes(takenOut)) return onKey(tx, deps, event, admission);
  const { platform, tenant, channel } = event.conversation;
  const workspace = (await workspaceOfTenant(tx, platform, tenant))?.id;
  const origin = messageOrigin({ platform, tenant, channel, message: event.message });
  if (workspace === undefined) return;
  if (event.type === 'message_edited' && event.keys !== undefined && (await isToUs(tx, workspace, event))) {
    await tellWriterOfKeys(tx, deps, event, admission);
  }
  // Deckhand has deleted it, or has asked its writer to: what it said beside the key goes on.
  if (event.type === 'message_deleted' && (await hadKeys(tx, event.conversation, event.message))) return;
  const known = (await messageByOrigin(tx, workspace, origin)) ?? (await runsOfAttached(tx, workspace, origin))[0];
  if (known === undefined) return;
  const actor = await actsHere(tx, deps.owners, event, admission);
  if (typeof actor === 'string') return;
  const text = event.type === 'message_edited' ? spoken(event.text.replace(/^[\s,:]+/, '')).text : null;
  await deps.tasks.changeMessage(tx, { workspace, origin, text, by: actor.person });
}

/** What people write to each other is nothing to Deckhand, whatever is in it. */
async function isToUs(tx: Tx, workspace: string, { conversation, message }: Changed): Promise<boolean> {
  const { platform, tenant, channel, thread, kind } = conversation;
  if (kind === 'direct') return true;
  if (thread !== undefined && (await isTaskThread(tx, workspace, { platform, tenant, channel, thread }))) return true;
  return await wasToDeckhand(tx, conversation, message);
}

/** Somebody wrote a key into a message that is there already. */
async function onKey(tx: Tx, deps: Deps, event: Changed, admission: Admission | undefined): Promise<void> {
  const actor = await actsHere(tx, deps.owners, event, admission);
  if (typeof actor === 'string') return;
  await tellLeaked(tx, deps, event, { person: actor.person, error: keyTyped(), open: admission !== undefined });
}
