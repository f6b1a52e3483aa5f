import { slackManifest } from '../adapters/slack/manifest.ts';
import { createSlackEmulator, type SlackEmulator } from '../lab/slack/emulator.ts';
import { TEAM } from '../lab/slack/seed.ts';
import type { Platform } from '../src/contracts/platform.ts';
import { defaultPolicy, type Policy } from '../src/contracts/policy.ts';
import { bindChannel, findOrCreateChannel } from '../src/store/channels.ts';
import { createDatabase, type Database } from '../src/store/database.ts';
import { createProject } from '../src/store/projects.ts';
import { firstWorkspace } from '../src/store/workspaces.ts';
import { emptyRepository } from '../tests/support/git-repository.ts';
import type { Site } from './site.ts';

/** How many calls an emulator keeps: all that a scenario makes. */
export const keptCalls = 200_000;

/** The platform: the strict emulator in this process, so that the moment of every call is known. */
export async function startChat(site: Site): Promise<SlackEmulator> {
  const slack = await createSlackEmulator({
    manifest: slackManifest({ mode: 'socket', usageHint: 'help' }),
    keepCalls: keptCalls,
  });
  site.onEnd(() => slack.close());
  return slack;
}

/** Variables of a program that is connected to this workspace, with Ada as its owner. */
export function chatVariables(slack: SlackEmulator, mode: 'socket' | 'http'): Record<string, string> {
  const { botToken, appToken, signingSecret } = slack.credentials;
  return {
    SLACK_BOT_TOKEN: botToken,
    SLACK_API_URL: slack.apiUrl,
    DECKHAND_OWNERS: `slack:${TEAM.id}/${slack.person('ada').id}`,
    ...(mode === 'socket' ? { SLACK_APP_TOKEN: appToken } : { SLACK_SIGNING_SECRET: signingSecret }),
  };
}

/** A channel, chat or group that can be bound to a project. */
export interface Place {
  platform: Platform;
  tenant: string;
  channel: string;
  name: string;
}

/** Names of so many channels that the bot is in. */
export function addChannels(slack: SlackEmulator, count: number): string[] {
  return Array.from({ length: count }, (_, at) => slack.controls.addChannel({ name: `team-${at + 1}` }).name);
}

export function slackPlaces(slack: SlackEmulator, names: readonly string[]): Place[] {
  return names.map((name) => {
    const channel = [...slack.core.state.channels.values()].find((one) => one.name === name);
    if (channel === undefined) throw new Error(`no channel ${name}`);
    return { platform: 'slack', tenant: slack.teamId, channel: channel.id, name };
  });
}

export async function openDatabase(site: Site, url: string): Promise<Database> {
  const database = createDatabase({
    url,
    connections: 10,
    onEffectError: (error) => site.say(`an effect after a commit failed: ${error}`),
  });
  site.onEnd(() => database.close());
  return database;
}

/** A small repository on this machine. */
export async function makeRepository(path: string): Promise<string> {
  const repository = await emptyRepository(path);
  await repository.commit({ 'README.md': 'A repository to measure with.\n' });
  return path;
}

/**
 * Makes the projects web1, web2 …, in which everything runs without asking unless `policy` says otherwise, and binds the places to them in
 * turn. The program is up, so that there is a workspace.
 */
export async function bindPlaces(
  database: Database,
  places: readonly Place[],
  options: { repository: string; projects: number; concurrency: number; policy?: (project: number) => Partial<Policy> },
): Promise<void> {
  await database.transaction(async (tx) => {
    const { id: workspace } = await firstWorkspace(tx, 'Deckhand');
    const projects: string[] = [];
    for (let n = 1; n <= options.projects; n += 1) {
      const project = await createProject(tx, {
        workspace,
        name: `web${n}`,
        source: { kind: 'path', path: options.repository },
        baseBranch: undefined,
        policy: { ...defaultPolicy, mode: 'yolo', ...options.policy?.(n) },
        limits: { concurrency: options.concurrency, timeoutMs: 10 * 60_000 },
        createdBy: undefined,
      });
      if (project === undefined) throw new Error(`the project web${n} exists`);
      projects.push(project.id);
    }
    for (const [at, { platform, tenant, channel, name }] of places.entries()) {
      const row = await findOrCreateChannel(tx, workspace, { platform, tenant, channel, kind: 'channel' }, { channelName: name });
      if (row === undefined) throw new Error(`the channel ${name} is of another workspace`);
      await bindChannel(tx, row.id, { project: projects[at % projects.length], defaultRole: 'developer' });
    }
  });
}
