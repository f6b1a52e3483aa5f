import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect, type Socket } from 'node:net';

type Environment = Readonly<Record<string, string | undefined>>;

/** A connection to a host that could not be made, in words for whoever asked. */
export class NotReached extends Error {
  override name = 'NotReached';
  readonly status: 403 | 502 | 504;
  constructor(status: 403 | 502 | 504, message: string) {
    super(message);
    this.status = status;
  }
}

/** The proxy of this machine for TLS to `host`, as in HTTPS_PROXY and NO_PROXY; undefined: none, or not for this one. */
export function machineProxy(environment: Environment, host: string): URL | undefined {
  const value = (name: string) => environment[name.toLowerCase()] || environment[name] || undefined;
  const proxy = value('HTTPS_PROXY');
  if (proxy === undefined) return undefined;
  const except = (value('NO_PROXY') ?? '').split(/[\s,]+/).filter((entry) => entry !== '');
  const isExcepted = except.some((entry) => {
    const name = entry
      .toLowerCase()
      .replace(/:443$/, '')
      .replace(/^\*?\./, '');
    return entry === '*' || host === name || host.endsWith(`.${name}`);
  });
  return isExcepted ? undefined : new URL(proxy.includes('://') ? proxy : `http://${proxy}`);
}

/** Connects to the first of the addresses that answers, each within its part of `timeMs`. Throws NotReached. */
export async function connectTo(
  addresses: readonly string[],
  port: number,
  timeMs: number,
  signal: AbortSignal,
): Promise<Socket> {
  let last: unknown;
  for (const address of addresses) {
    try {
      return await connectOne(address, port, timeMs / addresses.length, signal);
    } catch (error) {
      signal.throwIfAborted();
      last = error;
    }
  }
  const code = last instanceof Error && 'code' in last ? ` (${String(last.code)})` : '';
  throw new NotReached(502, `The host does not answer${code}.`);
}

async function connectOne(host: string, port: number, timeMs: number, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host, port, signal });
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const timer = setTimeout(() => socket.destroy(new Error('no answer in time')), timeMs);
  socket.once('connect', () => resolve(socket));
  socket.on('error', reject);
  return await promise.finally(() => clearTimeout(timer));
}

/** A tunnel to `name:443` through the proxy, which looks the name up. Throws NotReached. */
export async function connectThrough(proxy: URL, name: string, timeMs: number, signal: AbortSignal): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const user = decodeURIComponent(proxy.username);
  const credentials = Buffer.from(`${user}:${decodeURIComponent(proxy.password)}`).toString('base64');
  const asking = (proxy.protocol === 'https:' ? httpsRequest : httpRequest)({
    host: proxy.hostname.replaceAll(/[[\]]/g, ''),
    port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
    method: 'CONNECT',
    path: `${name}:443`,
    headers: { host: `${name}:443`, ...(user === '' ? {} : { 'proxy-authorization': `Basic ${credentials}` }) },
    agent: false,
    timeout: timeMs,
    signal,
  });
  asking.once('connect', ({ statusCode }, socket: Socket, head) => {
    socket.setTimeout(0);
    if (statusCode !== 200) {
      socket.destroy();
      reject(new NotReached(502, `The proxy of Deckhand's machine refuses the host (${statusCode}).`));
      return;
    }
    if (head.length > 0) socket.unshift(head);
    resolve(socket);
  });
  asking.once('timeout', () => asking.destroy(new Error('no answer in time')));
  asking.on('error', () => reject(new NotReached(502, "The proxy of Deckhand's machine does not answer.")));
  asking.end();
  return await promise;
}
