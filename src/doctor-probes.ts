import { execFile } from 'node:child_process';
import { access, constants, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { DoctorCheck } from './commands/command.ts';
import type { Config } from './config.ts';
import { platformModes } from './config-platforms.ts';
import type { DoctorProbe } from './doctor.ts';
import type { RedisAddress } from './runtime/redis-address.ts';
import { keyId } from './runtime/secret-box.ts';
import { migrationState } from './store/migrate.ts';

const run = promisify(execFile);
const gigabyte = 1024 ** 3;
const redisWithinMs = 3_000;

/** Probes of the machine and of what is configured. Those of platforms, queue and sandboxes come from their parts. */
export function machineProbes(config: Config): DoctorProbe[] {
  return [
    { name: 'node', run: async () => checkNode(process.versions.node) },
    { name: 'git', run: async () => checkGit((await run('git', ['--version'])).stdout) },
    { name: 'configuration', run: async () => checkConfiguration(config) },
    { name: 'data directory', run: () => checkDataDir(config.dataDir) },
    { name: 'secret key', run: () => checkSecretKey(config) },
    ...(config.redis === undefined ? [] : [redisProbe(config.redis)]),
    ...(config.http.publicUrl === undefined ? [] : [publicUrlProbe(config.http.publicUrl)]),
  ];
}

/** Redis, where jobs and wake-ups go over it. */
function redisProbe(address: RedisAddress): DoctorProbe {
  const name = 'redis';
  return {
    name,
    withinMs: redisWithinMs + 1_000,
    async run() {
      const { examineRedis, memoryAdvice } = await import('./queue/redis.ts');
      const { version, ...memory } = await examineRedis(address, redisWithinMs);
      const advice = memoryAdvice(memory);
      const detail = `Redis ${version} answers`;
      if (advice === undefined) return { name, state: 'ok', detail: `${detail}; jobs and wake-ups go over it.` };
      return { name, state: 'warning', detail: `${detail}.`, remedy: advice };
    },
  };
}

/** Looks at the database behind an address: version, migrations, clock. */
export function databaseProbe(url: () => Promise<string>): DoctorProbe {
  return { name: 'database', run: async () => checkDatabase(await url()) };
}

/** Asks a server that runs on this machine whether it is ready. */
export function serverProbe(config: Config): DoctorProbe {
  return { name: 'server', run: (signal) => checkServer(config, signal) };
}

function checkNode(version: string): DoctorCheck {
  const name = 'node';
  const detail = `Node ${version}`;
  if (Number.parseInt(version, 10) >= 24) return { name, state: 'ok', detail };
  return {
    name,
    state: 'failed',
    detail,
    remedy: 'Start Deckhand through `npm start`, which uses the Node it brings, or install Node 24.',
  };
}

/** Pure: judges the output of `git --version`. */
export function checkGit(output: string): DoctorCheck {
  const [, major = '0', minor = '0'] = /version (\d+)\.(\d+)/.exec(output) ?? [];
  const fits = Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 34);
  const finding = { name: 'git', detail: output.trim() };
  return fits ? { ...finding, state: 'ok' } : { ...finding, state: 'failed', remedy: 'Install git 2.34 or newer.' };
}

function checkConfiguration(config: Config): DoctorCheck {
  const name = 'configuration';
  const sources = [
    ...(config.lab ? ['no platform is set up, the lab stands in'] : platformModes(config.platforms)),
    config.databaseUrl === undefined ? 'embedded PostgreSQL' : 'PostgreSQL at DATABASE_URL',
    ...(config.redis === undefined ? [] : ['Redis at REDIS_URL']),
  ];
  if (config.warnings.length === 0) return { name, state: 'ok', detail: `Valid: ${sources.join(', ')}.` };
  return {
    name,
    state: 'warning',
    detail: config.warnings.join('\n'),
    remedy: 'docs/configuration.md describes every variable.',
  };
}

