import { defaultWaitLimits } from '../../runner/agent-waits.ts';
import { createGateways } from '../../runner/proxy/gateways.ts';
import type { AgentDeps } from '../../runner/run-agent.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createSecretBox } from '../../src/runtime/secret-box.ts';
import { createAgentAccounts } from '../../src/tasks/agent-accounts.ts';
import type { OpenEngine } from './runner-parts.ts';

/** What a process needs to run agents; plain data, so that it can be given to a child. */
export interface AgentInstallation {
  anthropicUrl: string;
  openaiUrl: string;
  /** 32 bytes in base64url: tokens of runs are made from it, and keys of accounts sealed with it. */
  key: string;
  gatewayRoot: string;
  waits?: AgentDeps['waits'] | undefined;
}

/** Sandboxes of the tests: large enough for the programs of agents. */
export const agentLimits = { diskBytes: 256 * 1024 ** 2, memoryBytes: 1024 ** 3 };

export function openAgents(installation: AgentInstallation, parts: OpenEngine): AgentDeps & { close(): Promise<void> } {
  const gateways = createGateways({ logger: parts.logger, environment: {} });
  const secretBox = createSecretBox([Buffer.from(installation.key, 'base64url')]);
  return {
    control: parts.engine.agents,
    gateways,
    models: {
      anthropic: { baseUrl: installation.anthropicUrl, key: 'the-real-key-of-anthropic' },
      openai: { baseUrl: installation.openaiUrl, key: 'the-real-key-of-openai' },
    },
    named: createAgentAccounts({ database: parts.database, secretBox, clock: systemClock, logger: parts.logger }),
    tokensFor: (purpose) => [`${installation.key}-${purpose}`.replaceAll(/[^\w-]/g, '-')],
    gatewayRoot: installation.gatewayRoot,
    waits: installation.waits ?? defaultWaitLimits,
    close: () => gateways.close(),
  };
}
