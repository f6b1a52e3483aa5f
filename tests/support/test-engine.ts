import type { Job, JobQueue } from '../../src/contracts/jobs.ts';
import { defaultPolicy, type Policy } from '../../src/contracts/policy.ts';
import type { Role } from '../../src/contracts/roles.ts';
import type { RunControl, RunSpec, SandboxOffer } from '../../src/contracts/run-control.ts';
import { type RunEventData, type RunResult, runEventDataSchema } from '../../src/contracts/run-event.ts';
import { defaultProjectLimits, type ProjectLimits } from '../../src/contracts/settings.ts';
import { newId } from '../../src/runtime/ids.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { createDatabase, type Database, type Tx } from '../../src/store/database.ts';
import { createProject } from '../../src/store/projects.ts';
import type { Wakeups } from '../../src/store/wakeups.ts';
import { createEngine } from '../../src/tasks/engine.ts';
import type { EngineSettings } from '../../src/tasks/engine-settings.ts';
import type { CreatedTask, DecideResult, Engine, Person } from '../../src/tasks/task-engine.ts';
import { borrowDatabase, type LentDatabase } from './kept-database.ts';

/** A clock that goes only when told to. */
export class TestClock {
  #now = new Date('2026-03-01T09:00:00.000Z');
  now(): Date {
    return new Date(this.#now);
  }
  advance(ms: number): void {
    this.#now = new Date(this.#now.getTime() + ms);
  }
}

/** A job queue that only records what is published: what a worker would be given. */
export class RecordedQueue implements JobQueue {
  readonly published: (Job & { id: string; host?: string })[] = [];
  publish: JobQueue['publish'] = async (name, data, { id, host }) => {
    this.published.push({ name, data, id, host } as Job & { id: string; host?: string });
  };
  /** Ids of published runs, oldest first; forgets them. */
  take(): string[] {
    return this.published.splice(0).map(({ id }) => id);
  }
  async work(): Promise<never> {
    throw new Error('the recorded queue has no workers');
  }
  async counts() {
    return { waiting: this.published.length, delayed: 0, active: 0 };
  }
  async close() {}
}

export const dockerOffer: SandboxOffer = { cwd: '/workspace', sandbox: 'docker', image: 'deckhand/sandbox:1', network: 'none' };
export const localOffer: SandboxOffer = { cwd: '/workspace', sandbox: 'local', image: null, network: 'host' };

export const askPolicy: Policy = defaultPolicy;
export const openPolicy: Policy = { ...defaultPolicy, mode: 'yolo' };

export interface TestWorld {
  workspace: string;
  project: string;
  channel: string;
  people: Record<'ada' | 'ben' | 'dev' | 'gus', Person>;
}

/** An engine over a database of its own, with one workspace: Ada owner, Ben maintainer, Dev developer, Gus guest. */
export class TestEngine {
  readonly clock = new TestClock();
  readonly queue = new RecordedQueue();
  readonly logger = createLogger({ level: 'silent' });
  readonly #lent: LentDatabase;
  readonly database: Database;
  readonly wakeups: Wakeups;
  readonly engine: Engine;
  readonly #extra: Database[] = [];

  private constructor(lent: LentDatabase, settings: Partial<EngineSettings>) {
    this.#lent = lent;
    this.database = lent.database;
    this.wakeups = lent.wakeups;
    this.engine = createEngine({ ...this, settings });
  }

  static async start(settings: Partial<EngineSettings> = {}): Promise<TestEngine> {
    return new TestEngine(await borrowDatabase(fail), settings);
  }

