import { setTimeout as delay } from 'node:timers/promises';
import { InteractionResponseType, MessageFlags } from 'discord-api-types/v10';
import { z } from 'zod';
import { DeliveryError } from '../../src/contracts/chat-adapter.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { discordCode } from './failures.ts';
import { firstAnswerMs, type Handle, lifetimeMs, mayOpenForm } from './handle.ts';
import type { modalOf } from './modal.ts';
import type { MessageContent } from './outbound.ts';
import type { Rest } from './rest.ts';

/** How long a press that may open a form waits for it, and a placeholder for the answer that fills it. Milliseconds. */
const formWaitMs = 2_200;
const placeholderMs = 4_000;
/**
 * Another process than the one that acknowledged does not know what became of the placeholder. Up to the first of these ages it fills it,
 * up to the second it leaves it alone, later it looks.
 */
const fillsUntilMs = 2_500;
const looksFromMs = 8_000;
const againMs = 250;

type Modal = ReturnType<typeof modalOf>;

/** First answers to interactions, and what follows them. Their tokens need no right of the bot in the channel. */
export interface Acks {
  /** Tells Discord that an act has arrived: only after it is stored. Never rejects. */
  acknowledge(handle: Handle): Promise<void>;
  /**
   * Shows a message to the person who acted, with `replaces` in the place of the one that was pressed, when the press cannot open a form.
   * `not_permitted` when it is too late for that.
   */
  answer(handle: Handle, content: MessageContent, replaces?: boolean): Promise<void>;
  /** Opens a form. `gone` when the act was answered already, or is too old. */
  openForm(handle: Handle, modal: Modal): Promise<void>;
  /** Suggestions for what is being typed. Never rejects. */
  suggest(handle: Pick<Handle, 'id' | 'token'>, choices: readonly { name: string; value: string }[]): Promise<void>;
  /** Resolves when every act has its first answer and no placeholder is left. */
  stop(): Promise<void>;
}

/** What this process knows of an act. `held`: nothing was answered. `placeholder`: it can be filled. `done`: only follow-ups are left. */
interface Known {
  handle: Handle;
  state: 'held' | 'placeholder' | 'done';
  /** The calls for this act, one after another. */
  work: Promise<void>;
  timer?: NodeJS.Timeout | undefined;
}

const originalAnswer = z.object({ flags: z.number().nullish() });

