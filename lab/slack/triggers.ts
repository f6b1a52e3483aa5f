import { secret } from './ids.ts';

export interface Trigger {
  user: string;
  channel?: string | undefined;
  /** The modal the person acted in; `views.push` needs one. */
  viewId?: string | undefined;
}

export type TriggerProblem = 'invalid_trigger_id' | 'expired_trigger_id' | 'exchanged_trigger_id';

/** Trigger ids: valid for a few seconds, for one use. */
export interface Triggers {
  issue(trigger: Trigger): string;
  /** Looks a trigger up without using it. */
  check(id: string): Trigger | TriggerProblem;
  use(id: string): void;
  /** Makes every trigger issued so far too old. */
  expireAll(): void;
}

export function createTriggers(lifetimeMs: number, now: () => number): Triggers {
  const issued = new Map<string, Trigger & { at: number; used: boolean }>();

  /** Old ids stay known for a while, so that "expired" and "exchanged" can be told from "never issued". */
  function forgetOld(): void {
    for (const [id, trigger] of issued) {
      if (now() - trigger.at < 10 * 60_000) break;
      issued.delete(id);
    }
  }

  return {
    issue(trigger) {
      forgetOld();
      const id = `${now()}.${Math.floor(now() / 7)}.${secret(16)}`;
      issued.set(id, { ...trigger, at: now(), used: false });
      return id;
    },
    check(id) {
      const trigger = issued.get(id);
      if (!trigger) return 'invalid_trigger_id';
      if (trigger.used) return 'exchanged_trigger_id';
      if (now() - trigger.at > lifetimeMs) return 'expired_trigger_id';
      return trigger;
    },
    use(id) {
      const trigger = issued.get(id);
      if (trigger) trigger.used = true;
    },
    expireAll() {
      for (const trigger of issued.values()) trigger.at = Math.min(trigger.at, now() - lifetimeMs - 1);
    },
  };
}
