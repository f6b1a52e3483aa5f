import type { DiscordActions } from '../discord-page-actions.ts';
import type {
  DiscordChannel,
  DiscordChoice,
  DiscordFile,
  DiscordMessage,
  DiscordSettings,
  DiscordState,
} from '../discord-page-api.ts';
import type { LabError } from '../page-api.ts';

/** The lab refused an action; the message is for the person. */
export class Refused extends Error {
  readonly code: string;
  constructor({ error }: LabError) {
    super(error.message);
    this.code = error.code;
  }
}

export const base = '/lab/discord/api';

async function call<T>(method: 'GET' | 'POST', path: string, body?: object | File): Promise<T> {
  const init: RequestInit = { method };
  if (body instanceof File) {
    init.body = body;
    init.headers = { 'content-type': 'application/octet-stream' };
  } else if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { 'content-type': 'application/json' };
  }
  let response: Response;
  try {
    response = await fetch(`${base}/${path}`, init);
  } catch {
    const message = 'Deckhand does not answer. Start it again; this page reconnects by itself.';
    throw new Refused({ error: { code: 'offline', message } });
  }
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return answer as T;
  const refused = answer as Partial<LabError> | undefined;
  const message = `The lab answers with status ${response.status}.`;
  throw new Refused({ error: refused?.error ?? { code: `http_${response.status}`, message } });
}

const post =
  <A extends object, R = unknown>(path: string) =>
  (body: A) =>
    call<R>('POST', path, body);

export const api = {
  state: () => call<DiscordState>('GET', 'state'),
  upload: (as: string, file: File) =>
    call<{ file: DiscordFile }>('POST', `files?${new URLSearchParams({ as, name: file.name })}`, file),
  post: post<DiscordActions['post'], { message: DiscordMessage }>('messages'),
  edit: post<DiscordActions['edit']>('messages/edit'),
  remove: post<DiscordActions['delete']>('messages/delete'),
  react: post<DiscordActions['react']>('reactions'),
  thread: post<DiscordActions['thread'], { channel: DiscordChannel }>('threads'),
  setThread: post<DiscordActions['setThread']>('threads/set'),
  dms: post<DiscordActions['dms']>('dms'),
  slash: post<DiscordActions['command']>('commands'),
  complete: post<DiscordActions['autocomplete'], { choices: DiscordChoice[] }>('autocomplete'),
  messageCommand: post<DiscordActions['messageCommand']>('message-commands'),
  press: post<DiscordActions['press']>('press'),
  submit: post<DiscordActions['submit']>('modals/submit'),
  closeModal: post<DiscordActions['close']>('modals/close'),
  settings: post<DiscordActions['settings'], { settings: DiscordSettings }>('settings'),
  reset: post<Record<string, never>>('reset'),
};
