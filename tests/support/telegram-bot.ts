import { onTestFinished } from 'vitest';
import { isRecord, type Json } from '../../lab/slack/json.ts';
import { createTelegramEmulator, type TelegramEmulator, type TelegramEmulatorOptions } from '../../lab/telegram/emulator.ts';

/** The Bot API spoken with plain HTTP, so that nothing stands between a test and the wire. */

/** An emulator for this test alone. Ends with an error when the emulator itself made a mistake. */
export async function startTelegram(options: TelegramEmulatorOptions = {}): Promise<TelegramEmulator> {
  const telegram = await createTelegramEmulator(options);
  onTestFinished(async () => {
    await telegram.close();
    if (telegram.controls.errors.length > 0) throw new AggregateError(telegram.controls.errors, 'the emulator failed');
  });
  return telegram;
}

/** An answer of the Bot API, with the HTTP status it came with. */
export interface Answer {
  status: number;
  ok: boolean;
  result: unknown;
  error_code?: number | undefined;
  description?: string | undefined;
  parameters?: Json | undefined;
}

export interface Bot {
  /** Calls a method with a JSON body, or a multipart one when files are given. */
  call(method: string, args?: Json, files?: Record<string, File>): Promise<Answer>;
  /** The result of a call that must succeed, as an object. */
  did(method: string, args?: Json, files?: Record<string, File>): Promise<Json>;
  /** The description of a call that must be refused. */
  refused(method: string, args?: Json, files?: Record<string, File>): Promise<string>;
  /** Confirms all updates seen so far and returns the next ones. */
  updates(timeout?: number): Promise<Json[]>;
}

export function botOf(telegram: Pick<TelegramEmulator, 'apiRoot' | 'token'>): Bot {
  let offset = 0;

  async function call(method: string, args: Json = {}, files: Record<string, File> = {}): Promise<Answer> {
    const response = await fetch(`${telegram.apiRoot}/bot${telegram.token}/${method}`, {
      method: 'POST',
      ...bodyOf(args, files),
    });
    const answer: unknown = await response.json();
    if (!isRecord(answer)) throw new Error(`${method} answered ${JSON.stringify(answer)}`);
    return {
      status: response.status,
      ok: answer.ok === true,
      result: answer.result,
      error_code: typeof answer.error_code === 'number' ? answer.error_code : undefined,
      description: typeof answer.description === 'string' ? answer.description : undefined,
      parameters: isRecord(answer.parameters) ? answer.parameters : undefined,
    };
  }

  return {
    call,
    async did(method, args, files) {
      const answer = await call(method, args, files);
      if (!answer.ok) throw new Error(`${method} was refused: ${answer.description}`);
      return isRecord(answer.result) ? answer.result : { value: answer.result };
    },
    async refused(method, args, files) {
      const answer = await call(method, args, files);
      if (answer.ok) throw new Error(`${method} was not refused: ${JSON.stringify(answer.result)}`);
      return answer.description ?? '';
    },
    async updates(timeout = 0) {
      const { result, description } = await call('getUpdates', { offset, timeout });
      if (!Array.isArray(result)) throw new Error(`getUpdates was refused: ${description}`);
      const found = result.filter(isRecord);
      const last = found.at(-1);
      if (last) offset = Number(last.update_id) + 1;
      return found;
    },
  };
}

function bodyOf(args: Json, files: Record<string, File>): { body: string | FormData; headers?: Record<string, string> } {
  if (Object.keys(files).length === 0) return { body: JSON.stringify(args), headers: { 'content-type': 'application/json' } };
  const form = new FormData();
  for (const [name, value] of Object.entries(args)) form.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  for (const [name, file] of Object.entries(files)) form.set(name, file);
  return { body: form };
}

/** The smallest PNG there is, 1 by 1. */
export const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
