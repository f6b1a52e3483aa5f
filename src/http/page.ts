import type { FastifyReply } from 'fastify';
import { type AppError, describeError } from '../contracts/errors.ts';
import { type Html, html } from './html.ts';

/** Where the style of pages is served, below the path of PUBLIC_URL. */
export const stylePath = '/signin/style.css';

/**
 * What pages may do: show themselves and send forms to this server. No script at all. The referrer stays within the server; without any, browsers
 * would not tell with a form where it comes from.
 */
export const pageHeaders = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  'referrer-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
} as const;

export interface Page {
  title: string;
  /** Path that the server is reached under. */
  base: string;
  body: Html;
  /** Right of the name, for example the button that signs out. */
  aside?: Html | undefined;
  /** Where the browser goes by itself. */
  refresh?: string | undefined;
}

/** Answers with a page that works without script. */
export function sendPage(reply: FastifyReply, { title, base, body, aside, refresh }: Page, status = 200): FastifyReply {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
${refresh === undefined ? undefined : html`<meta http-equiv="refresh" content="0; url=${refresh}">`}
<title>${title} · Deckhand</title>
<link rel="stylesheet" href="${base}${stylePath}">
</head>
<body>
<header><strong>Deckhand</strong>${aside}</header>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`;
  return reply.code(status).headers(pageHeaders).type('text/html; charset=utf-8').send(page.html);
}

/** A page that says what went wrong, and what to do. */
export function sendErrorPage(
  reply: FastifyReply,
  error: Pick<AppError, 'code' | 'params'>,
  { base, status, reference }: { base: string; status: number; reference: string },
): FastifyReply {
  const { title, text, remedy } = describeError(error.code, error.params);
  const body = html`<div class="notice trouble"><p>${text}</p><p>${withCode(remedy)}</p></div>
<p><a href="${base}/signin">Sign in</a></p>
<p class="soft">${error.code} · ${reference}</p>`;
  return sendPage(reply, { title, base, body }, status);
}

/** `…` in a text means code. */
export function withCode(text: string): Html[] {
  return text.split('`').map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : html`${part}`));
}
