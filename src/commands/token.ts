import { z } from 'zod';
import { accessTokenHash, newAccessToken } from '../access/access-token.ts';
import { notAllowed } from '../access/not-allowed.ts';
import { revokeToken } from '../access/revoke-token.ts';
import { type AccessScope, accessScopeSchema } from '../contracts/access-token.ts';
import { AppError } from '../contracts/errors.ts';
import { encodePress } from '../contracts/press.ts';
import { type Role, roleAtLeast } from '../contracts/roles.ts';
import { bold, code, plain, type Span, type View } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { textView, withFallback } from '../delivery/list-view.ts';
import { secretPlace } from '../delivery/view-secret.ts';
import { createTokenRow, goodTokens, type TokenRow } from '../store/access-tokens.ts';
import { recordAudit } from '../store/audit.ts';
import { idsOf } from '../store/linked-people.ts';
import { namesOf } from '../store/people.ts';
import { duration, oneOf, optional, required, roleWord, shortDuration } from './arguments.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { ago } from './task-lines.ts';

const dayMs = 24 * 60 * 60_000;
const usualLifeMs = 90 * dayMs;
const longestLifeMs = 365 * dayMs;
/** Tokens that a person may have at a time. */
const mostTokens = 20;
/** Longest list in one answer. */
const shownTokens = 25;

const usualScopes: AccessScope[] = ['read'];

const tokenName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/, {
  error: 'The name of a token has letters, digits, dots, dashes and underscores, at most 40.',
});

const scopesWord = z
  .string()
  .transform((text) => [...new Set(text.split(','))])
  .pipe(
    z.array(accessScopeSchema, { error: `The scopes are ${accessScopeSchema.options.map((one) => `\`${one}\``).join(', ')}.` }),
  );

export const tokenCreate = defineCommand({
  name: 'token create',
  group: 'people',
  summary: 'Makes an access token, with which a program of yours reads tasks, runs and their events over HTTP',
  details: [
    'The token is shown once, to you alone. Deckhand keeps nothing that it could be read from.',
    'It can never do more than you may at that moment, and no more than its role and its scopes say.',
  ],
  role: 'guest',
  action: 'make access tokens',
  unbound: 'with-role',
  positional: { name: required({ hint: 'name', about: 'what it is for; your tokens have different names', schema: tokenName }) },
  options: {
    scopes: optional({ hint: 'read', about: 'what it is good for, with commas between; `read` if left out', schema: scopesWord }),
    role: optional({
      hint: 'guest',
      about: 'the strongest role that it has, at most yours; `guest` if left out, which is enough to read',
      schema: roleWord,
    }),
    expires: optional({
      hint: '90d',
      about: `how long it is good for, at most ${shortDuration(longestLifeMs)}; ${shortDuration(usualLifeMs)} if left out`,
      schema: duration(60_000, longestLifeMs),
    }),
  },
  examples: [
    ['token create dashboard', 'a token that can read, for 90 days'],
    ['token create ci expires=7d', 'one that is good for a week'],
  ],
  async run(ctx, { name, scopes = usualScopes, role = 'guest', expires = usualLifeMs }) {
    const { workspace, user } = ctx.person;
    if (ctx.ownRole === undefined) {
      throw new AppError('DH-300', {
        what: 'Access tokens are for people with a role of their own, and what you may do comes from this channel.',
        instead: 'An owner or a maintainer gives you a role with `member add`.',
      });
    }
    if (!roleAtLeast(ctx.ownRole, role)) throw await notAllowed(ctx.tx, ctx.person, `make tokens with the role ${role}`, role);
    const at = ctx.deps.now();
    const own = await goodTokens(ctx.tx, workspace, idsOf(ctx.person), at);
    if (own.some((token) => token.name === name)) {
      throw new AppError('DH-300', {
        what: `You have a token \`${name}\` already.`,
        instead: `Choose another name, or end that one with \`token revoke ${name}\`.`,
      });
    }
    if (own.length >= mostTokens) {
      throw new AppError('DH-300', {
        what: `You have ${own.length} tokens, and nobody has more.`,
        instead: '`token list` shows them, `token revoke` ends one.',
      });
    }
    const token = newAccessToken();
    const expiresAt = new Date(at.getTime() + expires);
    const facts = { name, end: token.slice(-4), scopes, role, expiresAt };
    const id = await createTokenRow(ctx.tx, { workspace, user, hash: accessTokenHash(token), at, ...facts });
    await recordAudit(ctx.tx, {
      workspace,
      actor: user,
      action: 'token.create',
      subject: id,
      data: { ...facts, expiresAt: expiresAt.toISOString() },
    });
    return { view: { ...createdView(facts, ctx.deps.apiUrl()), secret: ctx.deps.sealSecret(token) }, audience: 'person' };
  },
});

