import type { EventEmitter } from 'node:events';
import { flushCompileCache } from 'node:module';
import type { Config } from './config.ts';
import type { Logger } from './runtime/logger.ts';

export type Role = 'start' | 'gateway' | 'runner';

/** The program of one role, put together and not yet started. */
export interface App {
  start(): Promise<void>;
  stop(): Promise<void>;
  abort(): Promise<void>;
}

export interface ServeOptions {
  createApp(config: Config, role: Role, logger: Logger): Promise<App>;
  config: Config;
  role: Role;
  logger: Logger;
  /** `process`: where signals and unexpected errors come from. */
  events: EventEmitter;
  /** Longest graceful stop (default 25 s, below the 30 s that container engines and systemd wait). */
  stopWithinMs?: number | undefined;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const crashes = ['uncaughtException', 'unhandledRejection'] as const;

/**
 * Runs a role until it is told to end. The first signal stops it gracefully, a second one at once; so does a graceful stop that
 * takes too long, or an error that nobody caught. Resolves with the exit code when everything has ended, and rejects with what kept
 * the role from starting.
 */
export async function serve(options: ServeOptions): Promise<number> {
  const { config, role, logger, events } = options;
  const ended = Promise.withResolvers<number>();
  let app: App | undefined;
  let asked: 'nothing' | 'stop' | 'abort' = 'nothing';
  let exitCode = 0;
  let deadline: NodeJS.Timeout | undefined;

  const finish = (work: Promise<void> | undefined) => {
    Promise.resolve(work).then(
      () => ended.resolve(exitCode),
      (error: unknown) => {
        logger.error({ err: error }, 'the end was not clean');
        ended.resolve(1);
      },
    );
  };
  const abort = () => {
    if (asked === 'abort') return;
    asked = 'abort';
    clearTimeout(deadline);
    deadline = setTimeout(() => ended.resolve(1), 15_000); // the caller exits, whatever still hangs
    finish(app?.abort());
  };
  const stop = () => {
    asked = 'stop';
    deadline = setTimeout(() => {
      logger.warn('the graceful end takes too long, ending at once');
      abort();
    }, options.stopWithinMs ?? 25_000);
    finish(app?.stop());
  };
  const onSignal = (signal: string) => {
    if (asked === 'nothing') {
      logger.info({ signal }, 'ending: what is in flight is finished or handed back; a second signal ends at once');
      stop();
    } else {
      logger.warn({ signal }, 'ending at once');
      abort();
    }
  };
  const onCrash = (error: unknown) => {
    logger.fatal({ err: error }, 'an error that nobody caught');
    exitCode = 1;
    abort();
  };

  for (const signal of signals) events.on(signal, onSignal);
  for (const crash of crashes) events.on(crash, onCrash);
  try {
    for (const warning of config.warnings) logger.warn(warning);
    app = await options.createApp(config, role, logger);
    // A signal during the start makes `start` end early, or fail.
    if (asked === 'nothing') await app.start();
    // What it had to compile is kept now: whoever is killed keeps nothing at the end.
    flushCompileCache();
    return await ended.promise;
  } catch (error) {
    if (asked === 'nothing') throw error;
    return await ended.promise;
  } finally {
    clearTimeout(deadline);
    for (const signal of signals) events.off(signal, onSignal);
    for (const crash of crashes) events.off(crash, onCrash);
  }
}
