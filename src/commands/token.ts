import { z } from 'zod';
import { accessTokenHash, newAccessToken, tokenPrefix } from '../access/access-token.ts';
import { roleName, rolesFrom } from '../access/not-allowed.ts';
import { revokeToken } from '../access/revoke-token.ts';
import { rightsAnywhere } from '../access/role-about.ts';
import { type AccessScope, accessScopeSchema, type TokenKind } from '../contracts/access-token.ts';
import { type AnyRole, givenWith, nameOf } from '../contracts/custom-roles.ts';
import { AppError } from '../contracts/errors.ts';
import { type Given, isWithin, may } from '../contracts/permissions.ts';
import { encodePress } from '../contracts/press.ts';
import { roleSchema } from '../contracts/roles.ts';
import { bold, code, plain, type Span, type View } from '../contracts/view.ts';
import { marked } from '../delivery/error-view.ts';
import { textView, withFallback } from '../delivery/list-view.ts';
import { lastDay } from '../delivery/moments.ts';
import { secretPlace } from '../delivery/view-secret.ts';
import { createTokenRow, goodTokens, type TokenRow } from '../store/access-tokens.ts';
import { recordAudit } from '../store/audit.ts';
import { idsOf } from '../store/linked-people.ts';
import { namesOf } from '../store/people.ts';
import { projectByName } from '../store/projects.ts';
import { duration, oneOf, optional, required, shortDuration } from './arguments.ts';
import { type CommandContext, defineCommand } from './command.ts';
import { namedRole, roleOption } from './role-argument.ts';
import { ago } from './task-lines.ts';