export function createAcks(deps: { rest: Rest; application: string; clock: Clock; logger: Logger }): Acks {
  const { rest, application, clock, logger } = deps;
  const known = new Map<string, Known>();

  const callback = (handle: Pick<Handle, 'id' | 'token'>, what: string, body: unknown) =>
    rest.act({
      method: 'post',
      route: `/interactions/${handle.id}/${encodeURIComponent(handle.token)}/callback`,
      what,
      body,
      auth: false,
    });
  const webhook = (handle: Handle): `/${string}` => `/webhooks/${application}/${encodeURIComponent(handle.token)}`;
  const original = (handle: Handle): `/${string}` => `${webhook(handle)}/messages/@original`;

  /** Runs after whatever else is under way for this act. */
  function inTurn<T>(one: Known, work: () => Promise<T>): Promise<T> {
    const result = one.work.then(work);
    one.work = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  function settleIn(one: Known, ms: number): void {
    one.timer = setTimeout(() => void settled(one), ms).unref();
  }

  async function settled(one: Known): Promise<void> {
    clearTimeout(one.timer);
    await inTurn(one, () => settle(one)).catch((error: unknown) => {
      if (!isFinal(error)) logger.warn({ err: error }, 'a discord interaction was not settled');
    });
  }

  async function acknowledge(handle: Handle): Promise<void> {
    // Told twice, over the gateway and over HTTP or by a repetition: the first has been answered or is about to be.
    if (known.has(handle.id)) return;
    const one: Known = { handle, state: 'held', work: Promise.resolve() };
    known.set(handle.id, one);
    setTimeout(() => known.delete(handle.id), lifetimeMs).unref();
    if (mayOpenForm(handle)) return settleIn(one, formWaitMs);
    await inTurn(one, () => first(one)).catch((error: unknown) => {
      logger.warn({ err: error }, 'a discord interaction was stored, but not acknowledged');
    });
  }

  async function first(one: Known): Promise<void> {
    const { handle } = one;
    one.state = 'done';
    if (handle.kind === 'quiet' || handle.kind === 'opens') return acknowledgePress(handle);
    await untilTooLate(handle, () =>
      callback(handle, 'acknowledge a command', {
        type: InteractionResponseType.DeferredChannelMessageWithSource,
        data: { flags: MessageFlags.Ephemeral },
      }),
    );
    one.state = 'placeholder';
    settleIn(one, placeholderMs);
  }

  function acknowledgePress(handle: Handle): Promise<void> {
    return untilTooLate(handle, () =>
      callback(handle, 'acknowledge a press', { type: InteractionResponseType.DeferredMessageUpdate }),
    );
  }

  /** Nobody else repeats a first answer. That it is there already is as good as giving it. */
  async function untilTooLate(handle: Handle, work: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (discordCode(error) === 40060) return;
        const kind = error instanceof DeliveryError ? error.failure.kind : undefined;
        const hopeless = kind !== 'unreachable' && kind !== 'unknown' && kind !== 'rate_limited';
        if (hopeless || clock.now().getTime() - handle.at > firstAnswerMs) throw error;
        await delay(againMs, undefined, { ref: false });
      }
    }
  }

  /** The time for a form or an answer is over. */
  async function settle(one: Known): Promise<void> {
    const { handle, state } = one;
    one.state = 'done';
    if (state === 'held') return first(one);
    // Another process may have filled it.
    if (state !== 'placeholder' || !(await isThinking(handle))) return;
    await rest.act({ method: 'delete', route: original(handle), what: 'take back a placeholder', auth: false });
  }

  async function isThinking(handle: Handle): Promise<boolean> {
    try {
      const { flags } = await rest.call(
        { method: 'get', route: original(handle), what: 'look at a placeholder', auth: false },
        originalAnswer,
      );
      return ((flags ?? 0) & MessageFlags.Loading) !== 0;
    } catch (error) {
      if (error instanceof DeliveryError && error.failure.kind === 'gone') return false;
      throw error;
    }
  }

  async function answer(handle: Handle, content: MessageContent, replaces = false): Promise<void> {
    const one = known.get(handle.id);
    try {
      // What a quiet press was acknowledged with makes the pressed message its own answer.
      if (replaces && handle.kind === 'quiet')
        await (one === undefined ? fill(handle, content) : inTurn(one, () => fill(handle, content)));
      else if (one !== undefined) await inTurn(one, () => answerKnown(handle, one, content));
      else await answerUnknown(handle, content);
    } catch (error) {
      throw tooLate(error);
    }
  }

  async function answerKnown(handle: Handle, one: Known, content: MessageContent): Promise<void> {
    if (one.state === 'placeholder') {
      await fill(handle, content);
      one.state = 'done';
      clearTimeout(one.timer);
    } else if (one.state === 'held') {
      await reply(handle, content);
      one.state = 'done';
      clearTimeout(one.timer);
    } else await followUp(handle, content);
  }

  async function answerUnknown(handle: Handle, content: MessageContent): Promise<void> {
    const age = clock.now().getTime() - handle.at;
    if (mayOpenForm(handle) && age < firstAnswerMs) return reply(handle, content);
    const isWaiting = handle.kind === 'thinking' && age < fillsUntilMs;
    const mayWait = handle.kind === 'thinking' || handle.kind === 'asks';
    const fills = isWaiting || (mayWait && age > looksFromMs && (await isThinking(handle)));
    return fills ? fill(handle, content) : followUp(handle, content);
  }

  /** As the first answer; when another process was faster, as one that follows. */
  async function reply(handle: Handle, content: MessageContent): Promise<void> {
    const body = { type: InteractionResponseType.ChannelMessageWithSource, data: onlyForThem(content) };
    try {
      await callback(handle, 'answer a press', body);
    } catch (error) {
      if (discordCode(error) !== 40060) throw error;
      await followUp(handle, content);
    }
  }

  async function fill(handle: Handle, content: MessageContent): Promise<void> {
    try {
      await rest.act({ method: 'patch', route: original(handle), what: 'answer a command', body: content, auth: false });
    } catch (error) {
      if (discordCode(error) !== 10008) throw error;
      await followUp(handle, content);
    }
  }

  function followUp(handle: Handle, content: MessageContent): Promise<void> {
    return rest.act({ method: 'post', route: webhook(handle), what: 'answer an act', body: onlyForThem(content), auth: false });
  }

  async function openForm(handle: Handle, modal: Modal): Promise<void> {
    const one = known.get(handle.id);
    const open = async () => {
      const age = clock.now().getTime() - handle.at;
      if (one?.state === 'done' || !mayOpenForm(handle) || age > firstAnswerMs) {
        throw new DeliveryError({ kind: 'gone', detail: 'open a form: the press is too old, or was answered already' });
      }
      await callback(handle, 'open a form', { type: InteractionResponseType.Modal, data: modal });
      if (one === undefined) return;
      one.state = 'done';
      clearTimeout(one.timer);
    };
    return one === undefined ? open() : inTurn(one, open);
  }

  return {
    acknowledge,
    answer,
    openForm,
    async suggest(handle, choices) {
      const body = { type: InteractionResponseType.ApplicationCommandAutocompleteResult, data: { choices } };
      try {
        await callback(handle, 'suggest', body);
      } catch (error) {
        logger.debug({ err: error }, 'discord did not take suggestions');
      }
    },
    async stop() {
      await Promise.all([...known.values()].map(settled));
      // What was held until now has a placeholder.
      await Promise.all([...known.values()].filter(({ state }) => state === 'placeholder').map(settled));
    },
  };
}

function onlyForThem(content: MessageContent): MessageContent {
  return { ...content, flags: content.flags | MessageFlags.Ephemeral };
}

/** Answered already, or unknown by now: nothing can or need be done any more. */
function isFinal(error: unknown): boolean {
  return [40060, 10062, 10015, 10008].some((code) => code === discordCode(error));
}

/** What an expired token is answered with means here that the person must be told in another way. */
function tooLate(error: unknown): unknown {
  if (!(error instanceof DeliveryError) || error.failure.kind !== 'gone') return error;
  const detail = `${error.failure.detail}: only for fifteen minutes an act can be answered so that nobody else sees it`;
  return new DeliveryError({ kind: 'not_permitted', detail }, { cause: error.cause });
}