async function checkDataDir(dir: string): Promise<DoctorCheck> {
  const name = 'data directory';
  const found = await stat(dir).catch(() => undefined);
  if (found === undefined) return { name, state: 'ok', detail: `${dir} does not exist yet; the first start makes it.` };
  const remedy = `Give the user that runs Deckhand the right to write in ${dir}, or set DECKHAND_DATA_DIR.`;
  try {
    await access(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return { name, state: 'failed', detail: `${dir} cannot be written.`, remedy };
  }
  if ((found.mode & 0o066) !== 0) {
    return { name, state: 'warning', detail: `${dir} can be read by other users.`, remedy: `Close it: chmod go-rw ${dir}` };
  }
  const { bavail, bsize } = await statfs(dir);
  const free = bavail * bsize;
  const detail = `${dir}, ${(free / gigabyte).toFixed(1)} GB free`;
  if (free >= 2 * gigabyte) return { name, state: 'ok', detail };
  const state = free < 0.2 * gigabyte ? 'failed' : 'warning';
  return { name, state, detail, remedy: 'Make room: runs need it for working copies and logs.' };
}

async function checkSecretKey(config: Config): Promise<DoctorCheck> {
  const name = 'secret key';
  if (config.secretKey !== undefined)
    return { name, state: 'ok', detail: `Set by DECKHAND_SECRET_KEY: key ${keyId(config.secretKey)}.` };
  const file = join(config.dataDir, 'secret-key');
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) return { name, state: 'ok', detail: 'The first start makes one.' };
  if ((found.mode & 0o077) === 0) return { name, state: 'ok', detail: `Kept in ${file}; include it in backups.` };
  return { name, state: 'failed', detail: `${file} can be read by other users.`, remedy: `Close it: chmod 600 ${file}` };
}

async function checkDatabase(url: string): Promise<DoctorCheck> {
  const name = 'database';
  const state = await migrationState({ url });
  const detail = `PostgreSQL ${state.serverVersion}, ${state.version === undefined ? 'empty' : `at migration ${state.version}`}`;
  if (Number.parseInt(state.serverVersion, 10) < 14)
    return { name, state: 'failed', detail, remedy: 'Use PostgreSQL 14 or newer.' };
  if (Math.abs(state.clockSkewMs) > 5_000) {
    const remedy = 'Set both clocks by NTP: approvals expire and platforms verify requests by the time of day.';
    return {
      name,
      state: 'warning',
      detail: `${detail}; its clock differs by ${Math.round(state.clockSkewMs / 1000)} s`,
      remedy,
    };
  }
  if (state.pending.length === 0) return { name, state: 'ok', detail };
  return { name, state: 'ok', detail: `${detail}; the next start applies ${state.pending.length} more` };
}

async function checkServer(config: Config, signal: AbortSignal): Promise<DoctorCheck> {
  const name = 'server';
  const host = config.http.host === '0.0.0.0' || config.http.host === '::' ? 'localhost' : config.http.host;
  const url = `http://${host}:${config.http.port}/readyz`;
  const response = await fetch(url, { signal }).catch(() => undefined);
  if (response === undefined) return { name, state: 'failed', detail: `Nothing answers at ${url}.`, remedy: 'Look at its log.' };
  const report = (await response.json()) as { status?: unknown; checks?: { name: string; ok: boolean; detail?: string }[] };
  if (response.ok) return { name, state: 'ok', detail: `Ready at ${url}` };
  const wrong = (report.checks ?? []).filter((check) => !check.ok).map((check) => `${check.name}: ${check.detail ?? 'failed'}`);
  return { name, state: 'failed', detail: `Not ready: ${wrong.join('; ')}`, remedy: 'Look at its log.' };
}

function publicUrlProbe(publicUrl: string): DoctorProbe {
  const name = 'public address';
  return {
    name,
    async run(signal) {
      const response = await fetch(`${publicUrl}/healthz`, { signal, redirect: 'manual' }).catch((error: unknown) =>
        String(error),
      );
      if (typeof response !== 'string' && response.ok) return { name, state: 'ok', detail: `${publicUrl} leads to a Deckhand.` };
      const detail =
        typeof response === 'string'
          ? `${publicUrl} does not answer from here: ${response}`
          : `${publicUrl}/healthz answers ${response.status}.`;
      const remedy =
        'Point the proxy at HOST and PORT of Deckhand. Some networks cannot reach their own public address: then this is no fault.';
      return { name, state: 'warning', detail, remedy };
    },
  };
}
