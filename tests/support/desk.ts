import { randomBytes } from 'node:crypto';
import { seedLab } from '../../src/access/first-start.ts';
import { createRepositoryLogins } from '../../src/access/repository-logins.ts';
import { createSecretDoor } from '../../src/access/typed-secrets.ts';
import { type Bus, type BusDeps, createBus } from '../../src/commands/bus.ts';
import type { DoctorCheck } from '../../src/commands/command.ts';
import { AppError } from '../../src/contracts/errors.ts';
import type { InboundEvent } from '../../src/contracts/inbound.ts';
import { type OutboxPayload, outboxPayloadSchema } from '../../src/contracts/outbox.ts';
import type { View } from '../../src/contracts/view.ts';
import { viewSecretContext } from '../../src/delivery/view-secret.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { newId } from '../../src/runtime/ids.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { createSecretBox, type SecretBox } from '../../src/runtime/secret-box.ts';
import type { Database } from '../../src/store/database.ts';
import type { Project } from '../../src/store/projects.ts';
import type { Wakeups } from '../../src/store/wakeups.ts';
import { createAccountKeys } from '../../src/tasks/agent-account-keys.ts';
import { createEngine } from '../../src/tasks/engine.ts';
import type { Engine } from '../../src/tasks/task-engine.ts';
import { borrowDatabase } from './kept-database.ts';

/** Accounts of the desk's people on Slack. `nobody` has no role, and `pia` is of another organisation besides. */
export const accounts = { ada: 'UADA', mia: 'UMIA', ben: 'UBEN', gus: 'UGUS', nobody: 'UNOBODY', pia: 'UPIA' } as const;
export type Account = keyof typeof accounts;

/** A message as the outbox would send it. */
export interface Said {
  key: string;
  channel: string;
  thread: string | null;
  version: number;
  payload: OutboxPayload;
  /** What a person reads of it; '' for what carries no view. */
  text: string;
  /** Who alone sees it. */
  only: string | undefined;
}

/** The bus over the real engine and a database of its own, with nothing behind the outbox: what people would be told is read there. */
export interface Desk extends AsyncDisposable {
  database: Database;
  /** Of its database. */
  wakeups: Wakeups;
  secretBox: SecretBox;
  /** The event as the inbox would store it. */
  guard(event: InboundEvent): Promise<InboundEvent>;
  engine: Engine;
  bus: Bus;
  /** What the bus was made with. */
  deps: BusDeps;
  workspace: string;
  /** Bound to #demo. */
  demo: Project;
  /** Handles an event as the inbox worker does; returns the messages that this put or changed. */
  act(event: InboundEvent): Promise<Said[]>;
  /** Ids handed to `project.sync`. */
  syncs: string[];
  /** What was logged as a warning. */
  warnings: object[];
  checks: DoctorCheck[];
}

export async function openDesk(deps: Partial<BusDeps> = {}): Promise<Desk> {
  const logger = createLogger({ level: 'warn', readable: true });
  const fail = (error: unknown) => {
    throw error;
  };
  const lent = await borrowDatabase(fail);
  const { database } = lent;
  const queue = await lent.queue();
  const engine = createEngine({ database, queue, wakeups: { subscribe: () => () => undefined }, clock: systemClock, logger });
  const secretBox = createSecretBox([randomBytes(32)]);
  const door = createSecretDoor({ database, secretBox });
  const syncs: string[] = [];
  const warnings: object[] = [];
  const checks: DoctorCheck[] = [];
  const used: BusDeps = {
    tasks: engine.tasks,
    accounts: createAccountKeys(secretBox, {}),
    repositoryLogins: createRepositoryLogins(secretBox),
    sealSecret: (secret) => secretBox.seal(secret, viewSecretContext),
    apiUrl: () => 'https://deckhand.example.com',
    now: () => systemClock.now(),
    about: async () => ({
      version: '1.2.3',
      startedAt: systemClock.now(),
      sandboxes: [{ kind: 'docker', isolated: true }],
      links: [],
    }),
    syncProject: async (project) => void syncs.push(project),
    readArtifact: async () => undefined,
    owners: [],
    log: { warn: (context) => void warnings.push(context) },
    ...deps,
  };
  const bus = createBus(used);
  const { workspace, project } = await database.transaction((tx) =>
    seedLab(tx, {
      tenant: { platform: 'slack', tenant: 'T1', name: 'Acme', botUser: 'UBOT' },
      people: [
        { user: accounts.ada, name: 'Ada', role: 'owner' },
        { user: accounts.mia, name: 'Mia', role: 'maintainer' },
        { user: accounts.ben, name: 'Ben', role: 'developer' },
        { user: accounts.gus, name: 'Gus', role: 'guest' },
      ],
      project: { name: 'demo', source: { kind: 'path', path: '/srv/demo' } },
      channel: { id: 'CDEMO', name: 'demo', defaultRole: undefined },
    }),
  );

  async function act(event: InboundEvent): Promise<Said[]> {
    const before = await versions(database);
    try {
      await database.transaction((tx) => bus.handle(tx, event));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      await database.transaction((tx) => bus.refuse(tx, event, error));
    }
    const changed = Object.entries(await versions(database)).filter(([id, version]) => before[id] !== version);
    const rows = await database.db.outbox.findMany({ where: { id: { in: changed.map(([id]) => id) } }, orderBy: { id: 'asc' } });
    return rows.map(toSaid);
  }

  return {
    database,
    wakeups: lent.wakeups,
    secretBox,
    guard: (event) => door.guard([event]).then(([one]) => one ?? event),
    engine,
    bus,
    deps: used,
    workspace: workspace.id,
    demo: project,
    act,
    syncs,
    warnings,
    checks,
    async [Symbol.asyncDispose]() {
      await lent.giveBack();
    },
  };
}

