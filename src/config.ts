import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { AppError } from './contracts/errors.ts';
import { logLevels } from './runtime/logger.ts';

/** What a variable is, beside its schema. docs/configuration.md and .env.example are made from it. */
interface Facts {
  group: 'Data' | 'Web server' | 'People and keys' | 'Slack' | 'Running commands' | 'Log';
  description: string;
  /** What holds when it is unset, in words. */
  fallback: string;
  example: string;
  /** Its value never appears in a log line. */
  secret?: true;
}

const facts = z.registry<Facts>();

const integer = (min: number, max: number) => {
  const message = `must be a whole number from ${min} to ${max}`;
  return z.string().regex(/^\d+$/, message).transform(Number).pipe(z.number().min(min, message).max(max, message));
};
const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, `must be one of ${values.join(', ')}`);
const startsWith = (prefix: string) => z.string().startsWith(prefix, `must start with ${prefix}`);
const webAddress = z.string().refine(isWebAddress, 'must be an address that starts with http:// or https://');

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
  SANDBOX: oneOf(['auto', 'docker', 'local']).default('auto').register(facts, {
    group: 'Running commands',
    description:
      'Where commands run. `docker`: each run in a container. `local`: as a child process with the rights of Deckhand, not isolated.',
    fallback: '`auto`: `docker` when a container engine answers, else `local` with a warning',
    example: 'docker',
  }),
  SANDBOX_IMAGE: z.string().default('deckhand-sandbox:1').register(facts, {
    group: 'Running commands',
    description: 'Image of the containers. `npm run image` builds the default one.',
    fallback: '`deckhand-sandbox:1`',
    example: 'deckhand-sandbox:1',
  }),
  DOCKER_HOST: z
    .string()
    .regex(/^(unix|tcp|http|https|ssh):\/\/./, 'must be an address such as unix:///var/run/docker.sock')
    .optional()
    .register(facts, {
      group: 'Running commands',
      description: 'Address of the container engine.',
      fallback: '`unix:///var/run/docker.sock`',
      example: 'unix:///run/user/1000/docker.sock',
    }),
  RUNNER_CONCURRENCY: integer(1, 64).prefault('4').register(facts, {
    group: 'Running commands',
    description: 'Runs at the same time on this machine, over all projects.',
    fallback: '`4`',
    example: '4',
  }),
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

/** A person who is made owner at start. Only Slack's ids need their tenant. */
export interface OwnerRef {
  platform: 'slack' | 'telegram' | 'discord';
  tenant: string | undefined;
  user: string;
}

export interface Config {
  dataDir: string;
  /** undefined: embedded PostgreSQL. */
  databaseUrl: string | undefined;
  http: { host: string; port: number; publicUrl: string | undefined };
  /** undefined: the key in the data directory, see `openDataDir`. */
  secretKey: Buffer | undefined;
  owners: readonly OwnerRef[];
  /** undefined: not connected to Slack. Socket Mode with an app token, else signed HTTP requests. */
  slack:
    | {
        botToken: string;
        connection: { mode: 'socket'; appToken: string } | { mode: 'http'; signingSecret: string };
        apiUrl: string | undefined;
      }
    | undefined;
  /** No platform is configured: the lab stands in for them. */
  lab: boolean;
  sandbox: { kind: 'auto' | 'docker' | 'local'; image: string; dockerHost: string | undefined };
  runnerConcurrency: number;
  logLevel: Environment['LOG_LEVEL'];
  /** Values that must never be logged or shown. */
  secrets: readonly string[];
  /** Oddities that do not keep Deckhand from running, as sentences. */
  warnings: readonly string[];
}

/** Name, schema facts and order of every variable, for the generated pages. */
export function describeVariables(): (Facts & { name: VariableName })[] {
  return names().map((name) => ({ name, ...factsOf(name) }));
}

/**
 * Reads the configuration from variables (`process.env`). Pure. An empty value counts as unset. Throws DH-100 with all problems at
 * once, one a line, each naming its variable and never its value.
 */
export function loadConfig(variables: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(names().flatMap((name) => (variables[name] ? [[name, variables[name]]] : [])));
  const parsed = environmentSchema.safeParse(given);
  const problems = [
    ...(parsed.error?.issues ?? []).map((issue) => `${String(issue.path[0])} ${issue.message}`),
    ...conflicts((name) => given[name]),
  ];
  if (!parsed.success || problems.length > 0) throw new AppError('DH-100', { problems: problems.join('\n') });
  const env = parsed.data;
  const slack = slackConfig(env);
  return {
    dataDir: env.DECKHAND_DATA_DIR,
    databaseUrl: env.DATABASE_URL,
    http: { host: env.HOST, port: env.PORT, publicUrl: env.PUBLIC_URL },
    secretKey: env.DECKHAND_SECRET_KEY,
    owners: env.DECKHAND_OWNERS,
    slack,
    lab: slack === undefined,
    sandbox: { kind: env.SANDBOX, image: env.SANDBOX_IMAGE, dockerHost: env.DOCKER_HOST },
    runnerConcurrency: env.RUNNER_CONCURRENCY,
    logLevel: env.LOG_LEVEL,
    secrets: names().flatMap((name) => (factsOf(name).secret === true && given[name] ? [given[name]] : [])),
    warnings: [
      ...(slack?.connection.mode === 'http' && env.PUBLIC_URL === undefined ? [publicUrlMissing] : []),
      ...misspelt(variables),
    ],
  };
}

