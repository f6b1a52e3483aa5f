import type { ErrorEntry } from './errors.ts';

/** What goes wrong between programs or browsers and the server: access tokens, sessions, signing in. Part of the catalogue in errors.ts. */
export const accessErrors = {
  'DH-222': {
    title: 'The access token is not accepted',
    text: 'The request needs a valid access token. {why}.',
    remedy: '`token create` in chat gives one; it is sent as the header `Authorization: Bearer dhp_…`.',
  },
  'DH-223': {
    title: 'The access token may not do that',
    text: 'This access token may not {action}: {why}.',
    remedy: '`token list` in chat shows what your tokens may do, `token create` makes another one.',
  },
  'DH-224': { title: 'No such run', text: 'There is no run {run}.', remedy: '`GET /api/v1/tasks` lists tasks with their runs.' },
  'DH-225': { title: 'Too much at once', text: '{what}', remedy: 'Wait {seconds} s, then try again.' },
  'DH-230': {
    title: 'You are not signed in',
    text: 'Sign in again: {why}.',
    remedy: '`signin` in chat gives a link that signs you in.',
  },
  'DH-231': {
    title: 'Nobody can sign in at this address',
    text: 'What a browser sends to {address} can be read or forged on its way, so no session begins there.',
    remedy:
      'Put a proxy with TLS before Deckhand and set PUBLIC_URL to its https address, or use a browser on the machine itself.',
  },
  'DH-232': {
    title: 'The form is not accepted',
    text: 'It was not sent by a page of this server, or is from an earlier session.',
    remedy: 'Open the page again and repeat what you did.',
  },
  'DH-248': {
    title: 'Not allowed in this channel',
    text: '{who} may {action}, but not from {place}: its access bundle `{bundle}` does not allow it.',
    remedy:
      'Do it in another channel or in a direct message; `bundle show {bundle}` says what is allowed here, and owners change it.',
  },
  'DH-249': { title: 'No such access bundle', text: 'There is no access bundle `{bundle}`.', remedy: '{suggestion}' },
  'DH-250': {
    title: 'The access bundle does not allow it',
    text: 'Work that was asked for in {place} does not use {what}: its access bundle `{bundle}` does not allow it.',
    remedy: '{instead}',
  },
  'DH-233': { title: 'Signing in did not work', text: '{why}', remedy: '{what}' },
  'DH-240': { title: 'A quota is used up', text: '{what}', remedy: '{instead}' },
  'DH-241': { title: 'No such quota', text: '{what}', remedy: '`quota` lists the quotas there are.' },
  'DH-242': { title: 'No such folder', text: 'There is no folder `{folder}`.', remedy: '{suggestion}' },
  'DH-243': { title: 'No such team', text: 'There is no team `{team}`.', remedy: '{suggestion}' },
  'DH-244': {
    title: 'The name is taken',
    text: 'The name `{name}` is that of another {what}.',
    remedy: 'Choose another name; whether letters are small or capital makes no difference.',
  },
  'DH-245': { title: 'No such role', text: '{what}', remedy: '{suggestion}' },
  'DH-246': {
    title: 'No such permission',
    text: 'There is no permission `{permission}` that a role can be made of.',
    remedy: '{suggestion}',
  },
  'DH-247': {
    title: 'The role is in use',
    text: 'The role `{role}` is in use: {uses}.',
    remedy:
      'Give these another role first, channels with `settings role=`, policies with `settings approvers=` or `policy remove`, and take invitations back with `invite list` and tokens with `token list`; then `role remove {role}` removes it.',
  },
} as const satisfies Record<string, ErrorEntry>;
