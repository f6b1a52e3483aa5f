import type { InboundEvent } from '../../src/contracts/inbound.ts';
import type { Platform } from '../../src/contracts/platform.ts';
import type { RunResult } from '../../src/contracts/run-event.ts';
import { newId } from '../../src/runtime/ids.ts';
import type { Part } from '../../src/runtime/lifecycle.ts';
import { createProject, type Project } from '../../src/store/projects.ts';
import type { Wakeups } from '../../src/store/wakeups.ts';
import { type PlatformMessage, type PlatformOptions, TestPlatform, testCapabilities } from './chat-platform.ts';
import { startProjector, startSender, type TestSender } from './delivery-world.ts';
import { type Account, accounts, type Desk, offerSandbox, openDesk } from './desk.ts';
import { succeeded } from './test-engine.ts';
import { waitFor } from './wait-for.ts';

/** What `offerSandbox` offers. */
const sandbox = { cwd: '/workspace', sandbox: 'docker', image: 'deckhand/sandbox', network: 'none' } as const;

export type Chat = 'slack' | 'telegram' | 'discord';
const tenants: Record<Chat, string> = { slack: 'T1', telegram: 'B1', discord: 'A1' };
const names: Record<Account, string> = { ada: 'Ada', mia: 'Mia', ben: 'Ben', gus: 'Gus', nobody: 'Nobody', pia: 'Pia' };

/** The desk with three platforms behind its outbox. Its people have an account on each, and are the same people everywhere. */
export interface MirrorWorld extends AsyncDisposable {
  desk: Desk;
  wakeups: Wakeups;
  platforms: Record<Chat, TestPlatform>;
  /** Not bound to any channel. */
  other: Project;
  /** A channel that bot and people know, bound to `project` when it is given. */
  channel(chat: Chat, id: string, bound?: { project: string; role?: string; verbosity?: string }): Promise<void>;
  start(): Promise<void>;
  /** A sender and a projector of a further life. */
  senders: TestSender[];
  projectors: (Part & { kill(): void })[];
  /** Waits until every place shows what it must, but for channels whose id begins with `GONE`. */
  settled(): Promise<void>;
  /** Forgets what was said so far, and all faults. */
  clear(): void;
  /** Runs what has its place as a runner would, up to the moment its command runs. */
  execute(run: string): Promise<void>;
  /** The command writes this. */
  output(run: string, text: string): Promise<void>;
  finish(run: string, result?: Partial<RunResult>): Promise<void>;
}

export async function openMirrorWorld(options: Partial<Record<Chat, PlatformOptions>> = {}): Promise<MirrorWorld> {
  const desk = await openDesk();
  const { database, wakeups } = desk;
  const runner = await offerSandbox(desk, 50);
  const { runs } = desk.engine;
  const written = new Map<string, number>();
  const platform = (chat: Chat) =>
    new TestPlatform({
      tenant: tenants[chat],
      ownThreads: chat === 'discord',
      ...options[chat],
      capabilities: { ...testCapabilities, platform: chat, ...options[chat]?.capabilities },
    });
  const platforms = { slack: platform('slack'), telegram: platform('telegram'), discord: platform('discord') };
  for (const chat of ['telegram', 'discord'] as const) {
    await database.db.tenant.create({
      data: { platform: chat, tenant: tenants[chat], workspaceId: desk.workspace, name: 'Acme', botUser: 'BOT' },
    });
  }
  await linkPeople(desk);
  const other = await database.transaction((tx) =>
    createProject(tx, {
      workspace: desk.workspace,
      name: 'other',
      source: { kind: 'path', path: '/srv/other' },
      baseBranch: undefined,
      policy: desk.demo.policy,
      limits: desk.demo.limits,
      createdBy: undefined,
    }),
  );
  if (other === undefined) throw new Error('the project exists');
  // Whatever is started has its place at once.
  const limits = { ...desk.demo.limits, concurrency: 50 };
  await database.db.project.updateMany({ data: { limits } });
  const senders: TestSender[] = [];
  const projectors: (Part & { kill(): void })[] = [];
  return {
    desk,
    wakeups,
    platforms,
    other,
    senders,
    projectors,
    async channel(chat, id, bound) {
      await database.db.channel.create({
        data: {
          id: newId('chn'),
          workspaceId: desk.workspace,
          platform: chat,
          tenant: tenants[chat],
          externalId: id,
          kind: 'channel',
          name: id.toLowerCase(),
          projectId: bound?.project ?? null,
          defaultRole: bound?.role ?? null,
          verbosity: bound?.verbosity ?? 'steps',
        },
      });
    },
    async start() {
      const sender = startSender({ database, wakeups }, Object.values(platforms));
      const projector = startProjector({ database, wakeups });
      senders.push(sender);
      projectors.push(projector);
      await sender.start();
      await projector.start();
    },
    async settled() {
      await waitFor(
        'all cards to be shown',
        async () => {
          const behind = await database.db.$queryRaw<{ what: string }[]>`
            SELECT "id" || ' at ' || "projectedSeq" || ' of ' || "lastSeq" AS what FROM "Run" WHERE "lastSeq" > "projectedSeq"
            UNION ALL SELECT "key" || ' ' || COALESCE("lastError", '') FROM "Outbox"
            WHERE "state" = 'pending' AND "channel" NOT LIKE 'GONE%' AND "dueAt" < now() + interval '10 seconds'`;
          if (behind.length > 0) throw new Error(behind.map(({ what }) => what).join('; '));
          return true;
        },
        { timeoutMs: 15_000 },
      );
    },
    clear() {
      for (const { messages, uploads, ephemerals, reactions } of Object.values(platforms)) {
        for (const kept of [messages, uploads, ephemerals, reactions]) kept.splice(0);
      }
      for (const one of Object.values(platforms)) one.fault = () => undefined;
    },
    async execute(run) {
      const spec = await waitFor('the run to have its place', async () => {
        const claim = await runs.claim(run, runner);
        // Whoever gave places passed over it while somebody else had its row.
        if (!claim.ok) await desk.engine.sweep();
        return claim.ok ? claim.spec : undefined;
      });
      const { command, timeoutMs, project } = spec;
      const action = { type: 'command', command, timeoutMs, project: project.id, ...sandbox } as const;
      const { verdict } = await runs.authorise(run, runner, action);
      if (verdict !== 'run') throw new Error(`not authorised: ${verdict}`);
      await runs.executing(run, runner, { kind: 'docker', ref: `box-${run}`, isolated: true });
    },
    async output(run, text) {
      const from = written.get(run) ?? 0;
      written.set(run, from + text.length);
      await runs.append(run, runner, [{ type: 'output', stream: 'stdout', from, to: from + text.length, text }]);
    },
    async finish(run, result = {}) {
      await runs.finishing(run, runner);
      await runs.finish(run, runner, succeeded(result));
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...senders, ...projectors].map((part) => part.stop()));
      await desk[Symbol.asyncDispose]();
    },
  };
}