const dayMs = 24 * 60 * 60_000;
const usualLifeMs = 90 * dayMs;
const longestLifeMs = 365 * dayMs;
/** Tokens that a person may have at a time. */
const mostTokens = 20;
/** Of services, in a workspace. */
const mostServiceTokens = 100;
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
    'With `service=` it belongs to the workspace instead: it goes on when you leave, with its own role, at most yours now. Maintainers make such tokens, and `project=` keeps one to a project.',
  ],
  permission: 'task.see',
  action: 'make access tokens',
  unbound: 'with-role',
  positional: { name: optional({ hint: 'name', about: 'what it is for; your tokens have different names', schema: tokenName }) },
  options: {
    service: optional({ hint: 'name', about: 'makes it one of the workspace, for a service with this name', schema: tokenName }),
    project: optional({
      hint: 'project',
      about: 'of a token of a service: the only project it reaches; all if left out',
      names: 'project',
      schema: z.string().min(1).max(100),
    }),
    scopes: optional({ hint: 'read', about: 'what it is good for, with commas between; `read` if left out', schema: scopesWord }),
    role: roleOption(
      'guest',
      'the most that it may, at most what you may; `guest` if left out, which is enough to read',
      roleSchema.options,
    ),
    expires: optional({
      hint: '90d',
      about: `how long it is good for, at most ${shortDuration(longestLifeMs)}; ${shortDuration(usualLifeMs)} if left out`,
      schema: duration(60_000, longestLifeMs),
    }),
  },
  examples: [
    ['token create dashboard', 'a token that can read, for 90 days'],
    ['token create ci expires=7d', 'one that is good for a week'],
    ['token create service=deploy project=web', 'one that stays when you leave, for one project'],
    ['token create service=releases role=release-manager', 'one that may what a custom role says, as it is at each use'],
  ],
  permissionFor: ({ service }) => (service === undefined ? 'task.see' : 'token.service'),
  async run(ctx, { name: own, service, project, scopes = usualScopes, role: named = 'guest', expires = usualLifeMs }) {
    const { workspace, user } = ctx.person;
    const kind = service === undefined ? 'personal' : 'service';
    const name = service ?? own;
    if (name === undefined || (service !== undefined && own !== undefined)) {
      throw new AppError('DH-201', {
        problem: name === undefined ? 'The token needs a name.' : 'A token of a service has its name in `service=` alone.',
        example: '`token create dashboard`, `token create service=deploy`',
      });
    }
    const only = project === undefined ? undefined : await projectByName(ctx.tx, workspace, project);
    if (project !== undefined && (kind === 'personal' || only === undefined)) {
      if (kind === 'service') throw new AppError('DH-205', { project, suggestion: '`project list` shows all.' });
      throw new AppError('DH-201', {
        problem: '`project=` goes with `service=`.',
        example: '`token create service=deploy project=web`',
      });
    }
    // What a token of a person is used on is asked for itself, at each use; one of a service has nobody whose rights are asked for.
    const most = kind === 'service' ? ctx.ownRights : rightsAnywhere(ctx.member, ctx.grants);
    if (most.role === undefined) {
      throw new AppError('DH-300', {
        what: 'Access tokens are for people with a role of their own, and what you may do comes from this channel.',
        instead: 'An owner or a maintainer gives you a role with `member add`.',
      });
    }
    const role = await namedRole(ctx, named, roleSchema.options);
    const ceiling = givenWith(role);
    if (!isWithin(ceiling, most)) {
      const action = `make tokens with the role ${nameOf(role)}`;
      throw new AppError('DH-202', { who: ctx.person.name, action, whoCan: whoMayMake(role) });
    }
    const at = ctx.deps.now();
    const others = await goodTokens(ctx.tx, workspace, kind === 'service' ? 'services' : idsOf(ctx.person), at);
    if (others.some((token) => token.name === name)) {
      throw new AppError('DH-300', {
        what: `There is a token \`${name}\` ${kind === 'service' ? 'of a service' : 'of yours'} already.`,
        instead: `Choose another name, or end that one with \`token revoke ${name}\`.`,
      });
    }
    if (others.length >= (kind === 'service' ? mostServiceTokens : mostTokens)) {
      throw new AppError('DH-300', {
        what: `There are ${others.length} tokens ${kind === 'service' ? 'of services' : 'of yours'}, and there can be no more.`,
        instead: '`token list` shows them, `token revoke` ends one.',
      });
    }
    const token = newAccessToken(kind);
    const expiresAt = new Date(at.getTime() + expires);
    const facts = { name, end: token.slice(-4), scopes, expiresAt };
    const row = { ...facts, role, workspace, user, kind, project: only?.id, hash: accessTokenHash(token), at } as const;
    const id = await createTokenRow(ctx.tx, row);
    await recordAudit(ctx.tx, {
      workspace,
      actor: user,
      action: 'token.create',
      subject: id,
      data: {
        ...facts,
        role: nameOf(role),
        expiresAt: expiresAt.toISOString(),
        kind,
        ...(only === undefined ? {} : { project: only.name }),
      },
    });
    return {
      view: {
        ...createdView({ ...facts, ceiling, kind, project: only?.name }, ctx.deps.apiUrl()),
        secret: ctx.deps.sealSecret(token),
      },
      audience: 'person',
    };
  },
});

