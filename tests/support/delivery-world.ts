import type { Capabilities, ChatAdapter } from '../../src/contracts/chat-adapter.ts';
import type { OutboxPut } from '../../src/contracts/outbox.ts';
import { defaultPolicy } from '../../src/contracts/policy.ts';
import type { Actor, RunEventData } from '../../src/contracts/run-event.ts';
import type { RunState } from '../../src/contracts/states.ts';
import { plain, type View } from '../../src/contracts/view.ts';
import { createProjector, type ProjectorOptions } from '../../src/delivery/projector.ts';
import { createSender } from '../../src/delivery/sender.ts';
import type { SenderOptions } from '../../src/delivery/sender-options.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { newId } from '../../src/runtime/ids.ts';
import type { Part } from '../../src/runtime/lifecycle.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import type { Database } from '../../src/store/database.ts';
import { putOutbox } from '../../src/store/outbox.ts';
import { appendEvents } from '../../src/store/run-events.ts';
import type { Wakeups } from '../../src/store/wakeups.ts';
import type { TestPlatform } from './chat-platform.ts';
import { borrowDatabase } from './kept-database.ts';

export const silent = createLogger({ level: 'silent' });

/** A workspace with a person, a project and a channel on a database of its own, and what tests of delivery do with them. */
export interface World {
  database: Database;
  wakeups: Wakeups;
  workspace: string;
  user: string;
  project: string;
  channel: string;
  put(put: Omit<OutboxPut, 'workspace'>): Promise<void>;
  /** A task with a thread (no platform id yet unless given) and its first run. */
  task(options?: {
    number?: number;
    externalId?: string;
    channel?: string;
  }): Promise<{ task: string; run: string; thread: string }>;
  newChannel(externalId: string, verbosity?: string): Promise<string>;
  /** Appends events to a run as the engine does, with the state it then has. */
  log(run: string, events: readonly RunEventData[], state?: RunState): Promise<void>;
  /** A further run of a task. */
  retry(task: string, attempt: number): Promise<string>;
  close(): Promise<void>;
}

export async function createWorld(): Promise<World> {
  const lent = await borrowDatabase(() => undefined);
  const { database, wakeups } = lent;
  const { db } = database;
  const workspace = newId('wsp');
  const user = newId('usr');
  const project = newId('prj');
  await db.workspace.create({ data: { id: workspace, name: 'Acme' } });
  await db.user.create({ data: { id: user, workspaceId: workspace, name: 'Ada', role: 'owner' } });
  await db.identity.create({
    data: {
      id: newId('idn'),
      workspaceId: workspace,
      userId: user,
      platform: 'slack',
      tenant: 'T1',
      externalId: 'UADA',
      name: 'Ada',
    },
  });
  await db.project.create({
    data: {
      id: project,
      workspaceId: workspace,
      name: 'web',
      sourceKind: 'git',
      source: 'https://example.com/web.git',
      policy: defaultPolicy,
      limits: { concurrency: 2, timeoutMs: 60_000 },
    },
  });
  let number = 100;

  const world: World = {
    database,
    wakeups,
    workspace,
    user,
    project,
    channel: '',
    async put(put) {
      await database.transaction((tx) => putOutbox(tx, { workspace, ...put }));
    },
    async newChannel(externalId, verbosity = 'steps') {
      const id = newId('chn');
      await db.channel.create({
        data: {
          id,
          workspaceId: workspace,
          platform: 'slack',
          tenant: 'T1',
          externalId,
          kind: 'channel',
          name: externalId,
          projectId: project,
          verbosity,
        },
      });
      return id;
    },
    async task(options = {}) {
      number += 1;
      const task = newId('tsk');
      const run = newId('run');
      const thread = newId('thr');
      const now = new Date();
      await db.task.create({
        data: {
          id: task,
          workspaceId: workspace,
          number: options.number ?? number,
          projectId: project,
          title: 'npm test',
          kind: 'command',
          command: 'npm test',
          column: 'queued',
          rank: 1,
          branch: `deckhand/${options.number ?? number}-npm-test`,
          policy: defaultPolicy,
          policyVersion: 1,
          requesterId: user,
          originKey: task,
        },
      });
      await db.thread.create({
        data: {
          id: thread,
          workspaceId: workspace,
          taskId: task,
          channelId: options.channel ?? world.channel,
          externalId: options.externalId ?? null,
        },
      });
      await db.run.create({
        data: {
          id: run,
          workspaceId: workspace,
          taskId: task,
          projectId: project,
          attempt: 1,
          state: 'queued',
          requestedById: user,
          queuedAt: now,
          lastEventAt: now,
          timeoutMs: 60_000,
        },
      });
      return { task, run, thread };
    },
    async log(run, events, state) {
      const actor: Actor = { type: 'system', part: 'runner' };
      await database.transaction(async (tx) => {
        await appendEvents(tx, { run, actor, at: new Date(), events });
        if (state !== undefined) {
          const executing = state === 'executing' ? { startedAt: new Date() } : {};
          await tx.db.run.update({ where: { id: run }, data: { state, ...executing } });
        }
      });
    },
    async retry(task, attempt) {
      const run = newId('run');
      const now = new Date();
      await db.run.create({
        data: {
          id: run,
          workspaceId: workspace,
          taskId: task,
          projectId: project,
          attempt,
          state: 'queued',
          requestedById: user,
          queuedAt: now,
          lastEventAt: now,
          timeoutMs: 60_000,
        },
      });
      return run;
    },
    async close() {
      await lent.giveBack();
    },
  };
  world.channel = await world.newChannel('C1');
  return world;
}

