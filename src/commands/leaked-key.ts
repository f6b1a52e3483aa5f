import { revokeText } from '../access/certain-keys.ts';
import { isSealed, takenOut } from '../access/typed-secrets.ts';
import { AppError } from '../contracts/errors.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import { type OutboxPut, priorities } from '../contracts/outbox.ts';
import type { Permission } from '../contracts/permissions.ts';
import { type Conversation, type MessageRef, platformNames } from '../contracts/platform.ts';
import { bold, plain, type View } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { withFallback } from '../delivery/list-view.ts';
import { actsVia, recordAudit } from '../store/audit.ts';
import type { Tx } from '../store/database.ts';
import { putOutboxRows } from '../store/outbox.ts';
import type { Person } from '../tasks/task-engine.ts';
import { viaOf } from './act-via.ts';
import { openPut, personalPut } from './answer.ts';
import { type Admission, actsHere } from './at-code-host.ts';
import type { BusDeps } from './bus.ts';
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

/** Keys stand in a command, which is not what was asked for without them. */
function keysTyped(keys: readonly string[]): AppError {
  return new AppError('DH-218', { what: listed(keys), instead: `${revokeText(keys)} Then send the command without it.` });
}

/** Throws DH-218 where the door has taken keys out of a command. What is said to an agent goes on without them. */
export function refuseCutCommand({ keys = [] }: InboundEvent, needed: Permission | 'anyone'): void {
  if (keys.length > 0 && needed !== 'agent.run') throw keysTyped(keys);
}

/** "a GitHub token and an npm token". */
function listed(keys: readonly string[]): string {
  return new Intl.ListFormat('en').format(keys);
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

/**
 * Deletes the message in which somebody was asked to write a secret, where the platform lets bots do so: it need not stand there any longer.
 * Whoever wrote it is told when that could not be done.
 */
export async function removeAnswered(
  tx: Tx,
  { removes }: Pick<CommandDeps, 'removes'>,
  event: InboundEvent,
  writer: Pick<Person, 'workspace' | 'identity'>,
): Promise<void> {
  const message = standingMessage(event);
  if (message !== undefined && removes?.(event.conversation) === true)
    await putOutboxRows(tx, [removalPut(message, event, writer)]);
}

/** Deletes the message; whoever wrote it is told when that cannot be done. */
function removalPut(
  message: MessageRef,
  event: InboundEvent,
  { workspace, identity }: Pick<Person, 'workspace' | 'identity'>,
): OutboxPut {
  const { reply, conversation } = event;
  return {
    workspace,
    key: `remove:${message.platform}:${message.tenant}:${message.channel}:${message.message}`,
    target: { type: 'conversation', conversation },
    payload: { type: 'removal', message, user: identity, ...(reply === undefined ? {} : { reply }) },
    priority: priorities.decision,
  };
}

/** Whom it is told, and whether all who can read the repository read it. */
interface Told {
  person: Person;
  open: boolean;
}

type Deps = Pick<CommandDeps, 'errorDocs' | 'removes'>;

/**
 * A secret stands where it must not, so nothing was done: whoever wrote it is told what to do, and the message is deleted where the
 * platform lets bots do so.
 */
export async function tellLeaked(
  tx: Tx,
  deps: Deps,
  event: InboundEvent,
  { error, ...told }: Told & { error: AppError },
): Promise<void> {
  const { what, instead } = error.params;
  const view = refusalView(event, error, deps.errorDocs);
  await tell(tx, deps, event, { ...told, what: String(what), instead: String(instead), view, part: 'answer' });
}

/** The same of keys that the door has taken out of what goes on without them, or is refused for another reason. Nothing where it took none. */
export async function tellTakenOut(tx: Tx, deps: Deps, event: InboundEvent, told: Told): Promise<void> {
  const { keys = [] } = event;
  if (keys.length === 0) return;
  const [what, instead] = [listed(keys), `${revokeText(keys)} ${whereKeysBelong}`];
  const [title, text] = takenOutWords(event, what, keys.length > 1);
  const view = withFallback([
    { type: 'text', spans: [bold(title), plain(` ${text}`)] },
    { type: 'text', spans: marked(instead) },
  ]);
  await tell(tx, deps, event, { ...told, what, instead, view, part: 'taken-out' });
}

/** The same of an event that nobody else has looked into. Nothing where its writer is nobody to Deckhand. */
export async function tellWriterOfKeys(
  tx: Tx,
  deps: Deps & Pick<BusDeps, 'owners'>,
  event: InboundEvent,
  admission: Admission | undefined,
): Promise<void> {
  if (event.keys === undefined) return;
  const actor = await actsHere(tx, deps.owners, event, admission);
  if (typeof actor !== 'string') await tellTakenOut(tx, deps, event, { person: actor.person, open: admission !== undefined });
}

const whereKeysBelong =
  'Agents get no keys: `account add` asks owners for those of models, and `project add` takes logins of code hosts.';

function takenOutWords(event: InboundEvent, what: string, many: boolean): [title: string, text: string] {
  const [it, was, counts] = many ? ['them', 'They were', 'they count'] : ['it', 'It was', 'it counts'];
  const title = event.type === 'shortcut' ? `The message has ${what} in it.` : `You wrote ${what}.`;
  const there = event.type === 'shortcut' || standingMessage(event) !== undefined;
  const known = there
    ? `Whoever can read the message may know ${it}`
    : `Nobody else sees what you wrote, but it has passed the chat`;
  return [title, `${was} taken out before anything was stored, and Deckhand goes by the rest. ${known}, so ${counts} as stolen.`];
}

async function tell(
  tx: Tx,
  deps: Deps,
  event: InboundEvent,
  { person, open, what, instead, view: said, part }: Told & { what: string; instead: string; view: View; part: string },
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
    data: { what, conversation: conversation.kind, deletes: removes ? 'yes' : 'no' },
  });
  const view = message === undefined ? said : withRemoval(said, conversation, removes);
  const put = open ? openPut(event, person, view, part) : personalPut(event, person, view, part);
  const { payload } = put;
  const isSeen = message !== undefined && payload.type === 'ephemeral';
  const told = isSeen ? { ...put, payload: { ...payload, aside: asideWords({ what, instead }, removes) } } : put;
  await putOutboxRows(tx, [told, ...(removes ? [removalPut(message, event, person)] : [])]);
}

/** For whom it cannot be told in private. It says nothing that those who have read the message do not know. */
function asideWords({ what, instead }: { what: string; instead: string }, removes: boolean): string {
  const become = removes ? 'Deckhand deletes it if it may.' : 'Delete it now.';
  return `your message had ${what} in it, which counts as stolen now. ${become} ${instead}`;
}

/** What becomes of the message with the key, below what is said of it. */
function withRemoval(view: View, { platform }: Conversation, removes: boolean): View {
  const text = removes
    ? 'Deckhand deletes your message; if it may not, you are told.'
    : `Delete your message now: Deckhand cannot delete messages of others on ${platformNames[platform]}.`;
  return { ...view, fallback: `${view.fallback}\n${text}`, blocks: [...view.blocks, { type: 'text', spans: [plain(text)] }] };
}
