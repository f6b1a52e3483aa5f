import type { LabError } from '../page-api.ts';
import type {
  BlockAction,
  BotAction,
  ChatAction,
  EditAction,
  MessageAction,
  PageCommand,
  PageSettings,
  PressAction,
  PressResult,
  ReactAction,
  SayAction,
  StartAction,
  StopDraftAction,
  TelegramPageState,
  TopicAction,
} from '../telegram-page-api.ts';

/** What the lab server refused, in words for the person. */
export class Refused extends Error {}

async function call<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method };
  if (body instanceof Blob) init.body = body;
  else if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { 'content-type': 'application/json' };
  }
  let response: Response;
  try {
    response = await fetch(`/lab/telegram/api/${path}`, init);
  } catch {
    throw new Refused('Deckhand does not answer. Start it again; this page reconnects by itself.');
  }
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return answer as T;
  const refused = answer as Partial<LabError> | undefined;
  throw new Refused(refused?.error?.message ?? `The lab answers with status ${response.status}.`);
}

const post =
  <A, R = unknown>(path: string) =>
  (action: A) =>
    call<R>('POST', path, action);

export interface Upload {
  as: string;
  chat: number;
  kind: 'document' | 'photo';
  caption: string;
  topic: number | undefined;
  reply_to: number | undefined;
}

export const api = {
  state: () => call<TelegramPageState>('GET', 'state'),
  commands: (as: string, chat: number) =>
    call<{ commands: PageCommand[] }>('GET', `commands?${new URLSearchParams({ as, chat: String(chat) })}`),
  upload(file: File, given: Upload) {
    const query = new URLSearchParams({ name: file.name });
    for (const [name, value] of Object.entries(given)) if (value !== undefined && value !== '') query.set(name, String(value));
    return call('POST', `files?${query}`, file);
  },
  say: post<SayAction>('messages'),
  edit: post<EditAction>('messages/edit'),
  remove: post<MessageAction>('messages/delete'),
  react: post<ReactAction>('reactions'),
  press: post<PressAction, PressResult>('press'),
  start: post<StartAction>('start'),
  block: post<BlockAction>('block'),
  stopDraft: post<StopDraftAction>('drafts/stop'),
  topic: post<TopicAction, { topic: { id: number } }>('topics'),
  bot: post<BotAction>('bot'),
  migrate: post<ChatAction, { chat: number }>('migrate'),
  settings: post<Partial<PageSettings>>('settings'),
  reset: post<Record<string, never>>('reset'),
};
