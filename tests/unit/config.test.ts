import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { AppError } from '../../src/contracts/errors.ts';
import { describeVariables } from '../../src/variables.ts';

function problemsOf(variables: Record<string, string>): string[] {
  try {
    loadConfig(variables);
    return [];
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'DH-100') throw error;
    return String(error.params.problems).split('\n');
  }
}

const telegram = { TELEGRAM_BOT_TOKEN: `123456:${'a'.repeat(35)}` };
const slack = { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_APP_TOKEN: 'xapp-1' };

test('without any variable the lab runs on loopback with an embedded database', () => {
  expect(loadConfig({})).toEqual({
    dataDir: `${homedir()}/.deckhand`,
    databaseUrl: undefined,
    http: { host: '127.0.0.1', port: 3000, publicUrl: undefined, trustedProxies: [] },
    signin: { github: undefined, oidc: undefined, passwords: false },
    corsOrigins: [],
    secretKey: undefined,
    otherKeys: [],
    owners: [],
    platforms: { slack: undefined, telegram: undefined, discord: undefined },
    lab: true,
    models: { anthropic: undefined, openai: undefined },
    codeHost: undefined,
    sandbox: { kind: 'auto', image: 'deckhand-sandbox:1', agentsImage: 'deckhand-agents:1', warm: 1, dockerHost: undefined },
    runnerConcurrency: 4,
    runnerLabels: [],
    runnerDrainMs: 0,
    ssh: { keyFile: undefined, knownHostsFile: undefined },
    keepRemovedDays: 30,
    keepArtifactsDays: 30,
    keepChangesDays: 90,
    keepEventsDays: 30,
    keepAuditDays: 90,
    diskQuota: { percent: 80 },
    logLevel: 'info',
    secrets: [],
    warnings: [],
  });
});

