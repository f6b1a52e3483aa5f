import type {
  CloseViewAction,
  DeleteMessageAction,
  EditMessageAction,
  InviteAction,
  LabCompletions,
  LabError,
  LabFile,
  LabMessage,
  LabOptions,
  LabSettings,
  LabState,
  OpenHomeAction,
  OptionsQuery,
  PostMessageAction,
  PressAction,
  ReactAction,
  ShortcutAction,
  SlashCommandAction,
  SubmitViewAction,
  SubmitViewResult,
} from '../page-api.ts';

/** What the lab server refused, in words for the person. */
export class Refused extends Error {
  readonly code: string;
  constructor({ error }: LabError) {
    super(error.message);
    this.code = error.code;
  }
}

async function call<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method };
  if (body instanceof Blob) init.body = body;
  else if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { 'content-type': 'application/json' };
  }
  let response: Response;
  try {
    response = await fetch(`/lab/api/${path}`, init);
  } catch {
    throw new Refused({
      error: { code: 'offline', message: 'Deckhand does not answer. Start it again; this page reconnects by itself.' },
    });
  }
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return answer as T;
  const refused = answer as Partial<LabError> | undefined;
  throw new Refused({
    error: refused?.error ?? { code: `http_${response.status}`, message: `The lab answers with status ${response.status}.` },
  });
}

const post =
  <A, R = unknown>(path: string) =>
  (action: A) =>
    call<R>('POST', path, action);

export const api = {
  state: () => call<LabState>('GET', 'state'),
  complete: (as: string, channel: string, command: string, text: string) =>
    call<LabCompletions>('GET', `complete?${new URLSearchParams({ as, channel, command, text })}`),
  upload: (as: string, file: File) =>
    call<{ file: LabFile }>('POST', `files?${new URLSearchParams({ as, name: file.name })}`, file),
  post: post<PostMessageAction, { message: LabMessage }>('messages'),
  edit: post<EditMessageAction>('messages/edit'),
  remove: post<DeleteMessageAction>('messages/delete'),
  slash: post<SlashCommandAction>('commands'),
  press: post<PressAction>('press'),
  options: post<OptionsQuery, LabOptions>('options'),
  submit: post<SubmitViewAction, SubmitViewResult>('views/submit'),
  close: post<CloseViewAction>('views/close'),
  shortcut: post<ShortcutAction>('shortcuts'),
  home: post<OpenHomeAction>('home'),
  react: post<ReactAction>('reactions'),
  invite: post<InviteAction>('channels/invite'),
  kick: post<InviteAction>('channels/kick'),
  settings: post<Partial<LabSettings>, { settings: LabSettings }>('settings'),
  reset: post<Record<string, never>>('reset'),
};
