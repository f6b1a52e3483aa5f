import type { IncomingHttpHeaders } from 'node:http';
import { isLoopback } from '../access/signin-link.ts';

/** Under which address a browser has reached the server, and the cookie that belongs there. */
export interface OwnSite {
  /** `https://deckhand.example.com` */
  origin: string;
  /** Path of PUBLIC_URL, without a slash at its end. */
  base: string;
  cookie: string;
  /** The cookie goes over TLS alone. */
  secure: boolean;
}

/**
 * The site that a request with this `Host` was made to; undefined where nobody may sign in: under names that are not the server's own (a foreign
 * name that somebody points here must get no cookie), and over HTTP from elsewhere, where a cookie would travel in the clear.
 */
export function ownSite(request: { host: string; direct: boolean }, publicUrl: string | undefined): OwnSite | undefined {
  if (publicUrl !== undefined) {
    const { protocol, host, origin, pathname } = new URL(publicUrl);
    if (request.host === host && protocol === 'https:') {
      // Browsers keep the promises of `__Host-`: from TLS, for this very host, for all paths.
      return { origin, base: pathname.replace(/\/+$/, ''), cookie: '__Host-deckhand', secure: true };
    }
  }
  if (!request.direct || !URL.canParse(`http://${request.host}`)) return undefined;
  const { hostname, origin, port } = new URL(`http://${request.host}`);
  if (!isLoopback(hostname)) return undefined;
  // Browsers do not keep cookies of two ports apart, so the name does.
  return { origin, base: '', cookie: `deckhand-${port === '' ? '80' : port}`, secure: false };
}

/**
 * Whether a page of this very site has sent the request. Browsers say where a form comes from in `Origin` and `Sec-Fetch-Site`, and no page can
 * change that; what says neither is no browser, and has no business with cookies.
 */
export function isFromOwnPage(headers: IncomingHttpHeaders, site: Pick<OwnSite, 'origin'>): boolean {
  const { origin } = headers;
  const from = headers['sec-fetch-site'];
  if (from !== undefined && from !== 'same-origin') return false;
  return origin === undefined ? from === 'same-origin' : origin === site.origin;
}

/** The value of a cookie; undefined where it is missing, or there twice: then one of them is somebody else's. */
export function readCookie(headers: IncomingHttpHeaders, name: string): string | undefined {
  const found = (headers.cookie ?? '').split(';').flatMap((pair) => {
    const at = pair.indexOf('=');
    return at > 0 && pair.slice(0, at).trim() === name ? [pair.slice(at + 1).trim()] : [];
  });
  return found.length === 1 && found[0] !== '' ? found[0] : undefined;
}

/** The header that sets a cookie which no script reads and which other sites send along only when a person follows a link. */
export function setCookie({
  name,
  value,
  seconds,
  secure,
}: {
  name: string;
  value: string;
  seconds: number;
  secure: boolean;
}): string {
  return `${name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
}