/** By the id of the row, as one value: some tests say hundreds of things. */
async function versions({ db }: Database): Promise<Record<string, number>> {
  const [row] = await db.$queryRaw<{ versions: Record<string, number> | null }[]>`
    SELECT json_object_agg("id", "version") AS versions FROM "Outbox"`;
  return row?.versions ?? {};
}

function toSaid(row: { key: string; channel: string; thread: string | null; version: number; payload: unknown }): Said {
  const payload = outboxPayloadSchema.parse(row.payload);
  return {
    key: row.key,
    channel: row.channel,
    thread: row.thread,
    version: row.version,
    payload,
    text: 'view' in payload ? payload.view.fallback : '',
    only: payload.type === 'ephemeral' || payload.type === 'direct' ? payload.user.user : undefined,
  };
}

interface Where {
  channel?: string;
  thread?: string;
  tenant?: string;
  /** A direct conversation. */
  direct?: boolean;
  key?: string;
  at?: Date;
}

let count = 0;

function base(who: Account, where: Where) {
  count += 1;
  const channel = where.channel ?? (where.direct === true ? `D${accounts[who]}` : 'CDEMO');
  return {
    key: where.key ?? `act:${count}`,
    at: (where.at ?? systemClock.now()).toISOString(),
    conversation: {
      platform: 'slack' as const,
      tenant: where.tenant ?? 'T1',
      channel,
      kind: where.direct === true ? ('direct' as const) : ('channel' as const),
      ...(where.thread === undefined ? {} : { thread: where.thread }),
    },
    actor: {
      user: accounts[who],
      bot: false,
      affiliation: who === 'pia' ? { kind: 'organisation' as const, organisation: 'Initech' } : { kind: 'member' as const },
    },
    reply: `reply-${count}`,
    trigger: `trigger-${count}`,
  };
}

/** `typed`: on a platform that does not leave it standing. */
export function slash(who: Account, text: string, where: Where & { typed?: string } = {}): InboundEvent {
  const { typed } = where;
  return { ...base(who, where), type: 'command', text, ...(typed === undefined ? {} : { typed }) };
}

/** A message that names the bot, or a direct one. */
export function mention(who: Account, text: string, where: Where & { message?: string } = {}): InboundEvent {
  const addressed = where.direct === true ? ('direct' as const) : ('mention' as const);
  const event = base(who, where);
  const message = where.message ?? `${count}.000`;
  return { ...event, type: 'message', text, message, below: message, addressed, attachments: [] };
}

/** A message in a thread that does not name the bot. */
export function reply(who: Account, text: string, thread: string, where: Where = {}): InboundEvent {
  return {
    ...base(who, { ...where, thread }),
    type: 'message',
    text,
    message: `${count}.111`,
    addressed: 'thread',
    attachments: [],
  };
}

export function press(who: Account, token: string, where: Where & { values?: string[]; message?: string } = {}): InboundEvent {
  return {
    ...base(who, where),
    type: 'press',
    token,
    values: where.values ?? [],
    ...(where.message === undefined ? {} : { message: where.message }),
  };
}

export function submit(who: Account, token: string, values: Record<string, string[]>, where: Where = {}): InboundEvent {
  return { ...base(who, where), type: 'form', token, values };
}

/** The token of the button or select with this label or placeholder. */
export function tokenOf(said: Said | undefined, label: string): string {
  const view: View | undefined = said !== undefined && 'view' in said.payload ? said.payload.view : undefined;
  for (const block of view?.blocks ?? []) {
    if (block.type === 'select' && block.placeholder === label) return block.token;
    if (block.type !== 'buttons') continue;
    const button = block.buttons.find((one) => one.label === label);
    if (button !== undefined) return button.token;
  }
  throw new Error(`no button ${label} in: ${said?.text}`);
}

/** A runner that offers containers: approvals are asked for as soon as a task is made. Nothing is run. */
export async function offerSandbox(desk: Desk, capacity = 1): Promise<string> {
  const id = newId('rnr');
  await desk.engine.runs.register({
    id,
    host: 'test',
    capacity,
    sandboxes: ['docker'],
    offer: { cwd: '/workspace', sandbox: 'docker', image: 'deckhand/sandbox', network: 'none' },
  });
  return id;
}
