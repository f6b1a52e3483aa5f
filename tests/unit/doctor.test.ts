import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { doctorView } from '../../src/commands/examinations.ts';
import { loadConfig } from '../../src/config.ts';
import { AppError } from '../../src/contracts/errors.ts';
import { examine, renderFindings } from '../../src/doctor.ts';
import { examineInstallation } from '../../src/doctor-installation.ts';
import { platformProbe, queueProbe, sandboxProbe } from '../../src/doctor-parts.ts';
import { checkGit } from '../../src/doctor-probes.ts';
import { databaseChecks, standingChecks } from '../../src/doctor-standing.ts';
import { openDataDir } from '../../src/store/data-dir.ts';
import type { DatabaseStanding } from '../../src/store/database-standing.ts';
import type { Standing } from '../../src/store/standing.ts';

test('all probes run at once, and what they find stands in their order', async () => {
  const second = Promise.withResolvers<void>();
  const findings = await examine([
    {
      name: 'a',
      async run() {
        await second.promise; // resolves only when b runs beside it
        return { name: 'a', state: 'ok', detail: 'fine' };
      },
    },
    {
      name: 'b',
      async run() {
        second.resolve();
        return [
          { name: 'b one', state: 'ok', detail: 'fine' },
          { name: 'b two', state: 'warning', detail: 'odd' },
        ];
      },
    },
  ]);
  expect(findings.map(({ name }) => name)).toEqual(['a', 'b one', 'b two']);
});

test('a probe that does not answer in its time has failed, and is told to give up', async () => {
  let given: AbortSignal | undefined;
  const [finding] = await examine([
    {
      name: 'engine',
      withinMs: 20,
      run(signal) {
        given = signal;
        return new Promise(() => undefined);
      },
    },
  ]);
  expect(finding).toEqual({ name: 'engine', state: 'failed', detail: 'No answer within 0.02 s.' });
  expect(given?.aborted).toBe(true);
});

test('an error is a finding with its remedy', async () => {
  const findings = await examine([
    { name: 'database', run: () => Promise.reject(new AppError('DH-103', { detail: 'connection refused' })) },
    { name: 'git', run: () => Promise.reject(new Error('spawn git ENOENT')) },
  ]);
  expect(findings).toEqual([
    {
      name: 'database',
      state: 'failed',
      detail: 'PostgreSQL at the address in DATABASE_URL does not answer: connection refused (DH-103)',
      remedy: expect.stringContaining('Check that the server runs'),
    },
    { name: 'git', state: 'failed', detail: 'spawn git ENOENT' },
  ]);
});

test('a terminal shows one line for each finding, remedies where something is wrong, and a sum', () => {
  const text = renderFindings(
    [
      { name: 'node', state: 'ok', detail: 'Node 24', remedy: 'never shown' },
      { name: 'database', state: 'failed', detail: 'gone', remedy: 'Start it.' },
      { name: 'disk', state: 'warning', detail: 'first\nsecond' },
      { name: 'codex', state: 'unused', detail: 'cannot work' },
    ],
    { colour: false },
  );
  expect(text).toBe(
    [
      '✔ node      Node 24',
      '✖ database  gone',
      '            Start it.',
      '▸ disk      first',
      '            second',
      '○ codex     cannot work',
      '',
      '1 failed, 1 to look at, 1 in order.',
      '',
    ].join('\n'),
  );
  expect(renderFindings([{ name: 'a', state: 'ok', detail: 'b' }], { colour: true })).toContain('\u001b[32m✔\u001b[0m a  b');
});

test('an answer in a conversation begins with what needs attention, which what nobody uses does not', () => {
  const unused = { name: 'codex', state: 'unused', detail: 'cannot work: build it with `npm run image`.' } as const;
  const fine = { name: 'node', state: 'ok', detail: 'Node 24' } as const;
  expect(doctorView([unused, fine])).toMatchObject({
    fallback: expect.stringMatching(/^Every part works.*○ codex · cannot work: build it with npm run image\..*✔ node · Node 24/s),
  });
  expect(doctorView([fine, unused, { name: 'disk', state: 'failed', detail: 'full', remedy: 'Make room.' }])).toMatchObject({
    fallback: expect.stringMatching(/^1 of 3 parts needs attention.*✖ disk · full\s+Make room\..*✔ node.*○ codex/s),
  });
});

test('a platform and a queue are asked themselves', async () => {
  const sick = {
    platform: 'slack' as const,
    health: async () => ({ ok: false, detail: 'token revoked', remedy: 'Install the app again.' }),
  };
  expect(await examine([platformProbe(sick), queueProbe(async () => ({ waiting: 2, delayed: 0, active: 1 }))])).toEqual([
    { name: 'slack', state: 'failed', detail: 'token revoked', remedy: 'Install the app again.' },
    { name: 'queue', state: 'ok', detail: '1 active, 2 waiting, 0 for later.' },
  ]);
});

