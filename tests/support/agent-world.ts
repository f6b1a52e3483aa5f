import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { demoFiles } from '../../lab/demo-project.ts';
import type { Scenario } from '../../lab/model/action.ts';
import { createModelServer, type ModelServer } from '../../lab/model/server.ts';
import type { CrashPoint } from '../../runner/crash-points.ts';
import type { AgentDeps } from '../../runner/run-agent.ts';
import type { AgentKind, AgentMode } from '../../src/contracts/agent.ts';
import type { Policy } from '../../src/contracts/policy.ts';
import type { InteractionRecord } from '../../src/store/interactions.ts';
import { interactionsOfRun } from '../../src/store/interactions.ts';
import type { SettingsChoice } from '../../src/tasks/agent-tasks.ts';
import type { DecideInput } from '../../src/tasks/task-engine.ts';
import { type AgentInstallation, agentLimits, openAgents } from './agent-parts.ts';
import { briefFlags } from './brief-flags.ts';
import { emptyRepository } from './git-repository.ts';
import { createRunnerWorld, type RunnerWorld } from './runner-world.ts';
import { waitFor } from './wait-for.ts';

/** Where each run is killed: at a point, when it comes there for the nth time. */
export type KillPlan = Record<string, [point: CrashPoint, nth: number]>;

export type AgentWorld = Awaited<ReturnType<typeof createAgentWorld>>;

/** An installation whose runner takes runs of agents: real programs in real sandboxes, and a model that follows scripts. */
export async function createAgentWorld(
  kind: 'docker' | 'local',
  change: { waits?: AgentDeps['waits']; scenarios?: readonly Scenario[] } = {},
) {
  const world: RunnerWorld = await createRunnerWorld(kind);
  const model: ModelServer = await createModelServer({ scenarios: change.scenarios });
  const agentInstallation: AgentInstallation = {
    anthropicUrl: model.anthropicUrl,
    openaiUrl: model.openaiUrl,
    key: randomBytes(32).toString('base64url'),
    gatewayRoot: join(world.installation.dataDir, 'gateway'),
    waits: change.waits,
  };
  const agents = openAgents(agentInstallation, world);
  const demo = join(world.place.path, 'demo');
  await (await emptyRepository(demo)).commit(demoFiles, 'Add the basket');
  const children: ChildProcess[] = [];
  let count = 0;

  return {
    ...world,
    model,
    agents,
    key: agentInstallation.key,
    /** A project with the demo repository, whose one test fails. */
    demoProject: (policy: Partial<Policy> = {}) => world.project({ source: { kind: 'path', path: demo }, policy }),
    startAgentRunner: (more: Parameters<RunnerWorld['startRunner']>[0] = {}) =>
      world.startRunner({ agents, limits: agentLimits, ...more }),
    /** A runner in a process of its own, which kills itself when all runs have come to their points. Resolves when it is dead. */
    async liveUntil(plan: KillPlan): Promise<NodeJS.Signals | null> {
      const program = join(import.meta.dirname, 'agent-runner-process.ts');
      const args = [...briefFlags, program, ...[world.installation, agentInstallation, plan].map((part) => JSON.stringify(part))];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
      children.push(child);
      await once(child, 'exit');
      return child.signalCode;
    },
    /** Asks an agent for something, as chat does. */
    async ask(agent: AgentKind, mode: AgentMode, prompt: string, project: string, more: SettingsChoice = {}) {
      count += 1;
      const originKey = `request-${count}`;
      return await world.database.transaction((tx) =>
        world.engine.tasks.createAgentTask(tx, {
          workspace: world.ada.workspace,
          project,
          requester: world.ada,
          prompt,
          settings: { agent, mode, ...more },
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
        { timeoutMs, everyMs: 50, news: world.newsOf(run) },
      );
    },
    async decide(secret: string, decision: Omit<DecideInput, 'secret' | 'by' | 'on'>) {
      return await world.database.transaction((tx) =>
        world.engine.tasks.decide(tx, { secret, by: world.ada, on: 'slack', ...decision }),
      );
    },
    async close() {
      for (const child of children) child.kill('SIGKILL');
      await world.close();
      await agents.close();
      await model.close();
    },
  };
}
