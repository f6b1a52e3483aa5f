import { SlackApiError } from './api-error.ts';
import type { Json } from './json.ts';
import type { Method } from './method.ts';
import { pageOf } from './pages.ts';
import { wireBot, wireUser } from './payloads.ts';
import { APP_ID, BOT_ID, BOT_USER, TEAM } from './seed.ts';

/** Who is who: `auth.*`, `users.*`, `bots.*`, `team.*`, and the two methods of the app itself. */

const USERS = ['users:read'];

export const userMethods: Record<string, Method> = {
  'api.test': {
    tier: 't4',
    scopes: [],
    token: 'none',
    handle({ args }): Json {
      const error = args.text('error');
      if (error) throw new SlackApiError(error, { extra: { args: args.raw } });
      return { ok: true, args: args.raw };
    },
  },
  'auth.test': {
    tier: 'special',
    scopes: [],
    token: 'bot',
    handle: ({ core }) => ({
      ok: true,
      url: `https://${TEAM.domain}.slack.com/`,
      team: TEAM.name,
      user: core.state.users.get(BOT_USER)?.name,
      team_id: TEAM.id,
      user_id: BOT_USER,
      bot_id: BOT_ID,
      is_enterprise_install: false,
    }),
  },
  'apps.connections.open': {
    tier: 't3',
    scopes: [],
    token: 'app',
    handle: ({ openSocketUrl }) => ({ ok: true, url: openSocketUrl() }),
  },
  'users.info': {
    tier: 't4',
    scopes: USERS,
    token: 'bot',
    handle({ core, args }): Json {
      const user = core.state.users.get(args.required('user'));
      if (!user) throw new SlackApiError('user_not_found');
      return { ok: true, user: wireUser(user) };
    },
  },
  'users.list': {
    tier: 't2',
    scopes: USERS,
    token: 'bot',
    handle({ core, args }): Json {
      const page = pageOf([...core.state.users.values()], args, { default: 200, max: 1000 });
      return {
        ok: true,
        members: page.items.map(wireUser),
        cache_ts: Math.floor(core.now() / 1000),
        response_metadata: page.metadata,
      };
    },
  },
  'users.lookupByEmail': {
    tier: 't3',
    scopes: ['users:read.email'],
    token: 'bot',
    handle({ core, args }): Json {
      const email = args.required('email').toLowerCase();
      const user = [...core.state.users.values()].find((entry) => entry.email !== '' && entry.email === email);
      if (!user) throw new SlackApiError('users_not_found');
      return { ok: true, user: wireUser(user) };
    },
  },
  'bots.info': {
    tier: 't3',
    scopes: USERS,
    token: 'bot',
    handle({ core, args }): Json {
      if ((args.text('bot') ?? BOT_ID) !== BOT_ID) throw new SlackApiError('bot_not_found');
      return { ok: true, bot: { ...wireBot(core), app_id: APP_ID } };
    },
  },
  'team.info': {
    tier: 't3',
    scopes: ['team:read'],
    token: 'bot',
    handle({ core, args }): Json {
      const asked = args.text('team') ?? TEAM.id;
      const { team = asked === TEAM.id ? TEAM : undefined } =
        [...core.state.users.values()].find((user) => user.team?.id === asked) ?? {};
      if (!team) throw new SlackApiError('team_not_found');
      return {
        ok: true,
        team: { ...team, url: `https://${team.domain}.slack.com/`, email_domain: '', icon: {}, is_verified: false },
      };
    },
  },
};
