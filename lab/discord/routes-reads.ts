import { apiError } from './api-error.ts';
import type { Core } from './core.ts';
import { INTENTS } from './flags.ts';
import { guildPermissions } from './permissions.ts';
import { BUCKETS } from './rate-limits.ts';
import { type Answer, bodyOf, ok, type Route, type RouteCall } from './route.ts';
import { object, snowflake, validate } from './schema.ts';
import { APPLICATION_ID, BOT_USER, dmChannel, GUILD } from './seed.ts';
import { featuresOf, wireChannel, wireFullMember, wireGuild, wireRole, wireUser } from './wire.ts';

/** The gateway's address, the application, users, DMs and the guild. */

const SESSION_STARTS = 1_000;

export interface SessionStarts {
  remaining(): number;
  resetAfterMs(): number;
}

function getUser({ core, params }: RouteCall): Answer {
  const user = core.state.users.get(params.user === '@me' ? BOT_USER : (params.user ?? ''));
  if (!user) throw apiError('unknownUser');
  return ok(wireUser(user));
}

function getMyUser({ core }: RouteCall): Answer {
  const user = core.state.users.get(BOT_USER);
  if (!user) throw new Error('the bot has no user');
  return ok({ ...wireUser(user), mfa_enabled: true, locale: 'en-US', verified: true, email: null });
}

/** Opens the DM with a person, also where the person has closed it: only sending fails then. */
function createDm(call: RouteCall): Answer {
  const { core } = call;
  const body = bodyOf(call);
  validate(body, object({ recipient_id: snowflake }));
  const user = core.state.users.get(String(body.recipient_id));
  if (!user) throw apiError('unknownUser');
  if (user.bot) throw apiError('cannotSendToUser');
  const known = core.state.channels.values().find((channel) => channel.dm?.user === user.id);
  if (known) return ok(wireChannel(core, known));
  const channel = dmChannel(user);
  core.state.channels.put(channel);
  core.state.emit({ type: 'channel', channel });
  return ok(wireChannel(core, channel));
}

/** Granted privileged intents show as application flags; the LIMITED ones are those of bots in few guilds. */
function applicationFlags(core: Core): number {
  const { grantedIntents } = core.settings;
  const flagOf = (intent: number, flag: number) => ((grantedIntents & intent) === 0 ? 0 : flag);
  return (
    flagOf(INTENTS.GUILD_PRESENCES, 1 << 13) | flagOf(INTENTS.GUILD_MEMBERS, 1 << 15) | flagOf(INTENTS.MESSAGE_CONTENT, 1 << 19)
  );
}

export function wireApplication(core: Core): Record<string, unknown> {
  const bot = core.state.users.get(BOT_USER);
  const owner = core.state.users.get(GUILD.owner);
  const flags = applicationFlags(core);
  return {
    id: APPLICATION_ID,
    name: bot?.global_name ?? '',
    icon: null,
    description: '',
    summary: '',
    type: null,
    bot: bot ? wireUser(bot) : undefined,
    owner: owner ? wireUser(owner) : undefined,
    team: null,
    bot_public: false,
    bot_require_code_grant: false,
    verify_key: core.credentials.publicKey,
    flags,
    flags_new: String(flags),
    redirect_uris: [],
    interactions_endpoint_url: core.settings.interactionsUrl ?? null,
    role_connections_verification_url: null,
    explicit_content_filter: 0,
    approximate_guild_count: 1,
    approximate_user_install_count: 0,
    approximate_user_authorization_count: 0,
    eligible_oauth2_scopes: [],
    integration_types_config: { '0': {} },
  };
}

function guildOnly(handle: (call: RouteCall) => Answer) {
  return (call: RouteCall): Answer => {
    if (call.params.guild !== GUILD.id) throw apiError('unknownGuild');
    return handle(call);
  };
}

function getMember({ core, params }: RouteCall): Answer {
  const user = core.state.users.get(params.user ?? '');
  if (!user) throw apiError(/^\d+$/.test(params.user ?? '') ? 'unknownMember' : 'unknownUser');
  return ok(wireFullMember(user));
}

/** All members need the GUILD_MEMBERS intent on the application. */
function listMembers({ core, query }: RouteCall): Answer {
  if ((core.settings.grantedIntents & INTENTS.GUILD_MEMBERS) === 0) throw apiError('missingAccess');
  const limit = Number(query.get('limit') ?? 1);
  return ok([...core.state.users.values()].slice(0, limit).map(wireFullMember));
}

const get = (method: string, path: string, handle: Route['handle']): Route => {
  return { method, verb: 'GET', path, auth: 'bot', bucket: BUCKETS.other, handle };
};

export function readRoutes(starts: SessionStarts): Route[] {
  const gatewayUrl = ({ core }: RouteCall) => core.baseUrl.replace(/^http/, 'ws');
  return [
    { ...get('get_gateway', '/gateway', (call) => ok({ url: gatewayUrl(call) })), auth: 'token' },
    get('get_bot_gateway', '/gateway/bot', (call) =>
      ok({
        url: gatewayUrl(call),
        shards: 1,
        session_start_limit: {
          total: SESSION_STARTS,
          remaining: starts.remaining(),
          reset_after: starts.resetAfterMs(),
          max_concurrency: 1,
        },
      }),
    ),
    get('get_my_application', '/applications/@me', ({ core }) => ok(wireApplication(core))),
    get('get_my_oauth2_application', '/oauth2/applications/@me', ({ core }) => ok(wireApplication(core))),
    get('get_my_user', '/users/@me', getMyUser),
    get('list_my_guilds', '/users/@me/guilds', ({ core }) =>
      ok([
        {
          id: GUILD.id,
          name: GUILD.name,
          icon: null,
          banner: null,
          owner: false,
          permissions: String(guildPermissions(core, BOT_USER)),
          features: featuresOf(core),
        },
      ]),
    ),
    { method: 'create_dm', verb: 'POST', path: '/users/@me/channels', auth: 'bot', bucket: BUCKETS.createDm, handle: createDm },
    get('get_user', '/users/:user', getUser),
    get(
      'get_guild',
      '/guilds/:guild',
      guildOnly(({ core }) => ok(wireGuild(core))),
    ),
    get(
      'list_guild_channels',
      '/guilds/:guild/channels',
      guildOnly(({ core }) =>
        ok(
          core.state.channels
            .values()
            .filter((channel) => channel.kind === 'text')
            .map((channel) => wireChannel(core, channel)),
        ),
      ),
    ),
    get(
      'list_guild_roles',
      '/guilds/:guild/roles',
      guildOnly(({ core }) => ok([...core.state.roles.values()].map(wireRole))),
    ),
    get('list_guild_members', '/guilds/:guild/members', guildOnly(listMembers)),
    get('get_guild_member', '/guilds/:guild/members/:user', guildOnly(getMember)),
  ];
}
