import type { AccountRefusal } from '../src/contracts/agent-account.ts';
import { AppError } from '../src/contracts/errors.ts';
import type { RunSpec } from '../src/contracts/run-control.ts';
import { harnesses } from './harness/registry.ts';
import { patiently } from './patience.ts';
import type { ModelUpstream } from './proxy/port.ts';
import type { JourneyDeps } from './run-journey.ts';
import { ImageMissing, ImageUnfit } from './sandbox/port.ts';

/** What a run has of the account that it was given, besides its model server. Never the key. */
export interface RunAccount {
  /** Image and program of its own; null: those of agents. */
  image: string | null;
  binary: string | null;
  /** Why it cannot be used, from the beginning or by now; undefined: it can. */
  refusal(signal: AbortSignal): Promise<AccountRefusal | undefined>;
}

/** A server that does not exist, for an account that is not there any more: nothing is asked of it, because the run may spend nothing. */
const nowhere: ModelUpstream = { baseUrl: 'http://account.invalid', key: '' };

/**
 * What a run needs, with the model server of the account that it names instead of what the runner is configured with. The key is among
 * what never shows in its output. Of an account for some models only, the first is the default. An account that cannot be used does not end the run here: what it has done is to be kept.
 */
export async function withAccount<D extends JourneyDeps>(
  deps: D,
  spec: RunSpec,
  signal: AbortSignal,
): Promise<{ deps: D; spec: RunSpec }> {
  const { agents } = deps;
  const { agent } = spec;
  if (agents === undefined || agent === undefined || agent.settings.account === null) return { deps, spec };
  const { settings } = agent;
  const { named } = agents;
  if (named === undefined) throw new Error(`${spec.run} names an account, and this runner knows none`);
  const ask = <T>(work: () => Promise<T>, until: AbortSignal) => patiently(work, { passes: () => true, signal: until });
  const taken = await ask(() => named.take(spec.run), signal);
  if (taken === undefined) throw new Error(`${spec.run} names an account, and its row does not`);
  if ('refusal' in taken) {
    const [protocol = 'anthropic'] = harnesses[settings.agent]?.capabilities.models ?? [];
    const account: RunAccount = { image: null, binary: null, refusal: async () => taken.refusal };
    return { deps: { ...deps, agents: { ...agents, models: { [protocol]: nowhere }, account } }, spec };
  }
  const { id, protocol, baseUrl, key, bearer, models, image, binary } = taken.account;
  const upstream: ModelUpstream = { baseUrl, key, bearer, models: models ?? undefined };
  const account: RunAccount = { image, binary, refusal: (until) => ask(() => named.refusal(id, spec.run), until) };
  const secrets = key === '' ? deps.secrets : [...deps.secrets, key];
  return {
    deps: { ...deps, secrets, agents: { ...agents, models: { [protocol]: upstream }, account } },
    spec: { ...spec, agent: { ...agent, settings: { ...settings, model: settings.model ?? models?.[0] ?? null } } },
  };
}

/** Throws DH-217 before anything starts when the account cannot be used, or has an image and this place knows no images. */
export async function checkAccount(account: RunAccount | undefined, isolated: boolean, signal: AbortSignal): Promise<void> {
  if (account === undefined) return;
  const refusal = await account.refusal(signal);
  if (refusal !== undefined) throw new AppError('DH-217', { ...refusal });
  if (account.image === null || isolated) return;
  throw new AppError('DH-217', {
    what: `Its image \`${account.image}\` needs a container engine, and this runner has none.`,
    instead: 'Use an account without an image, or start a container engine on the machine of the runner.',
  });
}

/** An image of an account that is missing or does not fit is not what `npm run image` builds. Any other error as it is. */
export function accountError(error: unknown, account: RunAccount | undefined): unknown {
  if (!(error instanceof ImageMissing || error instanceof ImageUnfit) || error.image !== account?.image) return error;
  const why =
    error instanceof ImageMissing ? 'is not on the container engine of the runner' : 'was not built from that of agents';
  return new AppError(
    'DH-217',
    {
      what: `The image \`${error.image}\` of its account ${why}.`,
      instead: 'Build it from `deckhand-agents:1` there, or name another one with `account set`. Then retry.',
    },
    { cause: error },
  );
}

/** The verdict about a request to a model with an account that is not there any more; undefined: it is. */
export async function accountDenies(
  account: RunAccount | undefined,
  signal: AbortSignal,
): Promise<{ verdict: 'deny'; because: string } | undefined> {
  const refusal = await account?.refusal(signal);
  return refusal === undefined ? undefined : { verdict: 'deny', because: `${refusal.what} ${refusal.instead}` };
}
