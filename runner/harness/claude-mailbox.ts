import type { NumberedMail } from '../../src/contracts/agent.ts';
import type { HarnessSession } from './port.ts';

/** Mail as it comes, kept until it is taken. */
export interface Mailbox {
  /** What has come since the last call; marks it as taken. */
  take(): NumberedMail[];
  /** Resolves when there is something to take. */
  arrival(): Promise<void>;
  close(): Promise<void>;
}

/** Reads the mail of a session in the background. A failure is thrown by the next `take`. */
export function openMailbox(session: HarnessSession, onUrgent: () => void): Mailbox {
  const until = new AbortController();
  let mail: NumberedMail[] = [];
  let failure: { error: unknown } | undefined;
  let came = Promise.withResolvers<void>();
  const reading = (async () => {
    for await (const one of session.mail(until.signal)) {
      mail.push(one);
      if (one.mail.type === 'message' && one.mail.when === 'now') onUrgent();
      came.resolve();
    }
  })().catch((error: unknown) => {
    failure = { error };
    came.resolve();
  });
  return {
    take() {
      if (failure !== undefined) throw failure.error;
      const taken = mail;
      mail = [];
      came = Promise.withResolvers<void>();
      return taken;
    },
    arrival: () => came.promise,
    async close() {
      until.abort();
      await reading;
    },
  };
}
