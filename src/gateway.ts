import { prepareWorkspace, seedLab } from './access/first-start.ts';
import { type RepositoryLogins, sealStoredLogins } from './access/repository-logins.ts';
import { createSecretDoor } from './access/typed-secrets.ts';
import { type CreateAdapters, conversationsOf } from './adapters.ts';
import { createChainer } from './audit/chainer.ts';
import { createCatchUp } from './catch-up.ts';
import { codeHostTalk, pullWatch } from './code-host.ts';
import { createBus } from './commands/bus.ts';
import type { About } from './commands/command.ts';
import { createExaminations } from './commands/examinations.ts';
import { InboxWorker } from './commands/inbox-worker.ts';
import type { Config } from './config.ts';
import type { CodeHostConfig } from './config-code-host.ts';
import type { ChatAdapter } from './contracts/chat-adapter.ts';
import type { CodeHost } from './contracts/code-host.ts';
import type { SandboxOffer } from './contracts/run-control.ts';
import { createProjector } from './delivery/projector.ts';
import { createSender } from './delivery/sender.ts';
import type { DrawChart, ReadArtifact } from './delivery/upload.ts';
import { type DoctorProbe, examine } from './doctor.ts';
import { installationProbes } from './doctor-keys.ts';
import { platformProbe, queueProbe } from './doctor-parts.ts';
import { databaseProbe, machineProbes } from './doctor-probes.ts';
import { filesProbe } from './doctor-standing.ts';
import { gatewayApi } from './gateway-api.ts';
import { createHttpServer, type HttpServer } from './http/server.ts';
import type { Infrastructure } from './infrastructure.ts';
import type { Lab } from './lab.ts';
import { createNames } from './names.ts';
import { createAlerts } from './observe/alerts.ts';
import type { Metrics } from './observe/metrics.ts';
import { platformsPart } from './platforms.ts';
import type { Part } from './runtime/lifecycle.ts';
import type { Logger } from './runtime/logger.ts';
import { createLoop } from './runtime/loop.ts';
import { traced } from './runtime/trace.ts';
import { programVersion } from './runtime/version.ts';
import { createInboundDoor } from './store/inbound-door.ts';
import { projectsToSync } from './store/projects.ts';
import { currentOffer } from './store/runners.ts';
import { createAccountKeys } from './tasks/agent-account-keys.ts';
import { createFileFetcher, type FetcherDeps } from './tasks/file-fetcher.ts';
import type { Engine } from './tasks/task-engine.ts';

export interface GatewayInput {
  config: Config;
  /** Probes of what commands run in; none where this process starts no sandboxes. */
  sandboxes(inUse: () => Promise<SandboxOffer['sandbox'] | undefined>): DoctorProbe[];
  infrastructure: Infrastructure;
  engine: Engine;
  logger: Logger;
  /** For the platforms that are configured, or those of the lab. */
  createAdapters: CreateAdapters;
  codeHost: CodeHost | undefined;
  codeHostConfig: CodeHostConfig | undefined;
  repositoryLogins: RepositoryLogins;
  lab: Pick<Lab, 'routes' | 'seeds' | 'githubLogin'> | undefined;
  /** Proxies of this machine, as in HTTPS_PROXY. */
  environment: Readonly<Record<string, string | undefined>>;
  readArtifact: ReadArtifact;
  drawChart: DrawChart;
  keepGiven: FetcherDeps['keep'];
  localToken: string;
  metrics: Metrics;
}

/** Conversations handled at once; each takes one connection of the pool while it is. */
const lanesAtOnce = 6;
const sweepEveryMs = 5_000;
/** A project that is still being looked at after this long has lost its job. */
const syncLostMs = 60_000;

