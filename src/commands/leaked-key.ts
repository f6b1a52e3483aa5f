import { isSealed, takenOut } from '../access/typed-secrets.ts';
import { AppError } from '../contracts/errors.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import { type OutboxPut, priorities } from '../contracts/outbox.ts';
import { type Conversation, type MessageRef, platformNames } from '../contracts/platform.ts';
import { plain, type View } from '../contracts/view.ts';
import { actsVia, recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { putOutboxRows } from '../store/outbox.ts';
import type { Person } from '../tasks/task-engine.ts';
import { viaOf } from './act-via.ts';
import { openPut, personalPut } from './answer.ts';
import type { CommandDeps } from './command.ts';
import { refusalView } from './refusal.ts';

/** Throws DH-218 for what the door took a key out of, DH-300 for what it sealed for a question that is not asked any more: nothing to act on. */
export function refuseSecrets(event: InboundEvent): void {
  if (event.type !== 'command' && event.type !== 'message') return;
  if (event.text.includes(takenOut)) throw keyTyped();
  if (event.type === 'message' && isSealed(event.text)) {
    throw new AppError('DH-300', {
      what: 'Your message came while a key was asked for, so it was kept from being read.',
      instead: 'Send it again if it was no key.',
    });
  }
}

/** A key of an account stands in a command. */
export function keyTyped(): AppError {
  return new AppError('DH-218', {
    what: 'a key',
    instead:
      'Make a new key at its provider and take this one back. Then send the command without it: a button asks you for the key, seen by nobody else.',
  });
}

/** A login of a repository stands in a command that others can read. */
export function loginTyped(): AppError {
  return new AppError('DH-218', {
    what: 'a password or a token',
    instead: 'Make a new one at the code host and take this one back. Then add the project in a direct message with Deckhand.',
  });
}

/** The message in which what was typed stands; undefined: it stands nowhere (Slack and Discord show commands to nobody else). */
function standingMessage(event: InboundEvent): MessageRef | undefined {
  if (event.type !== 'message' && event.type !== 'command' && event.type !== 'message_edited') return undefined;
  if (event.message === undefined) return undefined;
  const { platform, tenant, channel, thread } = event.conversation;
  // An answer to a message stands beside it, not in the thread that both belong to.
  const at = thread === undefined || event.replyTo !== undefined ? {} : { thread };
  return { platform, tenant, channel, message: event.message, ...at };
}

/** Deletes the message; whoever wrote it is told when that cannot be done. */
function removalPut(message: MessageRef, event: InboundEvent, { workspace, identity }: Person): OutboxPut {
  const { reply, conversation } = event;
  return {
    workspace,
    key: `remove:${message.platform}:${message.tenant}:${message.channel}:${message.message}`,
    target: { type: 'conversation', conversation },
    payload: { type: 'removal', message, user: identity, ...(reply === undefined ? {} : { reply }) },
    priority: priorities.decision,
  };
}

/** Whom it is told, what, and whether all who can read the repository read it. */
interface Told {
  person: Person;
  error: AppError;
  open: boolean;
}

/** A secret stands where it must not: whoever wrote it is told what to do, and the message is deleted where the platform lets bots do so. */
export async function tellLeaked(
  tx: Tx,
  deps: Pick<CommandDeps, 'errorDocs' | 'removes'>,
  event: InboundEvent,
  { person, error, open }: Told,
): Promise<void> {
  const { conversation } = event;
  const message = standingMessage(event);
  const removes = message !== undefined && deps.removes?.(conversation) === true;
  actsVia(tx, viaOf(event));
  await recordAudit(tx, {
    workspace: person.workspace,
    actor: person.user,
    action: 'secret.typed',
    subject: person.user,
    data: { what: String(error.params.what), conversation: conversation.kind, deletes: removes ? 'yes' : 'no' },
  });
  const said = refusalView(event, error, deps.errorDocs);
  const view = message === undefined ? said : withRemoval(said, conversation, removes);
  const put = open ? openPut(event, person, view) : personalPut(event, person, view);
  const { payload } = put;
  const isSeen = message !== undefined && payload.type === 'ephemeral';
  const told = isSeen ? { ...put, payload: { ...payload, aside: asideWords(error, removes) } } : put;
  await putOutboxRows(tx, [told, ...(removes ? [removalPut(message, event, person)] : [])]);
}

/** For whom it cannot be told in private. It says nothing that those who have read the message do not know. */
function asideWords(error: AppError, removes: boolean): string {
  const become = removes ? 'Deckhand deletes it if it may.' : 'Delete it now.';
  return `your message had ${String(error.params.what)} in it, which counts as stolen now. ${become} ${String(error.params.instead)}`;
}

/** What becomes of the message with the key, below what is said of it. */
function withRemoval(view: View, { platform }: Conversation, removes: boolean): View {
  const text = removes
    ? 'Deckhand deletes your message; if it may not, you are told.'
    : `Delete your message now: Deckhand cannot delete messages of others on ${platformNames[platform]}.`;
  return { ...view, fallback: `${view.fallback}\n${text}`, blocks: [...view.blocks, { type: 'text', spans: [plain(text)] }] };
}
