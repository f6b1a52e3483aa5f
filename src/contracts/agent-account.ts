import { z } from 'zod';
import type { AgentKind } from './agent.ts';

/** Wire protocols of model servers: Anthropic's Messages and OpenAI's Responses. */
export const modelProtocolSchema = z.enum(['anthropic', 'openai']);
export type ModelProtocol = z.infer<typeof modelProtocolSchema>;

/** Which of them each agent speaks; the same as its harness says (tests/contracts/harness.test.ts). */
export const protocolOf: Readonly<Record<AgentKind, ModelProtocol>> = {
  claude: 'anthropic',
  'claude-code': 'anthropic',
  codex: 'openai',
};

/**
 * How the key of an account is sent.
 *
 * - `none`: the server asks for none
 * - `key`: as the provider has it: `x-api-key` with Anthropic's protocol, `Authorization: Bearer` with OpenAI's
 * - `bearer`: `Authorization: Bearer` with either
 * - `login`: the token of a login of Claude Code (`claude setup-token`): bearer, and announced as such. For `claude-code` alone
 */
export const credentialSchema = z.enum(['none', 'key', 'bearer', 'login']);
export type Credential = z.infer<typeof credentialSchema>;

/** What the token of a form begins with whose answers are secrets; what follows says which. They are sealed before they are stored. */
export const secretFormPrefix = 'secret ';

/** What tokens of `claude setup-token` begin with. */
export const loginTokenPrefix = 'sk-ant-oat';

/** A model server with what is needed to use it, under a name that is unique in its workspace. Never with its key. */
export interface AgentAccount {
  id: string;
  workspace: string;
  name: string;
  protocol: ModelProtocol;
  /** Without a trailing slash. */
  baseUrl: string;
  credential: Credential;
  /** False: one is needed and has not been entered, or the account was removed. */
  hasKey: boolean;
  /** The last characters of the key, where it is long enough to show them. */
  keyEnd: string | null;
  keyAt: Date | null;
  /** Names of the models that may be asked for; null: any. */
  models: readonly string[] | null;
  /** What the server said it has when the account was last checked; null: it tells nothing. */
  offered: { models: readonly string[]; at: Date } | null;
  /** Image of the sandboxes of its runs; null: that of agents. */
  image: string | null;
  /** Path of the agent's program in the image; null: as it is found there. */
  binary: string | null;
  /** The only project whose tasks work with it: for all others it does not exist; null: those of every project do. */
  project: { id: string; name: string } | null;
  createdAt: Date;
  lastUsedAt: Date | null;
  removed: boolean;
}

/** An account in the hands of a runner, for one run. The key is in memory only. */
export interface AccountInUse {
  id: string;
  name: string;
  protocol: ModelProtocol;
  baseUrl: string;
  /** Empty for a server that asks for none. */
  key: string;
  bearer: boolean;
  models: readonly string[] | null;
  image: string | null;
  binary: string | null;
}

/** Why an account cannot be used, as sentences for people. */
export interface AccountRefusal {
  what: string;
  instead: string;
}

/** The accounts as a runner sees them. The composition gives it, so that `runner/` never imports `src/tasks`. */
export interface AgentAccounts {
  /**
   * The account that a run was given, with its key; undefined: none, it uses what the runner is configured with. Notes that it is used.
   * `refusal`: there is none for its project, it has no key or does not fit the agent. Repeatable.
   */
  take(run: string): Promise<{ account: AccountInUse } | { refusal: AccountRefusal } | undefined>;
  /** Why a run under way may not ask for more with this account (it was removed, or is of another project now); undefined: it may. */
  refusal(account: string, run: string): Promise<AccountRefusal | undefined>;
}
