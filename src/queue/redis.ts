import { Redis, type RedisOptions } from 'ioredis';
import { AppError } from '../contracts/errors.ts';
import { errorText } from '../runtime/error-text.ts';
import type { RedisAddress, RedisSentinels } from '../runtime/redis-address.ts';

/**
 * How a connection behaves while Redis is away. `ask`: a command fails at once, for whoever asks has something better to do than to wait.
 * `wait`: commands wait until it is back, as workers and listeners do.
 */
export type RedisUse = 'ask' | 'wait';

type Options = Omit<RedisOptions, 'replyMapping'>;

/** A server that was started together with this program may take a moment longer. Milliseconds. */
const startsWithinMs = 10_000;
const connectMs = 5_000;
/** A server that does not answer a command for so long is not waited for. */
const answerMs = 2_000;
const longestPauseMs = 2_000;

/** Opens a connection that comes back by itself, also to another server after a failover. Close it with `endRedis`. */
export function openRedis(address: RedisAddress, use: RedisUse, onError: (error: unknown) => void): Redis {
  const options: Options = {
    connectionName: 'deckhand',
    connectTimeout: connectMs,
    keepAlive: 10_000,
    retryStrategy: pause,
    // What was the primary until now: the connection is made anew, and the command is sent there.
    reconnectOnError: (error) => (error.message.includes('READONLY') ? 2 : false),
    // Whoever listens does so again by itself, and knows then that it has missed something.
    autoResubscribe: false,
    ...(use === 'ask'
      ? { enableOfflineQueue: false, autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0, commandTimeout: answerMs }
      : { maxRetriesPerRequest: null }),
  };
  const redis =
    address.kind === 'server' ? new Redis(address.url, options) : new Redis({ ...options, ...sentinelOptions(address) });
  redis.on('error', onError);
  return redis;
}

/**
 * Ends a connection. Between two tries to connect, `disconnect` alone would neither end it nor fail what waits for it (ioredis 6.0,
 * `Redis.disconnect`): a last try does.
 */
export function endRedis(redis: Redis): void {
  redis.disconnect();
  if (redis.status === 'reconnecting') redis.connect().catch(() => undefined);
}

function pause(attempt: number): number {
  return Math.min(longestPauseMs, 50 * 2 ** Math.min(attempt, 10)) * (0.75 + Math.random() / 4);
}

function sentinelOptions(address: RedisSentinels): Options {
  const { sentinels, name, username, password, sentinelPassword, database, tls } = address;
  const withSentinel = sentinelPassword ?? password;
  return {
    sentinels: [...sentinels],
    name,
    db: database,
    sentinelRetryStrategy: pause,
    // A primary that is gone says so to nobody; its sentinels do.
    failoverDetector: true,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(withSentinel === undefined ? {} : { sentinelPassword: withSentinel }),
    ...(tls ? { tls: {}, enableTLSForSentinelMode: true, sentinelTLS: {} } : {}),
  };
}

export interface RedisState {
  version: string;
  /** What it does when its memory is full: anything but `noeviction` may drop jobs without a word. */
  memoryPolicy: string;
}

/** What to say of a memory that may be given to something else than the jobs in it; undefined: it is as it must be. */
export function memoryAdvice({ memoryPolicy }: Pick<RedisState, 'memoryPolicy'>): string | undefined {
  if (memoryPolicy === 'noeviction') return undefined;
  return `maxmemory-policy of Redis is ${memoryPolicy}: jobs that it drops wait until a sweep finds them. Set it to noeviction.`;
}

/** Oldest version that BullMQ recommends (its `RedisConnection.recommendedMinimumVersion`). */
const oldestVersion = [6, 2] as const;

/** Resolves once it answers; throws DH-109 when it does not in time, refuses the login, or is too old. */
export async function examineRedis(address: RedisAddress, withinMs = startsWithinMs): Promise<RedisState> {
  let last: unknown;
  const redis = openRedis(address, 'ask', (error) => {
    last = error;
  });
  const until = Date.now() + withinMs;
  try {
    for (;;) {
      try {
        await ready(redis, until - Date.now());
        return stateOf(await redis.info('server'), await redis.info('memory'));
      } catch (error) {
        if (error instanceof AppError) throw error;
        const detail = errorText(last ?? error);
        if (Date.now() >= until || /WRONGPASS|NOAUTH|NOPERM/.test(detail)) throw new AppError('DH-109', { detail });
      }
    }
  } finally {
    endRedis(redis);
  }
}

async function ready(redis: Redis, withinMs: number): Promise<void> {
  if (redis.status === 'ready') return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error('it does not answer')), Math.max(0, withinMs));
  redis.once('ready', resolve).once('error', reject);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    redis.off('ready', resolve).off('error', reject);
  }
}

function stateOf(server: string, memory: string): RedisState {
  const field = (text: string, name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(text)?.[1] ?? '';
  // Valkey says which Redis it stands for in the same field.
  const version = field(server, 'redis_version');
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < oldestVersion[0] || (major === oldestVersion[0] && minor < oldestVersion[1]))
    throw new AppError('DH-109', { detail: `it is version ${version}, ${oldestVersion.join('.')} or newer is needed` });
  return { version, memoryPolicy: field(memory, 'maxmemory_policy') };
}

/** The errors of several addresses of a name come as one without a message. */