/** Every account of a person on another platform belongs to the person known on Slack. */
async function linkPeople({ database, workspace }: Desk): Promise<void> {
  for (const who of Object.keys(accounts) as Account[]) {
    const known = await database.db.identity.findFirst({ where: { platform: 'slack', externalId: accounts[who] } });
    const userId = known?.userId ?? newId('usr');
    if (known === null) await database.db.user.create({ data: { id: userId, workspaceId: workspace, name: names[who] } });
    for (const chat of known === null ? (['slack', 'telegram', 'discord'] as const) : (['telegram', 'discord'] as const)) {
      await database.db.identity.create({
        data: {
          id: newId('idn'),
          workspaceId: workspace,
          userId,
          platform: chat,
          tenant: tenants[chat],
          externalId: accounts[who],
          name: names[who],
        },
      });
    }
  }
}

/** Where somebody acts. Without a channel: in the direct conversation with the bot. */
export interface Place {
  chat: Chat;
  channel?: string | undefined;
  thread?: string | undefined;
}

let count = 0;

function base(who: Account, { chat, channel, thread }: Place) {
  count += 1;
  return {
    key: `mirror:${count}`,
    at: new Date().toISOString(),
    conversation: {
      platform: chat satisfies Platform,
      tenant: tenants[chat],
      channel: channel ?? `D-${accounts[who]}`,
      kind: channel === undefined ? ('direct' as const) : ('channel' as const),
      ...(thread === undefined ? {} : { thread }),
    },
    actor: { user: accounts[who], bot: false },
    reply: `reply-${count}`,
    trigger: `trigger-${count}`,
  };
}

/** A slash command. */
export function command(who: Account, text: string, place: Place): InboundEvent {
  return { ...base(who, place), type: 'command', text };
}

/** A message: to the bot at the top level or in a direct conversation, a plain reply in a thread. */
export function say(who: Account, text: string, place: Place): InboundEvent {
  const event = base(who, place);
  const addressed = place.channel === undefined ? 'direct' : place.thread === undefined ? 'mention' : 'thread';
  return { ...event, type: 'message', text, message: `9${count}.000`, addressed, attachments: [] };
}

/** A press on a button of a message that the platform shows. */
export function pressOn(who: Account, chat: Chat, message: PlatformMessage | undefined, label: string): InboundEvent {
  const blocks = message?.views.at(-1)?.blocks ?? [];
  const button = blocks.flatMap((block) => (block.type === 'buttons' ? block.buttons : [])).find((one) => one.label === label);
  if (message === undefined || button === undefined) throw new Error(`no button ${label} on ${message?.id}`);
  const event = base(who, { chat, channel: message.channel, thread: message.thread });
  const kind = message.channel.startsWith('D-') ? 'direct' : 'channel';
  return {
    ...event,
    conversation: { ...event.conversation, kind },
    type: 'press',
    token: button.token,
    values: [],
    message: message.id,
  };
}
