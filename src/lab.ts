import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { slackManifest } from '../adapters/slack/manifest.ts';
import { ensureDemoProject } from '../lab/demo-project.ts';
import { labRoutes } from '../lab/lab-server.ts';
import { labPageRoutes } from '../lab/page-route.ts';
import { createSlackEmulator, type SlackEmulator } from '../lab/slack/emulator.ts';
import type { LabSeed } from './access/first-start.ts';
import { complete } from './commands/complete.ts';
import { usageHint } from './commands/registry.ts';
import type { PlatformConfigs } from './config-platforms.ts';
import type { RouteGroup } from './http/server.ts';

/** The stand-in for platforms when none is configured. */
export interface Lab {
  platforms: PlatformConfigs;
  routes: RouteGroup;
  seed: LabSeed;
  close(): Promise<void>;
}

/** How many calls and deliveries the emulator remembers: enough to look at, little memory. */
const keepCalls = 500;

/** Starts the emulator with what it kept from earlier starts, and makes the demo project. */
export async function startLab(dataDir: string): Promise<Lab> {
  const project = join(dataDir, 'lab', 'demo');
  const [slack] = await Promise.all([startSlack(join(dataDir, 'lab')), ensureDemoProject(project)]);
  const { botToken, appToken } = slack.credentials;
  return {
    platforms: { slack: { botToken, appToken, apiUrl: slack.apiUrl }, telegram: undefined, discord: undefined },
    routes: { name: 'lab', access: 'this machine', register: (server) => registerLab(server, slack) },
    seed: {
      tenant: { platform: 'slack', tenant: slack.teamId, name: 'Deckhand Lab', botUser: slack.botUserId },
      people: [
        { user: slack.person('ada').id, name: 'Ada', role: 'owner' },
        { user: slack.person('ben').id, name: 'Ben', role: 'developer' },
        { user: slack.person('gus').id, name: 'Gus', role: 'guest' },
      ],
      project: { name: 'demo', source: { kind: 'path', path: project } },
      channel: { id: channelId(slack, 'demo'), name: 'demo', defaultRole: 'developer' },
    },
    close: () => slack.close(),
  };
}

/** On the port of the last start where it is free, so that the answer addresses the emulator has handed out stay good. */
async function startSlack(dir: string): Promise<SlackEmulator> {
  const portFile = join(dir, 'port');
  const start = (port: number) =>
    createSlackEmulator({
      persistPath: join(dir, 'slack'),
      manifest: slackManifest({ mode: 'socket', usageHint: usageHint() }),
      keepCalls,
      port,
    });
  await mkdir(dir, { recursive: true });
  const last = Number(await readFile(portFile, 'utf8').catch(() => '0'));
  const slack = await start(last).catch((error: unknown) => {
    if (last !== 0 && error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return start(0);
    throw error;
  });
  await writeFile(portFile, new URL(slack.url).port);
  return slack;
}

async function registerLab(server: Parameters<RouteGroup['register']>[0], slack: SlackEmulator): Promise<void> {
  const demo = channelId(slack, 'demo');
  await server.register(
    labRoutes(slack, {
      complete: ({ text }) => complete(text),
      suggestions: () => [
        { text: '/deckhand sh npm test', hint: 'Asks for approval, then a test fails', channel: demo },
        { text: '/deckhand sh git log --oneline', hint: 'Only reads, so it runs at once', channel: demo },
        { text: '/deckhand sh npm run slow', hint: 'Two minutes of output, to watch and stop', channel: demo },
        { text: '/deckhand sh npm run stamp', hint: 'Changes a file: comes back as a patch', channel: demo },
        { text: '/deckhand help', hint: 'Everything you can say' },
      ],
    }),
  );
  await server.register(labPageRoutes);
}

function channelId(slack: SlackEmulator, name: string): string {
  const channel = [...slack.core.state.channels.values()].find((one) => one.name === name);
  if (channel === undefined) throw new Error(`the lab has no channel #${name}`);
  return channel.id;
}
