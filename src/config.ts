import type { GithubLoginConfig, OidcConfig } from './access/login-server.ts';
import { type CodeHostConfig, codeHostConfig, codeHostConflicts } from './config-code-host.ts';
import { type PlatformConfigs, platformConfigs, platformConflicts, platformWarnings } from './config-platforms.ts';
import { AppError } from './contracts/errors.ts';
import type { RedisAddress } from './runtime/redis-address.ts';
import type { TracingConfig } from './tracing.ts';
import type { DiskQuota, OwnerRef } from './variable-kinds.ts';
import { type Environment, environmentSchema, factsOf, names, type VariableName } from './variables.ts';
import { signinConflicts } from './variables-signin.ts';

export interface Config {
  dataDir: string;
  /** undefined: embedded PostgreSQL. */
  databaseUrl: string | undefined;
  /** undefined: jobs and wake-ups in PostgreSQL. */
  redis: RedisAddress | undefined;
  http: {
    host: string;
    port: number;
    metricsPort: number | undefined;
    publicUrl: string | undefined;
    trustedProxies: readonly string[];
  };
  signin: SigninConfig;
  /** Origins of pages elsewhere that may read the API. */
  corsOrigins: readonly string[];
  /** undefined: the key in the data directory, see `openDataDir`. */
  secretKey: Buffer | undefined;
  /** Keys that only open. */
  otherKeys: readonly Buffer[];
  /** Seals and opens backups; undefined: they are not sealed. */
  backupPassphrase: string | undefined;
  owners: readonly OwnerRef[];
  platforms: PlatformConfigs;
  /** No platform is configured: the lab stands in for them. */
  lab: boolean;
  sandbox: {
    kind: 'auto' | 'docker' | 'local';
    image: string;
    agentsImage: string;
    /** How many wait ready for each kind of run. */
    warm: number;
    dockerHost: string | undefined;
  };
  /** Model servers agents can be given. Each is absent when neither its key nor its address is set. */
  models: { anthropic: ModelConfig | undefined; openai: ModelConfig | undefined };
  /** Undefined: no code host; projects are reached by git alone. */
  codeHost: CodeHostConfig | undefined;
  /** With what git reaches ssh addresses; undefined: what the user that runs Deckhand has. Paths of files. */
  ssh: { keyFile: string | undefined; knownHostsFile: string | undefined };
  runnerConcurrency: number;
  /** What this machine is: contracts/labels.ts. */
  runnerLabels: readonly string[];
  /** How long a runner that is to stop waits for what it runs. */
  runnerDrainMs: number;
  /** How long mirrors of removed projects are kept. */
  keepRemovedDays: number;
  /** How long files of runs are kept, and commits of tasks. */
  keepArtifactsDays: number;
  keepChangesDays: number;
  /** How long the database remembers what happened in runs, and who did what. */
  keepEventsDays: number;
  keepAuditDays: number;
  diskQuota: DiskQuota;
  /** Undefined: no traces are recorded. */
  tracing: TracingConfig | undefined;
  logLevel: Environment['LOG_LEVEL'];
  /** Values that must never be logged or shown. */
  secrets: readonly string[];
  /** Oddities that do not keep Deckhand from running, as sentences. */
  warnings: readonly string[];
}

/** How people sign in beside the links from chat. */
export interface SigninConfig {
  github: GithubLoginConfig | undefined;
  oidc: OidcConfig | undefined;
  passwords: boolean;
}

export interface ModelConfig {
  baseUrl: string;
  /** Empty for a server that asks for none. */
  key: string;
}

/**
 * Reads the configuration from variables (`process.env`). Pure. An empty value counts as unset. Throws DH-100 with all problems at
 * once, one a line, each naming its variable and never its value. `opensLab`: false for what never does, whatever is set up (a runner alone,
 * a look at the installation).
 */
