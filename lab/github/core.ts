import type { Json } from '../slack/json.ts';
import { createIds, type Ids } from './ids.ts';
import type { Account, App, Change, Hook, Installation, Repository, Token } from './model.ts';
import { githubSchema, type Schema } from './schema.ts';

export interface Settings {
  /** REST answers 503, and git too. */
  outage: boolean;
  /** Added to every REST answer, milliseconds. */
  latencyMs: number;
  /** Requests an hour and token. GitHub's 5,000 by default. */
  hourlyLimit: number;
  /** How long a receiver of webhooks may take. */
  deliveryTimeoutMs: number;
}

/** A webhook that is due. */
export interface Event {
  /** `pull_request` */
  event: string;
  /** `opened`; undefined where the event has none. */
  action: string | undefined;
  repository: Repository | undefined;
  installation: Installation | undefined;
  sender: Account;
  /** What belongs to this event alone; repository, sender and installation are added. */
  payload: Json;
}

/** What every part of the emulator works on. */
export interface Core {
  schema: Schema;
  settings: Settings;
  /** `http://127.0.0.1:port` */
  baseUrl: string;
  /** What clients take as base of REST: `http://127.0.0.1:port/api/v3`, as at GitHub Enterprise Server. */
  apiUrl: string;
  /** Directory of the bare repositories; ends with the emulator. */
  root: string;
  ids: Ids;
  /** Milliseconds since 1970. */
  now(): number;
  /** By login, lower case. */
  accounts: Map<string, Account>;
  /** By `owner/name`, lower case. */
  repositories: Map<string, Repository>;
  /** Names that repositories had before, lower case: they lead to where the repository is now. */
  renamed: Map<string, Repository>;
  apps: Map<string, App>;
  installations: Map<number, Installation>;
  tokens: Map<string, Token>;
  /** Of the app; repositories keep their own. */
  appHook: Hook | undefined;
  send(event: Event): void;
  /** Whether anybody gets webhooks of this repository: some are costly to write. */
  isHeard(repository: Repository): boolean;
  /** Tells a new receiver that it is one. */
  ping(repository: Repository, hook: Hook, payload: Json): void;
  /** Id of the app that `appHook` belongs to. */
  appHookTarget(): number;
  /** Work that changes refs of a repository, one after the other. */
  exclusive<T>(repository: Repository, work: () => Promise<T>): Promise<T>;
  changed(change: Change): void;
  subscribe(listener: (change: Change) => void): () => void;
  /** Tells the emulator of its own mistake. */
  failed(error: unknown): void;
}

export function createCore(given: { root: string; now: () => number; onError: (error: unknown) => void }): Core {
  const listeners = new Set<(change: Change) => void>();
  const tails = new Map<Repository, Promise<unknown>>();
  const core: Core = {
    schema: githubSchema(),
    settings: { outage: false, latencyMs: 0, hourlyLimit: 5_000, deliveryTimeoutMs: 10_000 },
    baseUrl: '',
    apiUrl: '',
    root: given.root,
    ids: createIds(),
    now: given.now,
    accounts: new Map(),
    repositories: new Map(),
    renamed: new Map(),
    apps: new Map(),
    installations: new Map(),
    tokens: new Map(),
    appHook: undefined,
    send: () => undefined,
    isHeard: (repository) => repository.hooks.size > 0 || core.appHook !== undefined,
    ping: () => undefined,
    appHookTarget: () => 0,
    async exclusive(repository, work) {
      const before = tails.get(repository) ?? Promise.resolve();
      const mine = before.then(work, work);
      tails.set(repository, mine);
      return await mine;
    },
    changed(change) {
      for (const listener of listeners) listener(change);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    failed: given.onError,
  };
  return core;
}

export const fullName = (repository: Pick<Repository, 'owner' | 'name'>): string => `${repository.owner}/${repository.name}`;

export function accountOf(core: Core, login: string): Account {
  const account = core.accounts.get(login.toLowerCase());
  if (!account) throw new Error(`there is no account ${login}`);
  return account;
}

/** An account that nobody has yet becomes an organisation. */
export function organisationOr(core: Core, owner: string): Account {
  const known = core.accounts.get(owner.toLowerCase());
  if (known !== undefined) return known;
  const email = `${owner}@example.com`;
  const made: Account = { id: core.ids.next(), login: owner, name: owner, email, type: 'Organization' };
  core.accounts.set(owner.toLowerCase(), made);
  return made;
}

export function repositoryOf(core: Core, name: string): Repository | undefined {
  return core.repositories.get(name.toLowerCase());
}

/** The installation of the emulator's app that reaches this repository. */
export function installationFor(core: Core, repository: Repository): Installation | undefined {
  return [...core.installations.values()].find(
    (entry) =>
      entry.account.toLowerCase() === repository.owner.toLowerCase() &&
      (entry.repositories === 'all' || entry.repositories.has(repository.name)),
  );
}
