import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createModelServer, type ModelServer } from '../../lab/model/server.ts';
import type { AgentKind } from '../../src/contracts/agent.ts';
import { defaultPolicy } from '../../src/contracts/policy.ts';
import { newId } from '../../src/runtime/ids.ts';
import { findOrCreateChannel } from '../../src/store/channels.ts';
import { hostIdOf } from '../../src/store/data-dir.ts';
import { createEventLog } from '../../src/store/event-log.ts';
import { findOrCreatePerson } from '../../src/store/people.ts';
import { addressOfRunning } from '../../src/store/postgres-address.ts';
import { createProject } from '../../src/store/projects.ts';
import { firstWorkspace } from '../../src/store/workspaces.ts';
import type { Person } from '../../src/tasks/task-engine.ts';
import { addChannels, chatVariables, makeRepository, type Place, slackPlaces, startChat } from '../chat.ts';
import { type BenchEngine, openEngine } from '../engine.ts';
import { durations, type Figure } from '../figures.ts';
import { complaints, startProgram } from '../program.ts';
import type { Site } from '../site.ts';
import type { Scenario } from './scenario.ts';

const kinds: readonly ('shell' | AgentKind)[] = ['shell', 'claude', 'claude-code', 'codex'];
const runsEach = 8;
/** Milliseconds to the first act of the command, or the first request of the agent. */
const targets = { cold: { shell: 1500, agent: 1500 }, warm: { shell: 300, agent: 600 } };
const startsWithinMs = 60_000;
const endsWithinMs = 60_000;
const calmWithinMs = 60_000;

interface Desk {
  parts: BenchEngine;
  model: ModelServer;
  person: Person;
  project: string;
  channel: string;
}

/**
 * Every run has a container, a working copy and a program of its own, one after the other. Cold: nothing is kept ready. Warm: a sandbox
 * waits, made after the run before.
 */
export const agentStart: Scenario = {
  name: 'agent-start',
  about: `from the message of a person to the first act of a command, or the first request of an agent for a model, ${runsEach} runs each, cold and warm`,
  async run(site) {
    const model = await createModelServer();
    site.onEnd(() => model.close());
    const slack = await startChat(site);
    const [place] = slackPlaces(slack, addChannels(slack, 1));
    if (place === undefined) throw new Error('no channel');
    const repository = await makeRepository(join(site.dir, 'repository'));
    const figures: Figure[] = [];
    const notes: string[] = [];
    for (const how of ['cold', 'warm'] as const) {
      const dataDir = join(site.dir, how);
      site.onEnd(() => removeVolumes(dataDir));
      const program = await startProgram(site, {
        role: 'start',
        dataDir,
        variables: {
          ...chatVariables(slack, 'socket'),
          SANDBOX: 'docker',
          SANDBOX_WARM: how === 'warm' ? '1' : '0',
          ANTHROPIC_API_KEY: 'sk-ant-bench',
          ANTHROPIC_BASE_URL: model.anthropicUrl,
          OPENAI_API_KEY: 'sk-bench',
          OPENAI_BASE_URL: model.openaiUrl,
        },
      });
      const parts = await openEngine(site, (await addressOfRunning(dataDir)) ?? '');
      const desk = { parts, model, ...(await furnish(parts, { repository, place, ada: slack.person('ada').id })) };
      for (const kind of kinds) {
        // The first one fetches the repository, and has a sandbox made ready for the next.
        await measure(site, desk, kind);
        const times: number[] = [];
        for (let n = 0; n < runsEach; n += 1) {
          await calm(site, dataDir, how === 'warm' ? kind : undefined);
          times.push(await measure(site, desk, kind));
        }
        figures.push(...durations(`${kind}, ${how}`, times, { p50: targets[how][kind === 'shell' ? 'shell' : 'agent'] }));
        notes.push(`${kind}, ${how}: ${times.join(', ')} ms`);
        site.say(`${kind}, ${how}: ${times.join(', ')} ms`);
      }
      notes.push(...complaints(program).map((text) => `logged ${text}`), ...parts.complaints);
      await program.stop();
    }
    return { figures, notes, broken: [] };
  },
};

/** What is started ahead has started by then. */
const settledSeconds = 8;

