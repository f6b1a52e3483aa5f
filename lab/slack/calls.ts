import { type Call, unanswered } from '../calls.ts';
import type { Json } from './json.ts';

/** One call of the Web API, or of Telegram's Bot API. */
export interface ApiCall extends Call {
  args: Json;
  /** The conversation it concerns, when it names one. */
  channel?: string | undefined;
  /** Something Slack does silently that the caller may not expect. */
  note?: string | undefined;
}

/** A call that has just come. */
export function callOf(method: string, args: Json, at: number): ApiCall {
  const channel = args.channel ?? args.channel_id;
  return { ...unanswered, method, args, at, channel: typeof channel === 'string' ? channel : undefined };
}
