import * as client from 'openid-client';
import { AppError } from '../contracts/errors.ts';
import type { LoginProvider } from '../contracts/signin.ts';
import { isLoopback } from './signin-link.ts';

/** What is kept of a sign-in while its person is at the other server. */
export interface KeptFlow {
  state: string;
  verifier: string;
  /** Only for servers that put it into what they sign. */
  nonce?: string | undefined;
}

/** An account elsewhere, as its server vouches for it. */
export interface ExternalAccount {
  provider: LoginProvider;
  issuer: string;
  /** Never another account's: a number, not a name. */
  subject: string;
  name: string;
  /** An address that the server says it has verified. */
  email?: string | undefined;
}

/** A server that vouches for people. */
export interface LoginServer {
  provider: LoginProvider;
  /** As people call it: "GitHub". */
  label: string;
  /** Where to send the person. Throws DH-233 when the server does not answer. */
  begin(redirectUri: string): Promise<{ url: string; kept: KeptFlow }>;
  /** Who came back. `callback`: the address with what the server has added. Throws DH-233. */
  finish(callback: URL, kept: KeptFlow): Promise<ExternalAccount>;
}

export interface OidcConfig {
  issuer: string;
  clientId: string;
  clientSecret: string | undefined;
  label: string;
  /** Domains of e-mail addresses whose people come in as guests. */
  allowedDomains: readonly string[];
}

export interface GithubLoginConfig {
  clientId: string;
  clientSecret: string;
  /** `https://api.github.com`, or `https://<host>/api/v3`. */
  apiUrl: string;
}

type Log = { warn(context: object, message: string): void };
const withinSeconds = 15;

/** OpenID Connect: authorization code with PKCE, state and nonce; what the server signs is checked against its published keys. */
export function oidcServer(config: OidcConfig, log: Log): LoginServer {
  const { issuer, clientId, clientSecret, label } = config;
  let found: Promise<client.Configuration> | undefined;
  const discovered = async () => {
    found ??= client.discovery(new URL(issuer), clientId, clientSecret, undefined, {
      timeout: withinSeconds,
      execute: onThisMachine(issuer) ? [client.allowInsecureRequests] : [],
    });
    try {
      return await found;
    } catch (error) {
      found = undefined; // it may answer next time
      throw refused(label, log, error);
    }
  };
  return {
    provider: 'oidc',
    label,
    async begin(redirectUri) {
      const server = await discovered();
      const kept = { state: client.randomState(), verifier: client.randomPKCECodeVerifier(), nonce: client.randomNonce() };
      const url = client.buildAuthorizationUrl(server, {
        redirect_uri: redirectUri,
        scope: 'openid profile email',
        state: kept.state,
        nonce: kept.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(kept.verifier),
        code_challenge_method: 'S256',
      });
      return { url: url.href, kept };
    },
    async finish(callback, { state, verifier, nonce }) {
      const server = await discovered();
      try {
        const tokens = await client.authorizationCodeGrant(server, callback, {
          expectedState: state,
          pkceCodeVerifier: verifier,
          // A kept flow without one is none of this server's: an empty nonce fits nothing.
          expectedNonce: nonce ?? '',
          idTokenExpected: true,
        });
        const claims = tokens.claims();
        if (claims === undefined) throw new Error('no id token');
        const asks = claims.email === undefined && server.serverMetadata().userinfo_endpoint !== undefined;
        const more: Record<string, unknown> = asks ? await client.fetchUserInfo(server, tokens.access_token, claims.sub) : {};
        const told: Record<string, unknown> = { ...more, ...claims };
        const { name, preferred_username: username, email, email_verified: verified } = told;
        const { sub, iss } = claims;
        const address = typeof email === 'string' ? email : undefined;
        const called = [name, username, address, sub].find((text) => typeof text === 'string' && text.trim() !== '');
        return {
          provider: 'oidc',
          issuer: iss,
          subject: sub,
          name: String(called).slice(0, 100),
          email: verified === true ? address : undefined,
        };
      } catch (error) {
        throw refused(label, log, error);
      }
    },
  };
}

/** GitHub's OAuth: authorization code with PKCE and state, then the account that the token belongs to. The token is forgotten. */
export function githubServer({ clientId, clientSecret, apiUrl }: GithubLoginConfig, log: Log): LoginServer {
  const web = githubWeb(apiUrl);
  const label = 'GitHub';
  const server = new client.Configuration(
    { issuer: web, authorization_endpoint: `${web}/login/oauth/authorize`, token_endpoint: `${web}/login/oauth/access_token` },
    clientId,
    undefined,
    client.ClientSecretPost(clientSecret),
  );
  server.timeout = withinSeconds;
  if (onThisMachine(web)) client.allowInsecureRequests(server);
  return {
    provider: 'github',
    label,
    async begin(redirectUri) {
      const kept = { state: client.randomState(), verifier: client.randomPKCECodeVerifier() };
      const url = client.buildAuthorizationUrl(server, {
        redirect_uri: redirectUri,
        state: kept.state,
        code_challenge: await client.calculatePKCECodeChallenge(kept.verifier),
        code_challenge_method: 'S256',
      });
      return { url: url.href, kept };
    },
    async finish(callback, { state, verifier }) {
      try {
        const tokens = await client.authorizationCodeGrant(server, callback, {
          expectedState: state,
          pkceCodeVerifier: verifier,
        });
        const answer = await fetch(`${apiUrl}/user`, {
          headers: {
            authorization: `Bearer ${tokens.access_token}`,
            accept: 'application/vnd.github+json',
            'user-agent': 'Deckhand',
          },
          redirect: 'error',
          signal: AbortSignal.timeout(withinSeconds * 1000),
        });
        const account: unknown = await answer.json();
        const { id, login } = accountOf(account);
        return { provider: 'github', issuer: web, subject: String(id), name: login };
      } catch (error) {
        throw refused(label, log, error);
      }
    },
  };
}

/** Where the pages of GitHub are, by the address of its API. */
export function githubWeb(apiUrl: string): string {
  const { protocol, host } = new URL(apiUrl);
  // api.github.com, and api.<name>.ghe.com; a GitHub Enterprise Server has its API below its own name.
  return `${protocol}//${host.replace(/^api\.(?=github\.com$|[^.]+\.ghe\.com$)/, '')}`;
}

function accountOf(account: unknown): { id: number; login: string } {
  if (typeof account === 'object' && account !== null && 'id' in account && 'login' in account) {
    const { id, login } = account;
    if (Number.isSafeInteger(id) && typeof login === 'string') return { id: Number(id), login: login.slice(0, 100) };
  }
  throw new Error('GitHub did not say whose token it is');
}

function onThisMachine(address: string): boolean {
  return isLoopback(new URL(address).hostname);
}

/** The person is told that it did not work; what the server said stays in the log. */
function refused(label: string, log: Log, error: unknown): AppError {
  if (error instanceof AppError) return error;
  const code = error instanceof client.AuthorizationResponseError ? error.error : undefined;
  log.warn({ err: error, server: label }, 'a sign-in with an account elsewhere did not work');
  const why =
    code === 'access_denied'
      ? `At ${label} it was declined.`
      : `${label} does not answer as it should, or this sign-in was not begun here.`;
  return new AppError(
    'DH-233',
    { why, what: 'Try again; if it happens again, whoever runs Deckhand finds the cause in its log.' },
    { cause: error },
  );
}
