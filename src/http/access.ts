import type { IncomingMessage } from 'node:http';

/** Who may call a group of routes. Every group states it. */
export type RouteAccess =
  /** Anyone who can reach the server. The route itself proves the caller (a signature) or says nothing worth hiding. */
  | 'anyone'
  /** Only programs and browsers on this machine. */
  | 'this machine'
  /** Callers with an access token. Each route says which scope and permission that takes; one that does not cannot be added. */
  | 'access token'
  /** People who are signed in, by the cookie of their session. Each route says which permission that takes; one that does not cannot be added. */
  | 'session';

const loopbackHost = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(:\d+)?$/;
const loopbackAddress = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1|::ffff:127\.\d{1,3}\.\d{1,3}\.\d{1,3})$/;

/**
 * True for a request that was made on this machine, to this machine, by a page of this server or by no page at all. Looks at the
 * connection, at the headers that proxies add, at `Host` (a foreign name that resolves to 127.0.0.1 must not open the door) and at
 * `Origin` (a foreign page in a local browser must not either).
 */
export function isFromThisMachine(request: IncomingMessage): boolean {
  const { host = '', origin } = request.headers;
  if (!isFromLoopback(request) || !loopbackHost.test(host)) return false;
  return origin === undefined || origin === `http://${host}`;
}

/** True for a connection from this machine that no proxy has passed on, as far as its headers tell. */
export function isFromLoopback(request: IncomingMessage): boolean {
  const { forwarded, 'x-forwarded-for': forwardedFor, 'x-real-ip': realIp } = request.headers;
  if (forwarded !== undefined || forwardedFor !== undefined || realIp !== undefined) return false;
  return loopbackAddress.test(request.socket.remoteAddress ?? '');
}
