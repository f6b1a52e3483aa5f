import { isIP } from 'node:net';
import { z } from 'zod';
import { facts } from './variable-facts.ts';
import { oneOf, webAddress } from './variable-kinds.ts';

/** How people sign in, and who may be between them and the server. */
export const signinVariables = {
  GITHUB_OAUTH_CLIENT_ID: z.string().optional().register(facts, {
    group: 'Sign-in',
    description:
      'Client id of an OAuth app at GitHub (at GITHUB_API_URL, when that is set): people link their account on the page `/account` and sign in with it. Its callback address is `<PUBLIC_URL>/signin/github/callback`.',
    fallback: 'nobody signs in with GitHub',
    example: 'Ov23li…',
  }),
  GITHUB_OAUTH_CLIENT_SECRET: z.string().optional().register(facts, {
    group: 'Sign-in',
    description: 'Secret of that OAuth app.',
    fallback: 'none',
    example: 'the client secret of the app',
    secret: true,
  }),
  OIDC_ISSUER: webAddress.optional().register(facts, {
    group: 'Sign-in',
    description:
      'Address of an OpenID provider, as it names itself: Deckhand finds the rest below `/.well-known/openid-configuration`. Its callback address is `<PUBLIC_URL>/signin/oidc/callback`.',
    fallback: 'nobody signs in with an OpenID provider',
    example: 'https://login.example.com/realms/acme',
  }),
  OIDC_CLIENT_ID: z.string().optional().register(facts, {
    group: 'Sign-in',
    description: 'Client id that the OpenID provider has given to Deckhand.',
    fallback: 'none',
    example: 'deckhand',
  }),
  OIDC_CLIENT_SECRET: z.string().optional().register(facts, {
    group: 'Sign-in',
    description: 'Secret that goes with it.',
    fallback: 'none: Deckhand is a public client there, which PKCE alone protects',
    example: 'the client secret',
    secret: true,
  }),
  OIDC_NAME: z.string().max(40).default('OpenID').register(facts, {
    group: 'Sign-in',
    description: 'What people call the OpenID provider; stands on the button.',
    fallback: '`OpenID`',
    example: 'Acme login',
  }),
  OIDC_ALLOWED_DOMAINS: z.string().default('').transform(domains).register(facts, {
    group: 'Sign-in',
    description:
      'Domains of e-mail addresses, with commas between: whoever the OpenID provider vouches for with a verified address there comes in as a guest without being linked before.',
    fallback: 'none: an account signs in only after it was linked',
    example: 'example.com',
  }),
  SIGNIN_PASSWORD: oneOf(['on', 'off']).default('off').register(facts, {
    group: 'Sign-in',
    description: 'Whether people can set a password on the page `/account` and sign in with it.',
    fallback: '`off`',
    example: 'on',
  }),
  TRUSTED_PROXIES: z.string().default('').transform(proxies).register(facts, {
    group: 'Web server',
    description:
      'Addresses of the proxies in front of Deckhand, single or as networks, with commas between. From them alone `X-Forwarded-For` and `X-Forwarded-Host` are believed, so that limits count the addresses of people and not that of the proxy.',
    fallback: 'none: whoever connects is the one who asks',
    example: '10.0.0.5,192.168.10.0/24',
  }),
  CORS_ORIGINS: z.string().default('').transform(origins).register(facts, {
    group: 'Web server',
    description:
      'Origins of pages elsewhere that may read `/api/v1` with an access token, with commas between. Cookies are never accepted from there.',
    fallback: 'none',
    example: 'https://dashboard.example.com',
  }),
};

type Names = keyof typeof signinVariables;

/** What is set without what it needs. */
export function signinConflicts(value: (name: Names) => string | undefined): string[] {
  const needs: [Names, Names][] = [
    ['GITHUB_OAUTH_CLIENT_ID', 'GITHUB_OAUTH_CLIENT_SECRET'],
    ['GITHUB_OAUTH_CLIENT_SECRET', 'GITHUB_OAUTH_CLIENT_ID'],
    ['OIDC_ISSUER', 'OIDC_CLIENT_ID'],
    ['OIDC_CLIENT_ID', 'OIDC_ISSUER'],
    ['OIDC_CLIENT_SECRET', 'OIDC_ISSUER'],
    ['OIDC_ALLOWED_DOMAINS', 'OIDC_ISSUER'],
  ];
  return needs.flatMap(([set, missing]) =>
    value(set) !== undefined && value(missing) === undefined ? [`${missing} is needed with ${set}`] : [],
  );
}

function listOf(value: string): string[] {
  return value
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

function domains(value: string, context: z.RefinementCtx): string[] {
  return listOf(value).map((entry, index) => {
    const domain = entry.toLowerCase();
    if (!/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(domain))
      context.addIssue({ code: 'custom', message: `entry ${index + 1} must be a domain such as example.com` });
    return domain;
  });
}

function origins(value: string, context: z.RefinementCtx): string[] {
  return listOf(value).map((entry, index) => {
    const origin = URL.canParse(entry) ? new URL(entry).origin : '';
    if (!/^https?:/.test(origin) || entry.replace(/\/$/, '').toLowerCase() !== origin)
      context.addIssue({ code: 'custom', message: `entry ${index + 1} must be an origin such as https://example.com` });
    return origin;
  });
}

function proxies(value: string, context: z.RefinementCtx): string[] {
  const list = listOf(value);
  for (const [index, entry] of list.entries()) {
    const [address = '', bits] = entry.split('/');
    const family = isIP(address);
    const most = family === 4 ? 32 : 128;
    const fits = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
    if (family === 0 || !fits) {
      context.addIssue({ code: 'custom', message: `entry ${index + 1} must be an address, or a network such as 10.0.0.0/8` });
    }
  }
  return list;
}
