import type { Environment, VariableName } from './variables.ts';

/** The platforms that are configured. Each adapter is absent when its token is. */
export interface PlatformConfigs {
  /** Socket Mode with an app token, else signed HTTP requests. */
  slack: { botToken: string; appToken?: string; signingSecret?: string; apiUrl?: string } | undefined;
  /** Webhook with a secret and a public address, else long polling. */
  telegram: { token: string; webhook?: { secret: string; publicUrl: string }; apiRoot?: string } | undefined;
  /** The gateway; with the public key also interactions over HTTP. */
  discord: { token: string; applicationId?: string; publicKey?: string; apiUrl?: string } | undefined;
}

export function platformConfigs(env: Environment): PlatformConfigs {
  return { slack: slackConfig(env), telegram: telegramConfig(env), discord: discordConfig(env) };
}

function slackConfig(env: Environment): PlatformConfigs['slack'] {
  if (env.SLACK_BOT_TOKEN === undefined) return undefined;
  return {
    botToken: env.SLACK_BOT_TOKEN,
    ...(env.SLACK_API_URL === undefined ? {} : { apiUrl: env.SLACK_API_URL }),
    ...(env.SLACK_APP_TOKEN !== undefined
      ? { appToken: env.SLACK_APP_TOKEN }
      : env.SLACK_SIGNING_SECRET === undefined
        ? {}
        : { signingSecret: env.SLACK_SIGNING_SECRET }),
  };
}

function telegramConfig(env: Environment): PlatformConfigs['telegram'] {
  if (env.TELEGRAM_BOT_TOKEN === undefined) return undefined;
  const { TELEGRAM_WEBHOOK_SECRET: secret, PUBLIC_URL: publicUrl } = env;
  return {
    token: env.TELEGRAM_BOT_TOKEN,
    ...(secret === undefined || publicUrl === undefined ? {} : { webhook: { secret, publicUrl } }),
    ...(env.TELEGRAM_API_ROOT === undefined ? {} : { apiRoot: env.TELEGRAM_API_ROOT }),
  };
}

function discordConfig(env: Environment): PlatformConfigs['discord'] {
  if (env.DISCORD_BOT_TOKEN === undefined) return undefined;
  return {
    token: env.DISCORD_BOT_TOKEN,
    ...(env.DISCORD_APPLICATION_ID === undefined ? {} : { applicationId: env.DISCORD_APPLICATION_ID }),
    ...(env.DISCORD_PUBLIC_KEY === undefined ? {} : { publicKey: env.DISCORD_PUBLIC_KEY }),
    ...(env.DISCORD_API_URL === undefined ? {} : { apiUrl: env.DISCORD_API_URL }),
  };
}

const tokens = ['SLACK_BOT_TOKEN', 'TELEGRAM_BOT_TOKEN', 'DISCORD_BOT_TOKEN'] as const;
/** Variables that mean nothing without their platform's token. */
const beside: Record<(typeof tokens)[number], readonly VariableName[]> = {
  SLACK_BOT_TOKEN: ['SLACK_APP_TOKEN', 'SLACK_SIGNING_SECRET', 'SLACK_API_URL'],
  TELEGRAM_BOT_TOKEN: ['TELEGRAM_WEBHOOK_SECRET', 'TELEGRAM_API_ROOT'],
  DISCORD_BOT_TOKEN: ['DISCORD_APPLICATION_ID', 'DISCORD_PUBLIC_KEY', 'DISCORD_API_URL'],
};

/** Problems between the variables of platforms, found from what is set alone. `opensLab`: where no platform is set up, the lab opens. */
export function platformConflicts(value: (name: VariableName) => string | undefined, opensLab: boolean): string[] {
  const lonely = tokens
    .filter((token) => value(token) === undefined)
    // An id alone serves `deckhand discord invite`.
    .flatMap((token) =>
      beside[token]
        .filter((name) => name !== 'DISCORD_APPLICATION_ID' && value(name) !== undefined)
        .map((name) => `${name} is set without ${token}`),
    );
  const needsMore =
    value('SLACK_BOT_TOKEN') !== undefined &&
    value('SLACK_APP_TOKEN') === undefined &&
    value('SLACK_SIGNING_SECRET') === undefined;
  const isLab = opensLab && tokens.every((token) => value(token) === undefined);
  const isLoopback = /^(localhost|127\.\d+\.\d+\.\d+|::1|\[::1\])$/.test(value('HOST') ?? '127.0.0.1');
  return [
    ...lonely,
    ...(needsMore ? ['SLACK_BOT_TOKEN needs SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP) beside it'] : []),
    ...(isLab && !isLoopback
      ? ['HOST must be a loopback address while no platform is set up: in the lab anyone may act as anyone']
      : []),
  ];
}

/** What keeps a platform from being reached as configured, as sentences. */
export function platformWarnings({ slack, discord }: PlatformConfigs, env: Environment): string[] {
  if (env.PUBLIC_URL !== undefined) return [];
  return [
    ...(slack !== undefined && slack.appToken === undefined
      ? ['PUBLIC_URL is not set: Slack sends its events to that address, so nothing arrives until a proxy leads to this server.']
      : []),
    ...(env.TELEGRAM_WEBHOOK_SECRET === undefined
      ? []
      : ['TELEGRAM_WEBHOOK_SECRET is set without PUBLIC_URL: Deckhand asks Telegram for news instead of being sent them.']),
    ...(discord?.publicKey === undefined
      ? []
      : [
          'DISCORD_PUBLIC_KEY is set without PUBLIC_URL: the address of interactions at Discord must lead to this server by a proxy.',
        ]),
  ];
}

/** How each platform is reached: `Slack over Socket Mode`. */
export function platformModes({ slack, telegram, discord }: PlatformConfigs): string[] {
  return [
    ...(slack === undefined ? [] : [`Slack over ${slack.appToken === undefined ? 'HTTP' : 'Socket Mode'}`]),
    ...(telegram === undefined ? [] : [`Telegram over ${telegram.webhook === undefined ? 'long polling' : 'its webhook'}`]),
    ...(discord === undefined
      ? []
      : [`Discord over its gateway${discord.publicKey === undefined ? '' : ' and HTTP interactions'}`]),
  ];
}
