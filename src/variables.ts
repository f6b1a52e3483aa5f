import { z } from 'zod';
import { logLevels } from './runtime/logger.ts';
import { type Facts, facts } from './variable-facts.ts';
import {
  expandHome,
  integer,
  isSecretKey,
  oneOf,
  parseOwners,
  privateKey,
  redisAddress,
  secretKeys,
  startsWith,
  webAddress,
} from './variable-kinds.ts';
import { runnerVariables } from './variables-runner.ts';
import { signinVariables } from './variables-signin.ts';
import { traceVariables } from './variables-traces.ts';

/** Every variable that Deckhand reads. Nothing else looks at the environment. */
export const environmentSchema = z.object({
  DECKHAND_DATA_DIR: z.string().default('~/.deckhand').transform(expandHome).register(facts, {
    group: 'Data',
    description: 'Directory of the embedded database, git mirrors, working copies, files of runs, and keys.',
    fallback: '`~/.deckhand`',
    example: '/var/lib/deckhand',
  }),
  DATABASE_URL: z
    .string()
    .refine((value) => /^postgres(ql)?:\/\/./.test(value), 'must be an address that starts with postgresql://')
    .optional()
    .register(facts, {
      group: 'Data',
      description:
        'PostgreSQL 14 or newer to keep everything in. `deckhand gateway` and `deckhand runner` meet there and need it.',
      fallback: 'embedded PostgreSQL in the data directory',
      example: 'postgresql://deckhand:password@db.example.com:5432/deckhand',
      secret: true,
    }),
  REDIS_URL: z.string().transform(redisAddress).optional().register(facts, {
    group: 'Data',
    description:
      'Redis 6.2 or newer (or Valkey) for jobs and wake-ups: `redis://`, over TLS `rediss://`, and for a set with sentinels `redis+sentinel://[user:password@]host:port,host:port/name`. Everything stays in PostgreSQL: Redis may be lost at any time, and needs no disk. Its `maxmemory-policy` must be `noeviction`.',
    fallback: 'jobs and wake-ups in PostgreSQL',
    example: 'redis://redis.example.com:6379',
    secret: true,
  }),
  HOST: z.string().default('127.0.0.1').register(facts, {
    group: 'Web server',
    description: 'Address to listen on. `0.0.0.0` takes connections from other machines; the lab refuses that.',
    fallback: '`127.0.0.1`',
    example: '0.0.0.0',
  }),
  PORT: integer(0, 65535).prefault('3000').register(facts, {
    group: 'Web server',
    description: 'Port to listen on; `0` takes any free one and logs which.',
    fallback: '`3000`',
    example: '3000',
  }),
  METRICS_PORT: integer(0, 65535).optional().register(facts, {
    group: 'Web server',
    description:
      'Another port at HOST, for Prometheus on another machine: `/metrics`, `/healthz` and `/readyz` for whoever reaches it. The only one of a runner alone; with several processes on a machine each needs its own.',
    fallback: 'none; `/metrics` on PORT answers programs of this machine',
    example: '9464',
  }),
  PUBLIC_URL: webAddress
    .transform((value) => value.replace(/\/+$/, ''))
    .optional()
    .register(facts, {
      group: 'Web server',
      description: 'Address under which platforms and people reach this server from outside.',
      fallback: 'none; platforms that can are connected to from inside',
      example: 'https://deckhand.example.com',
    }),
  DECKHAND_SECRET_KEY: z
    .string()
    .refine(isSecretKey, 'must be 32 bytes in base64; `openssl rand -base64 32` makes one')
    .transform((value) => Buffer.from(value, 'base64'))
    .optional()
    .register(facts, {
      group: 'People and keys',
      description: 'Key that stored credentials are encrypted with, 32 bytes in base64. Needed with DATABASE_URL; keep a copy.',
      fallback: 'made on the first start and kept in the data directory',
      example: 'the output of `openssl rand -base64 32`',
      secret: true,
    }),
  DECKHAND_OTHER_SECRET_KEYS: z.string().default('').transform(secretKeys).register(facts, {
    group: 'People and keys',
    description:
      'Keys that only open what is stored: those from before a change of the key, or the next one before all processes have it. docs/operate.md, "Change the secret key".',
    fallback: 'none',
    example: 'two keys as in DECKHAND_SECRET_KEY, with a comma between',
    secret: true,
  }),
  DECKHAND_BACKUP_PASSPHRASE: z.string().min(12, 'must be 12 characters or more').optional().register(facts, {
    group: 'People and keys',
    description:
      'Seals what `deckhand backup` writes, and opens it for `deckhand restore`. Only a sealed backup has the key of stored credentials in it.',
    fallback: 'backups are not sealed, and DECKHAND_SECRET_KEY is to be kept apart from them',
    example: 'six words that nobody can guess',
    secret: true,
  }),
  DECKHAND_OWNERS: z.string().default('').transform(parseOwners).register(facts, {
    group: 'People and keys',
    description:
      'People made owners at start, separated by commas: `slack:<team id>/<user id>`, `telegram:<id>`, `discord:<id>`.',
    fallback: 'none; the first start prints a code, and whoever sends `claim <code>` becomes owner',
    example: 'slack:T012AB3CD/U012AB3CD',
  }),
  SLACK_BOT_TOKEN: startsWith('xoxb-').optional().register(facts, {
    group: 'Slack',
    description: 'Bot token of the Slack app. Connects Deckhand to Slack; docs/setup/slack.md leads there step by step.',
    fallback: 'no Slack; without any platform the lab starts',
    example: 'xoxb-…',
    secret: true,
  }),
  SLACK_APP_TOKEN: startsWith('xapp-').optional().register(facts, {
    group: 'Slack',
    description: 'App-level token with the scope connections:write. Turns on Socket Mode, which needs no public address.',
    fallback: 'Slack sends to PUBLIC_URL over HTTP',
    example: 'xapp-…',
    secret: true,
  }),
  SLACK_SIGNING_SECRET: z.string().optional().register(facts, {
    group: 'Slack',
    description:
      'Signing secret of the Slack app. Needed when there is no SLACK_APP_TOKEN: it proves that a request is from Slack.',
    fallback: 'none',
    example: 'the signing secret of the app page',
    secret: true,
  }),
  SLACK_API_URL: webAddress.optional().register(facts, {
    group: 'Slack',
    description: 'Address of the Slack Web API, for Slack GovCloud, a proxy or a test.',
    fallback: '`https://slack.com/api/`',
    example: 'https://slack-gov.com/api/',
  }),
  TELEGRAM_BOT_TOKEN: z
    .string()
    .regex(/^\d+:[\w-]{30,}$/, 'must read <digits>:<letters and digits>, as BotFather gives it')
    .optional()
    .register(facts, {
      group: 'Telegram',
      description: 'Token of the bot, from BotFather.',
      fallback: 'no Telegram',
      example: '123456789:AA…',
      secret: true,
    }),
  TELEGRAM_WEBHOOK_SECRET: z
    .string()
    .regex(/^[\w-]{16,256}$/, 'must be 16 to 256 letters, digits, _ or -')
    .optional()
    .register(facts, {
      group: 'Telegram',
      description: 'Turns on the webhook: Telegram sends to PUBLIC_URL and proves itself with this secret.',
      fallback: 'Deckhand asks Telegram for news (long polling), which needs no public address',
      example: 'the output of `openssl rand -hex 32`',
      secret: true,
    }),
  TELEGRAM_API_ROOT: webAddress
    .transform((value) => value.replace(/\/+$/, ''))
    .optional()
    .register(facts, {
      group: 'Telegram',
      description: 'Address of the Telegram Bot API, for a server of your own, a proxy or a test.',
      fallback: '`https://api.telegram.org`',
      example: 'http://127.0.0.1:8081',
    }),
  DISCORD_BOT_TOKEN: z.string().optional().register(facts, {
    group: 'Discord',
    description: 'Token of the bot, from the page "Bot" of the application.',
    fallback: 'no Discord',
    example: 'the token of the page "Bot"',
    secret: true,
  }),
  DISCORD_APPLICATION_ID: z
    .string()
    .regex(/^\d{17,20}$/, 'must be the 17 to 20 digits of the application')
    .optional()
    .register(facts, {
      group: 'Discord',
      description: 'Id of the application. `deckhand discord invite` needs it.',
      fallback: 'asked from Discord',
      example: '1234567890123456789',
    }),
  DISCORD_PUBLIC_KEY: z
    .string()
    .regex(/^[0-9a-f]{64}$/i, 'must be 64 hexadecimal digits')
    .optional()
    .register(facts, {
      group: 'Discord',
      description:
        'Public key of the application. Opens `/discord/interactions` for commands and buttons over HTTP; messages always come over the gateway.',
      fallback: 'commands and buttons come over the gateway, which needs no public address',
      example: 'the public key of the page "General Information"',
    }),
  DISCORD_API_URL: webAddress
    .transform((value) => value.replace(/\/+$/, ''))
    .optional()
    .register(facts, {
      group: 'Discord',
      description: 'Address of the Discord API without its version, for a proxy or a test.',
      fallback: '`https://discord.com/api`',
      example: 'http://127.0.0.1:8082/api',
    }),
  ANTHROPIC_API_KEY: z.string().optional().register(facts, {
    group: 'Models',
    description:
      'Key for models of Anthropic, for the built-in agent and Claude Code. Stays in the runner; no sandbox ever holds it.',
    fallback: 'neither agent works; in the lab a scripted model answers',
    example: 'sk-ant-…',
    secret: true,
  }),
  ANTHROPIC_BASE_URL: webAddress
    .transform((value) => value.replace(/\/+$/, ''))
    .optional()
    .register(facts, {
      group: 'Models',
      description: 'Address of a server that speaks the Anthropic Messages API, for a gateway of your own or a test.',
      fallback: '`https://api.anthropic.com`',
      example: 'http://127.0.0.1:8084',
    }),
  OPENAI_API_KEY: z.string().optional().register(facts, {
    group: 'Models',
    description: 'Key for models of OpenAI, for Codex. Stays in the runner; no sandbox ever holds it.',
    fallback: 'Codex does not work; in the lab a scripted model answers',
    example: 'sk-…',
    secret: true,
  }),
  OPENAI_BASE_URL: webAddress
    .transform((value) => value.replace(/\/+$/, ''))
    .optional()
    .register(facts, {
      group: 'Models',
      description: 'Address of a server that speaks the OpenAI Responses API, with its version.',
      fallback: '`https://api.openai.com/v1`',
      example: 'http://127.0.0.1:8085/v1',
    }),
  GITHUB_TOKEN: z.string().optional().register(facts, {
    group: 'GitHub',
    description:
      'Token of an account that may read and push the repositories of projects and open pull requests there. Stays in the runner. An app (GITHUB_APP_ID) can do with less.',
    fallback: 'public repositories can be read; nothing is pushed to GitHub',
    example: 'github_pat_…',
    secret: true,
  }),
  GITHUB_APP_ID: z
    .string()
    .regex(/^(?:\d+|Iv[\w.]+)$/, 'must be the number of the app, or its client id')
    .optional()
    .register(facts, {
      group: 'GitHub',
      description:
        'A GitHub App that Deckhand acts as, instead of GITHUB_TOKEN: tokens for one repository that end after an hour.',
      fallback: 'none',
      example: '123456',
    }),
  GITHUB_APP_PRIVATE_KEY: z.string().transform(privateKey).optional().register(facts, {
    group: 'GitHub',
    description: 'Private key of that app: the text of its .pem file, with line breaks or `\\n`, or all of it in base64.',
    fallback: 'none',
    example: 'the output of `base64 -w0 deckhand.private-key.pem`',
    secret: true,
  }),
  GITHUB_WEBHOOK_SECRET: z.string().min(16, 'must be 16 characters or more').optional().register(facts, {
    group: 'GitHub',
    description:
      'Secret of the webhook that GitHub sends to `<PUBLIC_URL>/hooks/events/github`. With it, news of pull requests arrive at once.',
    fallback: 'Deckhand asks GitHub for news, every minute at most',
    example: 'the output of `openssl rand -hex 32`',
    secret: true,
  }),
  GITHUB_API_URL: webAddress
    .transform((value) => value.replace(/\/+$/, ''))
    .optional()
    .register(facts, {
      group: 'GitHub',
      description: 'Address of the REST API of a GitHub Enterprise Server.',
      fallback: '`https://api.github.com`',
      example: 'https://github.example.com/api/v3',
    }),
  ...signinVariables,
  ...runnerVariables,
  ...traceVariables,
  LOG_LEVEL: oneOf(logLevels)
    .default('info')
    .register(facts, {
      group: 'Log',
      description: `How much is logged: ${logLevels.join(', ')}. JSON lines on standard output, readable lines on a terminal.`,
      fallback: '`info`',
      example: 'debug',
    }),
});

export type Environment = z.output<typeof environmentSchema>;
export type VariableName = keyof Environment;

/** Name, schema facts and order of every variable, for the generated pages. */
export function describeVariables(): (Facts & { name: VariableName })[] {
  return names().map((name) => ({ name, ...factsOf(name) }));
}

/** In the order of the documentation. */
export function names(): VariableName[] {
  return environmentSchema.keyof().options;
}

export function factsOf(name: VariableName): Facts {
  const found = facts.get(environmentSchema.shape[name]);
  if (found === undefined) throw new Error(`${name} has no description`);
  return found;
}
