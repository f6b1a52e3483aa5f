import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ensureDemoProject } from '../../lab/demo-project.ts';
import { createModelServer, type ModelServer } from '../../lab/model/server.ts';
import { defaultWaitLimits } from '../../runner/agent-waits.ts';
import { harnesses } from '../../runner/harness/registry.ts';
import { createGateways } from '../../runner/proxy/gateways.ts';
import type { AgentDeps } from '../../runner/run-agent.ts';
import type { AgentKind, AgentMode } from '../../src/contracts/agent.ts';
import type { Policy } from '../../src/contracts/policy.ts';
import type { InteractionRecord } from '../../src/store/interactions.ts';
import { interactionsOfRun } from '../../src/store/interactions.ts';
import type { DecideInput } from '../../src/tasks/task-engine.ts';
import { createRunnerWorld, type RunnerWorld } from './runner-world.ts';
import { waitFor } from './wait-for.ts';

export type AgentWorld = Awaited<ReturnType<typeof createAgentWorld>>;

/** An installation whose runner takes runs of agents: real programs in real sandboxes, and a model that follows scripts. */
export async function createAgentWorld(kind: 'docker' | 'local', change: { waits?: AgentDeps['waits'] } = {}) {
  const world: RunnerWorld = await createRunnerWorld(kind);
  const model: ModelServer = await createModelServer();
  const key = randomBytes(32).toString('base64url');
  const gateways = createGateways({ logger: world.logger, environment: {} });
  const agents: AgentDeps = {
    control: world.engine.agents,
    gateways,
    harnesses,
    models: {
      anthropic: { baseUrl: model.anthropicUrl, key: 'the-real-key-of-anthropic' },
      openai: { baseUrl: model.openaiUrl, key: 'the-real-key-of-openai' },
    },
    tokenFor: (purpose) => `${key}-${purpose}`.replaceAll(/[^\w-]/g, '-'),
    gatewayRoot: join(world.installation.dataDir, 'gateway'),
    hosts: [],
    waits: change.waits ?? defaultWaitLimits,
  };
  const demo = join(world.place.path, 'demo');
  await ensureDemoProject(demo);
  let count = 0;

  return {
    ...world,
    model,
    agents,
    /** A project with the demo repository, whose one test fails. */
    demoProject: (policy: Partial<Policy> = {}) => world.project({ source: { kind: 'path', path: demo }, policy }),
    startAgentRunner: (more: Parameters<RunnerWorld['startRunner']>[0] = {}) =>
      world.startRunner({ agents, limits: { diskBytes: 256 * 1024 ** 2, memoryBytes: 1024 ** 3 }, ...more }),
    /** Asks an agent for something, as chat does. */
    async ask(agent: AgentKind, mode: AgentMode, prompt: string, project: string) {
      count += 1;
      const originKey = `request-${count}`;
      return await world.database.transaction((tx) =>
        world.engine.tasks.createAgentTask(tx, {
          workspace: world.ada.workspace,
          project,
          requester: world.ada,
          prompt,
          settings: { agent, mode },
          channel: world.channel,
          thread: null,
          originKey,
        }),
      );
    },
    /** The next request that waits for people. */
    async pending(run: string, timeoutMs = 30_000): Promise<InteractionRecord & { secret: string }> {
      return await waitFor(
        `a request of ${run}`,
        async () => {
          const all = await world.database.transaction((tx) => interactionsOfRun(tx, run));
          const found = all.find(({ state }) => state === 'pending');
          if (found === undefined) throw new Error('none waits');
          const { secret } = await world.database.db.interaction.findUniqueOrThrow({ where: { id: found.id } });
          return { ...found, secret };
        },
        { timeoutMs, everyMs: 50 },
      );
    },
    async decide(secret: string, decision: Omit<DecideInput, 'secret' | 'by' | 'on'>) {
      return await world.database.transaction((tx) =>
        world.engine.tasks.decide(tx, { secret, by: world.ada, on: 'slack', ...decision }),
      );
    },
    async close() {
      await world.close();
      await gateways.close();
      await model.close();
    },
  };
}
