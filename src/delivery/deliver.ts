import { type Capabilities, DeliveryError } from '../contracts/chat-adapter.ts';
import type { OutboxPayload } from '../contracts/outbox.ts';
import type { Conversation } from '../contracts/platform.ts';
import { plain, type View } from '../contracts/view.ts';
import { forgetSecret } from '../store/outbox.ts';
import { deliverFiles, deliverMessages, OutcomeUnknown, type Unattached } from './deliver-parts.ts';
import type { Delivery } from './delivery.ts';
import { repeatsUnknown } from './failures.ts';
import { type FittedView, fitView, plainView } from './fit.ts';
import { startGuidedForm } from './guided-form.ts';
import { inlinePrefix } from './undelivered.ts';
import { withSecret } from './view-secret.ts';
import { filesWithoutSecrets, formWithoutSecrets, viewWithoutSecrets } from './without-secrets.ts';

type Of<T extends OutboxPayload['type']> = Extract<OutboxPayload, { type: T }>;

/**
 * Brings what a row says to the platform. Resolves when it looks as it should; returns files that the platform refused. Rejects with
 * `DeliveryError` for what the platform answered, or `OutcomeUnknown`.
 */
export async function deliver(delivery: Delivery): Promise<Unattached[]> {
  const unattached = await deliverPayload(delivery);
  await forgetSecret(delivery.deps.database, delivery.row.id, delivery.claimed.payload);
  return unattached;
}

async function deliverPayload(delivery: Delivery): Promise<Unattached[]> {
  const { payload } = delivery.claimed;
  const { adapter } = delivery.deps;
  switch (payload.type) {
    case 'message':
      return await deliverTo(delivery, payload.view, delivery.conversation);
    case 'direct':
      return await deliverDirect(delivery, payload.user.user, payload.view);
    case 'ephemeral':
      return await deliverEphemeral(delivery, payload);
    case 'files':
      return await deliverFiles(delivery, filesWithoutSecrets(payload.files), delivery.conversation, payload.comment);
    case 'form':
      await deliverForm(delivery, payload);
      return [];
    case 'reaction':
      if (!adapter.capabilities.reactions) return [];
      await deliverReaction(delivery, payload);
      return [];
    case 'removal':
      await deliverRemoval(delivery, payload);
      return [];
    case 'home':
      if (!adapter.capabilities.home) return [];
      await delivery.call('home', { channel: payload.user.user }, () =>
        adapter.publishHome(payload.user, onePage(shape(delivery, payload.view, adapter.capabilities))),
      );
      return [];
  }
}

/** A message that is gone bears no mark any more. */
async function deliverReaction(delivery: Delivery, { message, mark, on }: Of<'reaction'>): Promise<void> {
  const { adapter } = delivery.deps;
  try {
    await delivery.call('react', { channel: message.channel, message: message.message }, () => adapter.react(message, mark, on));
  } catch (error) {
    if (on || !(error instanceof DeliveryError) || error.failure.kind !== 'gone') throw error;
  }
}

/** A message that is gone already is what is wanted. */
async function deliverRemoval(delivery: Delivery, { message }: Of<'removal'>): Promise<void> {
  const { adapter } = delivery.deps;
  if (adapter.remove === undefined) {
    throw new DeliveryError({ kind: 'not_permitted', detail: 'the platform lets bots delete their own messages only' });
  }
  try {
    await delivery.call('remove', { channel: message.channel, message: message.message }, async () => adapter.remove?.(message));
  } catch (error) {
    if (!(error instanceof DeliveryError) || error.failure.kind !== 'gone') throw error;
  }
}

async function deliverTo(delivery: Delivery, view: View, to: Conversation): Promise<Unattached[]> {
  const { capabilities } = delivery.deps.adapter;
  const inline = delivery.claimed.key.startsWith(inlinePrefix);
  const { messages, files } = shape(delivery, view, inline ? withoutFiles(capabilities) : capabilities);
  await deliverMessages(delivery, messages, to);
  return await deliverFiles(delivery, files, to);
}

async function deliverDirect(delivery: Delivery, user: string, view: View): Promise<Unattached[]> {
  const to = await delivery.direct(user);
  delivery.channel = to.channel;
  return await deliverTo(delivery, view, to);
}

/** Seen by one person: ephemeral where the platform can, in the direct conversation with the person elsewhere. Files always go there. */
async function deliverEphemeral(delivery: Delivery, payload: Of<'ephemeral'>): Promise<Unattached[]> {
  const { adapter } = delivery.deps;
  const { user, view, reply, replaces } = payload;
  if (!adapter.capabilities.ephemeral || delivery.part('m0') !== undefined) return await deliverDirect(delivery, user.user, view);
  const { messages } = shape(delivery, { ...view, files: undefined }, withoutFiles(adapter.capabilities));
  for (const [at, message] of messages.entries()) {
    const slot = `e${at}`;
    if (delivery.isDoubtful(slot) && !repeatsUnknown(delivery.claimed.priority)) throw new OutcomeUnknown(slot);
    if (delivery.part(slot) !== undefined && !delivery.isDoubtful(slot)) continue;
    try {
      await delivery.call('ephemeral', { channel: delivery.row.channel, slot }, () =>
        adapter.ephemeral(delivery.conversation, user, message, reply, replaces === true && at === 0),
      );
    } catch (error) {
      const kind = error instanceof DeliveryError ? error.failure.kind : undefined;
      if (at > 0 || (kind !== 'not_permitted' && kind !== 'gone')) throw error;
      // The person is not in the channel, or the channel is not there any more: they are told where they certainly are.
      return await deliverDirect(delivery, user.user, view);
    }
    delivery.setPart({ slot, digest: 'sent' });
  }
  if (view.files === undefined || view.files.length === 0) return [];
  return await deliverFiles(delivery, filesWithoutSecrets(view.files), await delivery.direct(user.user));
}

/** Where a platform has no forms the fields are asked one by one: no call is made now, the questions are messages like any other. */
async function deliverForm(delivery: Delivery, payload: Of<'form'>): Promise<void> {
  const { adapter, database } = delivery.deps;
  const { id, workspace, channel } = delivery.row;
  if (adapter.capabilities.forms === 'guided') {
    const { conversation } = delivery;
    await database.transaction((tx) => startGuidedForm(tx, { workspace, origin: id, conversation, payload }, new Date()));
    return;
  }
  const { trigger } = payload;
  if (trigger === undefined) throw new DeliveryError({ kind: 'gone', detail: 'the act has nothing that opens a form' });
  await delivery.call('form', { channel }, () =>
    adapter.openForm(trigger, formWithoutSecrets(payload.form), delivery.conversation),
  );
}

function shape(delivery: Delivery, view: View, capabilities: Capabilities): FittedView {
  const { degraded } = delivery.claimed;
  const opened = withSecret(viewWithoutSecrets(view), delivery.deps.openSecret);
  const shown = degraded === 0 ? opened : plainView(opened, degraded === 1);
  // Without files a long text has only messages to go to.
  return fitView(shown, capabilities);
}

function withoutFiles(capabilities: Capabilities): Capabilities {
  return { ...capabilities, files: undefined };
}

/** A home surface is one page; what does not fit is said to be elsewhere. */
function onePage({ messages }: FittedView): View {
  const [first] = messages;
  if (first === undefined) throw new Error('a fitted view has at least one message');
  if (messages.length === 1) return first;
  return {
    ...first,
    blocks: [
      ...first.blocks,
      { type: 'context', spans: [plain('There is more than fits on this page: `board` and `tasks` show all of it.')] },
    ],
  };
}
