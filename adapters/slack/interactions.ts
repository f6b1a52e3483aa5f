import type { z } from 'zod';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import { messageShortcut } from './manifest.ts';
import { conversationOf, timeOf } from './messages.ts';
import { readModalMetadata } from './outbound.ts';
import type { blockActionsSchema, commandSchema, messageActionSchema, viewSubmissionSchema } from './payloads.ts';
import { events, type Inbound, type InboundContext, ignored } from './reading.ts';
import { sealReply } from './reply.ts';
import { decodeText } from './slack-text.ts';

/** A slash command. Slack does not let them be used in threads, so there is never one. */
export function commandEvents(command: z.infer<typeof commandSchema>, context: InboundContext): Inbound {
  const text = decodeText(command.text).trim();
  return events({
    type: 'command',
    key: `cmd:${command.trigger_id}`,
    at: context.now().toISOString(),
    conversation: conversationOf(context.team, command.channel_id, undefined),
    ...named(command.channel_name),
    actor: { user: command.user_id, ...nameOf(command.user_name), bot: false },
    ...handles(command, context),
    text,
    typed: `${command.command} ${asTyped(text)}`.trim(),
  });
}

/** What Slack has made of names and addresses in a command, as the person sees them while typing. */
function asTyped(text: string): string {
  return text.replace(/<([@#])[UWC][A-Z0-9]*\|([^<>|]+)>/g, '$1$2').replace(/<(https?:[^<>|\s]+)(?:\|[^<>]*)?>/g, '$1');
}

/** Presses of buttons and choices in selects, in messages and in the App Home. */
export function actionEvents(payload: z.infer<typeof blockActionsSchema>, context: InboundContext): Inbound {
  const { container, channel, message, user } = payload;
  const place = container.type === 'view' ? container.view_id : `${channel?.id}:${container.message_ts}`;
  // The App Home lies in no conversation: the person's own id is an address for direct messages.
  const conversation = conversationOf(context.team, channel?.id ?? user.id, message?.thread_ts ?? container.thread_ts);
  const pressed = payload.actions.flatMap((action): InboundEvent[] => {
    const chosen = action.selected_options ?? (action.selected_option == null ? [] : [action.selected_option]);
    const token = action.type === 'button' ? action.value : action.action_id;
    if (token === undefined || token === '') return [];
    return [
      {
        type: 'press',
        key: `act:${place}:${action.action_ts}:${user.id}:${action.action_id}`,
        at: timeOf(action.action_ts),
        conversation,
        ...named(channel?.name),
        actor: { user: user.id, ...nameOf(user.username ?? user.name), bot: false },
        ...handles(payload, context),
        token,
        values: chosen.map(({ value }) => value),
        // An ephemeral message is no message anybody could edit or answer.
        ...(message === undefined || container.is_ephemeral === true ? {} : { message: message.ts }),
      },
    ];
  });
  return pressed.length === 0 ? ignored('a press without a token') : events(...pressed);
}

/** A submitted form. Where it belongs stands in the metadata that the form was opened with. */
export function submissionEvents(payload: z.infer<typeof viewSubmissionSchema>, context: InboundContext): Inbound {
  const { view, user } = payload;
  const conversation = readModalMetadata(view.private_metadata);
  if (conversation === undefined) return ignored('a form that is not ours');
  if (conversation.platform !== 'slack' || conversation.tenant !== context.team) return ignored('a form of another workspace');
  return events({
    type: 'form',
    key: `view:${view.id}:${view.hash}`,
    at: context.now().toISOString(),
    conversation,
    actor: { user: user.id, ...nameOf(user.username ?? user.name), bot: false },
    ...(payload.trigger_id === undefined ? {} : { trigger: context.seal(payload.trigger_id) }),
    token: view.callback_id,
    values: formValues(view.state.values),
  });
}

/** Field id → what was entered or chosen; nothing for a field left empty. Block ids are field ids: see `inputBlock`. */
function formValues(values: z.infer<typeof viewSubmissionSchema>['view']['state']['values']): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(values).map(([field, actions]) => [
      field,
      Object.values(actions).flatMap((entry) => {
        const chosen = entry.selected_options ?? (entry.selected_option == null ? [] : [entry.selected_option]);
        return entry.value == null ? chosen.map(({ value }) => value) : [clean(entry.value)];
      }),
    ]),
  );
}

/** Text entered in a form is not escaped by Slack, so it is taken as it is. */
function clean(text: string): string {
  return text.replaceAll('\u0000', '').toWellFormed();
}

/** "Hand to Deckhand" on a message. */
export function shortcutEvents(payload: z.infer<typeof messageActionSchema>, context: InboundContext): Inbound {
  if (payload.callback_id !== messageShortcut.callback_id) return ignored(`shortcut ${payload.callback_id}`);
  const { channel, message, user } = payload;
  return events({
    type: 'shortcut',
    key: `short:${payload.trigger_id}`,
    at: timeOf(payload.action_ts),
    conversation: conversationOf(context.team, channel.id, message.thread_ts),
    ...named(channel.name),
    actor: { user: user.id, ...nameOf(user.username ?? user.name), bot: false },
    ...handles(payload, context),
    message: message.ts,
    below: message.ts,
    text: decodeText(message.text ?? '').trim(),
    ...(message.user === undefined ? {} : { author: message.user }),
  });
}

function handles(
  payload: { response_url?: string | undefined; trigger_id: string },
  context: InboundContext,
): Pick<InboundEvent, 'reply' | 'trigger'> {
  return {
    ...(payload.response_url === undefined ? {} : { reply: sealReply(payload.response_url, context) }),
    trigger: context.seal(payload.trigger_id),
  };
}

/**
 * Slack calls every private channel `privategroup`, every direct conversation `directmessage` and one of several people `mpdm-…`: those are
 * no names.
 */
function named(channelName: string | undefined): { channelName?: string; channelPrivate?: boolean } {
  if (channelName === undefined || channelName === 'directmessage') return {};
  const channelPrivate = channelName === 'privategroup' || channelName.startsWith('mpdm-');
  return channelPrivate ? { channelPrivate } : { channelName, channelPrivate };
}

function nameOf(name: string | undefined): { name?: string } {
  return name === undefined || name === '' ? {} : { name };
}