  /** The engine of another process over the same database and queue. */
  another(settings: Partial<EngineSettings> = {}): Engine {
    const database = createDatabase({ url: this.#lent.url, connections: 10, onEffectError: fail });
    this.#extra.push(database);
    return createEngine({ ...this, database, settings });
  }

  async close(): Promise<void> {
    await Promise.all(this.#extra.map((database) => database.close()));
    await this.#lent.giveBack();
  }

  get runs(): RunControl {
    return this.engine.runs;
  }

  get db(): Database['db'] {
    return this.database.db;
  }

  tx<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.database.transaction(work);
  }

  async world(
    options: {
      policy?: Policy;
      limits?: Partial<ProjectLimits>;
      roles?: Partial<Record<'ada' | 'ben' | 'dev' | 'gus', Role | null>>;
      channelRole?: Role;
    } = {},
  ): Promise<TestWorld> {
    const workspace = newId('wsp');
    await this.db.workspace.create({ data: { id: workspace, name: 'Acme' } });
    const roles: Record<string, Role | null> = {
      ada: 'owner',
      ben: 'maintainer',
      dev: 'developer',
      gus: 'guest',
      ...options.roles,
    };
    const person = async (name: 'ada' | 'ben' | 'dev' | 'gus'): Promise<Person> => {
      const user = newId('usr');
      const role = roles[name] ?? null;
      const title = name.charAt(0).toUpperCase() + name.slice(1);
      await this.db.user.create({ data: { id: user, workspaceId: workspace, name: title, role } });
      const identity = { platform: 'slack', tenant: 'T1', user: `U${user}` } as const;
      return { workspace, user, name: title, role: role ?? options.channelRole, identity };
    };
    const people = { ada: await person('ada'), ben: await person('ben'), dev: await person('dev'), gus: await person('gus') };
    const project = await this.project(workspace, 'web', options);
    const channel = newId('chn');
    await this.db.channel.create({
      data: {
        id: channel,
        workspaceId: workspace,
        platform: 'slack',
        tenant: 'T1',
        externalId: channel,
        kind: 'channel',
        projectId: project,
        defaultRole: options.channelRole ?? null,
      },
    });
    return { workspace, project, channel, people };
  }

  async project(
    workspace: string,
    name: string,
    options: { policy?: Policy; limits?: Partial<ProjectLimits> } = {},
  ): Promise<string> {
    const made = await this.tx((tx) =>
      createProject(tx, {
        workspace,
        name,
        source: { kind: 'git', url: 'https://example.com/acme/web.git' },
        baseBranch: undefined,
        policy: options.policy ?? openPolicy,
        limits: { ...defaultProjectLimits, ...options.limits },
        createdBy: undefined,
      }),
    );
    if (made === undefined) throw new Error(`project ${name} exists`);
    return made.id;
  }

  get url(): string {
    return this.#lent.url;
  }

  /** Registers a runner and returns its id. */
  async runner(
    options: {
      host?: string;
      capacity?: number;
      offer?: SandboxOffer | undefined;
      labels?: string[];
      store?: string | undefined;
    } = {},
  ): Promise<string> {
    const id = newId('rnr');
    const { host = 'host-1', capacity = 4, labels, store } = options;
    const offer = 'offer' in options ? options.offer : dockerOffer;
    await this.runs.register({ id, host, capacity, sandboxes: ['docker', 'local'], offer, labels, store });
    return id;
  }

  create(world: TestWorld, command: string, options: CreateOptions = {}): Promise<CreatedTask> {
    const { by = world.people.dev, project = world.project, originKey = newId('aud'), thread = null, runsOn } = options;
    const engine = options.engine ?? this.engine;
    return this.tx((tx) =>
      engine.tasks.createCommandTask(tx, {
        workspace: world.workspace,
        project,
        requester: by,
        command,
        runsOn,
        channel: world.channel,
        thread,
        originKey,
      }),
    );
  }

  async secretOf(run: string): Promise<string> {
    const row = await this.db.interaction.findFirstOrThrow({ where: { runId: run, state: 'pending' } });
    return row.secret;
  }

  async decide(
    run: string,
    by: Person,
    decision: 'approve' | 'approve_task' | 'deny' = 'approve',
    reason?: string,
  ): Promise<DecideResult> {
    const secret = await this.secretOf(run);
    return this.press(secret, by, decision, reason);
  }

  press(
    secret: string,
    by: Person,
    decision: 'approve' | 'approve_task' | 'deny' = 'approve',
    reason?: string,
    engine: Engine = this.engine,
  ): Promise<DecideResult> {
    return this.tx((tx) => engine.tasks.decide(tx, { secret, decision, reason, by, on: 'slack' }));
  }

  async claim(run: string, runner: string): Promise<RunSpec> {
    const claim = await this.runs.claim(run, runner);
    if (!claim.ok) throw new Error(`claim refused: ${claim.reason}`);
    return claim.spec;
  }

  authorise(spec: RunSpec, runner: string, offer: SandboxOffer = dockerOffer) {
    const { command, timeoutMs, project } = spec;
    return this.runs.authorise(spec.run, runner, { type: 'command', command, project: project.id, timeoutMs, ...offer });
  }

  /** Claims, authorises and starts the command. */
  async execute(run: string, runner: string): Promise<RunSpec> {
    const spec = await this.claim(run, runner);
    const authorised = await this.authorise(spec, runner);
    if (authorised.verdict !== 'run') throw new Error(`not authorised: ${authorised.verdict}`);
    const started = await this.runs.executing(run, runner, { kind: 'docker', ref: `box-${run}`, isolated: true });
    if (!started) throw new Error('executing was refused');
    return spec;
  }

  async finish(run: string, runner: string, result: Partial<RunResult> = {}): Promise<boolean> {
    if ((result.outcome ?? 'succeeded') === 'succeeded') await this.runs.finishing(run, runner);
    return this.runs.finish(run, runner, succeeded(result));
  }

  async stateOf(run: string): Promise<string> {
    return (await this.db.run.findUniqueOrThrow({ where: { id: run } })).state;
  }

  async columnOf(task: string): Promise<{ column: string; reason: string | null }> {
    const { column, reason } = await this.db.task.findUniqueOrThrow({ where: { id: task } });
    return { column, reason };
  }

  async events(run: string): Promise<(RunEventData & { seq: number; actor: unknown })[]> {
    const rows = await this.db.runEvent.findMany({ where: { runId: run }, orderBy: { seq: 'asc' } });
    return rows.map(({ seq, data, actor }) => ({ seq, actor, ...runEventDataSchema.parse(data) }));
  }

  async resultOf(run: string): Promise<RunResult | undefined> {
    const terminal = (await this.events(run)).filter((event) => event.type === 'terminal');
    if (terminal.length > 1) throw new Error('more than one terminal event');
    return terminal[0]?.result;
  }

  async audits(action: string): Promise<{ actorId: string | null; subject: string; data: unknown }[]> {
    return this.db.audit.findMany({ where: { action }, orderBy: { id: 'asc' } });
  }
}

function fail(error: unknown): never {
  throw error;
}

export interface CreateOptions {
  by?: Person;
  project?: string;
  originKey?: string;
  thread?: string | null;
  runsOn?: readonly string[];
  engine?: Engine;
}

export function succeeded(result: Partial<RunResult> = {}): RunResult {
  return { outcome: 'succeeded', message: 'It succeeded.', durationMs: 5, files: [], artifacts: [], exitCode: 0, ...result };
}

/** True when some transaction of this database waits for a lock that another one holds. */
export async function waitingForLock({ db }: TestEngine): Promise<boolean> {
  const rows = await db.$queryRaw<unknown[]>`
    SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  return rows.length > 0;
}