test('every variable reaches its place', () => {
  const key = randomBytes(32);
  const otherKeys = [randomBytes(32), randomBytes(32)];
  const others = otherKeys.map((other) => other.toString('base64'));
  const config = loadConfig({
    DECKHAND_DATA_DIR: '~/deck',
    DATABASE_URL: 'postgresql://u:p@db/deckhand',
    HOST: '0.0.0.0',
    PORT: '8080',
    PUBLIC_URL: 'https://deckhand.example.com//',
    GITHUB_OAUTH_CLIENT_ID: 'Ov1',
    GITHUB_OAUTH_CLIENT_SECRET: 'oauth',
    OIDC_ISSUER: 'https://id.example.com',
    OIDC_CLIENT_ID: 'deckhand',
    OIDC_CLIENT_SECRET: 'oidc',
    OIDC_NAME: 'Acme',
    OIDC_ALLOWED_DOMAINS: 'Example.com',
    SIGNIN_PASSWORD: 'on',
    TRUSTED_PROXIES: '10.0.0.5, 192.168.0.0/16',
    CORS_ORIGINS: 'https://board.example.com/',
    DECKHAND_SECRET_KEY: key.toString('base64'),
    DECKHAND_OTHER_SECRET_KEYS: others.join(', '),
    DECKHAND_OWNERS: 'slack:T1/U2, telegram:34,discord:56,',
    SLACK_BOT_TOKEN: 'xoxb-1',
    SLACK_SIGNING_SECRET: 'signing',
    SLACK_API_URL: 'http://127.0.0.1:1/api/',
    SANDBOX: 'docker',
    SANDBOX_IMAGE: 'acme/sandbox:7',
    SANDBOX_AGENTS_IMAGE: 'acme/agents:7',
    SANDBOX_WARM: '3',
    DOCKER_HOST: 'tcp://engine:2375',
    RUNNER_CONCURRENCY: '16',
    RUNNER_LABELS: 'gpu, EU',
    RUNNER_DRAIN_SECONDS: '600',
    GIT_SSH_KEY_FILE: '/etc/deckhand/id_ed25519',
    GIT_SSH_KNOWN_HOSTS_FILE: '/etc/deckhand/known_hosts',
    KEEP_REMOVED_DAYS: '7',
    KEEP_ARTIFACTS_DAYS: '8',
    KEEP_CHANGES_DAYS: '9',
    KEEP_EVENTS_DAYS: '10',
    KEEP_AUDIT_DAYS: '11',
    DISK_QUOTA: '1.5 TB',
    ANTHROPIC_API_KEY: 'sk-ant-1',
    OPENAI_BASE_URL: 'http://127.0.0.1:1/v1',
    GITHUB_TOKEN: 'ghp_1',
    GITHUB_WEBHOOK_SECRET: 'w'.repeat(16),
    LOG_LEVEL: 'debug',
  });
  expect(config).toEqual({
    dataDir: `${homedir()}/deck`,
    databaseUrl: 'postgresql://u:p@db/deckhand',
    http: {
      host: '0.0.0.0',
      port: 8080,
      publicUrl: 'https://deckhand.example.com',
      trustedProxies: ['10.0.0.5', '192.168.0.0/16'],
    },
    signin: {
      github: { clientId: 'Ov1', clientSecret: 'oauth', apiUrl: 'https://api.github.com' },
      oidc: {
        issuer: 'https://id.example.com',
        clientId: 'deckhand',
        clientSecret: 'oidc',
        label: 'Acme',
        allowedDomains: ['example.com'],
      },
      passwords: true,
    },
    corsOrigins: ['https://board.example.com'],
    secretKey: key,
    otherKeys,
    owners: [
      { platform: 'slack', tenant: 'T1', user: 'U2' },
      { platform: 'telegram', tenant: undefined, user: '34' },
      { platform: 'discord', tenant: undefined, user: '56' },
    ],
    platforms: {
      slack: { botToken: 'xoxb-1', signingSecret: 'signing', apiUrl: 'http://127.0.0.1:1/api/' },
      telegram: undefined,
      discord: undefined,
    },
    lab: false,
    models: {
      anthropic: { baseUrl: 'https://api.anthropic.com', key: 'sk-ant-1' },
      openai: { baseUrl: 'http://127.0.0.1:1/v1', key: '' },
    },
    sandbox: { kind: 'docker', image: 'acme/sandbox:7', agentsImage: 'acme/agents:7', warm: 3, dockerHost: 'tcp://engine:2375' },
    codeHost: {
      kind: 'github',
      apiUrl: 'https://api.github.com',
      login: { type: 'token', token: 'ghp_1' },
      webhookSecret: 'w'.repeat(16),
    },
    runnerConcurrency: 16,
    runnerLabels: ['eu', 'gpu'],
    runnerDrainMs: 600_000,
    ssh: { keyFile: '/etc/deckhand/id_ed25519', knownHostsFile: '/etc/deckhand/known_hosts' },
    keepRemovedDays: 7,
    keepArtifactsDays: 8,
    keepChangesDays: 9,
    keepEventsDays: 10,
    keepAuditDays: 11,
    diskQuota: { bytes: 1.5e12 },
    logLevel: 'debug',
    secrets: [
      'postgresql://u:p@db/deckhand',
      key.toString('base64'),
      others.join(', '),
      'xoxb-1',
      'signing',
      'sk-ant-1',
      'ghp_1',
      'w'.repeat(16),
      'oauth',
      'oidc',
      ...others,
    ],
    warnings: [],
  });
});

test('an app token turns Socket Mode on, whatever else is set', () => {
  expect(loadConfig({ ...slack, SLACK_SIGNING_SECRET: 's' }).platforms.slack).toEqual({ botToken: 'xoxb-1', appToken: 'xapp-1' });
});

test('several platforms are served at once', () => {
  const { platforms, lab } = loadConfig({ ...slack, ...telegram, DISCORD_BOT_TOKEN: 't' });
  expect(lab).toBe(false);
  expect(Object.values(platforms).every((platform) => platform !== undefined)).toBe(true);
});

