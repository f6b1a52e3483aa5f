import { generateKeyPairSync } from 'node:crypto';
import { accountOf, type Core, organisationOr } from './core.ts';
import { nodeId, secret } from './ids.ts';
import type { App, Installation, Permissions } from './model.ts';
import { ORGANISATION } from './seed.ts';
import { wireAccount, wireInstallation } from './wire-accounts.ts';

/** The one GitHub App of the emulator, as its owner holds it. */
export interface LabApp {
  id: number;
  slug: string;
  clientId: string;
  /** Login of the bot that its installations act as: `deckhand[bot]`. */
  bot: string;
  /** PEM, PKCS#1 as GitHub hands it out. */
  privateKey: string;
  webhookSecret: string;
  /** Installs it for an account, on all of its repositories or on these (names without owner); returns the id of the installation. */
  install(owner: string, options?: { repositories?: readonly string[]; permissions?: Permissions }): number;
  uninstall(owner: string): void;
  /** Its tokens stop working until it is lifted. */
  suspend(owner: string, isSuspended: boolean): void;
  /** Where the app's webhooks go; undefined: nowhere. */
  webhook(url: string | undefined): void;
}

/** What an app needs that does what Deckhand does. */
export const APP_PERMISSIONS: Permissions = {
  metadata: 'read',
  contents: 'write',
  pull_requests: 'write',
  issues: 'write',
  checks: 'read',
  statuses: 'read',
  actions: 'write',
};

export const APP_EVENTS = [
  'push',
  'pull_request',
  'pull_request_review',
  'pull_request_review_comment',
  'issue_comment',
  'issues',
  'check_run',
  'check_suite',
  'status',
  'workflow_run',
  'workflow_job',
];

let keys: { publicKey: string; privateKey: string } | undefined;

/** Made when first asked for, and then the same for every emulator of the process: making one takes longer than most tests. */
function keyPair(): { publicKey: string; privateKey: string } {
  keys ??= generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  return keys;
}

export function createLabApp(
  core: Core,
  given: { permissions?: Permissions | undefined; events?: readonly string[] | undefined },
): LabApp {
  const bot = 'deckhand[bot]';
  const app: App = {
    id: 910_001,
    slug: 'deckhand',
    name: 'Deckhand',
    clientId: 'Iv23liDeckhandLab001',
    owner: ORGANISATION.login,
    bot,
    get publicKey() {
      return keyPair().publicKey;
    },
    permissions: given.permissions ?? APP_PERMISSIONS,
    events: [...(given.events ?? APP_EVENTS)],
    createdAt: core.now(),
  };
  core.apps.set(app.slug, app);
  core.accounts.set(bot, { id: 3_001, login: bot, name: bot, email: `3001+${bot}@users.noreply.github.com`, type: 'Bot' });
  const webhookSecret = secret(32);

  const of = (owner: string): Installation => {
    const found = [...core.installations.values()].find(({ account }) => account.toLowerCase() === owner.toLowerCase());
    if (!found) throw new Error(`the app is not installed for ${owner}`);
    return found;
  };
  const tell = (action: 'created' | 'deleted', installation: Installation) =>
    core.send({
      event: 'installation',
      action,
      repository: undefined,
      installation,
      sender: accountOf(core, 'ada'),
      payload: {
        installation: wireInstallation(core, installation),
        repositories: [...core.repositories.values()]
          .filter(
            ({ owner, name }) =>
              owner === installation.account && (installation.repositories === 'all' || installation.repositories.has(name)),
          )
          .map((entry) => ({
            id: entry.id,
            node_id: nodeId('R', entry.id),
            name: entry.name,
            full_name: `${entry.owner}/${entry.name}`,
            private: entry.private,
          })),
        ...(action === 'created' ? { requester: null } : {}),
        sender: wireAccount(core, accountOf(core, 'ada')),
      },
    });

  return {
    id: app.id,
    slug: app.slug,
    clientId: app.clientId,
    bot,
    get privateKey() {
      return keyPair().privateKey;
    },
    webhookSecret,
    install(owner, options = {}) {
      const installation: Installation = {
        id: core.ids.next(),
        app: app.slug,
        account: organisationOr(core, owner).login,
        repositories: options.repositories ? new Set(options.repositories) : 'all',
        permissions: options.permissions ?? app.permissions,
        createdAt: core.now(),
        suspendedAt: null,
      };
      core.installations.set(installation.id, installation);
      tell('created', installation);
      return installation.id;
    },
    uninstall(owner) {
      const installation = of(owner);
      tell('deleted', installation);
      core.installations.delete(installation.id);
      for (const token of core.tokens.values()) if (token.installation === installation.id) core.tokens.delete(token.token);
    },
    suspend(owner, isSuspended) {
      of(owner).suspendedAt = isSuspended ? core.now() : null;
    },
    webhook(url) {
      core.appHook =
        url === undefined
          ? undefined
          : {
              id: core.ids.next(),
              target: 'app',
              url,
              secret: webhookSecret,
              events: [...app.events, 'installation', 'ping'],
              active: true,
              createdAt: core.now(),
              deliveries: [],
            };
    },
  };
}
