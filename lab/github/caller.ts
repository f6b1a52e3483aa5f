import { createPublicKey, verify } from 'node:crypto';
import { isRecord, type Json } from '../slack/json.ts';
import { badCredentials, GithubApiError, notFound } from './api-error.ts';
import { accountOf, type Core } from './core.ts';
import type { Account, App, Installation, Token } from './model.ts';

/** Who calls: nobody in particular, an app with a JWT, a person or an installation with a token. */
export type Caller =
  | { kind: 'anonymous' }
  | { kind: 'app'; app: App }
  | { kind: 'user'; account: Account; token: Token }
  | { kind: 'installation'; account: Account; token: Token; installation: Installation };

const REST = 'https://docs.github.com/rest';

/** From `Authorization: Bearer …`, `token …`, or Basic with the token as password. Throws what GitHub answers to bad ones. */
export function callerOf(core: Core, header: string | undefined): Caller {
  if (header === undefined || header.trim() === '') return { kind: 'anonymous' };
  const [scheme = '', ...rest] = header.trim().split(/\s+/);
  const given = rest.join(' ');
  if (/^basic$/i.test(scheme)) return tokenCaller(core, basicPassword(given)) ?? refuseBad();
  if (!/^(bearer|token)$/i.test(scheme)) throw badCredentials();
  if (/^bearer$/i.test(scheme) && given.split('.').length === 3) return { kind: 'app', app: appOf(core, given) };
  return tokenCaller(core, given) ?? refuseBad();
}

export function tokenCaller(core: Core, text: string): Caller | undefined {
  const token = core.tokens.get(text);
  if (!token || (token.expiresAt !== undefined && token.expiresAt <= core.now())) return undefined;
  const account = accountOf(core, token.login);
  if (token.installation === undefined) return { kind: 'user', account, token };
  const installation = core.installations.get(token.installation);
  return installation && installation.suspendedAt === null ? { kind: 'installation', account, token, installation } : undefined;
}

export function basicPassword(encoded: string): string {
  const text = Buffer.from(encoded, 'base64').toString();
  const [user = '', password = ''] = [text.slice(0, Math.max(0, text.indexOf(':'))), text.slice(text.indexOf(':') + 1)];
  // Clients may also give the token as user name, with no password or `x-oauth-basic`.
  return password === '' || password === 'x-oauth-basic' ? user || password : password;
}

function refuseBad(): never {
  throw badCredentials();
}

const refuse = (message: string) => new GithubApiError(401, message, { docs: REST });

/** The app whose JWT this is: RS256 with the app's key, `iss` its id or client id, valid for ten minutes at most. */
function appOf(core: Core, jwt: string): App {
  const [head = '', body = '', signature = ''] = jwt.split('.');
  const header = decoded(head);
  const claims = decoded(body);
  if (!header || !claims) throw refuse('A JSON web token could not be decoded');
  const app = [...core.apps.values()].find((entry) => String(claims.iss) === String(entry.id) || claims.iss === entry.clientId);
  if (claims.iss === undefined) throw refuse("'Issuer' claim ('iss') must be an Integer");
  if (!app) throw new GithubApiError(404, 'Integration not found', { docs: REST });
  const isSigned =
    header.alg === 'RS256' &&
    app.publicKey !== '' &&
    verify('sha256', Buffer.from(`${head}.${body}`), createPublicKey(app.publicKey), Buffer.from(signature, 'base64url'));
  if (!isSigned) throw refuse('A JSON web token could not be decoded');
  const now = core.now() / 1000;
  if (typeof claims.iat !== 'number' || !Number.isInteger(claims.iat) || claims.iat > now + 60)
    throw refuse("'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued");
  if (typeof claims.exp !== 'number' || !Number.isInteger(claims.exp) || claims.exp <= now)
    throw refuse(
      "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
    );
  if (claims.exp > now + 600 || claims.exp - claims.iat > 660)
    throw refuse("'Expiration time' claim ('exp') is too far in the future");
  return app;
}

function decoded(part: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The account that something is done as. An app without an installation does nothing by itself. */
export function actorOf(caller: Caller): Account {
  if (caller.kind === 'user' || caller.kind === 'installation') return caller.account;
  throw notFound();
}
