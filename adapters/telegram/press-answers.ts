import { DeliveryError } from '../../src/contracts/chat-adapter.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { TelegramApi } from './api.ts';
import { refusalText } from './failures.ts';
import type { Handle } from './handles.ts';

/** Answers to presses. Each press is answered, for until then the button shows that it waits. */
export interface PressAnswers {
  /** A press is about to be stored. */
  expect(press: string): void;
  /** It is stored: it is answered empty unless somebody has something to say in time. */
  stored(press: string): void;
  /** It could not be stored: it comes again. */
  forget(press: string): void;
  /** Ends the waiting of the button and says nothing. Never rejects. */
  acknowledge(press: string): Promise<void>;
  /**
   * Shows `text` to whoever pressed, once; `undefined`: there is more to say than an alert carries, and nothing is shown. Rejects with
   * `not_permitted` when nothing was shown, for whatever reason the platform or the time gives.
   */
  say(handle: Handle, text: string | undefined): Promise<void>;
  /** Answers what still waits; resolves when all are answered. */
  close(): Promise<void>;
}

const patienceMs = 2_000;

export function createPressAnswers(deps: { api: TelegramApi; clock: Clock; logger: Logger }): PressAnswers {
  const { api, clock, logger } = deps;
  /** Presses without an answer; `undefined` while they are being stored. */
  const waiting = new Map<string, NodeJS.Timeout | undefined>();
  const answering = new Set<Promise<void>>();

  function take(press: string): boolean {
    clearTimeout(waiting.get(press));
    return waiting.delete(press);
  }

  function answer(press: string, text: string | undefined): Promise<void> {
    const work = api
      .call('answerCallbackQuery', (raw, signal) =>
        raw.answerCallbackQuery({ callback_query_id: press, ...(text === undefined ? {} : { text, show_alert: true }) }, signal),
      )
      .then(() => undefined);
    const settled = work.catch(() => undefined).finally(() => answering.delete(settled));
    answering.add(settled);
    return work;
  }

  async function acknowledge(press: string): Promise<void> {
    try {
      await answer(press, undefined);
    } catch (error) {
      // Too late, or answered by another process: the button has stopped waiting.
      logger.info({ why: refusalText(error) ?? String(error) }, 'a press of telegram was not answered');
    }
  }

  return {
    expect(press) {
      take(press);
      waiting.set(press, undefined);
    },
    stored(press) {
      if (!waiting.has(press)) return;
      waiting.set(
        press,
        setTimeout(() => {
          if (take(press)) void acknowledge(press);
        }, patienceMs),
      );
    },
    forget: (press) => void take(press),
    acknowledge(press) {
      take(press);
      return acknowledge(press);
    },
    async say(handle, text) {
      const isOurs = take(handle.press);
      // Answered by now, or pressed while another process listened: Telegram takes the first answer only, and only for some seconds.
      if (!isOurs && clock.now().getTime() - handle.at > patienceMs) throw unsaid('the press is too old');
      if (text === undefined) {
        if (isOurs) await acknowledge(handle.press);
        throw unsaid('an alert takes 200 characters and no buttons');
      }
      try {
        await answer(handle.press, text);
      } catch (error) {
        const failure = error instanceof DeliveryError ? error.failure : undefined;
        if (failure?.kind === 'rate_limited' || failure?.kind === 'unknown' || failure?.kind === 'unreachable') throw error;
        throw unsaid(refusalText(error) ?? 'the press cannot be answered any more');
      }
    },
    async close() {
      for (const press of [...waiting.keys()]) if (take(press)) void acknowledge(press);
      while (answering.size > 0) await Promise.all(answering);
    },
  };
}

function unsaid(detail: string): DeliveryError {
  return new DeliveryError({ kind: 'not_permitted', detail: `answerCallbackQuery: ${detail}` });
}
