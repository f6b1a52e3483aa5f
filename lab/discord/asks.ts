import type { Json } from '../slack/json.ts';
import { DiscordApiError } from './api-error.ts';
import { respond } from './callbacks.ts';
import { type Core, type FirstAnswer, NotAnswered } from './core.ts';
import type { Gateway } from './gateway.ts';
import type { HttpDelivery } from './http-delivery.ts';
import type { Interaction } from './model.ts';

/** Interactions on their way to the app, and those who wait for the answer. */
export interface Asks {
  ask: Core['ask'];
  answered: Core['answered'];
  /** Lets everybody who still waits go with NotAnswered. */
  close(): void;
}

interface Waiting {
  settle(answer: FirstAnswer): void;
  fail(detail: string): void;
}

export function createAsks(core: Core, gateway: Gateway, http: HttpDelivery): Asks {
  const waiting = new Map<string, Waiting>();

  /** After its deadline an interaction is unknown; tokens are kept as long as they are good for follow-ups. */
  function forgetOld(): void {
    for (const entry of core.state.interactions.values()) {
      if (core.now() - entry.created_at > 2 * core.timing.token) core.state.interactions.remove(entry.id);
    }
  }

  async function byHttp(interaction: Interaction, payload: Json): Promise<void> {
    try {
      const callback = await http.deliver(payload);
      const current = core.state.interactions.get(interaction.id);
      if (callback && current) respond(core, current, { json: callback, files: [] });
    } catch (error) {
      const detail = error instanceof DiscordApiError ? `${error.message} ${JSON.stringify(error.errors ?? {})}` : String(error);
      waiting.get(interaction.id)?.fail(detail);
    }
  }

  return {
    ask(interaction, payload) {
      forgetOld();
      core.state.interactions.put(interaction);
      return new Promise((resolve, reject) => {
        const done = () => {
          clearTimeout(deadline);
          waiting.delete(interaction.id);
        };
        const fail = (detail: string) => {
          done();
          const current = core.state.interactions.get(interaction.id);
          if (current?.state === 'waiting') core.state.interactions.put({ ...current, state: 'failed' });
          reject(new NotAnswered(detail));
        };
        const deadline = setTimeout(() => fail(`no answer within ${core.timing.respond} ms`), core.timing.respond);
        waiting.set(interaction.id, {
          fail,
          settle(answer) {
            done();
            resolve(answer);
          },
        });
        if (core.settings.interactionsUrl === undefined) gateway.dispatch({ t: 'INTERACTION_CREATE', intents: 0, d: payload });
        else void byHttp(interaction, payload);
      });
    },
    answered: (id, answer) => waiting.get(id)?.settle(answer),
    close() {
      for (const entry of [...waiting.values()]) entry.fail('the lab is closing');
    },
  };
}
