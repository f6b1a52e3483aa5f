import type { ConfiguredOwner } from '../access/owners.ts';
import { isRepositoryTalk } from '../access/repository-access.ts';
import { type Actor, actingOn, type Nobody, rightsSomewhere, whoActs } from '../access/who-acts.ts';
import type { AppError } from '../contracts/errors.ts';
import type { InboundEvent } from '../contracts/inbound.ts';
import { may } from '../contracts/permissions.ts';
import { encodePress } from '../contracts/press.ts';
import type { View } from '../contracts/view.ts';
import { home } from '../delivery/reply.ts';
import { unreachedView } from '../delivery/unreached.ts';
import { actsVia } from '../store/audit.ts';
import { moveChannel } from '../store/channel-moves.ts';
import type { Tx } from '../store/database.ts';
import { noteRefusalTold, refusedAccounts } from '../store/direct-reach.ts';
import { putOutbox } from '../store/outbox.ts';
import { projectById, projectsOf } from '../store/projects.ts';
import { isTaskThread } from '../store/task-queries.ts';
import { workspaceOfTenant } from '../store/workspaces.ts';
import { viaOf } from './act-via.ts';
import { openPut, personalPut } from './answer.ts';
import { actsHere, admitted } from './at-code-host.ts';
import { onMoreFiles } from './attachments.ts';
import { auditNobody, auditRefusal } from './audit-refusals.ts';
import type { CommandDeps } from './command.ts';
import { contextFor } from './context.ts';
import { homeView } from './home.ts';
import { refuseSecrets, tellLeaked, tellTakenOut, tellWriterOfKeys } from './leaked-key.ts';
import { onChanged } from './on-changed.ts';
import { onForm } from './on-form.ts';
import { takesAnswer } from './on-guided.ts';
import { onPress } from './on-press.ts';
import { onShortcut } from './on-shortcut.ts';
import { onAddressedMessage, onThreadReply } from './on-text.ts';
import { placed } from './placed.ts';
import { refusalView } from './refusal.ts';
import { runText } from './run-command.ts';

export interface BusDeps extends CommandDeps {
  /** DECKHAND_OWNERS. */
  owners: readonly ConfiguredOwner[];
  log: { warn(context: object, message: string): void };
}

/** One inbound event -> one call of the engine -> one answer, all in the transaction that marks the event handled (promise 2). */
export interface Bus {
  /**
   * Handles an event. Everything it does goes through `tx`. Throws `AppError` for what the person is to be told: the caller rolls
   * back and calls `refuse` in a new transaction.
   */
  handle(tx: Tx, event: InboundEvent): Promise<void>;
  /** Answers the person with the error, seen by them alone where the platform can. Silent for bots, unknown tenants and acts that ask for nothing. */
  refuse(tx: Tx, event: InboundEvent, error: AppError): Promise<void>;
}