export const tokenList = defineCommand({
  name: 'token list',
  group: 'people',
  summary: 'Lists your access tokens: what they may do, until when, when they were last used',
  details: ['Owners see those of everybody with `token list all`.'],
  role: 'guest',
  action: 'see access tokens',
  unbound: 'with-role',
  positional: {
    whose: optional({ hint: 'all', about: 'those of everybody', values: ['mine', 'all'], schema: oneOf(['mine', 'all']) }),
  },
  options: {},
  roleFor: ({ whose }) => (whose === 'all' ? 'owner' : 'guest'),
  examples: [['token list', 'your tokens, with a button that ends each']],
  async run(ctx, { whose = 'mine' }) {
    const { workspace } = ctx.person;
    const users = whose === 'all' ? undefined : idsOf(ctx.person);
    const tokens = await goodTokens(ctx.tx, workspace, users, ctx.deps.now());
    const names = await namesOf(
      ctx.tx,
      workspace,
      tokens.map(({ user }) => user),
    );
    const nameOf = ({ user }: TokenRow) => (whose === 'all' ? (names.get(user) ?? 'somebody') : undefined);
    const shown = tokens.slice(0, shownTokens);
    const title = whose === 'all' ? `Access tokens · ${tokens.length}` : `Your access tokens · ${tokens.length}`;
    return {
      view: withFallback([
        { type: 'text', spans: [bold(title)] },
        ...(tokens.length === 0
          ? [{ type: 'text' as const, spans: marked('There is none. `token create <name>` makes one.') }]
          : []),
        ...shown.flatMap((token) => tokenBlocks(token, nameOf(token), ctx.deps.now())),
        ...(tokens.length > shown.length
          ? [{ type: 'context' as const, spans: [plain(`${tokens.length - shown.length} newer ones are not shown.`)] }]
          : []),
      ]),
      audience: 'person',
      list: 'own',
    };
  },
});

export const tokenRevoke = defineCommand({
  name: 'token revoke',
  group: 'people',
  summary: 'Ends an access token at once; streams that are open with it end within seconds',
  details: ['Owners can end those of everybody, with the buttons of `token list all`.'],
  role: 'guest',
  action: 'revoke access tokens',
  unbound: 'with-role',
  positional: {
    token: required({ hint: 'name', about: 'the name or the id of the token', schema: z.string().min(1).max(80) }),
  },
  options: {},
  examples: [['token revoke dashboard', 'that token is refused from now on']],
  async run(ctx, { token: named }) {
    const { workspace, user } = ctx.person;
    const at = ctx.deps.now();
    const token = await namedToken(ctx, named, at);
    if (token === undefined || !(await revokeToken(ctx.tx, { workspace, by: user, users: undefined, id: token.id }, at))) {
      throw new AppError('DH-300', {
        what: 'You have no such token, or it has ended already.',
        instead: '`token list` shows yours.',
      });
    }
    const { name } = token;
    const whose = idsOf(ctx.person).includes(token.user)
      ? ''
      : ` of ${(await namesOf(ctx.tx, workspace, [token.user])).get(token.user) ?? 'somebody'}`;
    return {
      view: textView(`The token \`${name}\`${whose} is revoked. Nothing is answered to it any more.`),
      audience: 'person',
    };
  },
});

/** A token of the person, or by its id any for owners. What is of another workspace is none (promise 12). */
async function namedToken(ctx: CommandContext, named: string, at: Date): Promise<TokenRow | undefined> {
  const { workspace } = ctx.person;
  const own = await goodTokens(ctx.tx, workspace, idsOf(ctx.person), at);
  const found = own.find(({ id, name }) => name === named || id === named);
  if (found !== undefined || ctx.ownRole !== 'owner') return found;
  return (await goodTokens(ctx.tx, workspace, undefined, at)).find(({ id }) => id === named);
}

function createdView(token: { name: string; scopes: AccessScope[]; role: Role; expiresAt: Date }, apiUrl: string): View {
  return withFallback([
    { type: 'text', spans: [bold('Access token '), code(token.name)] },
    { type: 'text', spans: [plain('It is shown this once, to you alone. Keep it like a password:')] },
    { type: 'code', text: secretPlace },
    { type: 'text', spans: [plain('It '), ...mayText(token), plain(' and is good until '), day(token.expiresAt), plain('.')] },
    { type: 'text', spans: [plain('For example, your tasks:')] },
    { type: 'code', text: `curl -H "Authorization: Bearer $TOKEN" ${apiUrl}/api/v1/tasks`, language: 'sh' },
  ]);
}

function tokenBlocks(token: TokenRow, owner: string | undefined, now: Date): View['blocks'] {
  const spans = [
    code(token.name),
    plain(` dhp_…${token.end} · ${owner === undefined ? '' : `of ${owner} · `}`),
    ...mayText(token),
    plain(' · good until '),
    day(token.expiresAt),
    ...(token.lastUsedAt === undefined ? [plain(' · never used')] : [plain(' · used '), ago(token.lastUsedAt, now)]),
  ];
  return [
    { type: 'text', spans },
    {
      type: 'buttons',
      buttons: [
        {
          token: encodePress({ kind: 'command', text: `token revoke ${token.id}` }),
          label: 'Revoke',
          style: 'danger',
          confirm: { title: 'Revoke the token?', text: `Nothing is answered to ${token.name} any more.`, ok: 'Revoke' },
        },
      ],
    },
  ];
}

function mayText({ scopes, role }: { scopes: AccessScope[]; role: Role }): Span[] {
  return [plain(`may ${scopes.join(', ')} as ${role}`)];
}

function day(at: Date): Span {
  return { type: 'time', at: at.toISOString(), text: at.toISOString().slice(0, 10) };
}
