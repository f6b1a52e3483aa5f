import type { GitSource } from './git-source.ts';

/** A login for an address that brings none, as the value of an Authorization header; undefined: there is none. */
export type LoginFor = (url: URL, signal: AbortSignal | undefined) => string | undefined | Promise<string | undefined>;

/** Of `GitOptions`. */
export interface Transport {
  protocols: [GitSource['protocol']];
  config: (readonly [string, string])[];
}

/**
 * How git reaches a source: the one transport it may use, and the login. That is in the environment of this one call, for this one host, and
 * goes nowhere when the host sends git elsewhere. A login that is not in the address is sent where nobody reads along: over TLS, or to
 * this very machine.
 */
export async function transportOf(
  source: GitSource,
  loginFor: LoginFor | undefined,
  signal: AbortSignal | undefined,
): Promise<Transport> {
  const url = URL.canParse(source.address) ? new URL(source.address) : undefined;
  const authorization = source.authorization ?? (isPrivate(url) ? await loginFor?.(url, signal) : undefined);
  const config: (readonly [string, string])[] =
    url === undefined || authorization === undefined
      ? []
      : [
          [`http.${url.origin}/.extraHeader`, `Authorization: ${authorization}`],
          ['http.followRedirects', 'false'],
        ];
  return { protocols: [source.protocol], config };
}

function isPrivate(url: URL | undefined): url is URL {
  if (url === undefined) return false;
  const here = url.hostname === 'localhost' || url.hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(url.hostname);
  return url.protocol === 'https:' || (url.protocol === 'http:' && here);
}