test('a sandbox whose walls hold is one line, each breach is one of its own, and only a warning where something stands in', async () => {
  const good = { name: 'engine', ok: true, detail: 'Docker 20' };
  const bad = { name: 'network', ok: false, detail: 'reaches 1.1.1.1.', remedy: 'Look at the engine.' };
  const probes = [
    sandboxProbe('docker', async () => [good, { name: 'uid', ok: true, detail: 'not root' }]),
    sandboxProbe('docker', async () => [good, bad]),
    sandboxProbe('docker', async () => [bad], 'Commands run without isolation.'),
  ];
  expect(await examine(probes)).toEqual([
    { name: 'sandbox docker', state: 'ok', detail: 'Docker 20; not root; 2 checks hold.' },
    { name: 'sandbox docker', state: 'failed', detail: 'network: reaches 1.1.1.1.', remedy: 'Look at the engine.' },
    {
      name: 'sandbox docker',
      state: 'warning',
      detail: 'network: reaches 1.1.1.1. Commands run without isolation.',
      remedy: 'Look at the engine.',
    },
  ]);
});

test.each([
  ['git version 2.39.5', 'ok'],
  ['git version 2.34.1.windows.2', 'ok'],
  ['git version 3.0.0', 'ok'],
  ['git version 2.25.1', 'failed'],
  ['nonsense', 'failed'],
])('%s is %s', (output, state) => {
  expect(checkGit(output).state).toBe(state);
});

test('a gateway alone needs no container engine: what commands run in is looked at where runners are', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'deckhand-doctor-test-'));
  try {
    const env = {
      DECKHAND_DATA_DIR: dataDir,
      DATABASE_URL: 'postgresql://127.0.0.1:1/nobody',
      DECKHAND_SECRET_KEY: Buffer.alloc(32).toString('base64'),
      SANDBOX: 'docker',
      DOCKER_HOST: `unix://${dataDir}/no.sock`,
    };
    const sandboxes = async () =>
      (await examineInstallation(loadConfig(env, { opensLab: false }))).filter(({ name }) => name.startsWith('sandbox'));
    openDataDir(dataDir, ['gateway']).release();
    expect(await sandboxes()).toMatchObject([{ state: 'ok', detail: expect.stringContaining('runners elsewhere') }]);
    openDataDir(dataDir, ['runner']).release();
    expect(await sandboxes()).toMatchObject([{ name: 'sandbox docker', state: 'failed' }]);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});

const day = 24 * 60 * 60;
const database: DatabaseStanding = {
  connections: 20,
  mostConnections: 100,
  bytes: 4_200_000,
  leases: [{ name: 'sender', from: '10.0.0.5', age: 7200 }],
  backupAge: null,
  age: day,
};
const wrong = (standing: DatabaseStanding) =>
  databaseChecks(standing).flatMap(({ name, state, remedy }) => (state === 'ok' ? [] : [`${name} ${state}: ${remedy}`]));

test('a database that is nearly full of connections, a sender that nobody is, and a backup that nobody has made are found', () => {
  expect(databaseChecks(database).map(({ name, detail }) => `${name}: ${detail}`)).toEqual([
    'database use: 4.2 MB; 20 of 100 connections.',
    'leases: sender by 10.0.0.5 for 2h.',
    'backup: Last made by deckhand backup: never.',
  ]);
  expect(wrong(database)).toEqual([]);
  expect(wrong({ ...database, connections: 81 })).toEqual([expect.stringContaining('database use warning: Raise')]);
  expect(wrong({ ...database, leases: [] })).toEqual([expect.stringContaining('leases failed: A gateway takes')]);
  expect(wrong({ ...database, age: 30 * day, backupAge: 3 * day })).toEqual([]);
  expect(wrong({ ...database, age: 30 * day, backupAge: 9 * day })).toEqual([expect.stringContaining('backup warning')]);
  expect(wrong({ ...database, age: 30 * day })).toEqual([expect.stringContaining('backup warning')]);
});

test('each runner that is up is told with its labels, and those that are not with what to do', () => {
  const up = {
    host: 'host_0123456789',
    labels: 'docker,gpu',
    left: false,
    draining: true,
    alive: true,
    capacity: 4,
    busy: 1,
    beatAge: 3,
  };
  const standing: Standing = {
    inboxOldest: 0,
    lanesWaiting: 0,
    deadLetters: { inbound: 0, outbound: 0 },
    outbox: [],
    runs: [],
    queueOldest: 0,
    decisions: [],
    runners: [up, { ...up, host: 'host_gone0000', alive: false, beatAge: 400 }],
    disks: [{ host: 'host_0123456789', free: 5e9, kept: 0, quota: null, measuredAge: 3 }],
  };
  const found = standingChecks(standing);
  expect(found).toContainEqual({
    name: 'runner host_01234567',
    state: 'ok',
    detail: '1 of 4 runs; docker, gpu; heard 3 s ago; takes nothing new.',
  });
  expect(found).toContainEqual(
    expect.objectContaining({ name: 'runner', state: 'failed', remedy: expect.stringContaining('Start it') }),
  );
  // Of several machines it says which one's disk it is.
  const disks = (runners: Standing['runners']) =>
    standingChecks({ ...standing, runners }).flatMap(({ name }) => (name.startsWith('disk') ? [name] : []));
  expect(disks([up])).toEqual(['disk']);
  expect(disks([up, { ...up, host: 'host_abcdef0123' }])).toEqual(['disk host_01234567']);
});
