import { createLoginUses } from './access/login-uses.ts';
import { createRepositoryLogins } from './access/repository-logins.ts';
import { whyNoPulls } from './changes/why-no-pulls.ts';
import { createCodeHost } from './code-host.ts';
import type { Config } from './config.ts';
import { createInfrastructure } from './infrastructure.ts';
import type { Lab } from './lab.ts';
import { localAccessPart, newLocalToken } from './local-access.ts';
import { metricsPart, observe } from './observation.ts';
import { basesWithLogins, publishingWithLogins, withOpenLogins } from './open-logins.ts';
import { withProjectCards } from './project-cards.ts';
import { createLifecycle, type Lifecycle, type Part } from './runtime/lifecycle.ts';
import type { Logger } from './runtime/logger.ts';
import type { App, Role } from './serve.ts';
import { createBaseControl } from './tasks/base-control.ts';
import { createEngine } from './tasks/engine.ts';
import { tracingPart } from './tracing.ts';

export interface RunningApp extends App {
  /** `http://127.0.0.1:3000`, once started; undefined for a runner alone. */
  url(): string | undefined;
}

/**
 * Puts the program of a role together. `start` resolves when people and platforms can reach it. Two stages: first what everything
 * stands on (data directory, database, queue), then the parts that use it; stopped in reverse.
 */
export async function createApp(
  config: Config,
  role: Role,
  logger: Logger,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<RunningApp> {
  const roles = role === 'start' ? (['gateway', 'runner'] as const) : ([role] as const);
  let gone: ((error: Error) => void) | undefined;
  const infrastructure = createInfrastructure(config, roles, logger, (error) => gone?.(error));
  let main: Lifecycle | undefined;
  let lab: Lab | undefined;
  let url: (() => string) | undefined;

  async function build(): Promise<Part[]> {
    const found = infrastructure.get();
    const metrics = observe(role, found);
    const traces = await tracingPart(config.tracing, role, logger);
    const parts: Part[] = [...traces, ...metricsPart({ config, role }, found, metrics, logger)];
    if (role !== 'runner' && config.lab) {
      // A quarter of all files, which nobody needs where a platform is configured.
      const { startLab } = await import('./lab.ts');
      lab = await startLab(found.dataDir.path);
    }
    const hostConfig = config.codeHost ?? lab?.codeHost;
    const codeHost = createCodeHost(hostConfig);
    const noPullsAt = (address: string) => whyNoPulls(codeHost, address);
    const engine = createEngine({ ...found, logger: logger.child({ part: 'engine' }), noPullsAt });
    const logins = createRepositoryLogins(found.secretBox);
    // Each role loads what it needs: that of the other is half of all files.
    if (role !== 'gateway') {
      const { runnerPart } = await import('./runner-role.ts');
      const opened = { logins, uses: createLoginUses({ ...found, logger }) };
      parts.push(
        runnerPart({
          config,
          infrastructure: found,
          control: withOpenLogins(withProjectCards(engine.runs, found), opened),
          agents: engine.agents,
          publishing: publishingWithLogins(engine.publishing, opened),
          bases: basesWithLogins(createBaseControl(found), opened),
          codeHost,
          models: modelsOf(config, lab),
          metrics,
          environment,
          alone: role === 'runner',
          logger,
        }),
      );
    }
    if (role !== 'runner') {
      const [{ gatewayParts }, { fileSources, givenFileKeeper }, createAdapters, probesOf] = await Promise.all([
        import('./gateway.ts'),
        import('./run-files.ts'),
        import('./adapters.ts').then(({ loadAdapters }) => loadAdapters(lab?.platforms ?? config.platforms)),
        role === 'gateway' ? undefined : import('./sandboxes.ts'),
      ]);
      const localToken = newLocalToken();
      const gateway = gatewayParts({
        localToken,
        config,
        sandboxes: (inUse) =>
          probesOf?.sandboxProbes(config, { hostId: found.dataDir.hostId, dataDir: found.dataDir.path }, inUse) ?? [],
        infrastructure: found,
        engine,
        logger,
        createAdapters,
        codeHost,
        codeHostConfig: hostConfig,
        repositoryLogins: logins,
        lab,
        ...fileSources(found, logger),
        keepGiven: givenFileKeeper(found),
        metrics,
        environment,
      });
      url = () => gateway.http.url;
      parts.unshift(...labPart());
      parts.push(
        ...gateway.parts,
        localAccessPart(found.dataDir.path, localToken, () => gateway.http.url),
      );
    }
    return parts;
  }

  /** The emulator outlives everything that talks to it. */
  function labPart(): Part[] {
    const started = lab;
    return started === undefined ? [] : [{ name: 'lab', start: async () => undefined, stop: () => started.close() }];
  }

  return {
    async start() {
      const since = performance.now();
      // Without its database the program can do nothing: it ends, and whoever supervises it starts it again.
      gone = (error) => process.emit('uncaughtException', error);
      await infrastructure.lifecycle.start();
      try {
        main = createLifecycle(await build(), logger);
        await main.start();
      } catch (error) {
        await infrastructure.lifecycle.stop().catch(() => undefined);
        throw error;
      }
      const ms = Math.round(performance.now() - since);
      const address = url?.();
      logger.info({ role, ms, ...(address === undefined ? {} : { url: address }) }, 'ready');
      if (lab !== undefined && address !== undefined) {
        lab.reachedAt(address);
        logger.info(`The lab is open: ${address}/lab`);
      }
    },
    async stop() {
      try {
        await main?.stop();
      } finally {
        await infrastructure.lifecycle.stop();
      }
    },
    async abort() {
      try {
        await main?.abort();
      } finally {
        await infrastructure.lifecycle.abort();
      }
    },
    url: () => url?.(),
  };
}

/** In the lab a scripted model stands in for servers that are not configured. */
function modelsOf(config: Config, lab: Lab | undefined): Config['models'] {
  const { anthropic, openai } = config.models;
  return { anthropic: anthropic ?? lab?.models.anthropic, openai: openai ?? lab?.models.openai };
}
