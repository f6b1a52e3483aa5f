import type { NumberedInput, Usage } from '../../src/contracts/agent.ts';
import type { SpendRequest, SpendVerdict } from '../../src/contracts/agent-control.ts';

/**
 * The only way out of a sandbox: a server on the unix socket of one run. It swaps the token of the run for the real key of a model
 * provider, counts what is used, hands numbered inputs to the main process and lets through what the run may fetch. Keys never leave
 * this process, and nothing of a request is kept but figures.
 */
export interface Gateways {
  /**
   * Serves a run on `<directory>/gw.sock`, replacing a socket that an earlier life has left, until `close`. The directory is the
   * sandbox's to see and to connect in, never to write. Throws what the file system says.
   */
  open(run: GatewayRun): Promise<Gateway>;
}

export interface Gateway {
  /** Where programs outside of the sandbox (a loop in this process) reach the same gateway: `http://127.0.0.1:<port>`, loopback only. */
  readonly url: string;
  /** Refuses everything from now on, ends what is under way, removes the socket. Idempotent. */
  close(): Promise<void>;
}

export interface GatewayRun {
  run: string;
  /** `dhr_…`; nothing is served without it, and it is worth nothing at another socket. */
  token: string;
  /** What the run was given by a key that was replaced since holds as well: it cannot be given another. */
  olderTokens?: readonly string[] | undefined;
  directory: string;
  models: { anthropic?: ModelUpstream | undefined; openai?: ModelUpstream | undefined };
  /** Web and MCP tools that run at the provider pass. */
  providerTools: boolean;
  /** Hosts programs may fetch from over TLS, `registry.npmjs.org` or `*.pythonhosted.org`; port 443 only. */
  hosts: readonly string[];
  /**
   * Asked before every request to a model. `wait` is asked again until it is something else; the request is held meanwhile. After `go`
   * follows `used` or `unused` of the same request.
   */
  maySpend(asked: SpendRequest, signal: AbortSignal): Promise<SpendVerdict>;
  /** Told of every request that was answered, also when the sandbox hung up in the middle: what was counted until then. */
  used(usage: Usage, request: string): Promise<void>;
  /**
   * Told of every other request that was asked for: nothing is to be paid for it, as far as is known. `reached`: it may have come to the model
   * server.
   */
  unused(request: string, reached: boolean): Promise<void>;
  /** Told of every host once per verdict. */
  host(host: string, allowed: boolean): void;
  /** Inputs for the main process after `after`, as they come; ends with `signal`. */
  inputs(after: number, signal: AbortSignal): AsyncIterable<NumberedInput>;
}

export interface ModelUpstream {
  /** Without a trailing slash; `/v1/messages` or `/v1/responses` is added (`…/v1` in the base is not doubled). */
  baseUrl: string;
  key: string;
  /** `Authorization: Bearer` also where the protocol has a header of its own. */
  bearer?: boolean | undefined;
  /** Models that may be asked for; undefined: any. */
  models?: readonly string[] | undefined;
}
