import { z } from 'zod';
import { actionEvents, commandEvents, shortcutEvents, submissionEvents } from './interactions.ts';
import { homeEvents, messageEvents } from './messages.ts';
import {
  blockActionsSchema,
  commandSchema,
  eventCallbackSchema,
  homeOpenedSchema,
  interactionHeadSchema,
  messageActionSchema,
  messageEventSchema,
  viewSubmissionSchema,
} from './payloads.ts';
import { type Inbound, type InboundContext, ignored } from './reading.ts';

/**
 * Reads one payload as Slack delivers it over either transport: an Events API callback, a slash command or an interaction.
 * Pure. The same payload gives the same events with the same keys (promise 2). Whether the person belongs to the workspace is not in
 * every payload: `people.ts` asks for it.
 */
export function readPayload(body: unknown, context: InboundContext): Inbound {
  const head = z.object({ type: z.string().optional(), command: z.string().optional() }).safeParse(body);
  if (!head.success) return malformed('payload', head.error);
  if (head.data.type === 'event_callback') return readEvent(body, context);
  if (head.data.type !== undefined) return readInteraction(body, head.data.type, context);
  return head.data.command === undefined ? ignored('a payload without a type') : readCommand(body, context);
}

function readEvent(body: unknown, context: InboundContext): Inbound {
  const callback = eventCallbackSchema.safeParse(body);
  if (!callback.success) return malformed('event_callback', callback.error);
  const { event, team_id: team, authorizations } = callback.data;
  const teams = (authorizations ?? []).map((entry) => entry.team_id);
  if (team !== context.team && !teams.includes(context.team)) return ignored('an event of another workspace');
  switch (event.type) {
    case 'message':
    case 'app_mention': {
      const message = messageEventSchema.safeParse(event);
      if (!message.success) return malformed(event.type, message.error);
      const shared = callback.data.is_ext_shared_channel === true;
      return from(shared ? message.data.user_team : undefined, messageEvents(message.data, context), context);
    }
    case 'app_home_opened': {
      const opened = homeOpenedSchema.safeParse(event);
      return opened.success ? homeEvents(opened.data, context) : malformed(event.type, opened.error);
    }
    default:
      return ignored(`event ${event.type}`);
  }
}

function readCommand(body: unknown, context: InboundContext): Inbound {
  const command = commandSchema.safeParse(body);
  if (!command.success) return malformed('slash command', command.error);
  return command.data.team_id === context.team ? commandEvents(command.data, context) : ignored('a command of another workspace');
}

function readInteraction(body: unknown, type: string, context: InboundContext): Inbound {
  const schema = {
    block_actions: blockActionsSchema,
    view_submission: viewSubmissionSchema,
    message_action: messageActionSchema,
  };
  if (!Object.hasOwn(schema, type)) return ignored(`interaction ${type}`);
  const head = interactionHeadSchema.safeParse(body);
  if (!head.success) return malformed(type, head.error);
  // In channels that are shared with another organisation (Slack Connect) `team` of a form is that of the person, who may be of theirs.
  const installed = head.data.view?.app_installed_team_id ?? head.data.team?.id ?? context.team;
  if (installed !== context.team) return ignored('an interaction of another workspace');
  // Inside an Enterprise organisation people of several workspaces share channels; outside of one they are of another organisation.
  const home = head.data.enterprise == null ? head.data.user.team_id : undefined;
  return from(home, readKnown(body, type, context), context);
}

function readKnown(body: unknown, type: string, context: InboundContext): Inbound {
  if (type === 'block_actions') {
    const parsed = blockActionsSchema.safeParse(body);
    return parsed.success ? actionEvents(parsed.data, context) : malformed(type, parsed.error);
  }
  if (type === 'view_submission') {
    const parsed = viewSubmissionSchema.safeParse(body);
    return parsed.success ? submissionEvents(parsed.data, context) : malformed(type, parsed.error);
  }
  const parsed = messageActionSchema.safeParse(body);
  return parsed.success ? shortcutEvents(parsed.data, context) : malformed(type, parsed.error);
}

/** Marks what somebody of another workspace did. What Slack says when it is asked about the account counts for more. */
function from(home: string | null | undefined, read: Inbound, context: InboundContext): Inbound {
  if (read.kind !== 'events' || home == null || home === context.team) return read;
  const marked = read.events.map((one) => ({ ...one, actor: { ...one.actor, affiliation: { kind: 'organisation' as const } } }));
  return { kind: 'events', events: marked };
}

/** Names the fields that are wrong, never their content. */
function malformed(what: string, error: z.ZodError): Inbound {
  const fields = error.issues.map((issue) => `${issue.path.join('.')}: ${issue.code}`);
  return { kind: 'malformed', why: `${what} (${[...new Set(fields)].slice(0, 5).join('; ')})` };
}
