import { AppError } from '../contracts/errors.ts';

/** Requests with one token in a minute. */
export const mostInMinute = 600;
const windowMs = 60_000;
const mostTokens = 10_000;

/**
 * Counts the requests of each good token, so that one program in a loop does not take the server from others. Returns the headers that tell
 * how much is left; throws DH-225 when it is nothing.
 */
export function createPace(now: () => number = () => performance.now()): (token: string) => Record<string, string> {
  const windows = new Map<string, { since: number; count: number }>();
  return (token) => {
    const at = now();
    let window = windows.get(token);
    if (window === undefined || at - window.since >= windowMs) {
      window = { since: at, count: 0 };
      windows.delete(token);
      windows.set(token, window);
      const [oldest] = windows.keys();
      if (windows.size > mostTokens && oldest !== undefined) windows.delete(oldest);
    }
    window.count += 1;
    const seconds = Math.max(1, Math.ceil((window.since + windowMs - at) / 1000));
    if (window.count > mostInMinute) {
      throw new AppError('DH-225', { what: `One token may send ${mostInMinute} requests a minute.`, seconds });
    }
    return {
      'ratelimit-limit': String(mostInMinute),
      'ratelimit-remaining': String(mostInMinute - window.count),
      'ratelimit-reset': String(seconds),
    };
  };
}