/** Chat, delivery and HTTP, in the order in which they start. */
export function gatewayParts(input: GatewayInput): { parts: Part[]; http: HttpServer } {
  const { config, infrastructure, engine, logger, lab, metrics } = input;
  const { database, wakeups, queue, secretBox, clock } = infrastructure;
  const startedAt = clock.now();

  const catchUp = createCatchUp({
    database,
    adapters: () => adapters,
    clock,
    logger: logger.child({ part: 'catch-up' }),
  });
  const atHost = codeHostTalk({ config: input.codeHostConfig, codeHost: input.codeHost, database, clock, logger });
  const adapters = [
    ...input.createAdapters({ database, secretBox, clock, logger, onGap: catchUp.gap }),
    ...(atHost === undefined ? [] : [atHost.adapter]),
  ];
  const oneCard = new Set(adapters.filter(({ capabilities }) => capabilities.cards === 'one').map(({ platform }) => platform));

  const door = createSecretDoor({ database, secretBox });
  const names = createNames({ database, adapters, clock, logger: logger.child({ part: 'names' }) });

  const publishSync = (project: string) => queue.publish('project.sync', { project }, { id: project });
  const probes: DoctorProbe[] = [
    ...machineProbes(config),
    databaseProbe(async () => database.url),
    queueProbe(() => queue.counts()),
    ...installationProbes(database, secretBox, clock.now),
    filesProbe(database, input.readArtifact),
    ...adapters.map(platformProbe),
    ...input.sandboxes(async () => (await offerOf(infrastructure))?.sandbox),
  ];
  const api = gatewayApi({ ...input, clock });
  const bus = createBus({
    tasks: engine.tasks,
    accounts: createAccountKeys(secretBox, input.environment),
    repositoryLogins: input.repositoryLogins,
    sealSecret: api.sealSecret,
    apiUrl: () => config.http.publicUrl ?? http.url,
    repositoryTalk: atHost?.talk,
    now: clock.now,
    about: () => about(infrastructure, startedAt, config),
    syncProject: publishSync,
    readArtifact: input.readArtifact,
    ...conversationsOf(adapters, logger),
    owners: config.owners,
    log: logger,
  });
  const examinations = createExaminations({
    database,
    wakeups,
    now: clock.now,
    logger: logger.child({ part: 'doctor' }),
    doctor: () => examine(probes),
  });
  const inbound = createInboundDoor(database);
  const inbox = new InboxWorker({
    database,
    wakeups,
    now: clock.now,
    log: logger.child({ part: 'inbox' }),
    handle: (tx, event) => bus.handle(tx, event),
    refuse: (tx, event, error) => bus.refuse(tx, event, error),
    onHandled: (event, outcome) => metrics.handled(event, outcome, clock.now()),
    concurrency: lanesAtOnce,
    arriving: inbound.arriving,
  });

  const sender = createSender({
    database,
    clock,
    adapters: new Map(adapters.map((adapter) => [adapter.platform, adapter])),
    wakeups,
    logger: logger.child({ part: 'sender' }),
    readArtifact: input.readArtifact,
    openSecret: api.openSecret,
    drawChart: input.drawChart,
    onCall: metrics.platformCall,
    onSent: metrics.sent,
    onRateWait: metrics.rateWait,
  });
  const projector = createProjector({
    database,
    wakeups,
    clock,
    logger: logger.child({ part: 'projector' }),
    oneCard,
    onFigures(figures) {
      metrics.figures(figures);
      alerts.figures(figures);
    },
  });

  const chainer = createChainer({
    database,
    wakeups,
    secretBox,
    keepMs: config.keepAuditDays * 24 * 60 * 60_000,
    clock,
    logger: logger.child({ part: 'audit' }),
  });
  const alerts = createAlerts({ database, queue, clock, logger: logger.child({ part: 'alerts' }) });

  const sweeps = createLoop({
    name: 'sweep',
    idleMs: sweepEveryMs,
    async run() {
      await engine.sweep();
      const before = new Date(clock.now().getTime() - syncLostMs);
      for (const project of await database.transaction((tx) => projectsToSync(tx, before))) await publishSync(project);
      return false;
    },
    onError: (error, failures) => logger.error({ err: error, failures }, 'a sweep failed'),
  });

  const fetcher = createFileFetcher({
    database,
    wakeups,
    tasks: engine.tasks,
    download: ({ conversation, ...file }, signal) =>
      adapters.find(({ platform }) => platform === conversation.platform)?.download?.({ conversation, ...file }, signal),
    keep: input.keepGiven,
    clock,
    logger: logger.child({ part: 'attached files' }),
  });

  const platforms = platformsPart({
    adapters,
    sink: (adapter) => async (events) => {
      const { platform } = adapter;
      const since = performance.now();
      const guarded = await door.guard(events);
      const about = { platform, events: events.length };
      const counts = await traced('take events', about, () => inbound.store(guarded), { from: null });
      metrics.inbound({ platform, ...counts, ms: performance.now() - since });
      return counts;
    },
    async connected() {
      await prepare(input, adapters);
      names.wake();
    },
    logger,
  });
  const seed: Part = {
    name: 'lab seed',
    async start() {
      if (lab === undefined) return;
      for (const seed of lab.seeds) {
        const { project, created } = await database.transaction((tx) => seedLab(tx, seed));
        if (created) await publishSync(project.id);
      }
    },
    stop: async () => undefined,
  };

  const pulls = pullWatch({ ...input, webhookSecret: input.codeHostConfig?.webhookSecret, secrets: config.secrets });
  const http = createHttpServer({
    ...config.http,
    logger,
    groups: [...api.groups, ...(lab === undefined ? [] : [lab.routes])],
    webhooks: adapters.flatMap((adapter) => [...adapter.webhooks]),
    checks: [
      {
        name: 'database',
        run: async () => {
          await database.db.$queryRaw`SELECT 1`;
          return undefined;
        },
      },
      {
        name: 'queue',
        run: async () => `${(await queue.counts()).waiting} jobs wait`,
        // What people send is stored and answered without Redis; its jobs are published when it is back.
        dispensable: config.redis !== undefined,
      },
      // People can be answered without the code host.
      ...adapters
        .filter((adapter) => adapter !== atHost?.adapter)
        .map((adapter) => ({
          name: adapter.platform,
          run: async () => {
            const { ok, detail } = await adapter.health();
            if (!ok) throw new Error(detail);
            return detail;
          },
        })),
    ],
    metrics: metrics.registry,
  });

  const loop = (name: string, one: { start(): void | Promise<void>; stop(): Promise<void> }): Part => ({
    name,
    start: async () => one.start(),
    stop: () => one.stop(),
  });
  return {
    http,
    // What people send comes last in and first out; what answers them runs before and after it.
    parts: [
      // The last to stop: what the others have written on their way out is chained too.
      chainer.part,
      sender,
      projector,
      loop('sweep', sweeps),
      alerts.part,
      examinations.part,
      http,
      seed,
      ...pulls,
      catchUp.part,
      loop('names', names),
      loop('attached files', fetcher),
      platforms,
      loop('inbox', inbox),
    ],
  };
}

