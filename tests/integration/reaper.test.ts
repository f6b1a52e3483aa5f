import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createReaper } from '../../runner/reaper.ts';
import { defaultSandboxLimits, type Sandbox } from '../../runner/sandbox/port.ts';
import { createWorkspace, type Workspace } from '../../runner/workspace.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { newId } from '../../src/runtime/ids.ts';
import { placeOf } from '../support/runner-parts.ts';
import { createRunnerWorld, type RunnerWorld } from '../support/runner-world.ts';

describe.each(['local', 'docker'] as const)('the reaper on %s', (kind) => {
  let world: RunnerWorld;
  let workspace: Workspace;
  beforeAll(async () => {
    world = await createRunnerWorld(kind);
    workspace = createWorkspace({ dataDir: world.installation.dataDir, environment: process.env });
  });
  afterAll(() => world.close());

  async function leave(sandbox: Sandbox, run: string, command = 'sleep 1000'): Promise<string> {
    const limits = { ...defaultSandboxLimits, diskBytes: 64 * 1024 ** 2, memoryBytes: 256 * 1024 ** 2 };
    await sandbox.create({ run, argv: ['/bin/sh', '-c', command], env: {}, limits, expiresAt: new Date(Date.now() + 3_600_000) });
    await sandbox.start(run);
    return run;
  }

  function reaper(alive: string[], active: string[] = [], elsewhere: string[] = []) {
    return createReaper({
      control: { liveRuns: async (host) => (host === undefined ? [...alive, ...elsewhere] : alive) },
      host: 'host_test',
      sandboxes: [world.sandbox],
      workspace,
      active: () => new Set(active),
      clock: systemClock,
      logger: world.logger,
    });
  }

  it('removes sandboxes, commands and working copies of runs that are over, and nothing of those that live', async () => {
    const [over, alive, active] = [newId('run'), newId('run'), newId('run')];
    for (const run of [over, alive, active]) {
      await leave(world.sandbox, run);
      await mkdir(join(world.installation.dataDir, 'work', run), { recursive: true });
    }
    // Of a runner on another host that shares the mirrors.
    const elsewhere = newId('run');
    await mkdir(join(world.installation.dataDir, 'mirrors', 'incoming', elsewhere), { recursive: true });
    const removed = await reaper([alive], [active], [elsewhere]).sweep();
    expect([...new Set(removed)]).toEqual([over]);
    expect((await world.sandbox.list()).map(({ run }) => run).sort()).toEqual([alive, active].sort());
    expect((await readdir(join(world.installation.dataDir, 'work'))).sort()).toEqual([alive, active].sort());
    expect(await reaper([]).sweep()).toHaveLength(5);
    expect(await world.sandbox.list()).toEqual([]);
  });

  it('never touches what another installation has made', async () => {
    const dataDir = join(world.place.path, 'other');
    await mkdir(dataDir, { recursive: true });
    const other = placeOf({ ...world.installation, instance: `${world.installation.instance}-b`, dataDir }).sandbox;
    const run = await leave(other, newId('run'));
    try {
      expect(await reaper([]).sweep()).toEqual([]);
      expect((await other.status(run)).state).toBe('running');
    } finally {
      await other.destroy(run);
    }
  });

  it('removes nothing while it cannot learn who is alive', async () => {
    const run = await leave(world.sandbox, newId('run'));
    const blind = createReaper({
      control: { liveRuns: () => Promise.reject(new Error('the database is away')) },
      host: 'host_test',
      sandboxes: [world.sandbox],
      workspace,
      active: () => new Set(),
      clock: systemClock,
      logger: world.logger,
    });
    await expect(blind.sweep()).rejects.toThrow('the database is away');
    expect((await world.sandbox.status(run)).state).toBe('running');
    await world.sandbox.destroy(run);
  });
});
