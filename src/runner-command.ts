import { setTimeout as delay } from 'node:timers/promises';
import type { Terminal } from './cli.ts';
import { loadConfig } from './config.ts';
import { AppError } from './contracts/errors.ts';
import { labelsIn } from './contracts/labels.ts';
import { count, duration } from './delivery/units.ts';
import { recordAudit } from './store/audit.ts';
import { installationChain } from './store/audit-line.ts';
import { hostIdOf } from './store/data-dir.ts';
import { createDatabase, type Database, type Tx } from './store/database.ts';
import { askDrain, endDrain } from './store/drains.ts';
import { type Standing, standingOf } from './store/standing.ts';

export const runnerVerbs = ['list', 'drain', 'undrain'] as const;
export type RunnerVerb = (typeof runnerVerbs)[number];

type Machine = Standing['runners'][number];

const lookEveryMs = 1_000;

/**
 * `deckhand runner list|drain|undrain [MACHINE] [--wait]`, from any machine that reaches the database. A machine is named by its id or a
 * beginning of it; without a name it is the one of this data directory. Returns the exit code.
 */
export async function runRunnerCommand(
  verb: RunnerVerb,
  name: string | undefined,
  { wait }: { wait: boolean },
  terminal: Terminal,
): Promise<number> {
  // Nothing is decrypted here: the key may be missing on the machine from which this is asked.
  const key = terminal.env.DECKHAND_SECRET_KEY || Buffer.alloc(32).toString('base64');
  const config = loadConfig({ ...terminal.env, DECKHAND_SECRET_KEY: key }, { opensLab: false });
  const url = config.databaseUrl;
  if (url === undefined) throw new AppError('DH-100', { problems: `DATABASE_URL is needed by \`deckhand runner ${verb}\`` });
  const database = createDatabase({ url, connections: 1, onEffectError: () => undefined });
  const say = (text: string) => terminal.out(`${text}\n`);
  try {
    const machines = (await standingOf(database.db)).runners;
    if (verb === 'list') {
      for (const machine of machines.filter(({ left, busy }) => !left || busy > 0)) say(machineLine(machine));
      if (machines.every(({ left }) => left)) say('No runner is up.');
      return 0;
    }
    const { host } = chosen(machines, name ?? hostIdOf(config.dataDir));
    if (verb === 'undrain') {
      await database.transaction(async (tx) => {
        await endDrain(tx, host);
        await noteDrain(tx, host, 'runner.undrain');
      });
      say(`✔ ${host} takes new runs again.`);
      return 0;
    }
    await database.transaction(async (tx) => {
      await askDrain(tx, host, new Date());
      await noteDrain(tx, host, 'runner.drain');
    });
    say(`✔ ${host} takes nothing new, also when it starts again, until \`deckhand runner undrain ${host}\`.`);
    await tellUntilEmpty(database, host, wait, say);
    return 0;
  } finally {
    await database.close();
  }
}

/** Who it was the machine knows that it was asked on, not Deckhand. */
async function noteDrain(tx: Tx, host: string, action: string): Promise<void> {
  await recordAudit(tx, { workspace: installationChain, action, subject: host, data: { from: 'command line' } });
}

/** Throws DH-126. */
function chosen(machines: readonly Machine[], name: string | undefined): Machine {
  const found = name === undefined ? [] : machines.filter(({ host }) => host === name || host.startsWith(name));
  const exact = found.find(({ host }) => host === name) ?? (found.length === 1 ? found[0] : undefined);
  if (exact !== undefined) return exact;
  const known = machines.map(({ host }) => host).join(', ');
  throw new AppError('DH-126', { machine: name ?? 'this data directory', known: known === '' ? 'none has ever run' : known });
}

/** What runs there, whenever that changes; once when nobody waits for its end. */
async function tellUntilEmpty(database: Database, host: string, wait: boolean, say: (text: string) => void): Promise<void> {
  let told = '';
  for (;;) {
    const machine = (await standingOf(database.db)).runners.find((one) => one.host === host);
    const busy = machine?.busy ?? 0;
    const text = busyText(machine);
    if (text !== told) say(text);
    told = text;
    if (busy === 0 || !wait) return;
    await delay(lookEveryMs);
  }
}

function busyText(machine: Machine | undefined): string {
  const busy = machine?.busy ?? 0;
  if (busy === 0) return '✔ Nothing runs there: its runner may be stopped.';
  const how = machine?.alive === true ? '' : ', though its runner is not heard: start it, or they end as interrupted';
  return `● ${count(busy, 'run')} there ${busy === 1 ? 'goes' : 'go'} on${how}.`;
}

function machineLine({ host, labels, alive, draining, busy, capacity, beatAge }: Machine): string {
  const state = alive ? (draining ? 'takes nothing new' : 'takes runs') : 'is not heard';
  const what = labels === '' ? '' : ` · ${labelsIn(labels).join(', ')}`;
  return `${alive && !draining ? '●' : '⏸'} ${host}${what} · ${state} · ${busy} of ${count(capacity, 'place')} taken · heard ${duration(beatAge * 1000)} ago`;
}
