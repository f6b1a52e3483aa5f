import { type AgentKind, type AgentOffer, agentKinds } from '../src/contracts/agent.ts';
import type { Harness } from './harness/port.ts';
import { harnesses } from './harness/registry.ts';
import type { GatewayRun } from './proxy/port.ts';
import { type AgentPrograms, ImageMissing, ImageUnfit, type Sandbox } from './sandbox/port.ts';

export interface OfferParts {
  models: GatewayRun['models'];
  /** What each model server is called for people; see AgentOffer. */
  accounts: Readonly<Partial<Record<Protocol, string>>>;
  sandbox: Pick<Sandbox, 'agents' | 'kind'>;
}

type Protocol = keyof GatewayRun['models'];
type Found = { programs: AgentPrograms } | { why: string; remedy: string };

const variables: Record<Protocol, string> = {
  anthropic: '`ANTHROPIC_API_KEY`, or `ANTHROPIC_BASE_URL` of a compatible server',
  openai: '`OPENAI_API_KEY`, or `OPENAI_BASE_URL` of a compatible server',
};

/** Looks which agents can work here now, and what they can do. Never throws for what is missing: that is what it tells. */
export async function agentOffers(parts: OfferParts, signal?: AbortSignal): Promise<AgentOffer[]> {
  const found = await programsIn(parts.sandbox, signal);
  return agentKinds.map((kind) => offerOf(kind, harnesses[kind], found, parts));
}

function offerOf(agent: AgentKind, { capabilities, program }: Harness, found: Found, parts: OfferParts): AgentOffer {
  const version = 'programs' in found && program !== undefined ? (found.programs[program.name] ?? null) : null;
  const protocol = capabilities.models.find((one) => parts.models[one] !== undefined);
  const missing = missingOf(capabilities.models, protocol, program, version, found);
  return {
    agent,
    available: missing === undefined,
    installed: 'programs' in found && (program === undefined || version !== null),
    why: missing?.why ?? null,
    remedy: missing?.remedy ?? null,
    version,
    account: protocol === undefined ? null : (parts.accounts[protocol] ?? null),
    modes: [...capabilities.modes],
    efforts: [...capabilities.efforts],
    changes: { ...capabilities.changes },
    steering: { ...capabilities.steering },
  };
}

function missingOf(
  protocols: readonly Protocol[],
  protocol: Protocol | undefined,
  program: Harness['program'],
  version: string | null,
  found: Found,
): { why: string; remedy: string } | undefined {
  if (protocol === undefined) {
    const settings = protocols.map((one) => variables[one]).join(', or ');
    return { why: 'no model server is configured for it.', remedy: `Set ${settings} where the runner starts.` };
  }
  if ('why' in found) return found;
  if (program === undefined || version !== null) return undefined;
  return { why: `${program.product} is not installed where agents run.`, remedy: `Build the image with it: \`npm run image\`.` };
}

async function programsIn(sandbox: OfferParts['sandbox'], signal: AbortSignal | undefined): Promise<Found> {
  try {
    return { programs: await sandbox.agents(signal) };
  } catch (error) {
    signal?.throwIfAborted();
    const remedy = 'Build it with `npm run image` on the machine of the runner.';
    if (error instanceof ImageMissing) return { why: 'the image that agents run in is not there.', remedy };
    if (error instanceof ImageUnfit) return { why: 'the image that agents run in does not fit this version.', remedy };
    return { why: 'the container engine of the runner does not answer.', remedy: '`doctor` says what is wrong with it.' };
  }
}