const publicUrlMissing =
  'PUBLIC_URL is not set: Slack sends its events to that address, so nothing arrives until a proxy leads to this server.';

/** Problems between variables, found from what is set alone, so that they are reported together with those of single ones. */
function conflicts(value: (name: VariableName) => string | undefined): string[] {
  const found: string[] = [];
  const host = value('HOST') ?? '127.0.0.1';
  if (value('DATABASE_URL') !== undefined && value('DECKHAND_SECRET_KEY') === undefined) {
    found.push('DECKHAND_SECRET_KEY is needed with DATABASE_URL: every process on that database must have the same key');
  }
  if (value('SLACK_BOT_TOKEN') !== undefined) {
    if (value('SLACK_APP_TOKEN') === undefined && value('SLACK_SIGNING_SECRET') === undefined) {
      found.push('SLACK_BOT_TOKEN needs SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP) beside it');
    }
  } else {
    for (const name of ['SLACK_APP_TOKEN', 'SLACK_SIGNING_SECRET', 'SLACK_API_URL'] as const) {
      if (value(name) !== undefined) found.push(`${name} is set without SLACK_BOT_TOKEN`);
    }
    if (!/^(localhost|127\.\d+\.\d+\.\d+|::1|\[::1\])$/.test(host)) {
      found.push('HOST must be a loopback address while no platform is set up: in the lab anyone may act as anyone');
    }
  }
  return found;
}

function slackConfig(env: Environment): Config['slack'] {
  if (env.SLACK_BOT_TOKEN === undefined) return undefined;
  const base = { botToken: env.SLACK_BOT_TOKEN, apiUrl: env.SLACK_API_URL };
  if (env.SLACK_APP_TOKEN !== undefined) return { ...base, connection: { mode: 'socket', appToken: env.SLACK_APP_TOKEN } };
  if (env.SLACK_SIGNING_SECRET !== undefined) {
    return { ...base, connection: { mode: 'http', signingSecret: env.SLACK_SIGNING_SECRET } };
  }
  throw new Error('conflicts() refuses a bot token that stands alone');
}

function misspelt(variables: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set<string>(names());
  return Object.keys(variables)
    .filter((name) => /^(DECKHAND|SLACK|SANDBOX|RUNNER)_/.test(name) && !known.has(name))
    .map((name) => `${name} is not a variable that Deckhand knows; docs/configuration.md lists them.`);
}

function names(): VariableName[] {
  return environmentSchema.keyof().options;
}

function factsOf(name: VariableName): Facts {
  const found = facts.get(environmentSchema.shape[name]);
  if (found === undefined) throw new Error(`${name} has no description`);
  return found;
}

function expandHome(value: string): string {
  const path = value === '~' || value.startsWith('~/') ? join(homedir(), value.slice(1)) : value;
  return isAbsolute(path) ? path : resolve(path);
}

function isWebAddress(value: string): boolean {
  return /^https?:\/\//.test(value) && URL.canParse(value);
}

function isSecretKey(value: string): boolean {
  return /^[A-Za-z0-9+/]{43}=$/.test(value) && Buffer.from(value, 'base64').length === 32;
}

function parseOwners(value: string, context: z.RefinementCtx): OwnerRef[] {
  const owners: OwnerRef[] = [];
  const entries = value.split(',').map((entry) => entry.trim());
  for (const [index, entry] of entries.entries()) {
    if (entry === '') continue;
    const slack = /^slack:([TE][A-Z0-9]+)\/([UW][A-Z0-9]+)$/.exec(entry);
    const other = /^(telegram|discord):(\d+)$/.exec(entry);
    if (slack?.[1] !== undefined && slack[2] !== undefined) {
      owners.push({ platform: 'slack', tenant: slack[1], user: slack[2] });
    } else if (other?.[2] !== undefined) {
      owners.push({ platform: other[1] === 'telegram' ? 'telegram' : 'discord', tenant: undefined, user: other[2] });
    } else {
      const message = `entry ${index + 1} must read slack:<team id>/<user id>, telegram:<id> or discord:<id>`;
      context.addIssue({ code: 'custom', message });
    }
  }
  return owners;
}
