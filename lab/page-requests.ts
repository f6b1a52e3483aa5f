import type { ChannelId, Ts, UserId } from './page-api.ts';

/** Bodies and answers of the actions listed in page-api.ts. */

interface ActingAs {
  as: UserId;
}

export interface PostMessageAction extends ActingAs {
  channel: ChannelId;
  /** As typed: `@Deckhand`, `@ben` and `#demo` become real mentions, `&<>` are escaped by the server. At most 12,000 characters. */
  text: string;
  thread_ts?: Ts | undefined;
  /** Also send to the channel. */
  broadcast?: boolean | undefined;
  /** Ids of uploaded files. */
  files?: string[] | undefined;
}

export interface EditMessageAction extends ActingAs {
  channel: ChannelId;
  ts: Ts;
  text: string;
}

export interface DeleteMessageAction extends ActingAs {
  channel: ChannelId;
  ts: Ts;
}

export interface SlashCommandAction extends ActingAs {
  channel: ChannelId;
  /** Set when typed in a thread: Slack refuses it there, and so does the lab (`not_in_threads`). */
  thread_ts?: Ts | undefined;
  command: string;
  text: string;
}

/**
 * What a person entered into one element: the text of an input, the value of an option, a user or channel id, a date `YYYY-MM-DD`,
 * a time `HH:MM`, Unix seconds as text for a date-time; a list for multi-selects and checkboxes; null for "nothing".
 */
export type InputValue = string | string[] | null;
/** By block id, then action id. */
export type InputValues = Record<string, Record<string, InputValue>>;

export interface PressAction extends ActingAs {
  /** Where the element is. For an ephemeral message too: its ts and channel. A Home is `{ view_id }`. */
  in: { channel: ChannelId; ts: Ts } | { view_id: string };
  block_id: string;
  action_id: string;
  /** What was chosen, for elements other than buttons. */
  value?: InputValue | undefined;
  /** Everything entered so far in the same message or view; it travels as `state.values`. */
  values?: InputValues | undefined;
}

export interface OptionsQuery extends ActingAs {
  in: { channel: ChannelId; ts: Ts } | { view_id: string };
  block_id: string;
  action_id: string;
  query: string;
}
export interface LabOptions {
  options: { text: string; value: string; description?: string | undefined }[];
}

export interface SubmitViewAction extends ActingAs {
  view_id: string;
  values: InputValues;
}
/** `errors` and `updated` leave the modal open; the change also arrives as a `view` event. */
export interface SubmitViewResult {
  result: 'closed' | 'cleared' | 'updated' | 'pushed' | 'errors';
  errors: Record<string, string>;
}

export interface CloseViewAction extends ActingAs {
  view_id: string;
  /** Close the whole stack. */
  all?: boolean | undefined;
}

export interface ShortcutAction extends ActingAs {
  callback_id: string;
  /** Required for a message shortcut. */
  channel?: ChannelId | undefined;
  ts?: Ts | undefined;
}

export interface OpenHomeAction extends ActingAs {
  tab: 'home' | 'messages';
}

export interface ReactAction extends ActingAs {
  channel: ChannelId;
  ts: Ts;
  name: string;
  action: 'add' | 'remove';
}

export interface InviteAction extends ActingAs {
  channel: ChannelId;
}
