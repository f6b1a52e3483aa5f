import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createModelServer, type ModelServer } from '../../lab/model/server.ts';
import type { AgentKind } from '../../src/contracts/agent.ts';
import { defaultPolicy } from '../../src/contracts/policy.ts';
import { newId } from '../../src/runtime/ids.ts';
import { findOrCreateChannel } from '../../src/store/channels.ts';
import { hostIdOf } from '../../src/store/data-dir.ts';
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

const agents: readonly AgentKind[] = ['claude', 'claude-code', 'codex'];
const runsEach = 10;
const targetMs = 1500;
const startsWithinMs = 60_000;
const endsWithinMs = 60_000;

interface Desk {
  parts: BenchEngine;
  model: ModelServer;
  person: Person;
  project: string;
  channel: string;
}

/** Every run has a container, a working copy and a program of its own; nothing is kept warm. One after the other. */
export const agentStart: Scenario = {
  name: 'agent-start',
  about: `from the message of a person to the first request for a model, ${runsEach} runs of each agent, each in a fresh container`,
  async run(site) {
    const slack = await startChat(site);
    const model = await createModelServer();
    site.onEnd(() => model.close());
    const dataDir = join(site.dir, 'data');
    site.onEnd(() => removeVolumes(dataDir));
    const program = await startProgram(site, {
      role: 'start',
      dataDir,
      variables: {
        ...chatVariables(slack, 'socket'),
        SANDBOX: 'docker',
        ANTHROPIC_API_KEY: 'sk-ant-bench',
        ANTHROPIC_BASE_URL: model.anthropicUrl,
        OPENAI_API_KEY: 'sk-bench',
        OPENAI_BASE_URL: model.openaiUrl,
      },
    });
    const parts = await openEngine(site, (await addressOfRunning(dataDir)) ?? '');
    const [place] = slackPlaces(slack, addChannels(slack, 1));
    if (place === undefined) throw new Error('no channel');
    const repository = await makeRepository(join(site.dir, 'repository'));
    const desk = { parts, model, ...(await furnish(parts, { repository, place, ada: slack.person('ada').id })) };
    const figures: Figure[] = [];
    const notes: string[] = [];
    for (const agent of agents) {
      const times: number[] = [];
      for (let n = 0; n < runsEach; n += 1) times.push(await measure(site, desk, agent));
      figures.push(...durations(agent, times, { p50: targetMs }));
      notes.push(`${agent}: ${times.join(', ')} ms`);
      site.say(`${agent}: ${times.join(', ')} ms`);
    }
    notes.push(...complaints(program).map((text) => `logged ${text}`), ...parts.complaints);
    await program.stop();
    return { figures, notes, broken: [] };
  },
};

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
    const channel = await findOrCreateChannel(tx, workspace, { ...where, kind: 'channel' }, name);
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

/** Milliseconds from the call of the engine that a message becomes to the first request at the model. Waits for the end of the run. */
async function measure(site: Site, { parts, model, person, project, channel }: Desk, agent: AgentKind): Promise<number> {
  const known = model.requests().at(-1)?.number ?? 0;
  const asked = Date.now();
  const { run } = await parts.database.transaction((tx) =>
    parts.engine.tasks.createAgentTask(tx, {
      workspace: person.workspace,
      project,
      requester: person,
      prompt: 'hello',
      settings: { agent, mode: 'ask' },
      channel,
      thread: null,
      originKey: newId('aud'),
    }),
  );
  const first = await model
    .waitForRequest(({ number }) => number > known, startsWithinMs)
    .catch(async (error: unknown) => {
      const row = await parts.database.db.run.findUniqueOrThrow({ where: { id: run } });
      throw new Error(`${agent} asked for nothing; its run is ${row.state}`, { cause: error });
    });
  await site.until(
    `the end of ${run}`,
    async () => (await parts.database.db.run.findUniqueOrThrow({ where: { id: run } })).state === 'succeeded',
    endsWithinMs,
    50,
  );
  return first.at - asked;
}
