import type { Json } from '../slack/json.ts';

/** Answers of the REST API that are not success: HTTP status, Discord's number, and for 50035 the places of the mistakes. */
export class DiscordApiError extends Error {
  readonly status: number;
  readonly code: number;
  readonly errors: Json | undefined;
  constructor(status: number, code: number, message: string, errors?: Json) {
    super(message);
    this.name = 'DiscordApiError';
    this.status = status;
    this.code = code;
    this.errors = errors;
  }
}

/** Numbers and sentences as the documentation lists them (JSON error codes). */
const KNOWN = {
  unauthorized: [401, 0, '401: Unauthorized'],
  notFound: [404, 0, '404: Not Found'],
  methodNotAllowed: [405, 0, '405: Method Not Allowed'],
  unknownApplication: [404, 10002, 'Unknown Application'],
  unknownChannel: [404, 10003, 'Unknown Channel'],
  unknownGuild: [404, 10004, 'Unknown Guild'],
  unknownMember: [404, 10007, 'Unknown Member'],
  unknownMessage: [404, 10008, 'Unknown Message'],
  unknownUser: [404, 10013, 'Unknown User'],
  unknownEmoji: [400, 10014, 'Unknown Emoji'],
  unknownWebhook: [404, 10015, 'Unknown Webhook'],
  unknownInteraction: [404, 10062, 'Unknown interaction'],
  unknownCommand: [404, 10063, 'Unknown application command'],
  tooManyReactions: [400, 30010, 'Maximum number of reactions reached (20)'],
  tooManyCommands: [400, 30032, 'Maximum number of application commands reached (100)'],
  tooManyCommandCreates: [429, 30034, 'Max number of daily application command creates has been reached (200)'],
  entityTooLarge: [413, 40005, 'Request entity too large'],
  alreadyAcknowledged: [400, 40060, 'Interaction has already been acknowledged.'],
  missingAccess: [403, 50001, 'Missing Access'],
  notOnDm: [403, 50003, 'Cannot execute action on a DM channel'],
  notAuthor: [403, 50005, 'Cannot edit a message authored by another user'],
  emptyMessage: [400, 50006, 'Cannot send an empty message'],
  cannotSendToUser: [403, 50007, 'Cannot send messages to this user'],
  missingPermissions: [403, 50013, 'Missing Permissions'],
  systemMessage: [403, 50021, 'Cannot execute action on a system message'],
  wrongChannelType: [400, 50024, 'Cannot execute action on this channel type'],
  invalidWebhookToken: [401, 50027, 'Invalid Webhook Token'],
  invalidApiVersion: [400, 50041, 'Invalid API version provided'],
  threadArchived: [400, 50083, 'Thread is archived'],
  invalidJson: [400, 50109, 'The request body contains invalid JSON.'],
  threadExists: [400, 160004, 'A thread has already been created for this message'],
  threadLocked: [400, 160005, 'Thread is locked'],
  noHistoryForReply: [400, 160002, 'Cannot reply without permission to read message history'],
} as const satisfies Record<string, readonly [status: number, code: number, message: string]>;

export function apiError(name: keyof typeof KNOWN): DiscordApiError {
  const [status, code, message] = KNOWN[name];
  return new DiscordApiError(status, code, message);
}

/** One mistake in a request body. `path` leads to the field. */
export interface Problem {
  path: readonly (string | number)[];
  code: string;
  message: string;
}

/** 50035 with every mistake at its place: `{ components: { "0": { _errors: [{ code, message }] } } }`. */
export function invalidForm(problems: readonly Problem[]): DiscordApiError {
  const errors: Json = {};
  for (const { path, code, message } of problems) {
    let node = errors;
    for (const step of path) {
      const next = node[step];
      if (isNode(next)) node = next;
      else {
        const made: Json = {};
        node[step] = made;
        node = made;
      }
    }
    const list = Array.isArray(node._errors) ? node._errors : [];
    node._errors = [...list, { code, message }];
  }
  return new DiscordApiError(400, 50035, 'Invalid Form Body', errors);
}

function isNode(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