export const tokenList = defineCommand({
  name: 'token list',
  group: 'people',
  summary: 'Lists your access tokens: what they may do, until when, when they were last used',
  details: ['Maintainers see those of services with `token list services`, owners those of everybody with `token list all`.'],
  permission: 'task.see',
  action: 'see access tokens',
  unbound: 'with-role',
  positional: {
    whose: optional({
      hint: 'all',
      about: 'those of everybody, or of services',
      values: ['mine', 'services', 'all'],
      schema: oneOf(['mine', 'services', 'all']),
    }),
  },
  options: {},
  permissionFor: ({ whose }) => (whose === 'all' ? 'session.manage' : whose === 'services' ? 'token.service' : 'task.see'),
  examples: [['token list', 'your tokens, with a button that ends each']],
  async run(ctx, { whose = 'mine' }) {
    const { workspace } = ctx.person;
    const tokens = await goodTokens(ctx.tx, workspace, whose === 'mine' ? idsOf(ctx.person) : whose, ctx.deps.now());
    const names = await namesOf(
      ctx.tx,
      workspace,
      tokens.map(({ user }) => user),
    );
    const ownerOf = ({ user }: TokenRow) => (whose !== 'mine' ? (names.get(user) ?? 'somebody') : undefined);
    const shown = tokens.slice(0, shownTokens);
    const titles = { mine: 'Your access tokens', services: 'Access tokens of services', all: 'Access tokens' };
    const title = `${titles[whose]} · ${tokens.length}`;
    return {
      view: withFallback([
        { type: 'text', spans: [bold(title)] },
        ...(tokens.length === 0
          ? [{ type: 'text' as const, spans: marked('There is none. `token create <name>` makes one.') }]
          : []),
        ...shown.flatMap((token) => tokenBlocks(token, ownerOf(token), ctx.deps.now())),
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
  details: [
    'Owners can end those of everybody, with the buttons of `token list all`; maintainers those of services that may no more than they do.',
  ],
  permission: 'task.see',
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
    if (token === undefined || !(await revokeToken(ctx.tx, { workspace, by: user, whose: 'all', id: token.id }, at))) {
      throw new AppError('DH-300', {
        what: 'You have no such token, or it has ended already.',
        instead: '`token list` shows yours.',
      });
    }
    const { name } = token;
    const whose =
      token.kind === 'service'
        ? ' of a service'
        : idsOf(ctx.person).includes(token.user)
          ? ''
          : ` of ${(await namesOf(ctx.tx, workspace, [token.user])).get(token.user) ?? 'somebody'}`;
    return {
      view: textView(`The token \`${name}\`${whose} is revoked. Nothing is answered to it any more.`),
      audience: 'person',
    };
  },
});

/**
 * A token of the person; for owners by its id any, and for those who may make it one of a service, by id or name. What is of another workspace is
 * none (promise 12).
 */
async function namedToken(ctx: CommandContext, named: string, at: Date): Promise<TokenRow | undefined> {
  const { workspace } = ctx.person;
  const fits = ({ id, name }: TokenRow) => name === named || id === named;
  const found = (await goodTokens(ctx.tx, workspace, idsOf(ctx.person), at)).find(fits);
  if (found !== undefined || !(may(ctx.ownRights, 'token.service') || may(ctx.ownRights, 'session.manage'))) return found;
  const services = may(ctx.ownRights, 'token.service') ? await goodTokens(ctx.tx, workspace, 'services', at) : [];
  const service = services.filter(({ ceiling }) => isWithin(ceiling, ctx.ownRights)).find(fits);
  if (service !== undefined || !may(ctx.ownRights, 'session.manage')) return service;
  return (await goodTokens(ctx.tx, workspace, 'all', at)).find(({ id }) => id === named);
}

function createdView(
  token: { kind: TokenKind; project: string | undefined; name: string; scopes: AccessScope[]; ceiling: Given; expiresAt: Date },
  apiUrl: string,
): View {
  const of = token.kind === 'service' ? ' of a service' : '';
  const reach = token.project === undefined ? '' : ` in the project ${token.project} alone`;
  return withFallback([
    { type: 'text', spans: [bold('Access token '), code(token.name), plain(of)] },
    { type: 'text', spans: [plain('It is shown this once, to you alone. Keep it like a password:')] },
    { type: 'code', text: secretPlace },
    {
      type: 'text',
      spans: [plain('It '), ...mayText(token), plain(`${reach} and is good until `), lastDay(token.expiresAt), plain('.')],
    },
    { type: 'text', spans: [plain('For example, your tasks:')] },
    { type: 'code', text: `curl -H "Authorization: Bearer $TOKEN" ${apiUrl}/api/v1/tasks`, language: 'sh' },
  ]);
}

function tokenBlocks(token: TokenRow, owner: string | undefined, now: Date): View['blocks'] {
  const spans = [
    code(token.name),
    plain(` ${tokenPrefix(token.kind)}…${token.end} · ${ownerText(token, owner)}`),
    ...mayText(token),
    plain(' · good until '),
    lastDay(token.expiresAt),
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

function ownerText({ kind, project }: TokenRow, owner: string | undefined): string {
  if (kind === 'service') {
    return `of a service${project === undefined ? '' : ', for one project'}, made by ${owner ?? 'somebody'} · `;
  }
  return owner === undefined ? '' : `of ${owner} · `;
}

function mayText({ scopes, ceiling }: { scopes: AccessScope[]; ceiling: Given }): Span[] {
  return [plain(`may ${scopes.join(', ')} as ${roleName(ceiling)}`)];
}

function whoMayMake(role: AnyRole): string {
  return typeof role === 'string' ? `${rolesFrom(role)} can.` : 'Owners can, and whoever has all of that role.';
}