async function prepare(
  { config, infrastructure, repositoryLogins, logger, lab }: GatewayInput,
  adapters: readonly ChatAdapter[],
): Promise<void> {
  const sealed = await sealStoredLogins(infrastructure.database, repositoryLogins);
  if (sealed > 0) logger.info({ projects: sealed }, 'logins in addresses of repositories are sealed now');
  const tenants = adapters.flatMap((adapter) => adapter.tenants().map((tenant) => ({ platform: adapter.platform, ...tenant })));
  const found = await infrastructure.database.transaction((tx) =>
    prepareWorkspace(tx, { name: 'Deckhand', tenants, owners: config.owners }),
  );
  for (const { platform, tenant, user } of found.unservedOwners) {
    logger.warn({ platform, tenant, user }, 'an entry of DECKHAND_OWNERS names an account that no connected platform has');
  }
  for (const { platform, tenant } of found.foreignTenants) {
    logger.error({ platform, tenant }, 'this tenant belongs to another workspace of the database: its events are left alone');
  }
  if (found.claimCode !== undefined && lab === undefined) {
    // The code is a secret only until it is used, and whoever reads this log runs the installation.
    logger.warn(
      `Nobody owns this installation yet. Send \`claim ${found.claimCode}\` to the bot in a direct message to become its owner.`,
    );
  }
}

function offerOf({ database }: Infrastructure): Promise<SandboxOffer | undefined> {
  return database.transaction((tx) => currentOffer(tx, ''));
}

async function about(infrastructure: Infrastructure, startedAt: Date, config: Config): Promise<About> {
  const offer = await offerOf(infrastructure);
  return {
    version: programVersion(),
    startedAt,
    sandboxes: offer === undefined ? [] : [{ kind: offer.sandbox, isolated: offer.sandbox === 'docker' }],
    links: config.http.publicUrl === undefined ? [] : [{ text: 'Console', url: config.http.publicUrl }],
  };
}
