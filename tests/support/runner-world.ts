import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { RunnerDeps } from '../../runner/run-job.ts';
import { defaultPolicy, type Policy } from '../../src/contracts/policy.ts';
import type { PublishWhat } from '../../src/contracts/publication.ts';
import type { OutputStream, RunEvent, RunEventData, RunResult } from '../../src/contracts/run-event.ts';
import { defaultProjectLimits } from '../../src/contracts/settings.ts';
import { findOrCreateChannel } from '../../src/store/channels.ts';
import { findOrCreatePerson } from '../../src/store/people.ts';
import { createProject, type Project } from '../../src/store/projects.ts';
import { firstWorkspace } from '../../src/store/workspaces.ts';
import type { Person } from '../../src/tasks/task-engine.ts';
import { emptyRepository, type TestRepository, temporaryDirectory } from './git-repository.ts';
import { createTestDatabase } from './postgres.ts';
import { type Installation, openEngine, openRunner } from './runner-parts.ts';
import { waitFor } from './wait-for.ts';

export type RunnerWorld = Awaited<ReturnType<typeof createRunnerWorld>>;

/** An installation with one person, one project and no runner; runners are started in this process or in processes of their own. */
export async function createRunnerWorld(kind: Installation['kind'], more: Pick<Installation, 'github' | 'redis'> = {}) {
  const database = await createTestDatabase();
  const place = await temporaryDirectory('runner');
  const name = `test-${randomBytes(4).toString('hex')}`;
  const installation: Installation = {
    url: database.url,
    prefix: name,
    dataDir: join(place.path, 'data'),
    instance: name,
    kind,
    ...more,
  };
  await mkdir(installation.dataDir);
  const source: TestRepository = await emptyRepository(join(place.path, 'source'));
  const first = await source.commit({ 'README.md': 'hello\n' });
  const parts = await openEngine(installation);
  const { runner: _, artifacts, sandbox } = openRunner(installation, parts, () => undefined);
  const closers: (() => Promise<unknown>)[] = [];
  const { ada, channel, workspace } = await people();
  let count = 0;

  async function people() {
    return await parts.database.transaction(async (tx) => {
      const { id } = await firstWorkspace(tx, 'Acme');
      const identity = { platform: 'slack', tenant: 'T1', user: 'U1' } as const;
      const member = await findOrCreatePerson(tx, { workspace: id, identity, name: 'Ada', role: 'owner' });
      const where = { platform: 'slack', tenant: 'T1', channel: 'C1', kind: 'channel' } as const;
      const row = await findOrCreateChannel(tx, id, where, { channelName: 'general' });
      if (member === undefined || row === undefined) throw new Error('the world has an empty workspace');
      const person: Person = { workspace: id, user: member.user, name: 'Ada', role: 'owner', identity };
      return { ada: person, channel: row.id, workspace: id };
    });
  }

  async function project(
    change: { source?: Project['source']; policy?: Partial<Policy>; timeoutMs?: number; baseBranch?: string } = {},
  ) {
    count += 1;
    const projectName = `web${count}`;
    const made = await parts.database.transaction((tx) =>
      createProject(tx, {
        workspace,
        name: projectName,
        source: change.source ?? { kind: 'path', path: source.path },
        baseBranch: change.baseBranch,
        policy: { ...defaultPolicy, mode: 'yolo', ...change.policy },
        limits: {
          ...defaultProjectLimits,
          concurrency: 10,
          ...(change.timeoutMs === undefined ? {} : { timeoutMs: change.timeoutMs }),
        },
        createdBy: undefined,
      }),
    );
    if (made === undefined) throw new Error('no project');
    return made.id;
  }

  /** Starts a command as a task, as chat does. */
  async function sh(command: string, projectId: string) {
    count += 1;
    const originKey = `event-${count}`;
    return await parts.database.transaction((tx) =>
      parts.engine.tasks.createCommandTask(tx, {
        workspace,
        project: projectId,
        requester: ada,
        command,
        channel,
        thread: null,
        originKey,
      }),
    );
  }

  const eventsOf = (run: string): Promise<RunEvent[]> => parts.events.read(run, 0, 100_000);
  const newsOf = (run: string) => (wake: () => void) => parts.wakeups.subscribe('run', run, wake);

  /** Waits until the events of a run say what is awaited. */
  async function told<T>(what: string, run: string, look: (events: readonly RunEvent[]) => T, timeoutMs = 10_000) {
    const events: RunEvent[] = [];
    return await waitFor(
      what,
      async () => {
        events.push(...(await parts.events.read(run, events.at(-1)?.seq ?? 0, 100_000)));
        return look(events);
      },
      { timeoutMs, everyMs: 50, news: newsOf(run) },
    );
  }

  return {
    ...parts,
    installation,
    place,
    source,
    first,
    artifacts,
    sandbox,
    ada,
    channel,
    project,
    sh,
    eventsOf,
    newsOf,
    told,
    mirror: (projectId: string) => join(installation.dataDir, 'mirrors', `${projectId}.git`),
    async stateOf(run: string) {
      return (await parts.database.db.run.findUniqueOrThrow({ where: { id: run } })).state;
    },
    async stop(task: string) {
      await parts.database.transaction((tx) => parts.engine.tasks.stop(tx, task, ada));
    },
    /** Approves the pending request of a run. */
    async approve(run: string) {
      const { secret } = await parts.database.db.interaction.findFirstOrThrow({ where: { runId: run, state: 'pending' } });
      await parts.database.transaction((tx) =>
        parts.engine.tasks.decide(tx, { secret, decision: 'approve', by: ada, on: 'slack' }),
      );
    },
    /** Brings the change of a run out, as the owner. */
    async publish(run: string, what: PublishWhat = 'push') {
      return await parts.database.transaction((tx) =>
        parts.engine.tasks.publish(tx, {
          run,
          what,
          by: ada,
          on: 'slack',
          origin: { platform: 'slack', url: 'https://slack.test/t/1' },
        }),
      );
    },
    /** Waits until what was brought out of a run last is over, and returns its row. */
    async published(run: string) {
      return await waitFor(
        `the end of what is brought out of ${run}`,
        async () => {
          const row = await parts.database.db.publication.findFirst({ where: { runId: run }, orderBy: { id: 'desc' } });
          if (row === null || row.endedAt === null) throw new Error(`it is ${row?.state}: ${JSON.stringify(row?.error)}`);
          return row;
        },
        { timeoutMs: 30_000, everyMs: 50 },
      );
    },
    async retry(task: string) {
      return await parts.database.transaction((tx) => parts.engine.tasks.retry(tx, task, ada));
    },
    /** Waits for the terminal event and returns the result. */
    async resultOf(run: string, timeoutMs = 55_000): Promise<RunResult> {
      return await told(
        `the end of ${run}`,
        run,
        (events) => {
          const end = events.findLast(({ data }) => data.type === 'terminal')?.data;
          if (end?.type !== 'terminal')
            throw new Error(`its last event is ${JSON.stringify(events.at(-1)?.data)?.slice(0, 200)}`);
          return end.result;
        },
        timeoutMs,
      );
    },
    async startRunner(change: Partial<RunnerDeps> = {}) {
      const { runner } = openRunner(installation, parts, change.at ?? (() => undefined), change);
      await runner.start();
      const stop = () => runner.stop();
      closers.push(stop);
      return runner;
    },
    async close() {
      await Promise.allSettled(closers.map((close) => close()));
      for (const { run } of await sandbox.list()) await sandbox.destroy(run);
      if (kind === 'docker') await waitFor('an engine without traces', () => removeTraces(name), { timeoutMs: 50_000 });
      await parts.close();
      await database.close();
      await place[Symbol.asyncDispose]();
    },
  };
}

