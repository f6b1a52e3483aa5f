import { randomInt } from 'node:crypto';
import type { Caller, TokenAccess, TokenNeed } from '../access/token-access.ts';
import { AppError } from '../contracts/errors.ts';
import { createLoop } from '../runtime/loop.ts';
import { problemOf } from './api-problems.ts';
import { noticeFrame, retryFrame } from './event-frames.ts';
import type { EventStream } from './event-stream.ts';

/** The streams of this process: how many there are, and whether their callers may still read them. */
export interface OpenStreams {
  /** Throws DH-225 when there are too many. `begin` is called at once, and its stream is kept until it is done. */
  open(caller: Caller, about: { project: string; reference: string }, begin: () => EventStream): void;
  /** Ends all of them; their readers come back somewhat later, not all at once. No more are opened. */
  stop(): Promise<void>;
}

export const mostOfToken = 50;
export const mostOfProcess = 1000;
/** How soon a stream ends whose token was revoked, has expired, or belongs to somebody with another role now. */
const lookEveryMs = 2000;
/** Without an answer about them for so long, nobody is taken to be allowed. */
const unknownMs = 30_000;
const tooMany = 'There are too many open streams';

export function createOpenStreams(deps: {
  tokens: Pick<TokenAccess, 'lapsed'>;
  need: TokenNeed;
  logger: { warn(context: object, message: string): void };
  /** Told how many streams there are, whenever that changes. */
  onCount?: ((streams: number) => void) | undefined;
}): OpenStreams {
  const { tokens, need, logger, onCount } = deps;
  const streams = new Set<{ token: string; project: string; reference: string; stream: EventStream }>();
  let stopped = false;
  let knownAt = 0;
  let looking = false;

  const looks = createLoop({
    name: 'open streams',
    idleMs: lookEveryMs,
    async run() {
      if (streams.size === 0) return false;
      // The same few statements, however many streams there are.
      const open = [...streams];
      const lapsed = await tokens.lapsed(open, need);
      knownAt = performance.now();
      for (const [at, { reference, stream }] of open.entries()) {
        const error = lapsed[at];
        if (error !== undefined) stream.close(noticeFrame('closed', problemOf(error, reference)));
      }
      return false;
    },
    onError(error, failures) {
      if (failures === 1) logger.warn({ err: error }, 'whether open streams may go on is not known');
      if (performance.now() - knownAt > unknownMs) for (const { stream } of streams) stream.close('');
    },
  });
  return {
    open({ token }, { project, reference }, begin) {
      if (stopped) throw new AppError('DH-225', { what: 'This server is stopping.', seconds: 2 });
      const own = [...streams].filter((one) => one.token === token).length;
      if (own >= mostOfToken) {
        throw new AppError('DH-225', { what: `${tooMany}: one token may have ${mostOfToken}.`, seconds: 30 });
      }
      if (streams.size >= mostOfProcess) throw new AppError('DH-225', { what: `${tooMany} on this server.`, seconds: 30 });
      if (streams.size === 0) knownAt = performance.now();
      if (!looking) looks.start();
      looking = true;
      const entry = { token, project, reference, stream: begin() };
      streams.add(entry);
      onCount?.(streams.size);
      void entry.stream.done.then(() => {
        streams.delete(entry);
        onCount?.(streams.size);
      });
    },
    async stop() {
      stopped = true;
      const ending = looks.stop();
      for (const { stream } of streams) stream.close(retryFrame(randomInt(500, 3000)));
      await ending;
    },
  };
}