/** Waits until nothing of the run before is left in the engine, and a sandbox of this kind waits. */
async function calm(site: Site, dataDir: string, kind: 'shell' | AgentKind | undefined): Promise<void> {
  const docker = promisify(execFile);
  const format = '{{.Label "deckhand.role"}} {{.Names}} {{.Status}} {{.Image}} {{.Command}}';
  const filter = `label=deckhand.instance=${hostIdOf(dataDir)?.replace('_', '-')}`;
  const image = kind === 'shell' ? 'deckhand-sandbox:1' : 'deckhand-agents:1';
  const id = (await docker('docker', ['image', 'inspect', '--format', '{{.Id}}', image])).stdout.trim();
  const started = kind === 'claude-code' || kind === 'codex';
  const waitsFor = (line: string) => {
    // `Up Less than a second`, `Up 1 second`, `Up 12 seconds`, `Up About a minute`.
    const seconds = / Up (Less than a|\d+) seconds?\b/.exec(line)?.[1];
    if (seconds !== undefined && !(Number(seconds) >= settledSeconds)) return false;
    return line.includes(id) && (started ? new RegExp(`\\bname\\W+${kind}\\b`).test(line) : !line.includes('--ahead'));
  };
  await site.until(
    'the engine to be calm',
    async () => {
      const { stdout } = await docker('docker', ['ps', '--all', '--no-trunc', '--filter', filter, '--format', format]);
      // The one that makes all working copies stays.
      const lines = stdout.split('\n').filter((line) => line !== '' && !line.startsWith('keeper '));
      const waits = lines.filter((line) => /^sandbox \S*-warm-[0-9a-f]+ Up /.test(line));
      return lines.length === waits.length && (kind === undefined || waits.some(waitsFor));
    },
    calmWithinMs,
    100,
  );
}

/** What the engine keeps for the next start of an installation, which this one will not have. */
async function removeVolumes(dataDir: string): Promise<void> {
  const instance = hostIdOf(dataDir)?.replace('_', '-');
  if (instance === undefined) return;
  const docker = promisify(execFile);
  const { stdout } = await docker('docker', ['volume', 'ls', '--quiet', '--filter', `name=deckhand-${instance}-`]);
  const names = stdout.split('\n').filter((name) => name !== '');
  if (names.length > 0) await docker('docker', ['volume', 'rm', ...names]);
}

async function furnish(
  { database }: BenchEngine,
  { repository, place, ada }: { repository: string; place: Place; ada: string },
): Promise<Pick<Desk, 'person' | 'project' | 'channel'>> {
  return await database.transaction(async (tx) => {
    const { id: workspace } = await firstWorkspace(tx, 'Deckhand');
    const { name, ...where } = place;
    const identity = { platform: place.platform, tenant: place.tenant, user: ada };
    const member = await findOrCreatePerson(tx, { workspace, identity, name: 'Ada', role: 'owner' });
    const channel = await findOrCreateChannel(tx, workspace, { ...where, kind: 'channel' }, { channelName: name });
    const project = await createProject(tx, {
      workspace,
      name: 'web',
      source: { kind: 'path', path: repository },
      baseBranch: undefined,
      policy: { ...defaultPolicy, mode: 'yolo' },
      limits: { concurrency: 1, timeoutMs: 10 * 60_000 },
      createdBy: undefined,
    });
    if (member === undefined || channel === undefined || project === undefined) throw new Error('the workspace is not empty');
    const person: Person = { workspace, user: member.user, name: 'Ada', role: 'owner', identity };
    return { person, project: project.id, channel: channel.id };
  });
}

/**
 * Milliseconds from the call of the engine that a message becomes to the first request at the model, or to what the command says that
 * the time is. Waits for the end of the run.
 */
async function measure(site: Site, desk: Desk, kind: 'shell' | AgentKind): Promise<number> {
  const { parts, model, person, project, channel } = desk;
  const { database, engine } = parts;
  const known = model.requests().at(-1)?.number ?? 0;
  const asked = Date.now();
  const task = { workspace: person.workspace, project, requester: person, channel, thread: null, originKey: newId('aud') };
  const { run } = await database.transaction((tx) =>
    kind === 'shell'
      ? engine.tasks.createCommandTask(tx, { ...task, command: 'date +%s%3N' })
      : engine.tasks.createAgentTask(tx, { ...task, prompt: 'hello', settings: { agent: kind, mode: 'ask' } }),
  );
  const first =
    kind === 'shell'
      ? undefined
      : await model
          .waitForRequest(({ number }) => number > known, startsWithinMs)
          .catch(async (error: unknown) => {
            const row = await database.db.run.findUniqueOrThrow({ where: { id: run } });
            throw new Error(`${kind} asked for nothing; its run is ${row.state}: ${JSON.stringify(row.result)}`, {
              cause: error,
            });
          });
  await site.until(
    `the end of ${run}`,
    async () => (await database.db.run.findUniqueOrThrow({ where: { id: run } })).state === 'succeeded',
    endsWithinMs,
    50,
  );
  if (first !== undefined) return first.at - asked;
  const said = (await createEventLog(database, parts.wakeups).read(run, 0)).flatMap(({ data }) =>
    data.type === 'output' ? [data.text] : [],
  );
  return Number(said.join('').trim()) - asked;
}