export function words(text: string): View {
  return { fallback: text, blocks: [{ type: 'text', spans: [plain(text)] }] };
}

/** A sender of one process, which can be killed as kill -9 would: nothing it does afterwards has an effect. */
export interface TestSender extends Part {
  kill(): Promise<void>;
}

export function startSender(
  world: Pick<World, 'database' | 'wakeups'>,
  platforms: TestPlatform | readonly TestPlatform[],
  options: Partial<SenderOptions> & {
    onStep?: (step: string, when: 'before' | 'after') => void;
    /** The adapter as this process sees it. */
    through?: (adapter: ChatAdapter) => ChatAdapter;
  } = {},
): TestSender {
  const life = { dead: false };
  const adapters = [platforms].flat().map((platform) => platform.adapter());
  const { onStep = () => undefined, through = (adapter) => adapter, ...rest } = options;
  const sender = createSender({
    database: mortal(world.database, life, onStep),
    adapters: new Map(adapters.map((adapter) => [adapter.platform, through(stepped(adapter, onStep))])),
    wakeups: world.wakeups,
    logger: silent,
    readArtifact: async () => undefined,
    settleMs: 30,
    ...rest,
  });
  return {
    ...sender,
    async kill() {
      life.dead = true;
      for (const adapter of adapters) adapter.kill();
      // The dead do not come back for the lease: one that took it would keep it from all who follow. What hangs never ends.
      void sender.stop();
      await world.database.db.$queryRaw`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'deckhand-sender' AND datname = current_database()`;
    },
  };
}

/** A projector of one process, which can be killed like a sender. */
export function startProjector(
  world: Pick<World, 'database' | 'wakeups'>,
  options: Pick<ProjectorOptions, 'onFigures'> & { onStep?: (step: string, when: 'before' | 'after') => void } = {},
): Part & { kill(): void } {
  const life = { dead: false };
  const projector = createProjector({
    database: mortal(world.database, life, options.onStep ?? (() => undefined)),
    wakeups: world.wakeups,
    clock: systemClock,
    logger: silent,
    onFigures: options.onFigures,
  });
  return {
    ...projector,
    kill: () => {
      life.dead = true;
    },
  };
}

/** The database as one process sees it; nothing more happens once it is dead. */
function mortal(database: Database, life: { dead: boolean }, onStep: (step: string, when: 'before' | 'after') => void): Database {
  async function step<T>(name: string, work: () => PromiseLike<T>): Promise<T> {
    onStep(name, 'before');
    if (life.dead) return await new Promise<never>(() => undefined);
    const value = await work();
    onStep(name, 'after');
    if (life.dead) return await new Promise<never>(() => undefined);
    return value;
  }
  const db = new Proxy(database.db, {
    get(target, name: keyof typeof database.db) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function' || (name !== '$queryRaw' && name !== '$executeRaw')) return member;
      const sqlOf = (args: unknown[]) =>
        /UPDATE "Outbox"/.test(JSON.stringify(args[0])) || /UPDATE/.test(String((args[0] as { sql?: string }).sql));
      return (...args: unknown[]) =>
        step(sqlOf(args) ? 'write' : 'read', () => member.apply(target, args) as PromiseLike<unknown>);
    },
  });
  return { ...database, db, transaction: (work) => step('transaction', () => database.transaction(work)) };
}

function stepped(adapter: ChatAdapter, onStep: (step: string, when: 'before' | 'after') => void): ChatAdapter {
  const wrap =
    <A extends unknown[], T>(name: string, make: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      onStep(name, 'before');
      const value = await make(...args);
      onStep(name, 'after');
      return value;
    };
  return {
    ...adapter,
    capabilities: adapter.capabilities as Capabilities,
    send: wrap('send', adapter.send),
    edit: wrap('edit', adapter.edit),
    upload: wrap('upload', adapter.upload),
    find: wrap('find', adapter.find),
  };
}
