import { AppError } from '../contracts/errors.ts';
import { createMinuteWindows } from './minute-windows.ts';

/** Requests with one token in a minute. */
export const mostInMinute = 600;

/**
 * Counts the requests of each good token, so that one program in a loop does not take the server from others. Returns the headers that tell
 * how much is left; throws DH-225 when it is nothing.
 */
export function createPace(now: () => number = () => performance.now()): (token: string) => Record<string, string> {
  const windows = createMinuteWindows(now);
  return (token) => {
    const { count, seconds } = windows.note(token);
    if (count > mostInMinute) {
      throw new AppError('DH-225', { what: `One token may send ${mostInMinute} requests a minute.`, seconds });
    }
    return {
      'ratelimit-limit': String(mostInMinute),
      'ratelimit-remaining': String(mostInMinute - count),
      'ratelimit-reset': String(seconds),
    };
  };
}
