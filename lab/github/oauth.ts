import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { accountOf, type Core } from './core.ts';
import { html } from './pages-html.ts';
import { PEOPLE } from './seed.ts';
import type { Handler } from './server.ts';

/** The OAuth app that the lab has at its GitHub. */
export interface OauthApp {
  clientId: string;
  clientSecret: string;
}

/** A code is good once, for ten minutes. */
const codeMs = 10 * 60_000;
const maxBody = 16 * 1024;

interface Grant {
  login: string;
  redirectUri: string;
  challenge: string;
  until: number;
}

/**
 * `/login/oauth/authorize` and `/login/oauth/access_token`, as strict as GitHub: codes work once, for the app, the callback and the PKCE verifier that
 * they were made for; what is wrong is answered with status 200 and `error`, as GitHub does. The app may call back to any address of this machine.
 */
export function createOauth(core: Core): { app: OauthApp; handle: Handler } {
  const app = { clientId: `Ov23li${randomBytes(7).toString('hex')}`, clientSecret: randomBytes(20).toString('hex') };
  const grants = new Map<string, Grant>();

  function authorize(url: URL, response: ServerResponse): ServerResponse {
    const asked = url.searchParams;
    const redirectUri = asked.get('redirect_uri') ?? '';
    if (asked.get('client_id') !== app.clientId) return page(response, 404, 'Not Found');
    if (!URL.canParse(redirectUri) || !/^(127\.0\.0\.1|localhost)$/.test(new URL(redirectUri).hostname)) {
      return page(response, 400, 'The redirect_uri is not associated with this application.');
    }
    const back = new URL(redirectUri);
    if (asked.has('state')) back.searchParams.set('state', asked.get('state') ?? '');
    const challenge = asked.get('code_challenge') ?? '';
    const answer = asked.get('as');
    if (asked.get('code_challenge_method') !== 'S256' || !/^[\w-]{43}$/.test(challenge)) {
      return page(response, 400, 'The lab wants PKCE with S256: code_challenge has 43 characters.');
    }
    if (answer === 'nobody') {
      back.searchParams.set('error', 'access_denied');
      back.searchParams.set('error_description', 'The user has denied your application access.');
    } else if (PEOPLE.some(({ login }) => login === answer)) {
      const code = randomBytes(10).toString('hex');
      grants.set(code, { login: answer ?? '', redirectUri, challenge, until: core.now() + codeMs });
      back.searchParams.set('code', code);
    } else {
      const to = (as: string) => `${url.pathname}?${new URLSearchParams([...asked, ['as', as]])}`;
      const links = [...PEOPLE.map(({ login }) => login), 'nobody'].map(
        (as) => html`<p><a href="${to(as)}">${as === 'nobody' ? 'Cancel' : `Authorize as ${as}`}</a></p>`,
      );
      return page(response, 200, html`<h1>Authorize Deckhand</h1><p>The lab lets you be anybody.</p>${links}`.text);
    }
    return response.writeHead(302, { location: back.href }).end();
  }

  async function exchange(request: IncomingMessage, response: ServerResponse): Promise<ServerResponse> {
    const given = new URLSearchParams(await bodyOf(request));
    const code = given.get('code') ?? '';
    const grant = grants.get(code);
    if (given.get('client_id') !== app.clientId || !same(given.get('client_secret') ?? '', app.clientSecret)) {
      return json(response, {
        error: 'incorrect_client_credentials',
        error_description: 'The client_id and/or client_secret passed are incorrect.',
      });
    }
    grants.delete(code);
    if (grant === undefined || grant.until <= core.now()) {
      return json(response, { error: 'bad_verification_code', error_description: 'The code passed is incorrect or expired.' });
    }
    if (given.get('redirect_uri') !== grant.redirectUri) {
      return json(response, {
        error: 'redirect_uri_mismatch',
        error_description: 'The redirect_uri MUST match the registered callback URL.',
      });
    }
    const verifier = given.get('code_verifier') ?? '';
    if (createHash('sha256').update(verifier).digest('base64url') !== grant.challenge) {
      return json(response, { error: 'bad_verification_code', error_description: 'The code verifier does not fit.' });
    }
    const token = `gho_${randomBytes(18).toString('hex')}`;
    core.tokens.set(token, { token, login: accountOf(core, grant.login).login, scopes: [], expiresAt: undefined });
    return json(response, { access_token: token, scope: '', token_type: 'bearer' });
  }

  return {
    app,
    async handle(request, response, url) {
      if (url.pathname === '/login/oauth/authorize' && request.method === 'GET') {
        authorize(url, response);
        return true;
      }
      if (url.pathname === '/login/oauth/access_token' && request.method === 'POST') {
        await exchange(request, response);
        return true;
      }
      return false;
    },
  };
}

function same(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

function page(response: ServerResponse, status: number, text: string): ServerResponse {
  return response
    .writeHead(status, { 'content-type': 'text/html; charset=utf-8' })
    .end(`<!doctype html><title>GitHub</title>${text}\n`);
}

function json(response: ServerResponse, body: object): ServerResponse {
  return response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > maxBody) throw new Error('a form that is too long');
  }
  return text;
}