export function createBus(deps: BusDeps): Bus {
  async function handle(tx: Tx, sent: InboundEvent): Promise<void> {
    if (sent.type === 'channel_moved') return onChannelMoved(tx, sent);
    const event = await placed(tx, sent);
    const talk = deps.repositoryTalk;
    const atHost = !event.actor.bot && isRepositoryTalk(talk, event);
    const admission = atHost ? await admitted(tx, talk, event, deps.log) : undefined;
    if (atHost && admission === undefined) return;
    if (event.type === 'message_edited' || event.type === 'message_deleted') return onChanged(tx, deps, event, admission);
    // Files that follow what was asked with the first of them.
    if (event.type === 'message' && event.partOf !== undefined) return onMoreFiles(tx, deps, event);
    if (event.actor.bot) return;
    if ((event.type === 'message' || event.type === 'command') && (await takesAnswer(tx, deps, event))) {
      return tellWriterOfKeys(tx, deps, event, admission);
    }
    if (await isTalk(tx, event)) return;
    const actor = await actsHere(tx, deps.owners, event, admission);
    if (typeof actor === 'string') return nobody(tx, event, actor);
    await tellTakenOut(tx, deps, event, { person: actor.person, open: atHost });
    await dispatch(tx, event, actor, undefined);
    if (!atHost) await tellUnreached(tx, event, actor, deps.now());
  }

  async function dispatch(tx: Tx, event: InboundEvent, actor: Actor, picked: string | undefined): Promise<void> {
    const project = picked === undefined ? undefined : await projectById(tx, actor.person.workspace, picked);
    actsVia(tx, viaOf(event));
    refuseSecrets(event);
    const ctx = await contextFor(tx, deps, actor, event, project);
    switch (event.type) {
      case 'command':
        return runText(ctx, event.text);
      case 'message':
        return event.addressed === 'thread' ? onThreadReply(ctx, event) : onAddressedMessage(ctx, event);
      case 'press':
        return onPress(ctx, event, async (kept, chosen) => {
          const asked = await placed(tx, kept);
          const asker = await whoActs(tx, asked, deps.owners);
          if (typeof asker !== 'string') await dispatch(tx, asked, asker, chosen);
        });
      case 'form':
        return onForm(ctx, event);
      case 'shortcut':
        return onShortcut(ctx, event);
      case 'home':
        await putOutbox(tx, home(actor.person.workspace, actor.person.identity, await homeView(ctx)));
        return;
      case 'message_edited':
      case 'message_deleted':
      case 'channel_moved':
        return;
    }
  }

  async function refuse(tx: Tx, sent: InboundEvent, error: AppError): Promise<void> {
    if (asksNothing.has(sent.type)) return;
    const event = await placed(tx, sent);
    const talk = deps.repositoryTalk;
    const atHost = !event.actor.bot && isRepositoryTalk(talk, event);
    if (atHost && (await admitted(tx, talk, event, deps.log)) === undefined) return;
    const actor = await whoActs(tx, event, deps.owners);
    if (typeof actor === 'string') return nobody(tx, event, actor);
    await auditRefusal(tx, event, actor, error);
    if (error.code === 'DH-218') return tellLeaked(tx, deps, event, { person: actor.person, error, open: atHost });
    await tellTakenOut(tx, deps, event, { person: actor.person, open: atHost });
    const view = refusalView(event, error, deps.errorDocs);
    if (atHost) {
      await putOutbox(tx, openPut(event, actor.person, view));
      return;
    }
    await putOutbox(tx, personalPut(event, actor.person, await withWayOut(tx, actor, error, view)));
  }

  async function nobody(tx: Tx, event: InboundEvent, why: Nobody): Promise<void> {
    if (why === 'bot') return;
    const { platform, tenant } = event.conversation;
    deps.log.warn({ platform, tenant, why, type: event.type }, 'an event of nobody was left alone');
    await auditNobody(tx, event, why);
  }

  return { handle, refuse };
}

/** Whoever does something learns once where Deckhand has failed to write to them. */
async function tellUnreached(tx: Tx, event: InboundEvent, { person }: Actor, now: Date): Promise<void> {
  if (event.type !== 'command' && event.type !== 'message') return;
  for (const { told, ...account } of await refusedAccounts(tx, person.user)) {
    if (told || !(await noteRefusalTold(tx, account, now))) continue;
    await putOutbox(tx, personalPut(event, person, unreachedView(account.platform), `unreached/${account.platform}`));
  }
}

/** Acts that nobody waits for an answer to. */
const asksNothing: ReadonlySet<InboundEvent['type']> = new Set(['message_edited', 'message_deleted', 'home', 'channel_moved']);

/** The platform itself says so, whoever caused it. An unknown tenant has nothing stored that could move. */
async function onChannelMoved(tx: Tx, event: Extract<InboundEvent, { type: 'channel_moved' }>): Promise<void> {
  const { platform, tenant, channel } = event.conversation;
  const workspace = await workspaceOfTenant(tx, platform, tenant);
  if (workspace !== undefined) await moveChannel(tx, { workspace: workspace.id, platform, tenant, from: channel, to: event.to });
}

/** A message that does not name the bot in a thread that is not a task's: people talk. Nothing is stored about them. */
async function isTalk(tx: Tx, event: InboundEvent): Promise<boolean> {
  if (event.type !== 'message' || event.addressed !== 'thread') return false;
  const { platform, tenant, channel, thread } = event.conversation;
  const workspace = await workspaceOfTenant(tx, platform, tenant);
  if (workspace === undefined || thread === undefined) return true;
  return !(await isTaskThread(tx, workspace.id, { platform, tenant, channel, thread }));
}

/** Who may bind a channel gets the choice right on the message that says it is not bound. */
async function withWayOut(tx: Tx, actor: Actor, error: AppError, view: View): Promise<View> {
  if (error.code !== 'DH-203' || !may(rightsSomewhere(actor), 'channel.manage')) return view;
  const projects = (await projectsOf(tx, actor.person.workspace)).filter(({ id }) => may(actingOn(actor, id), 'channel.manage'));
  if (projects.length === 0) return view;
  const select = {
    type: 'select' as const,
    // It may be shown in a direct conversation, where nobody else sees it.
    token: encodePress({ kind: 'command', text: `bind in=${actor.channel.id}` }),
    placeholder: 'Bind this channel to…',
    options: projects.map(({ name }) => ({ value: name, label: name })),
  };
  return { ...view, blocks: [...view.blocks, select] };
}