/** What a provider keeps for its next start, which nobody makes, and what a killed one was about to make: refused while in use. */
async function removeTraces(instance: string): Promise<true> {
  const docker = promisify(execFile);
  const filter = ['--filter', `name=deckhand-${instance}`];
  const namesIn = (list: { stdout: string }) => list.stdout.split('\n').filter((name) => name !== '');
  // Short helpers have no name; what a killed provider leaves of them goes with its time, which is longer than a test waits.
  const byLabel = ['--filter', `label=deckhand.instance=${instance}`];
  const listed = await Promise.all([filter, byLabel].map((by) => docker('docker', ['ps', '--all', '--quiet', ...by])));
  const containers = [...new Set(listed.flatMap(namesIn))];
  if (containers.length > 0) await docker('docker', ['rm', '--force', ...containers]);
  const volumes = namesIn(await docker('docker', ['volume', 'ls', '--quiet', ...filter]));
  if (volumes.length > 0) await docker('docker', ['volume', 'rm', ...volumes]);
  return true;
}

/** The output events of one stream, joined; checks that they follow one another without gap or overlap. */
export function outputText(events: readonly RunEvent[], stream: OutputStream): string {
  let at = 0;
  let text = '';
  for (const { data } of events) {
    if (data.type !== 'output' || data.stream !== stream) continue;
    if (data.from !== at) throw new Error(`${stream} continues at ${data.from}, not at ${at}`);
    at = data.to;
    text += data.text;
  }
  return text;
}

export function ofType<T extends RunEventData['type']>(
  events: readonly RunEvent[],
  type: T,
): Extract<RunEventData, { type: T }>[] {
  return events.map(({ data }) => data).filter((data): data is Extract<RunEventData, { type: T }> => data.type === type);
}
