import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createGithubEmulator, type GithubEmulator } from '../../lab/github/emulator.ts';
import { publishCrashPoints } from '../../runner/crash-points.ts';
import { createRunnerWorld, ofType, type RunnerWorld } from '../support/runner-world.ts';

const program = join(import.meta.dirname, '..', 'support', 'runner-process.ts');
let github: GithubEmulator;
let world: RunnerWorld;

beforeAll(async () => {
  github = await createGithubEmulator();
  world = await createRunnerWorld('local', { github: { apiUrl: github.apiUrl, token: github.token('ben') } });
});

afterAll(async () => {
  await world.close();
  await github.close();
});

test('promise 8: a runner that is killed at every step of a publication pushes once, opens one pull request and keeps the approval', {
  timeout: 300_000,
}, async () => {
  const repository = await github.repository({ name: 'web' });
  const project = await world.project({ source: { kind: 'git', url: repository.cloneUrl } });
  const { run } = await world.sh('echo fixed > fix.txt', project);
  const first = await world.startRunner();
  const { commit } = await world.resultOf(run);
  await first.stop();
  await world.publish(run, 'pull_request');

  for (const point of publishCrashPoints) {
    const life = spawn(process.execPath, [program, JSON.stringify([world.installation]), point], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [code, signal] = await once(life, 'exit');
    expect({ point, code, signal }).toEqual({ point, code: null, signal: 'SIGKILL' });
  }

  // The last point is after the end: nothing is left to do.
  const row = await world.published(run);
  expect(row).toMatchObject({ state: 'done', error: null, commit });
  expect(repository.sha(row.branch)).toBe(commit);
  expect(github.callsOf('git-receive-pack').filter(({ verb }) => verb === 'POST')).toHaveLength(1);
  expect(github.core.repositories.get('acme/web')?.lastNumber).toBe(1);
  const events = await world.eventsOf(run);
  expect(ofType(events, 'publication').map(({ state }) => state)).toEqual(['pending', 'pushing', 'pushed', 'opening', 'done']);
  expect(ofType(events, 'pull_request')).toHaveLength(1);
  const interactions = await world.database.db.interaction.findMany({ where: { runId: run, kind: 'publish' } });
  expect(interactions).toMatchObject([{ state: 'approved', consumedBy: row.id }]);
  const audits = await world.database.db.audit.findMany({ where: { subject: row.interactionId }, orderBy: { id: 'asc' } });
  expect(audits.map(({ action }) => action)).toEqual(['approval.opened', 'approval.approved', 'approval.consumed']);
});
