import type { z } from 'zod';
import { editedEvents, messageEvents } from './messages.ts';
import { callbackSchema, messageSchema, updateSchema } from './payloads.ts';
import { pressEvents } from './presses.ts';
import { type Inbound, type InboundContext, ignored } from './reading.ts';

/** Reads one update, as polling and the webhook both deliver it. Pure. The same update gives the same events with the same keys (promise 2). */
export function readUpdate(update: unknown, context: InboundContext): Inbound {
  const head = updateSchema.safeParse(update);
  if (!head.success) return malformed('update', head.error);
  const { message, edited_message: edited, callback_query: callback } = head.data;
  if (message !== undefined || edited !== undefined) {
    const parsed = messageSchema.safeParse(message ?? edited);
    if (!parsed.success) return malformed(message === undefined ? 'edited_message' : 'message', parsed.error);
    return message === undefined ? editedEvents(parsed.data, context) : messageEvents(parsed.data, context);
  }
  if (callback === undefined) return ignored('an update of another kind');
  const parsed = callbackSchema.safeParse(callback);
  return parsed.success ? pressEvents(parsed.data, context) : malformed('callback_query', parsed.error);
}

/** Names the fields that are wrong, never their content. */
function malformed(what: string, error: z.ZodError): Inbound {
  const fields = error.issues.map((issue) => `${issue.path.join('.')}: ${issue.code}`);
  return { kind: 'malformed', why: `${what} (${[...new Set(fields)].slice(0, 5).join('; ')})` };
}
