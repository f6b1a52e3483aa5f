import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DoctorCheck } from './commands/command.ts';
import type { Config } from './config.ts';
import { type DoctorProbe, examine } from './doctor.ts';
import { platformProbe } from './doctor-parts.ts';
import { databaseProbe, machineProbes, serverProbe } from './doctor-probes.ts';
import { keysOf } from './key-ring.ts';
import { createLogger } from './runtime/logger.ts';
import { keyIds } from './runtime/secret-box.ts';
import { sandboxProbes } from './sandboxes.ts';
import { hostIdOf, usedBy } from './store/data-dir.ts';
import { createEmbeddedPostgres } from './store/embedded-postgres.ts';
import { holdUnlessRunning } from './store/idle-database.ts';
import { migrationState } from './store/migrate.ts';
import { addressOfRunning } from './store/postgres-address.ts';

const silent = createLogger({ level: 'silent' });

/** Looks at an installation from outside, whether Deckhand runs on it or not. Leaves nothing behind. */
export async function examineInstallation(config: Config): Promise<DoctorCheck[]> {
  // A look into a sandbox needs a place to make one, which must not become the data directory of an installation that is not used yet.
  const unused = existsSync(config.dataDir) ? undefined : await mkdtemp(join(tmpdir(), 'deckhand-doctor-'));
  try {
    const place = { hostId: hostIdOf(config.dataDir) ?? 'host-unused', dataDir: unused ?? config.dataDir };
    const sandboxes = onlyGateway(config.dataDir) ? [runnersElsewhere] : sandboxProbes(config, place, async () => undefined);
    const elsewhere = [...platformProbes(config), ...sandboxes];
    return await withDatabase(config, (probes) => examine([...machineProbes(config), ...probes, ...elsewhere]));
  } finally {
    if (unused !== undefined) await rm(unused, { recursive: true, force: true });
  }
}

/** A look at what is sealed, where there is a key and the database is up to date; that it is not says the probe of the database. */
function keysAt(config: Config, url: () => Promise<string>): DoctorProbe[] {
  const keys = keysOf(config);
  if (keys === undefined) return [];
  return [
    {
      name: 'secret keys',
      withinMs: 20_000, // may start an embedded database for the look
      async run(signal) {
        const { version, pending } = await migrationState({ url: await url() });
        if (version === undefined || pending.length > 0) return [];
        // With the client of the database, which most looks at a machine do without.
        const [{ keysProbe }, { createDatabase }] = await Promise.all([
          import('./doctor-keys.ts'),
          import('./store/database.ts'),
        ]);
        const database = createDatabase({ url: await url(), connections: 1, onEffectError: () => undefined });
        const probe = keysProbe(
          (look) => look(database.db, keyIds(keys)),
          () => new Date(),
        );
        try {
          return await probe.run(signal);
        } finally {
          await database.close();
        }
      },
    },
  ];
}

/** Whether nothing but `deckhand gateway` has used the directory: it needs no container engine. */
function onlyGateway(dataDir: string): boolean {
  const used = usedBy(dataDir);
  return used.includes('gateway') && !used.includes('runner');
}

const runnersElsewhere: DoctorProbe = {
  name: 'sandbox',
  run: async () => ({
    name: 'sandbox',
    state: 'ok',
    detail: 'Commands run in runners elsewhere; `deckhand doctor` looks there.',
  }),
};

function platformProbes({ platforms: { slack } }: Config): DoctorProbe[] {
  if (slack === undefined) return [];
  const health = async () => {
    const [{ slackHealth }, { createWeb }] = await Promise.all([
      import('../adapters/slack/health.ts'),
      import('../adapters/slack/web.ts'),
    ]);
    const web = createWeb({ botToken: slack.botToken, apiUrl: slack.apiUrl, logger: silent });
    return await slackHealth({ web, mode: 'account', running: false, socket: undefined });
  };
  return [platformProbe({ platform: 'slack', health })];
}

/**
 * Gives `use` the probes of database and server that fit the moment. An embedded database runs only while Deckhand does: when
 * nobody holds the data directory, it is started for the look and stopped again.
 */
async function withDatabase(config: Config, use: (probes: DoctorProbe[]) => Promise<DoctorCheck[]>): Promise<DoctorCheck[]> {
  const { databaseUrl, dataDir } = config;
  if (databaseUrl !== undefined) return use([databaseProbe(async () => databaseUrl), ...keysAt(config, async () => databaseUrl)]);
  const address = existsSync(dataDir) ? await addressOfRunning(dataDir) : undefined;
  if (address === undefined) {
    const detail = 'The first start makes the embedded database.';
    return use([{ name: 'database', run: async () => ({ name: 'database', state: 'ok', detail }) }]);
  }
  const held = holdUnlessRunning(dataDir);
  if (held === undefined)
    return use([databaseProbe(async () => address), ...keysAt(config, async () => address), serverProbe(config)]);
  const postgres = createEmbeddedPostgres({ dataDir, logger: silent });
  const started = postgres.start();
  try {
    const url = async () => {
      await started;
      return postgres.url;
    };
    return await use([{ ...databaseProbe(url), withinMs: 20_000 }, ...keysAt(config, url)]);
  } finally {
    await started.then(
      () => postgres.stop(),
      () => undefined,
    );
    held.release();
  }
}
