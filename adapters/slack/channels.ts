import { z } from 'zod';

/**
 * Whether channels are private, as far as events have told. `app_mention` names no type of its channel, and ids of private ones begin with `C` too;
 * but each mention comes as a `message` as well, which names it. Asking Slack instead (`conversations.info`) takes scopes that nothing else needs.
 */
export interface Privacy {
  /** Takes what any payload tells. */
  learn(body: unknown): void;
  /** What is known now or shortly. */
  find(channel: string): Promise<boolean | 'unknown'>;
}

const patienceMs = 400;
const maxKnown = 20_000;
const telling = z.object({ event: z.object({ channel: z.string(), channel_type: z.string() }) });

export function createPrivacy(): Privacy {
  const known = new Map<string, boolean>();
  const waiting = new Map<string, Set<(isPrivate: boolean) => void>>();

  function wait(channel: string): Promise<boolean | 'unknown'> {
    const told = Promise.withResolvers<boolean | 'unknown'>();
    const waiters = waiting.get(channel) ?? new Set();
    waiting.set(channel, waiters.add(told.resolve));
    const timer = setTimeout(told.resolve, patienceMs, 'unknown');
    return told.promise.finally(() => {
      clearTimeout(timer);
      waiters.delete(told.resolve);
      if (waiters.size === 0) waiting.delete(channel);
    });
  }

  return {
    learn(body) {
      const told = telling.safeParse(body).data?.event;
      const isPrivate = told === undefined ? undefined : privacyOf(told.channel_type);
      if (told === undefined || isPrivate === undefined) return;
      known.delete(told.channel);
      known.set(told.channel, isPrivate);
      const oldest = known.keys().next().value;
      if (known.size > maxKnown && oldest !== undefined) known.delete(oldest);
      for (const resolve of waiting.get(told.channel) ?? []) resolve(isPrivate);
    },
    async find(channel) {
      return known.get(channel) ?? (await wait(channel));
    },
  };
}

/** Types of channels: `channel`, `group` (private), `mpim` (a direct conversation of several people), `im`. (docs.slack.dev, message event) */
export function privacyOf(type: string | undefined): boolean | undefined {
  if (type === 'channel') return false;
  return type === 'group' || type === 'mpim' ? true : undefined;
}
