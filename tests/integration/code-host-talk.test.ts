import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createGithubHost } from '../../adapters/github/host.ts';
import { createGithubTalk } from '../../adapters/github/talk.ts';
import { createGithubEmulator, type GithubEmulator } from '../../lab/github/emulator.ts';
import type { LabRepository } from '../../lab/github/repositories.ts';
import { createRepositoryLogins } from '../../src/access/repository-logins.ts';
import { createBus } from '../../src/commands/bus.ts';
import { InboxWorker } from '../../src/commands/inbox-worker.ts';
import type { ChatAdapter } from '../../src/contracts/chat-adapter.ts';
import { createProjector } from '../../src/delivery/projector.ts';
import { createSender } from '../../src/delivery/sender.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createSecretBox } from '../../src/runtime/secret-box.ts';
import { storeInbound } from '../../src/store/inbox.ts';
import { registerTenant } from '../../src/store/workspaces.ts';
import { createAccountKeys } from '../../src/tasks/agent-account-keys.ts';
import { type PlatformMessage, TestPlatform } from '../support/chat-platform.ts';
import { silent } from '../support/delivery-world.ts';
import { createRunnerWorld, type RunnerWorld } from '../support/runner-world.ts';
import { waitFor } from '../support/wait-for.ts';

/** Everything between an issue at GitHub and a pull request that closes it; people decide in Slack. */

let github: GithubEmulator;
let repository: LabRepository;
let world: RunnerWorld;
let slack: TestPlatform;
let talk: ChatAdapter;
const closers: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  github = await createGithubEmulator();
  const login = { type: 'token', token: github.token('deckhand') } as const;
  repository = await github.repository({ name: 'web', private: false, roles: { deckhand: 'write' } });
  world = await createRunnerWorld('local', { github: { apiUrl: github.apiUrl, token: login.token } });
  const { database, wakeups, engine, ada } = world;
  const project = await world.project({ source: { kind: 'git', url: repository.cloneUrl }, policy: { mode: 'safe' } });
  await database.db.channel.updateMany({ data: { projectId: project } });
  slack = new TestPlatform();
  const adapter = createGithubTalk(
    {
      apiUrl: github.apiUrl,
      login,
      webhook: undefined,
      repositories: async () => [{ owner: 'acme', name: 'web', since: new Date(0) }],
    },
    { logger: silent, clock: systemClock, everyMs: 50 },
  );
  // As it is, but for how long a card waits for its next edit.
  talk = { ...adapter, capabilities: { ...adapter.capabilities, budgets: [] } };
  const adapters = [slack.adapter(), talk];
  const secretBox = createSecretBox([randomBytes(32)]);
  const bus = createBus({
    sealSecret: (secret) => secret,
    apiUrl: () => 'https://deckhand.example.com',
    tasks: engine.tasks,
    accounts: createAccountKeys(secretBox, {}),
    repositoryLogins: createRepositoryLogins(secretBox),
    repositoryTalk: { platform: 'github', host: createGithubHost({ apiUrl: github.apiUrl, login }) },
    now: systemClock.now,
    about: async () => ({ version: '1.2.3', startedAt: systemClock.now(), sandboxes: [], links: [] }),
    syncProject: async () => undefined,
    readArtifact: async () => undefined,
    history: async (to, before, limit) => talk.history?.(to, before, limit),
    owners: [],
    log: silent,
  });
  const inbox = new InboxWorker({
    database,
    wakeups,
    now: systemClock.now,
    log: silent,
    handle: (tx, event) => bus.handle(tx, event),
    refuse: (tx, event, error) => bus.refuse(tx, event, error),
    concurrency: 4,
  });
  const sender = createSender({
    database,
    wakeups,
    adapters: new Map(adapters.map((one) => [one.platform, one])),
    logger: silent,
    readArtifact: async () => undefined,
    settleMs: 30,
  });
  const projector = createProjector({ database, wakeups, clock: systemClock, logger: silent, oneCard: new Set(['github']) });
  await talk.start((events) => storeInbound(database, events));
  const tenants = adapters.flatMap((one) => one.tenants().map((tenant) => ({ platform: one.platform, ...tenant })));
  await database.transaction(async (tx) => {
    for (const tenant of tenants) await registerTenant(tx, ada.workspace, tenant);
  });
  await world.startRunner();
  await sender.start();
  await projector.start();
  inbox.start();
  closers.push(
    () => talk.stop(),
    () => inbox.stop(),
    () => projector.stop(),
    () => sender.stop(),
    () => world.close(),
    () => github.close(),
  );
});

