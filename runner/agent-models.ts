import type { AgentOffer } from '../src/contracts/agent.ts';
import { harnesses } from './harness/registry.ts';
import type { ModelLists } from './proxy/models.ts';
import type { GatewayRun } from './proxy/port.ts';

/** Adds to what is said about agents which models their servers offer. An agent without a server has none. */
export async function withModels(
  offers: readonly AgentOffer[],
  servers: GatewayRun['models'],
  lists: ModelLists,
): Promise<AgentOffer[]> {
  return await Promise.all(
    offers.map(async (offer) => {
      const capabilities = harnesses[offer.agent]?.capabilities;
      const protocol = capabilities?.models.find((one) => servers[one] !== undefined);
      const server = protocol === undefined ? undefined : servers[protocol];
      if (protocol === undefined || server === undefined) return offer;
      const { names, from } = await lists.of(protocol, server);
      return { ...offer, models: { names: [...names], from, usual: capabilities?.usualModel ?? null } };
    }),
  );
}
