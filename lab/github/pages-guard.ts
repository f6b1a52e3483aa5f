import type { IncomingMessage } from 'node:http';

const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|::ffff:127(\.\d{1,3}){3})$/;
const OWN_NAMES = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

/**
 * Why a request for a page is not answered; undefined when it is. Anybody may act as anybody here, so it is for browsers on this machine
 * alone: not under a name that somebody else has pointed here, and forms only from these pages.
 */
export function refusedRequest(request: IncomingMessage): string | undefined {
  const { host = '', origin } = request.headers;
  if (!LOOPBACK.test(request.socket.remoteAddress ?? '')) return 'The lab only answers this machine.';
  if (!OWN_NAMES.test(host)) return 'The lab only answers under its own address.';
  const isReading = request.method === 'GET' || request.method === 'HEAD';
  if (isReading || origin === undefined || origin === `http://${host}`) return undefined;
  return 'The lab only answers its own pages.';
}