afterAll(async () => {
  for (const close of closers) await close();
  expect(github.controls.errors).toEqual([]);
});

const ownComments = () =>
  github
    .person('ada')
    .comments(repository.fullName, 1)
    .filter(({ author }) => author === 'deckhand');

/** The newest message of Slack that offers this button. */
async function offering(label: string): Promise<{ message: PlatformMessage; token: string }> {
  return await waitFor(
    `the button ${label} in Slack`,
    () => {
      for (const message of slack.messages.toReversed()) {
        const buttons = message.views.at(-1)?.blocks.flatMap((block) => (block.type === 'buttons' ? block.buttons : [])) ?? [];
        const button = buttons.find((one) => one.label === label);
        if (button !== undefined) return { message, token: button.token };
      }
      throw new Error(`there is: ${slack.messages.map((message) => slack.text(message)).join('\n---\n')}`);
    },
    { timeoutMs: 20_000 },
  );
}

/** Ada presses it. */
async function press(label: string): Promise<void> {
  const { message, token } = await offering(label);
  await storeInbound(world.database, [
    {
      type: 'press',
      key: `press:${label}`,
      at: new Date().toISOString(),
      conversation: { platform: 'slack', tenant: 'T1', channel: 'C1', kind: 'channel', thread: message.thread ?? message.id },
      actor: { user: 'U1', name: 'Ada', bot: false },
      token,
      values: [],
      message: message.id,
    },
  ]);
}

test('promise 2: a mention in an issue is answered by one comment that is edited until it names the pull request that closes the issue; people decide in Slack', async () => {
  const [ben, gus] = [github.person('ben'), github.person('gus')];
  const issue = ben.openIssue(repository.fullName, { title: 'The login fails', body: 'Twice a day.' });
  expect(issue.number).toBe(1);

  // Whoever may not write to the repository is not answered, only marked.
  const stranger = gus.comment(repository.fullName, 1, '@deckhand sh rm -rf /');
  await gus.waitForReaction(repository.fullName, `comment/${stranger.id}`, 'confused', { timeoutMs: 15_000 });
  expect(await world.database.db.task.count()).toBe(0);
  expect(ownComments()).toEqual([]);

  const asked = ben.comment(repository.fullName, 1, '@deckhand sh echo fixed > fix.txt');
  await ben.waitForReaction(repository.fullName, `comment/${asked.id}`, 'eyes', { timeoutMs: 15_000 });
  await ben.waitForComment(repository.fullName, 1, /Waits for a decision in the thread of the task on Slack/, {
    timeoutMs: 20_000,
  });
  expect(JSON.stringify(ownComments())).not.toContain('can decide');

  await press('Approve');
  await ben.waitForComment(repository.fullName, 1, ({ author, body }) => author === 'deckhand' && /done/.test(body), {
    timeoutMs: 30_000,
  });
  expect(ownComments().map(({ body }) => body)).toEqual([expect.stringContaining('1 file')]);

  await press('Open PR');
  const pull = await ben.waitForPull(repository.fullName, () => true, { timeoutMs: 30_000 });
  expect(pull.body).toMatch(/\n\nCloses acme\/web#1\n$/);
  expect(pull.body).toContain('Asked by ben');
  const { id } = await ben.waitForComment(
    repository.fullName,
    1,
    ({ author, body }) => author === 'deckhand' && body.includes(`/acme/web/pull/${pull.number}`),
    { timeoutMs: 30_000 },
  );
  const told = github.person('ada').comments(repository.fullName, 1);
  expect(told.filter(({ author }) => author === 'deckhand').map((comment) => comment.id)).toEqual([id]);
  expect(github.person('ada').comments(repository.fullName, pull.number)).toEqual([]);
});
