import { isWords } from '../access/not-allowed.ts';
import { givenWith } from '../contracts/custom-roles.ts';
import { priorities } from '../contracts/outbox.ts';
import type { Platform } from '../contracts/platform.ts';
import type { View } from '../contracts/view.ts';
import { accountToWrite, directPut } from '../delivery/direct-put.ts';
import { textView } from '../delivery/list-view.ts';
import type { Tx } from '../store/database.ts';
import type { InviteRow } from '../store/invites.ts';
import type { Place } from '../store/memberships.ts';
import { putOutbox } from '../store/outbox.ts';
import type { Member } from '../store/people.ts';
import { messageByKey } from '../store/sent-messages.ts';
import type { CommandContext } from './command.ts';

/** Follows a role: " about web", " in the folder Clients"; empty: in the workspace. */
export function whereWords(place: Place | undefined): string {
  if (place === undefined) return '';
  return place.kind === 'project' ? ` about ${place.name}` : ` in the folder ${place.name}`;
}

/** What asked somebody whether they want to join. */
export const invitedKey = (invite: string) => `invited/${invite}`;

/** What asked somebody to join says that they have, and has no button any more. */
export async function endInvited({ tx, person }: CommandContext, { id, role, place }: InviteRow): Promise<void> {
  const sent = await messageByKey(tx, person.workspace, invitedKey(id));
  if (sent?.payload.type !== 'direct') return;
  const view = textView(`You were invited to be ${isWords(givenWith(role))}${whereWords(place)}, and have joined.`);
  await putOutbox(tx, {
    workspace: person.workspace,
    key: sent.key,
    target: sent.target,
    payload: { ...sent.payload, view },
    priority: 2,
  });
}

/**
 * Writes to a person directly, where they can be reached: rather on this platform, where they have chosen none. False: nowhere, as far as is known.
 */
export async function writeTo(
  tx: Tx,
  { workspace, person, on, key, view }: { workspace: string; person: Member; on: Platform; key: string; view: View },
): Promise<boolean> {
  const account = await accountToWrite(tx, workspace, person.user, on);
  if (account === undefined) return false;
  await putOutbox(tx, directPut(account, { workspace, key, view, follows: true, priority: priorities.reply }));
  return true;
}