export function loadConfig(variables: Readonly<Record<string, string | undefined>>, { opensLab = true } = {}): Config {
  const given = Object.fromEntries(names().flatMap((name) => (variables[name] ? [[name, variables[name]]] : [])));
  const parsed = environmentSchema.safeParse(given);
  const problems = [
    ...(parsed.error?.issues ?? []).map((issue) => `${String(issue.path[0])} ${issue.message}`),
    ...conflicts((name) => given[name], opensLab),
  ];
  if (!parsed.success || problems.length > 0) throw new AppError('DH-100', { problems: problems.join('\n') });
  const env = parsed.data;
  const platforms = platformConfigs(env);
  return {
    dataDir: env.DECKHAND_DATA_DIR,
    databaseUrl: env.DATABASE_URL,
    redis: env.REDIS_URL,
    http: {
      host: env.HOST,
      port: env.PORT,
      metricsPort: env.METRICS_PORT,
      publicUrl: env.PUBLIC_URL,
      trustedProxies: env.TRUSTED_PROXIES,
    },
    signin: signinConfig(env),
    corsOrigins: env.CORS_ORIGINS,
    secretKey: env.DECKHAND_SECRET_KEY,
    otherKeys: env.DECKHAND_OTHER_SECRET_KEYS,
    backupPassphrase: env.DECKHAND_BACKUP_PASSPHRASE,
    owners: env.DECKHAND_OWNERS,
    platforms,
    lab: Object.values(platforms).every((platform) => platform === undefined),
    sandbox: {
      kind: env.SANDBOX,
      image: env.SANDBOX_IMAGE,
      agentsImage: env.SANDBOX_AGENTS_IMAGE,
      warm: env.SANDBOX_WARM,
      dockerHost: env.DOCKER_HOST,
    },
    models: {
      anthropic: modelConfig(env.ANTHROPIC_BASE_URL, env.ANTHROPIC_API_KEY, 'https://api.anthropic.com'),
      openai: modelConfig(env.OPENAI_BASE_URL, env.OPENAI_API_KEY, 'https://api.openai.com/v1'),
    },
    codeHost: codeHostConfig(env),
    ssh: { keyFile: env.GIT_SSH_KEY_FILE, knownHostsFile: env.GIT_SSH_KNOWN_HOSTS_FILE },
    runnerConcurrency: env.RUNNER_CONCURRENCY,
    runnerLabels: env.RUNNER_LABELS,
    runnerDrainMs: env.RUNNER_DRAIN_SECONDS * 1000,
    keepRemovedDays: env.KEEP_REMOVED_DAYS,
    keepArtifactsDays: env.KEEP_ARTIFACTS_DAYS,
    keepChangesDays: env.KEEP_CHANGES_DAYS,
    keepEventsDays: env.KEEP_EVENTS_DAYS,
    keepAuditDays: env.KEEP_AUDIT_DAYS,
    diskQuota: env.DISK_QUOTA,
    tracing: tracingConfig(env),
    logLevel: env.LOG_LEVEL,
    secrets: [
      ...names().flatMap((name) => (factsOf(name).secret === true && given[name] ? [given[name]] : [])),
      // Each of them may appear alone.
      ...env.DECKHAND_OTHER_SECRET_KEYS.map((key) => key.toString('base64')),
      // As it is written in the variable, and as it is.
      ...(env.GITHUB_APP_PRIVATE_KEY === undefined ? [] : [env.GITHUB_APP_PRIVATE_KEY]),
    ],
    warnings: [...platformWarnings(platforms, env), ...misspelt(variables)],
  };
}

/** Problems between variables, found from what is set alone, so that they are reported together with those of single ones. */
function conflicts(value: (name: VariableName) => string | undefined, opensLab: boolean): string[] {
  const keyMissing = value('DATABASE_URL') !== undefined && value('DECKHAND_SECRET_KEY') === undefined;
  return [
    ...(keyMissing
      ? ['DECKHAND_SECRET_KEY is needed with DATABASE_URL: every process on that database must have the same key']
      : []),
    ...platformConflicts(value, opensLab),
    ...codeHostConflicts(value),
    ...signinConflicts(value),
  ];
}

function tracingConfig(env: Environment): TracingConfig | undefined {
  const endpoint = env.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (endpoint === undefined) return undefined;
  return { endpoint, headers: env.OTEL_EXPORTER_OTLP_HEADERS, ratio: env.OTEL_TRACES_SAMPLER_ARG };
}

function signinConfig(env: Environment): SigninConfig {
  const { GITHUB_OAUTH_CLIENT_ID: id, GITHUB_OAUTH_CLIENT_SECRET: secret, OIDC_ISSUER: issuer, OIDC_CLIENT_ID: client } = env;
  const apiUrl = env.GITHUB_API_URL ?? 'https://api.github.com';
  return {
    github: id === undefined || secret === undefined ? undefined : { clientId: id, clientSecret: secret, apiUrl },
    oidc:
      issuer === undefined || client === undefined
        ? undefined
        : {
            issuer,
            clientId: client,
            clientSecret: env.OIDC_CLIENT_SECRET,
            label: env.OIDC_NAME,
            allowedDomains: env.OIDC_ALLOWED_DOMAINS,
          },
    passwords: env.SIGNIN_PASSWORD === 'on',
  };
}

/** A server of one's own may need no key. */
function modelConfig(baseUrl: string | undefined, key: string | undefined, usual: string): ModelConfig | undefined {
  return baseUrl === undefined && key === undefined ? undefined : { baseUrl: baseUrl ?? usual, key: key ?? '' };
}

function misspelt(variables: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set<string>(names());
  return Object.keys(variables)
    .filter((name) => /^(DECKHAND|SLACK|TELEGRAM|DISCORD|SANDBOX|RUNNER)_/.test(name) && !known.has(name))
    .map((name) => `${name} is not a variable that Deckhand knows; docs/configuration.md lists them.`);
}
