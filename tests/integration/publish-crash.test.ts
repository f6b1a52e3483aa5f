import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createGithubEmulator, type GithubEmulator } from '../../lab/github/emulator.ts';
import { publishCrashPoints } from '../../runner/crash-points.ts';
import { briefFlags } from '../support/brief-flags.ts';
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

/** Where the life of a runner ends, for each of three publications: every point is one of them. */
const lives = [
  ['publish_claimed', 'push_begun', 'branch_pushed'],
  ['push_recorded', 'open_begun', 'pull_opened'],
  ['pull_recorded'],
] as const;

test('promise 8: a runner that is killed at every step of a publication pushes once, opens one pull request and keeps the approval', {
  timeout: 300_000,
}, async () => {
  expect(lives.flat()).toEqual(publishCrashPoints);
  const repository = await github.repository({ name: 'web' });
  const project = await world.project({ source: { kind: 'git', url: repository.cloneUrl } });
  const made = [
    await world.sh('echo 1 > 1.txt', project),
    await world.sh('echo 2 > 2.txt', project),
    await world.sh('echo 3 > 3.txt', project),
  ];
  const first = await world.startRunner();
  const commits = await Promise.all(made.map(async ({ run }) => (await world.resultOf(run)).commit));
  await first.stop();
  for (const { run } of made) await world.publish(run, 'pull_request');

  for (const points of lives) {
    const plan = Object.fromEntries(points.map((point, at) => [made[at]?.run, point]));
    const life = spawn(process.execPath, [...briefFlags, program, JSON.stringify([world.installation]), JSON.stringify(plan)], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [code, signal] = await once(life, 'exit');
    expect({ points, code, signal }).toEqual({ points, code: null, signal: 'SIGKILL' });
  }

  const last = await world.startRunner();
  for (const [at, { run }] of made.entries()) {
    const row = await world.published(run);
    expect(row).toMatchObject({ state: 'done', error: null, commit: commits[at] });
    expect(repository.sha(row.branch)).toBe(commits[at]);
    const events = await world.eventsOf(run);
    expect(ofType(events, 'publication').map(({ state }) => state)).toEqual(['pending', 'pushing', 'pushed', 'opening', 'done']);
    expect(ofType(events, 'pull_request')).toHaveLength(1);
    const interactions = await world.database.db.interaction.findMany({ where: { runId: run, kind: 'publish' } });
    expect(interactions).toMatchObject([{ state: 'approved', consumedBy: row.id }]);
    const audits = await world.database.db.audit.findMany({ where: { subject: row.interactionId }, orderBy: { id: 'asc' } });
    expect(audits.map(({ action }) => action)).toEqual(['approval.opened', 'approval.approved', 'approval.consumed']);
  }
  await last.stop();
  expect(github.callsOf('git-receive-pack').filter(({ verb }) => verb === 'POST')).toHaveLength(made.length);
  expect(github.core.repositories.get('acme/web')?.lastNumber).toBe(made.length);
});
