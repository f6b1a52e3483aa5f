import { DeliveryError, type DeliveryFailure } from '../../src/contracts/chat-adapter.ts';
import { CodeHostError } from '../../src/contracts/code-host.ts';

/** Errors of a connection that was never made (Node's `errno`, and undici's own). */
const neverConnected = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * Makes a call whose failure the outbox understands. `once`: doing it twice has another effect than doing it once, so that an answer that was lost
 * leaves the outcome unknown.
 */
export async function delivering<T>(once: boolean, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof CodeHostError) throw new DeliveryError(failureOf(error, once), { cause: error });
    throw error;
  }
}

function failureOf(error: CodeHostError, once: boolean): DeliveryFailure {
  const detail = error.message;
  switch (error.reason) {
    case 'unreachable':
      if (error.retryAfterMs !== undefined) return { kind: 'rate_limited', retryAfterMs: error.retryAfterMs };
      return once && !wasNeverConnected(error) ? { kind: 'unknown', detail } : { kind: 'unreachable', detail };
    case 'unauthorised':
    case 'forbidden':
      return { kind: 'not_permitted', detail };
    case 'missing':
      return { kind: 'gone', detail };
    case 'invalid':
    case 'moved':
    case 'not_mergeable':
      return { kind: 'rejected', detail };
  }
}

function wasNeverConnected(error: unknown): boolean {
  for (let one = error, depth = 0; one instanceof Error && depth < 6; one = one.cause, depth += 1) {
    if ('code' in one && typeof one.code === 'string' && neverConnected.has(one.code)) return true;
  }
  return false;
}

export function rejected(detail: string): DeliveryError {
  return new DeliveryError({ kind: 'rejected', detail });
}

export function gone(detail: string): DeliveryError {
  return new DeliveryError({ kind: 'gone', detail });
}