test('a disk quota is a part of the disk, a size or none', () => {
  expect(loadConfig({ DISK_QUOTA: 'none' }).diskQuota).toBe('none');
  expect(loadConfig({ DISK_QUOTA: '50gb' }).diskQuota).toEqual({ bytes: 50e9 });
  for (const value of ['0%', '101%', '50', '-1GB', 'all']) {
    expect(problemsOf({ DISK_QUOTA: value })).toEqual([
      expect.stringMatching(/^DISK_QUOTA must be a part of the disk such as 80%/),
    ]);
  }
});

test('what is set of signing in without what it needs is told, and so are addresses that are none', () => {
  expect(
    problemsOf({
      GITHUB_OAUTH_CLIENT_ID: 'Ov1',
      OIDC_CLIENT_SECRET: 's',
      OIDC_ALLOWED_DOMAINS: 'example',
      TRUSTED_PROXIES: '10.0.0.1,proxy,10.0.0.0/33',
      CORS_ORIGINS: 'https://a.example.com/path',
    }),
  ).toEqual([
    'OIDC_ALLOWED_DOMAINS entry 1 must be a domain such as example.com',
    'TRUSTED_PROXIES entry 2 must be an address, or a network such as 10.0.0.0/8',
    'TRUSTED_PROXIES entry 3 must be an address, or a network such as 10.0.0.0/8',
    'CORS_ORIGINS entry 1 must be an origin such as https://example.com',
    'GITHUB_OAUTH_CLIENT_SECRET is needed with GITHUB_OAUTH_CLIENT_ID',
    'OIDC_ISSUER is needed with OIDC_CLIENT_SECRET',
    'OIDC_ISSUER is needed with OIDC_ALLOWED_DOMAINS',
  ]);
});

test('an empty value counts as unset', () => {
  expect(loadConfig({ PORT: '', DATABASE_URL: '', SLACK_BOT_TOKEN: '', LOG_LEVEL: '' })).toEqual(loadConfig({}));
});

test('all problems are reported together, those of single variables and those between them', () => {
  const problems = problemsOf({
    PORT: '70000',
    SANDBOX: 'vm',
    RUNNER_CONCURRENCY: 'many',
    DATABASE_URL: 'postgresql://h/d',
    HOST: '0.0.0.0',
  });
  expect(problems).toEqual([
    'PORT must be a whole number from 0 to 65535',
    'SANDBOX must be one of auto, docker, local',
    'RUNNER_CONCURRENCY must be a whole number from 1 to 64',
    expect.stringMatching(/^DECKHAND_SECRET_KEY is needed with DATABASE_URL/),
    expect.stringMatching(/^HOST must be a loopback address while no platform is set up/),
  ]);
});

test.each([
  [{ SLACK_BOT_TOKEN: 'xoxb-1' }, 'SLACK_BOT_TOKEN needs SLACK_APP_TOKEN'],
  [{ SLACK_APP_TOKEN: 'xapp-1' }, 'SLACK_APP_TOKEN is set without SLACK_BOT_TOKEN'],
  [{ TELEGRAM_API_ROOT: 'http://127.0.0.1:1' }, 'TELEGRAM_API_ROOT is set without TELEGRAM_BOT_TOKEN'],
  [{ DISCORD_API_URL: 'http://127.0.0.1:1' }, 'DISCORD_API_URL is set without DISCORD_BOT_TOKEN'],
  [{ SLACK_SIGNING_SECRET: 's' }, 'SLACK_SIGNING_SECRET is set without SLACK_BOT_TOKEN'],
  [{ ...slack, SLACK_BOT_TOKEN: 'xoxp-1' }, 'SLACK_BOT_TOKEN must start with xoxb-'],
  [{ HOST: '192.168.1.5' }, 'HOST must be a loopback address'],
  [{ DECKHAND_SECRET_KEY: 'c2hvcnQ=' }, 'DECKHAND_SECRET_KEY must be 32 bytes'],
  [{ DECKHAND_OWNERS: 'slack:U1' }, 'DECKHAND_OWNERS entry 1 must read'],
  [{ PUBLIC_URL: 'deckhand.example.com' }, 'PUBLIC_URL must be an address'],
  [{ DOCKER_HOST: '/var/run/docker.sock' }, 'DOCKER_HOST must be an address'],
  [{ PORT: '-1' }, 'PORT must be'],
  [{ PORT: '3000.5' }, 'PORT must be'],
])('%j is refused', (variables, problem) => {
  expect(problemsOf(variables)).toEqual([expect.stringContaining(problem)]);
});

test('what never opens the lab may listen on any address without a platform', () => {
  expect(loadConfig({ HOST: '0.0.0.0' }, { opensLab: false }).http.host).toBe('0.0.0.0');
});

test('a problem names its variable and never shows the value', () => {
  const names = describeVariables().map(({ name }) => name);
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.string({ minLength: 1 }), (name, tail) => {
      const value = `zq${tail}qz`;
      for (const problem of problemsOf({ [name]: value })) {
        expect(problem).toMatch(/^[A-Z_]+ /);
        expect(problem).not.toContain(value);
      }
    }),
  );
});

test('oddities are warnings: requests that cannot arrive, and names that do not exist', () => {
  expect(loadConfig({ SLACK_BOT_TOKEN: 'xoxb-1', SLACK_SIGNING_SECRET: 's' }).warnings).toEqual([
    expect.stringMatching(/^PUBLIC_URL is not set/),
  ]);
  expect(loadConfig({ DECKHAND_OWNER: 'slack:T1/U1', SLACKER: 'x' }).warnings).toEqual([
    expect.stringMatching(/^DECKHAND_OWNER is not a variable/),
  ]);
});

test('a model server is there when its key or its address is', () => {
  expect(loadConfig({ ANTHROPIC_API_KEY: 'sk-ant-test' }).models).toEqual({
    anthropic: { baseUrl: 'https://api.anthropic.com', key: 'sk-ant-test' },
    openai: undefined,
  });
  expect(loadConfig({ OPENAI_BASE_URL: 'http://127.0.0.1:8085/v1/' }).models.openai).toEqual({
    baseUrl: 'http://127.0.0.1:8085/v1',
    key: '',
  });
  expect(loadConfig({ OPENAI_API_KEY: 'sk-test' }).secrets).toEqual(['sk-test']);
});

test('GitHub is acted at by a token or as an app, whose key may be written in three ways', () => {
  const apiUrl = 'https://api.github.com';
  expect(loadConfig({ GITHUB_TOKEN: 'ghp_x' }).codeHost).toEqual({
    kind: 'github',
    apiUrl,
    login: { type: 'token', token: 'ghp_x' },
    webhookSecret: undefined,
  });
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  for (const written of [privateKey, privateKey.replaceAll('\n', '\\n'), Buffer.from(privateKey).toString('base64')]) {
    const { codeHost, secrets } = loadConfig({
      GITHUB_APP_ID: '12',
      GITHUB_APP_PRIVATE_KEY: written,
      GITHUB_API_URL: 'https://ghe.example.com/api/v3/',
    });
    expect(codeHost).toEqual({
      kind: 'github',
      apiUrl: 'https://ghe.example.com/api/v3',
      login: { type: 'app', id: '12', privateKey },
      webhookSecret: undefined,
    });
    expect(secrets).toEqual(expect.arrayContaining([written, privateKey]));
  }
  expect(problemsOf({ GITHUB_APP_ID: '12', GITHUB_TOKEN: 'ghp_x', GITHUB_API_URL: 'ghe' })).toEqual([
    'GITHUB_API_URL must be an address that starts with http:// or https://',
    'GITHUB_APP_PRIVATE_KEY is needed with GITHUB_APP_ID: it proves that Deckhand is the app',
    'GITHUB_TOKEN and GITHUB_APP_ID are two ways to act at GitHub: unset one of them',
  ]);
  expect(problemsOf({ GITHUB_APP_PRIVATE_KEY: 'secret', GITHUB_APP_ID: 'x' })[0]).toMatch(/^GITHUB_APP_ID must be the number/);
});
